"""The C library, and how its structs are packed. The tests compare the formats with the header."""

from __future__ import annotations

import ctypes
import os
import sys
from array import array
from ctypes import c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_void_p
from itertools import accumulate
from operator import attrgetter
from pathlib import Path
from struct import Struct

from .lists import FactKind
from .types import Change, Profile, Transaction

ABI_VERSION = 1
LINES_MAX = 512
FACTS_MAX = 4096
SLOTS_MAX = 16

TRANSACTION_HAS_VALUE = 1
TRANSACTION_HAS_MIN_RELEVANCE = 2
TRANSACTION_IS_GIFT = 4
TRANSACTION_IS_TEST = 8
TRANSACTION_FIRST_PURCHASES = 16
LINE_HAS_UNIT_PRICE = 1
PROFILE_OPT_OUT_THIRD_PARTY = 1
PROFILE_HAS_ORDERS = 2
PROFILE_GPC = 4

OPTIONS = Struct("=4IQ")
ERROR = Struct("=IiiIQ32s456s")
INFO = Struct("=3I4s2QqQ16s")
TRANSACTION = Struct("=2I2q2I4s4s8I")
PROFILE = Struct("=6I16s16s6I")
LINE = Struct("=6Iq4I")
FACT = Struct("=2Iq4I")
OFFER = Struct("=6Ii3I3q2I72s2I")
SUMMARY = Struct("=2I4Q6IQ2Q2I")
CHANGE = Struct("=7Ii4I5q")
LIVE_STATE = Struct("=4I2i4I8q")
EXPLANATION = Struct("=3IiIi2Iq2I32I")
LEASE = Struct("=2Iq4Q")
QUESTION = Struct("=2Iq4I")
CLAIM = Struct("=2I2Q2q4sI72s2Q")
FOLLOW_UP = Struct("=4I2q2IiI72s72s72s")
LOGGED = Struct("=2I4Q")
EVENT = Struct("=4I2Q4q10I")
FOLLOW_UPS_MAX = 32
JSON_BYTES = 8193
LOG_TIMED = 1
AMOUNT_VALUE = 1
AMOUNT_MARGIN = 2
AMOUNT_PAYOUT = 4
TOKEN_BYTES = 192
OPTIONS_MAX = 32
OPTION_READY = 1
OPTION = Struct("=2I2q2I")
METHOD_COUNT = Struct("=2I4sIq2I")
RANKED = Struct("=2IQ")
STORED = Struct("=2I4sIq")
PREFILLED = Struct("=4Iq")

CHANGE_STOCK = 1
CHANGE_PRICE = 2
CHANGE_BID = 4
CHANGE_DAILY = 8
CHANGE_TOTAL = 16
CHANGE_PACING = 32
CHANGE_UTC_OFFSET = 64


def load() -> ctypes.CDLL:
    """The library that AFTERCART_LIBRARY names, else the one in this package, else the one that the system's loader finds."""
    if sys.byteorder != "little":
        raise ImportError("this binding needs a machine that stores the low byte first")  # see pack_purchases
    name = f"libaftercart.so.{ABI_VERSION}"
    packaged = Path(__file__).with_name(name)
    library = ctypes.CDLL(os.environ.get("AFTERCART_LIBRARY") or (str(packaged) if packaged.exists() else name))
    pointer, size = c_void_p, c_size_t
    for name, takes in {
        "engine_open": [c_char_p, size, pointer, pointer, pointer],
        "engine_close": [pointer],
        "engine_info": [pointer, pointer],
        "item_text": [pointer, c_uint32, c_uint32, c_uint32, pointer, size, pointer],
        "decider_new": [pointer, pointer, pointer],
        "decider_free": [pointer],
        "decide": [pointer] * 4 + [size, size, pointer, size, size, pointer, size, pointer, size, size, pointer, pointer],
        "decider_use": [pointer, pointer],
        "explain": [pointer] * 4 + [size, size, pointer, size, size, pointer, size, c_uint32, pointer, size, pointer, pointer,
                                    size, pointer],
        "engine_with_live": [pointer, c_char_p, size, pointer, pointer],
        "engine_with_model": [pointer, c_char_p, size, c_uint32, pointer, pointer],
        "next_question": [pointer] * 4 + [size, size, pointer, size, size, pointer, size, pointer],
        "rank_payment_methods": [pointer] * 4 + [size, size, pointer, size, size, pointer, size, c_uint32, pointer, size, size,
                                                 pointer, size, size, pointer, size, size, pointer],
        "rank_shipping_options": [pointer] * 4 + [size, size, pointer, size, size, pointer, size, pointer, size, size, pointer,
                                                  size, size, pointer],
        "prefill": [pointer, pointer, size, size, pointer, size, size, pointer],
        "programmes_open": [pointer, c_char_p, size, pointer, pointer],
        "programmes_free": [pointer],
        "plan_follow_ups": [pointer] * 4 + [size, size, pointer, size, size, pointer, size, pointer, c_int64, pointer, size, size,
                                            pointer],
        "log_to": [pointer, c_char_p, size, size, c_uint32, pointer],
        "log_counts": [pointer, pointer],
        "event_append": [c_char_p, size, pointer, c_char_p, size, pointer],
        "event_json": [pointer, c_char_p, size, pointer, size, pointer, pointer],
        "key_new": [c_char_p, size, pointer, pointer],
        "key_free": [pointer],
        "token_sign": [pointer, pointer, pointer, size, pointer],
        "token_verify": [pointer, c_char_p, size, c_char_p, c_int64, c_int64, pointer],
        "live_bind": [pointer, c_char_p, size, pointer],
        "live_edit": [pointer, pointer, size, size, pointer, size, c_int64, pointer, pointer],
        "live_look": [pointer, c_uint32, c_char_p, size, c_int64, pointer, pointer],
        "lease_reserve": [pointer, c_uint32, c_uint32, c_int64, c_int64, c_int64, pointer],
        "lease_activate": [pointer, pointer, c_int64],
        "lease_release": [pointer, pointer, c_int64],
        "selftest": [pointer, c_uint32],
        "abi_version": [],
    }.items():
        function = getattr(library, f"aftercart_{name}")
        function.argtypes, function.restype = takes, c_int32
    library.aftercart_reason_text.argtypes = [c_uint32]
    library.aftercart_reason_text.restype = c_char_p
    abi = library.aftercart_abi_version()
    if abi != ABI_VERSION:
        raise ImportError(f"libaftercart has ABI {abi}, this binding needs {ABI_VERSION}")
    return library


_ANSWER = {None: 0, False: 1, True: 2}
_ID, _AT_MS = attrgetter("id"), attrgetter("at_ms")


class Texts:
    """The block of strings of a request."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.length = 0

    def add(self, text: str) -> tuple[int, int]:
        if not text:
            return 0, 0
        part = text.encode("utf-8", "replace")
        at = self.length
        self.parts.append(part)
        self.length += len(part)
        return at, len(part)

    def add_all(self, texts: list[str]) -> tuple[array[int], array[int]]:
        """Adds many: where they start, and their lengths."""
        joined = "".join(texts)
        part = joined.encode("utf-8", "replace")
        if len(part) != len(joined):  # else all are ASCII, and the length of a text is that of its bytes
            encoded = [text.encode("utf-8", "replace") for text in texts]
            lengths = array("I", map(len, encoded))
        else:
            lengths = array("I", map(len, texts))
        starts = array("I", accumulate(lengths, initial=self.length))
        starts.pop()
        self.parts.append(part)
        self.length += len(part)
        return starts, lengths


def code(text: str) -> bytes:
    """A short code, which C checks."""
    packed = text.encode()
    if len(packed) > 4:
        raise ValueError("currency and country are ISO codes")
    return packed


def pack_transaction(order: Transaction, texts: Texts) -> bytes:
    flags = (
        (TRANSACTION_HAS_VALUE if order.value is not None else 0)
        | (TRANSACTION_HAS_MIN_RELEVANCE if order.min_relevance is not None else 0)
        | (TRANSACTION_IS_GIFT if order.is_gift else 0)
        | (TRANSACTION_IS_TEST if order.is_test else 0)
        | (TRANSACTION_FIRST_PURCHASES if order.first_purchases else 0)
    )
    return TRANSACTION.pack(
        TRANSACTION.size, flags, order.created_at_ms, order.value or 0, *texts.add(order.order_id), code(order.currency), code(order.country),
        order.stage, order.slots, order.min_relevance or 0, order.payment, _ANSWER[order.rechargeable], 0,
        *texts.add(order.placement),
    )


def pack_lines(order: Transaction, texts: Texts) -> bytes:
    return b"".join([
        LINE.pack(
            *texts.add(line.item_id), *texts.add(line.category), *texts.add(line.brand), line.unit_price or 0,
            line.quantity, line.role, line.sensitive, LINE_HAS_UNIT_PRICE if line.unit_price is not None else 0,
        )
        for line in order.lines
    ])


def pack_profile(customer: Profile, texts: Texts) -> bytes:
    if len(customer.unit_key) > 16 or len(customer.session_key) > 16:
        raise ValueError("a key has 16 bytes")
    consent = customer.consent
    said = (consent.preferences, consent.analytics, consent.marketing, consent.sale_of_data)  # AFTERCART_PURPOSE_...
    return PROFILE.pack(
        PROFILE.size,
        (PROFILE_GPC if consent.gpc else 0)
        | (PROFILE_OPT_OUT_THIRD_PARTY if customer.opt_out_third_party else 0)
        | (PROFILE_HAS_ORDERS if customer.orders is not None else 0),
        customer.customer, customer.age_band, _ANSWER[customer.loyalty_member], _ANSWER[customer.has_app],
        customer.unit_key, customer.session_key, *texts.add(customer.loyalty_tier), customer.orders or 0, 0,
        sum(1 << at for at, answer in enumerate(said) if answer is not None),
        sum(1 << at for at, answer in enumerate(said) if answer),
    )


def pack_purchases(customer: Profile, texts: Texts) -> bytes:
    """Histories are long, so all of one is packed at once: a fact is four words of 64 bits, or eight of 32."""
    events = customer.purchases
    facts = array("q", bytes(FACT.size * len(events)))
    facts[0::4] = array("q", [1]) * len(events)  # FactKind.PURCHASE
    facts[1::4] = array("q", map(_AT_MS, events))
    halves = memoryview(facts).cast("B").cast("I")
    halves[4::8], halves[5::8] = texts.add_all(list(map(_ID, events)))
    return facts.tobytes()


def pack_facts(order: Transaction, customer: Profile, texts: Texts) -> list[bytes]:
    """All but the purchases."""
    pack, add = FACT.pack, texts.add
    facts = [pack(FactKind.DECLINE, 0, event.at_ms, *add(event.id), 0, 0) for event in customer.declines]
    facts += [pack(event.event, 0, event.at_ms, *add(event.id), 0, 0) for event in customer.exposures]
    facts += [pack(FactKind.ASKED, 0, event.at_ms, *add(event.id), 0, 0) for event in customer.asked]
    facts += [pack(FactKind.ANSWER, 0, 0, *add(answer.question), *add(answer.tag)) for answer in customer.answers]
    facts += [pack(FactKind.OPT_OUT_CATEGORY, 0, 0, *add(path), 0, 0) for path in customer.opt_out_categories]
    facts += [pack(FactKind.CART_REMOVED, 0, 0, *add(item), 0, 0) for item in customer.cart_removed]
    facts += [pack(FactKind.SEGMENT, 0, 0, *add(segment), 0, 0) for segment in customer.segments]
    facts += [pack(FactKind.ORDER_TAG, 0, 0, *add(tag), 0, 0) for tag in order.tags]
    return facts


def pack_change(change: Change, texts: Texts) -> bytes:
    given = (
        (CHANGE_STOCK if change.stock is not None else 0)
        | (CHANGE_PRICE if change.price is not None else 0)
        | (CHANGE_BID if change.bid is not None else 0)
        | (CHANGE_DAILY if change.daily is not None else 0)
        | (CHANGE_TOTAL if change.total is not None else 0)
        | (CHANGE_PACING if change.pacing else 0)
        | (CHANGE_UTC_OFFSET if change.utc_offset_minutes is not None else 0)
    )
    return CHANGE.pack(
        change.kind, given, change.forget, change.stock or 0, _ANSWER[change.paused], _ANSWER[change.killed],
        _ANSWER[change.money], change.utc_offset_minutes or 0, *texts.add(change.id), *texts.add(change.pacing),
        change.price or 0, change.priced_at_ms, change.bid or 0, change.daily or 0, change.total or 0,
    )

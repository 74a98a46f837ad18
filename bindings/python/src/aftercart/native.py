"""The C library, and how its structs are packed. The tests compare the formats with the header."""

from __future__ import annotations

import ctypes
import os
from ctypes import c_char_p, c_int32, c_size_t, c_uint32, c_void_p
from struct import Struct

from .lists import FactKind
from .types import Profile, Transaction

ABI_VERSION = 0
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

OPTIONS = Struct("=4IQ")
ERROR = Struct("=IiiIQ32s456s")
INFO = Struct("=4I2QqQ16s")
TRANSACTION = Struct("=2I2q2I4s4s8I")
PROFILE = Struct("=6I16s16s4I")
LINE = Struct("=6Iq4I")
FACT = Struct("=2Iq4I")
OFFER = Struct("=6Ii3I3q2I72s")
SUMMARY = Struct("=2I4Q6IQ")


def load() -> ctypes.CDLL:
    """The library that AFTERCART_LIBRARY names, else the one that the system's loader finds."""
    library = ctypes.CDLL(os.environ.get("AFTERCART_LIBRARY", f"libaftercart.so.{ABI_VERSION}"))
    pointer, size = c_void_p, c_size_t
    for name, takes in {
        "engine_open": [c_char_p, size, pointer, pointer, pointer],
        "engine_close": [pointer],
        "engine_info": [pointer, pointer],
        "item_text": [pointer, c_uint32, c_uint32, c_uint32, pointer, size, pointer],
        "decider_new": [pointer, pointer, pointer],
        "decider_free": [pointer],
        "decide": [pointer] * 4 + [size, size, pointer, size, size, pointer, size, pointer, size, size, pointer, pointer],
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


def pack_transaction(order: Transaction, texts: Texts) -> bytes:
    currency, country = order.currency.encode(), order.country.encode()
    if len(currency) > 4 or len(country) > 4:
        raise ValueError("currency and country are ISO codes")
    flags = (
        (TRANSACTION_HAS_VALUE if order.value is not None else 0)
        | (TRANSACTION_HAS_MIN_RELEVANCE if order.min_relevance is not None else 0)
        | (TRANSACTION_IS_GIFT if order.is_gift else 0)
        | (TRANSACTION_IS_TEST if order.is_test else 0)
        | (TRANSACTION_FIRST_PURCHASES if order.first_purchases else 0)
    )
    return TRANSACTION.pack(
        TRANSACTION.size, flags, order.created_at_ms, order.value or 0, *texts.add(order.order_id), currency, country,
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
    return PROFILE.pack(
        PROFILE.size,
        (PROFILE_OPT_OUT_THIRD_PARTY if customer.opt_out_third_party else 0)
        | (PROFILE_HAS_ORDERS if customer.orders is not None else 0),
        customer.customer, customer.age_band, _ANSWER[customer.loyalty_member], _ANSWER[customer.has_app],
        customer.unit_key, customer.session_key, *texts.add(customer.loyalty_tier), customer.orders or 0, 0,
    )


def pack_facts(order: Transaction, customer: Profile, texts: Texts) -> list[bytes]:
    pack, add = FACT.pack, texts.add
    facts = [pack(FactKind.PURCHASE, 0, event.at_ms, *add(event.id), 0, 0) for event in customer.purchases]
    facts += [pack(FactKind.DECLINE, 0, event.at_ms, *add(event.id), 0, 0) for event in customer.declines]
    facts += [pack(FactKind.ANSWER, 0, 0, *add(answer.question), *add(answer.tag)) for answer in customer.answers]
    facts += [pack(FactKind.OPT_OUT_CATEGORY, 0, 0, *add(path), 0, 0) for path in customer.opt_out_categories]
    facts += [pack(FactKind.CART_REMOVED, 0, 0, *add(item), 0, 0) for item in customer.cart_removed]
    facts += [pack(FactKind.SEGMENT, 0, 0, *add(segment), 0, 0) for segment in customer.segments]
    facts += [pack(FactKind.ORDER_TAG, 0, 0, *add(tag), 0, 0) for tag in order.tags]
    return facts

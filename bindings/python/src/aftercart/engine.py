"""Engine, Decider, Pool."""

from __future__ import annotations

import os
import queue
import struct
import threading
import weakref
from ctypes import byref, c_size_t, c_void_p, create_string_buffer

from . import native
from .lists import Kind, Mode, Prefault, Relation, Status, Verify
from .types import Info, Offer, Offers, Profile, Transaction

_library = native.load()
_ANONYMOUS = Profile()


class AftercartError(Exception):
    """A call failed. On a page: show nothing, and go on."""

    def __init__(self, status: int, message: str = "", os_error: int = 0, rule: int = 0, offset: int = 0, part: str = ""):
        self.status = Status(status) if status in Status._value2member_map_ else Status.INTERNAL
        self.os_error, self.rule, self.offset, self.part = os_error, rule, offset, part
        super().__init__(f"{self.status.name}: {message}" if message else self.status.name)


def _text(chars: bytes) -> str:
    return chars.partition(b"\0")[0].decode("utf-8", "replace")


class _Error:
    """Room for what C says of a failure."""

    def __init__(self) -> None:
        self.room = create_string_buffer(struct.pack("=I", native.ERROR.size), native.ERROR.size)

    def raised(self) -> AftercartError:
        _, status, os_error, rule, offset, part, message = native.ERROR.unpack(self.room.raw)
        return AftercartError(status, _text(message), os_error, rule, offset, _text(part))


class Engine:
    """An opened catalog with its policy. It never changes; any number of threads may use it."""

    def __init__(self, path: str | os.PathLike[str], *, mode: Mode = Mode.MAP, verify: Verify = Verify.FULL,
                 prefault: Prefault = Prefault.BACKGROUND, visit_budget: int = 0):
        name, handle, error = os.fsencode(path), c_void_p(), _Error()
        options = native.OPTIONS.pack(native.OPTIONS.size, mode, verify, prefault, visit_budget)
        if _library.aftercart_engine_open(name, len(name), options, byref(handle), error.room) < 0:
            raise error.raised()
        self._handle = handle
        self._lock = threading.Lock()
        self._finalizer = weakref.finalize(self, _library.aftercart_engine_close, handle)

    def close(self) -> None:
        """Gives the catalog back. Deciders keep what they need of it. Further calls do nothing."""
        with self._lock:
            self._finalizer()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> c_void_p:
        """The handle. The caller holds the lock, for as long as C uses it."""
        if not self._finalizer.alive:
            raise AftercartError(Status.BAD_HANDLE)
        return self._handle

    def info(self) -> Info:
        """Says what the engine is."""
        room = create_string_buffer(struct.pack("=I", native.INFO.size), native.INFO.size)
        with self._lock:
            status = _library.aftercart_engine_info(self._open(), room)
        if status < 0:
            raise AftercartError(status)
        _, products, offers, _, index, policy, created_at_ms, file_bytes, kernel = native.INFO.unpack(room.raw)
        return Info(products, offers, index, policy, created_at_ms, file_bytes, _text(kernel))

    def title(self, offer: Offer) -> str:
        """The title of an offer of this engine's deciders."""
        return self._item_text(offer, 2)

    def category(self, offer: Offer) -> str:
        """The category path of an offer's product; empty where not known and for other offers."""
        return self._item_text(offer, 3)

    def partner(self, offer: Offer) -> str:
        """The id of the partner behind an offer; empty for your own."""
        return self._item_text(offer, 4)

    def _item_text(self, offer: Offer, which: int) -> str:
        length, capacity = c_size_t(), 256
        while True:
            room = create_string_buffer(capacity)
            with self._lock:
                status = _library.aftercart_item_text(
                    self._open(), offer.item_kind, offer.item_row, which, room, capacity, byref(length))
            if status < 0:
                raise AftercartError(status)
            if status == 0:
                return room.raw[: length.value].decode("utf-8", "replace")
            capacity = length.value + 1


class Decider:
    """Makes decisions, one at a time: a second call at the same time gets BUSY. Use a Pool, or one per thread."""

    def __init__(self, engine: Engine):
        handle, error = c_void_p(), _Error()
        with engine._lock:
            if _library.aftercart_decider_new(engine._open(), byref(handle), error.room) < 0:
                raise error.raised()
        self._handle = handle
        self._lock = threading.Lock()
        self._offers = create_string_buffer(native.OFFER.size * native.SLOTS_MAX)
        self._summary = create_string_buffer(struct.pack("=I", native.SUMMARY.size), native.SUMMARY.size)
        self._count = c_size_t()
        self._finalizer = weakref.finalize(self, _library.aftercart_decider_free, handle)

    def close(self) -> None:
        """Gives the memory back. BUSY while a decision runs. Further calls do nothing."""
        if not self._lock.acquire(blocking=False):
            raise AftercartError(Status.BUSY)
        try:
            self._finalizer()
        finally:
            self._lock.release()

    def __enter__(self) -> Decider:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def decide(self, order: Transaction, customer: Profile = _ANONYMOUS) -> Offers:
        """Decides what belongs on the page. No offers is no failure: then `offers.reason_text` says why."""
        if not self._lock.acquire(blocking=False):
            raise AftercartError(Status.BUSY)
        try:
            if not self._finalizer.alive:
                raise AftercartError(Status.BAD_HANDLE)
            return self._decide(order, customer)
        finally:
            self._lock.release()

    def _decide(self, order: Transaction, customer: Profile) -> Offers:
        if len(order.lines) > native.LINES_MAX:
            raise AftercartError(Status.TOO_MANY_LINES)
        texts = native.Texts()
        try:
            transaction = native.pack_transaction(order, texts)
            lines = native.pack_lines(order, texts)
            profile = native.pack_profile(customer, texts)
            facts = native.pack_facts(order, customer, texts)
        except (struct.error, ValueError) as problem:
            raise AftercartError(Status.BAD_VALUE, str(problem)) from None
        status = _library.aftercart_decide(
            self._handle, transaction, profile, lines, native.LINE.size, len(order.lines), b"".join(facts),
            native.FACT.size, len(facts), b"".join(texts.parts), texts.length, self._offers, native.OFFER.size,
            native.SLOTS_MAX, byref(self._count), self._summary,
        )
        if status < 0:
            raise AftercartError(status)
        slate = tuple(
            _offer(native.OFFER.unpack_from(self._offers, at * native.OFFER.size)) for at in range(self._count.value))
        _, reason, low, high, *rest = native.SUMMARY.unpack(self._summary.raw)
        text = _library.aftercart_reason_text(reason).decode() if reason else ""
        return Offers(slate, reason, text, f"{high:016x}{low:016x}", *rest)

    def _selftest(self) -> int:
        """Runs into a defect on purpose, for the tests."""
        return _library.aftercart_selftest(self._handle, 1)


def _offer(fields: tuple) -> Offer:  # type: ignore[type-arg]
    (item_kind, item_row, kind, position, third_party, relation, line, relevance, accept, select, value, ev, price,
     id_length, _, chars) = fields
    return Offer(
        chars[:id_length].decode("utf-8", "replace"),
        Kind(kind) if kind in Kind._value2member_map_ else kind,
        Relation(relation) if relation in Relation._value2member_map_ else relation,
        position, None if line < 0 else line, third_party != 0, relevance, accept, select, value, ev,
        None if price < 0 else price, item_kind, item_row,
    )


class Pool:
    """Shares deciders among threads. As many as there are processors are enough: the others wait in line."""

    def __init__(self, engine: Engine, size: int = 0):
        self._engine = engine
        self._size = size or os.cpu_count() or 1
        self._free: queue.SimpleQueue[Decider] = queue.SimpleQueue()
        for _ in range(self._size):
            self._free.put(Decider(engine))

    def decide(self, order: Transaction, customer: Profile = _ANONYMOUS) -> Offers:
        """`Decider.decide` with a decider of the pool."""
        decider = self._free.get()
        try:
            return decider.decide(order, customer)
        except AftercartError as failed:
            if failed.status in (Status.INTERNAL, Status.POISONED):  # a defect has left it half-way
                decider = Decider(self._engine)
            raise
        finally:
            self._free.put(decider)

    def close(self) -> None:
        """Waits for decisions that are running and gives all deciders back; later decisions get BAD_HANDLE."""
        taken = [self._free.get() for _ in range(self._size)]
        for decider in taken:
            decider.close()
            self._free.put(decider)

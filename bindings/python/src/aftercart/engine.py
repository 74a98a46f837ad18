"""Engine, Decider, Pool."""

from __future__ import annotations

import os
import queue
import struct
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from ctypes import byref, c_size_t, c_void_p, create_string_buffer

from . import native
from .lists import (
    Accept, Acceptance, Because, Channel, Device, FactKind, Item, Kind, MessageKind, Mode, Prefault, Relation, Status, Verify, Withheld,
)
from .types import (
    Change, Explanation, Feature, FollowUp, Info, Lease, LiveState, Logged, MethodCount, Offer, Offers, PaymentOption, PossibleAnswer, Profile,
    Question, Ranked, ShippingOption, Transaction, Use,
)

_library = native.load()
_ANONYMOUS = Profile()
_TRUNCATED = 2
# A number that only a newer version of this binding knows stays a number.
_kinds = {kind.value: kind for kind in Kind}
_relations = {relation.value: relation for relation in Relation}
_accepts = {accept.value: accept for accept in Accept}
_becauses = {because.value: because for because in Because}
_messages = {kind.value: kind for kind in MessageKind}
_channels = {channel.value: channel for channel in Channel}
_withheld = {why.value: why for why in Withheld}
_acceptances = {acceptance.value: acceptance for acceptance in Acceptance}


class AftercartError(Exception):
    """A call failed. On a page: show nothing, and go on."""

    def __init__(self, status: int, message: str = "", os_error: int = 0, rule: int = 0, offset: int = 0, part: str = ""):
        self.status = Status(status) if status in Status._value2member_map_ else Status.INTERNAL
        self.os_error, self.rule, self.offset, self.part = os_error, rule, offset, part
        self.done = 0  # of Engine.edit: changes that were made
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
        self._own(handle)

    def _own(self, handle: c_void_p) -> None:
        self._handle = handle
        self._lock = threading.Condition(threading.Lock())
        self._log: tuple[bytes, int, int] | None = None
        self._users = 0  # calls that take long: `close` waits for them, short calls hold the lock
        self._finalizer = weakref.finalize(self, _library.aftercart_engine_close, handle)

    def close(self) -> None:
        """Gives the catalog back. Deciders keep what they need of it. Further calls do nothing."""
        with self._lock:
            self._lock.wait_for(lambda: self._users == 0)
            self._finalizer()

    @contextmanager
    def _using(self) -> Iterator[c_void_p]:
        with self._lock:
            handle = self._open()
            self._users += 1
        try:
            yield handle
        finally:
            with self._lock:
                self._users -= 1
                self._lock.notify_all()

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
        _, products, offers, currency, index, policy, created_at_ms, file_bytes, kernel = native.INFO.unpack(room.raw)
        return Info(products, offers, index, policy, created_at_ms, file_bytes, _text(kernel), _text(currency))

    def title(self, offer: Offer) -> str:
        """The title of an offer of this engine's deciders."""
        return self._item_text(offer.item_kind, offer.item_row, 2)

    def title_of(self, message: FollowUp) -> str:
        """The title of the product that a message is about; empty where the catalog does not know it."""
        return self._item_text(message.item_kind, message.item_row, 2) if message.item_kind else ""

    def category(self, offer: Offer) -> str:
        """The category path of an offer's product; empty where not known and for other offers."""
        return self._item_text(offer.item_kind, offer.item_row, 3)

    def partner(self, offer: Offer) -> str:
        """The id of the partner behind an offer; empty for your own."""
        return self._item_text(offer.item_kind, offer.item_row, 4)

    def _item_text(self, kind: int, row: int, which: int) -> str:
        length, capacity = c_size_t(), 256
        while True:
            room = create_string_buffer(capacity)
            with self._lock:
                status = _library.aftercart_item_text(
                    self._open(), kind, row, which, room, capacity, byref(length))
            if status < 0:
                raise AftercartError(status)
            if status == 0:
                return room.raw[: length.value].decode("utf-8", "replace")
            capacity = length.value + 1

    def log_to(self, folder: str | os.PathLike[str], *, capacity: int = 0, timed: bool = False) -> None:
        """Lets every decider that is made from now on keep its decisions in a log's folder, those of a Pool too, also where it goes on with
        another engine: in files of which another process makes Parquet, while this one lives and after it was killed
        (`aftercart log --log FOLDER --catalog FILE --every 5`). A decision waits for nothing: where its ring of so many records of 824
        bytes (0 = 4096) is full it is counted as dropped. `timed`: also how long each took. A folder that cannot be written fails in
        Decider(). A child of os.fork() does not log with its parent's deciders: it makes its own."""
        self._log = (os.fsencode(folder), capacity, native.LOG_TIMED if timed else 0)

    def bind_live(self, path: str | os.PathLike[str]) -> None:
        """Makes a live overlay for this catalog, or makes one that is there fit this catalog too: what it knows carries over by
        id. Do so before the first `with_live` of a new catalog."""
        name, error = os.fsencode(path), _Error()
        with self._using() as engine:
            if _library.aftercart_live_bind(engine, name, len(name), error.room) < 0:
                raise error.raised()

    def with_live(self, path: str | os.PathLike[str]) -> Engine:
        """An engine that decides with a live overlay, a file that the processes of a machine share. This one stays as it is."""
        name, handle, error = os.fsencode(path), c_void_p(), _Error()
        with self._using() as engine:
            if _library.aftercart_engine_with_live(engine, name, len(name), byref(handle), error.room) < 0:
                raise error.raised()
        return self._made(handle)

    def with_model(self, path: str | os.PathLike[str], *, shadow: bool = False) -> Engine:
        """An engine that decides with a model, a file that `aftercart learn` made: by how likely it says that offers are accepted. As
        a shadow it decides nothing, and what it would have said is recorded. This one stays as it is."""
        name, handle, error = os.fsencode(path), c_void_p(), _Error()
        with self._using() as engine:
            if _library.aftercart_engine_with_model(engine, name, len(name), shadow, byref(handle), error.room) < 0:
                raise error.raised()
        return self._made(handle)

    @staticmethod
    def _made(handle: c_void_p) -> Engine:
        made = object.__new__(Engine)
        made._own(handle)
        return made

    def edit(self, changes: Iterable[Change], now_ms: int) -> None:
        """Changes the live overlay: every process of the machine sees it with its next decision. Each change is made as a whole or
        not at all, in order; the first that cannot be made ends the call, and `AftercartError.done` says how many were. Not for
        the thread that decides: it waits for other processes that change the overlay."""
        texts, done, error = native.Texts(), c_size_t(), _Error()
        try:
            packed = [native.pack_change(change, texts) for change in changes]
        except struct.error as problem:
            raise AftercartError(Status.BAD_VALUE, str(problem)) from None
        # Kept for the call, and aligned: bytes objects are.
        rows = create_string_buffer(b"".join(packed), max(1, len(packed)) * native.CHANGE.size)
        with self._using() as engine:
            status = _library.aftercart_live_edit(
                engine, rows, native.CHANGE.size, len(packed), b"".join(texts.parts), texts.length, now_ms,
                byref(done), error.room)
        if status < 0:
            failed = error.raised()
            failed.done = done.value
            raise failed

    def look(self, id: str, now_ms: int, kind: Item = Item.ANY) -> LiveState:
        """What the live overlay knows of one product, offer or partner."""
        name, error = id.encode("utf-8", "replace"), _Error()
        room = create_string_buffer(struct.pack("=I", native.LIVE_STATE.size), native.LIVE_STATE.size)
        with self._using() as engine:
            if _library.aftercart_live_look(engine, kind, name, len(name), now_ms, room, error.room) < 0:
                raise error.raised()
        (_, kind_of, paused, killed, stock, offset, money, paced, throttle, leases, price, priced_at_ms, bid, daily, total,
         today, spent, held) = native.LIVE_STATE.unpack(room.raw)
        return LiveState(
            Item(kind_of), paused != 0, killed != 0, _known(stock), offset, money != 0, paced != 0, throttle, leases,
            _known(price), priced_at_ms, _known(bid), _known(daily), _known(total), today, spent, held)

    def reserve(self, offer: Offer, now_ms: int, for_ms: int) -> Lease:
        """Takes a lease on the budgets of an offer and its partner, before it is shown; it expires `for_ms` later, at most a day.
        BUDGET_EMPTY and PAUSED: do not show the offer. Without a limit, or an overlay, the lease holds nothing."""
        room = create_string_buffer(struct.pack("=I", native.LEASE.size), native.LEASE.size)
        with self._lock:
            status = _library.aftercart_lease_reserve(
                self._open(), offer.item_kind, offer.item_row, offer.value, now_ms, for_ms, room)
        if status < 0:
            raise AftercartError(status)
        return Lease(room.raw)

    def activate(self, lease: Lease, now_ms: int) -> None:
        """Counts what a lease holds as spent. LEASE_GONE: it expired, or was used before; do not honour the offer on it."""
        self._settle(_library.aftercart_lease_activate, lease, now_ms)

    def release(self, lease: Lease, now_ms: int) -> None:
        """Gives back what a lease holds: the customer declined, or left."""
        self._settle(_library.aftercart_lease_release, lease, now_ms)

    def _settle(self, call, lease: Lease, now_ms: int) -> None:  # type: ignore[no-untyped-def]
        if len(lease.data) != native.LEASE.size or lease.data[:4] != struct.pack("=I", native.LEASE.size):
            raise AftercartError(Status.BAD_SIZE)  # C would read as much as the first four bytes say
        room = create_string_buffer(lease.data, native.LEASE.size)
        with self._lock:
            status = call(self._open(), room, now_ms)
        if status < 0:
            raise AftercartError(status)


def _known(number: int) -> int | None:
    return None if number < 0 else number


class Decider:
    """Makes decisions, one at a time: a second call at the same time gets BUSY. Use a Pool, or one per thread."""

    def __init__(self, engine: Engine):
        handle, error = c_void_p(), _Error()
        with engine._lock:
            if _library.aftercart_decider_new(engine._open(), byref(handle), error.room) < 0:
                raise error.raised()
        self._engine = engine
        self._handle = handle
        self._lock = threading.Lock()
        self._offers = create_string_buffer(native.OFFER.size * native.SLOTS_MAX)
        self._summary = create_string_buffer(struct.pack("=I", native.SUMMARY.size), native.SUMMARY.size)
        self._count = c_size_t()
        self._finalizer = weakref.finalize(self, _library.aftercart_decider_free, handle)
        if engine._log is not None:
            folder, capacity, flags = engine._log
            if _library.aftercart_log_to(handle, folder, len(folder), capacity, flags, error.room) < 0:
                raise error.raised()

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

    def use(self, engine: Engine) -> None:
        """Goes on with another engine: another catalog, or another overlay."""
        if not self._lock.acquire(blocking=False):
            raise AftercartError(Status.BUSY)
        try:
            if not self._finalizer.alive:
                raise AftercartError(Status.BAD_HANDLE)
            with engine._lock:
                status = _library.aftercart_decider_use(self._handle, engine._open())
            if status < 0:
                raise AftercartError(status)
            self._engine = engine
        finally:
            self._lock.release()

    def next_question(self, order: Transaction, customer: Profile = _ANONYMOUS) -> Question | None:
        """The question whose answer is expected to make the page worth most; None where no answer would change it, or where one was
        asked or answered in this order. Then decide again with the answer in `Profile.answers`. Takes as long as the decisions
        that it makes, at most 33. Its texts are the engine's, which must not be closed yet."""
        if not self._lock.acquire(blocking=False):
            raise AftercartError(Status.BUSY)
        try:
            if not self._finalizer.alive:
                raise AftercartError(Status.BAD_HANDLE)
            room = create_string_buffer(struct.pack("=I", native.QUESTION.size), native.QUESTION.size)
            status = _library.aftercart_next_question(self._handle, *self._pack(order, customer), room)
            if status < 0:
                raise AftercartError(status)
        finally:
            self._lock.release()
        if status > 0:
            return None
        _, row, gain_micros, first, count, decisions, _ = native.QUESTION.unpack(room.raw)
        text = self._engine._item_text
        answers = tuple(PossibleAnswer(text(Item.ANSWER, at, 1), text(Item.ANSWER, at, 2)) for at in range(first, first + count))
        return Question(text(Item.QUESTION, row, 1), text(Item.QUESTION, row, 2), answers, gain_micros, decisions)

    def rank_payment_methods(self, order: Transaction, customer: Profile, options: Sequence[PaymentOption], uses: Sequence[Use] = (),
                             counts: Sequence[MethodCount] = (), device: Device = Device.UNKNOWN) -> tuple[Ranked, ...]:
        """Puts the ways to pay that you permit in order, best first: by the customer's own use, drawn to what your customers here use.
        None is added or taken away."""
        def pack(texts: native.Texts) -> list[object]:
            rows = b"".join(native.OPTION.pack(*texts.add(of.id), 0, 0, native.OPTION_READY if of.ready else 0, 0) for of in options)
            usual = b"".join(native.METHOD_COUNT.pack(*texts.add(of.id), native.code(of.country), of.device, of.amount_from, of.orders, 0)
                             for of in counts)
            return [device, rows, native.OPTION.size, len(options), usual, native.METHOD_COUNT.size, len(counts)]
        return self._rank(_library.aftercart_rank_payment_methods, order, customer, uses, pack)

    def rank_shipping_options(self, order: Transaction, customer: Profile, options: Sequence[ShippingOption],
                              uses: Sequence[Use] = ()) -> tuple[Ranked, ...]:
        """Puts the ways to ship that you permit in order, best first: by the customer's own use. A dearer one never stands above one
        that is cheaper and promised as early or earlier."""
        def pack(texts: native.Texts) -> list[object]:
            rows = b"".join(native.OPTION.pack(*texts.add(of.id), of.price, of.arrives_by_ms, 0, 0) for of in options)
            return [rows, native.OPTION.size, len(options)]
        return self._rank(_library.aftercart_rank_shipping_options, order, customer, uses, pack)

    def _rank(self, rank, order: Transaction, customer: Profile, uses: Sequence[Use],  # type: ignore[no-untyped-def]
              pack: Callable[[native.Texts], list[object]]) -> tuple[Ranked, ...]:
        given: list[object] = []

        def more(texts: native.Texts) -> list[bytes]:
            given.extend(pack(texts))
            return [native.FACT.pack(FactKind.FAILED if use.failed else FactKind.USED, 0, use.at_ms, *texts.add(use.id), 0, 0)
                    for use in uses]

        if not self._lock.acquire(blocking=False):
            raise AftercartError(Status.BUSY)
        try:
            if not self._finalizer.alive:
                raise AftercartError(Status.BAD_HANDLE)
            request = self._pack(order, customer, more)
            room, count = create_string_buffer(native.RANKED.size * native.OPTIONS_MAX), c_size_t()
            status = rank(self._handle, *request, *given, room, native.RANKED.size, native.OPTIONS_MAX, byref(count))
        finally:
            self._lock.release()
        if status < 0:
            raise AftercartError(status)
        rows = list(native.RANKED.iter_unpack(room.raw))[: count.value]
        return tuple(Ranked(option, _becauses.get(because, because)) for option, because, _ in rows)

    def plan_follow_ups(self, programmes: Programmes, order: Transaction, customer: Profile = _ANONYMOUS, delivery_at_ms: int = 0,
                        contacted_at_ms: Sequence[int] = ()) -> tuple[FollowUp, ...]:
        """Plans what to send in the days after an order: what is planned, earliest first, then what is withheld. A plan, not a sender.
        `delivery_at_ms`: as promised; 0 = as the programmes say. `contacted_at_ms`: other messages that the customer gets, through
        any channel. BAD_PROGRAMMES: they were made for another catalog."""
        def more(_: native.Texts) -> list[bytes]:
            return [native.FACT.pack(FactKind.CONTACTED, 0, at_ms, 0, 0, 0, 0) for at_ms in contacted_at_ms]

        if not self._lock.acquire(blocking=False):
            raise AftercartError(Status.BUSY)
        try:
            if not self._finalizer.alive:
                raise AftercartError(Status.BAD_HANDLE)
            room, count = create_string_buffer(native.FOLLOW_UP.size * native.FOLLOW_UPS_MAX), c_size_t()
            status = _library.aftercart_plan_follow_ups(
                self._handle, *self._pack(order, customer, more), programmes._handle, delivery_at_ms, room, native.FOLLOW_UP.size,
                native.FOLLOW_UPS_MAX, byref(count))
        finally:
            self._lock.release()
        if status < 0:
            raise AftercartError(status)
        return tuple(_follow_up(row) for row in list(native.FOLLOW_UP.iter_unpack(room.raw))[: count.value])

    def logged(self) -> Logged:
        """What became of the decisions, where `Engine.log_to` was called before this was made."""
        room = create_string_buffer(struct.pack("=I", native.LOGGED.size), native.LOGGED.size)
        if not self._lock.acquire(blocking=False):
            raise AftercartError(Status.BUSY)
        try:
            if not self._finalizer.alive:
                raise AftercartError(Status.BAD_HANDLE)
            status = _library.aftercart_log_counts(self._handle, room)
        finally:
            self._lock.release()
        if status < 0:
            raise AftercartError(status)
        _, logs, *counts = native.LOGGED.unpack(room.raw)
        return Logged(logs != 0, *counts)

    def explain(self, order: Transaction, customer: Profile, id: str, kind: Item = Item.ANY) -> Explanation:
        """Says why a product or offer is, or is not, on the page of a request. For people: it takes some times as long as a
        decision."""
        if not self._lock.acquire(blocking=False):
            raise AftercartError(Status.BUSY)
        try:
            if not self._finalizer.alive:
                raise AftercartError(Status.BAD_HANDLE)
            return self._explain(self._pack(order, customer), id.encode("utf-8", "replace"), kind)
        finally:
            self._lock.release()

    def _explain(self, request: tuple, name: bytes, kind: Item) -> Explanation:  # type: ignore[type-arg]
        room = create_string_buffer(struct.pack("=I", native.EXPLANATION.size), native.EXPLANATION.size)
        length, capacity, status = c_size_t(4096), 0, int(_TRUNCATED)
        while status == _TRUNCATED:
            capacity = length.value + 1
            names = create_string_buffer(capacity)
            status = _library.aftercart_explain(
                self._handle, *request, kind, name, len(name), room, names, capacity, byref(length))
        if status < 0:
            raise AftercartError(status)
        (_, _, _, position, relation, line, relevance, accept_ppm, ev_micros, count, _,
         *reasons) = native.EXPLANATION.unpack(room.raw)
        rows = [row.split("\t") for row in _text(names.raw).splitlines()]
        reasons = reasons[:count]
        return Explanation(
            _known(position), tuple(reasons), tuple(_library.aftercart_reason_text(one).decode() for one in reasons),
            tuple(row[1] for row in rows if row[0] == "rule"), _relations.get(relation, relation) if relation else None,
            _known(line), relevance, accept_ppm, ev_micros,
            tuple(Feature(row[1], int(row[2]), int(row[3])) for row in rows if row[0] == "feature"))

    def _pack(self, order: Transaction, customer: Profile,
              more: Callable[[native.Texts], list[bytes]] | None = None) -> tuple:  # type: ignore[type-arg]
        """A request as the arguments of C, with more facts at its end."""
        if len(order.lines) > native.LINES_MAX:
            raise AftercartError(Status.TOO_MANY_LINES)
        texts = native.Texts()
        try:
            transaction = native.pack_transaction(order, texts)
            lines = native.pack_lines(order, texts)
            profile = native.pack_profile(customer, texts)
            history = native.pack_purchases(customer, texts)
            facts = native.pack_facts(order, customer, texts)
            if more is not None:
                facts += more(texts)
        except (struct.error, ValueError, OverflowError) as problem:
            raise AftercartError(Status.BAD_VALUE, str(problem)) from None
        return (
            transaction, profile, lines, native.LINE.size, len(order.lines), history + b"".join(facts), native.FACT.size,
            len(customer.purchases) + len(facts), b"".join(texts.parts), texts.length,
        )

    def _decide(self, order: Transaction, customer: Profile) -> Offers:
        status = _library.aftercart_decide(
            self._handle, *self._pack(order, customer), self._offers, native.OFFER.size, native.SLOTS_MAX, byref(self._count),
            self._summary,
        )
        if status < 0:
            raise AftercartError(status)
        unpack, size = native.OFFER.unpack_from, native.OFFER.size
        slate = tuple([_offer(unpack(self._offers, at * size)) for at in range(self._count.value)])
        _, reason, low, high, *rest, group_low, group_high, model, _ = native.SUMMARY.unpack_from(self._summary)
        text = _library.aftercart_reason_text(reason).decode() if reason else ""
        return Offers(slate, reason, text, f"{high:016x}{low:016x}", *rest, f"{group_high:016x}{group_low:016x}", model)

    def _selftest(self) -> int:
        """Runs into a defect on purpose, for the tests."""
        return _library.aftercart_selftest(self._handle, 1)


def _follow_up(fields: tuple) -> FollowUp:  # type: ignore[type-arg]
    kind, channel, withheld, line, at_ms, expires, item_kind, row, due, own, programme, template, content = fields
    return FollowUp(
        _messages.get(kind, kind), _channels.get(channel, channel), _withheld.get(withheld, withheld) if withheld else None, line, at_ms,
        expires, item_kind, row, _known(due), own, _text(programme), _text(template), _text(content))


class Programmes:
    """What follows a purchase, by category: read once from a file of TOML, for the catalog of an engine, and again for every new
    catalog. Any number of threads may use it."""

    def __init__(self, engine: Engine, path: str | os.PathLike[str]):
        name, handle, error = os.fsencode(path), c_void_p(), _Error()
        with engine._using() as of:
            if _library.aftercart_programmes_open(of, name, len(name), byref(handle), error.room) < 0:
                raise error.raised()
        self._handle = handle
        weakref.finalize(self, _library.aftercart_programmes_free, handle)


def _offer(fields: tuple) -> Offer:  # type: ignore[type-arg]
    (item_kind, item_row, kind, position, third_party, relation, line, relevance, accept_ppm, select, value, ev, price,
     id_length, accept, chars, acceptance, confirmation) = fields
    return Offer(
        chars[:id_length].decode("utf-8", "replace"), _kinds.get(kind, kind), _relations.get(relation, relation),
        position, None if line < 0 else line, third_party != 0, relevance, accept_ppm, select, value, ev,
        None if price < 0 else price, item_kind, item_row, _accepts.get(accept, accept),
        _acceptances.get(acceptance, acceptance), confirmation != 0,
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

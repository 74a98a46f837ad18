"""What to fill in before payment."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from ctypes import byref, c_size_t, create_string_buffer

from . import native
from .engine import AftercartError, _becauses, _library
from .lists import Status
from .types import Prefilled, StoredField, Transaction


def prefill(order: Transaction, stored: Sequence[StoredField]) -> tuple[Prefilled, ...]:
    """Says which stored thing to fill in for each field, where more than half of its uses, fading over months, are one slot's. An
    address of another country than the order's is left out, and for a gift every address is. Of the order only time, country and
    gift are read."""
    try:
        texts = native.Texts()
        only = Transaction(created_at_ms=order.created_at_ms, country=order.country, is_gift=order.is_gift)
        rows = b"".join(native.STORED.pack(of.field, of.slot, native.code(of.country), of.uses, of.last_used_ms) for of in stored)
        transaction = native.pack_transaction(only, texts)
    except (struct.error, ValueError) as problem:
        raise AftercartError(Status.BAD_VALUE, str(problem)) from None
    room, count = create_string_buffer(native.PREFILLED.size * native.OPTIONS_MAX), c_size_t()
    status = _library.aftercart_prefill(
        transaction, rows, native.STORED.size, len(stored), room, native.PREFILLED.size, native.OPTIONS_MAX, byref(count))
    if status < 0:
        raise AftercartError(status)
    filled = list(native.PREFILLED.iter_unpack(room.raw))[: count.value]
    return tuple(Prefilled(field, slot, sure, _becauses.get(because, because)) for field, slot, because, _, sure in filled)

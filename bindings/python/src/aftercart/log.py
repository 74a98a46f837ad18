"""What came of decisions, for the log that `Engine.log_to` names."""

from __future__ import annotations

import os
import struct
from ctypes import byref, c_size_t, create_string_buffer
from dataclasses import dataclass

from . import native
from .engine import AftercartError, _Error, _library
from .lists import EventKind, Status


@dataclass(frozen=True, slots=True)
class LogEvent:
    """What came of a decision: one thing that happened. Amounts are minor units of the currency of the decision."""

    kind: EventKind
    event_id: str  # its own, 1 to 128 bytes: of several with the same id only one counts, so repeat what you are not sure of
    decision_id: str  # of the offers
    at_ms: int
    item_id: str = ""  # of the product or offer; empty = the whole page
    value: int | None = None  # 0 or more; converted, returned and ordered have one
    margin: int | None = None  # may be negative
    payout: int | None = None  # from the partner, 0 or more
    code: str = ""  # your own word: why it failed, was declined or came back
    question: str = ""  # of a survey
    answer: str = ""  # the answer's tag

    def append(self, folder: str | os.PathLike[str]) -> None:
        """Appends the event to a log, for the command `aftercart log` to take in. From any thread, at any time; some 10 microseconds of
        the system. BAD_VALUE: it cannot be what happened; SYSTEM_ERROR: it is not in the log, try again."""
        event, strings = self._pack()
        path, error = os.fsencode(folder), _Error()
        if _library.aftercart_event_append(path, len(path), event, strings, len(strings), error.room) < 0:
            raise error.raised()

    def json(self) -> str:
        """One object of JSON, the form that `aftercart events import` reads, where you carry events to the log yourself."""
        event, strings = self._pack()
        room, length, error = create_string_buffer(native.JSON_BYTES), c_size_t(), _Error()
        if _library.aftercart_event_json(event, strings, len(strings), room, native.JSON_BYTES, byref(length), error.room) < 0:
            raise error.raised()
        return room.raw[: length.value].decode()

    def _pack(self):  # type: ignore[no-untyped-def]
        texts, decision = native.Texts(), 0
        flags = ((native.AMOUNT_VALUE if self.value is not None else 0) | (native.AMOUNT_MARGIN if self.margin is not None else 0)
                 | (native.AMOUNT_PAYOUT if self.payout is not None else 0))
        try:
            decision = int(self.decision_id, 16)
            packed = native.EVENT.pack(
                native.EVENT.size, self.kind, flags, 0, decision & 0xFFFF_FFFF_FFFF_FFFF, decision >> 64, self.at_ms,
                self.value or 0, self.margin or 0, self.payout or 0, *texts.add(self.event_id), *texts.add(self.item_id),
                *texts.add(self.code), *texts.add(self.question), *texts.add(self.answer))
        except (struct.error, ValueError) as problem:
            raise AftercartError(Status.BAD_VALUE, str(problem)) from None
        return create_string_buffer(packed, len(packed)), b"".join(texts.parts)

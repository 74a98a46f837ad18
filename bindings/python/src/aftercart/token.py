"""Signed offers, so that the price shown is the price charged."""

from __future__ import annotations

import struct
import weakref
from ctypes import byref, c_size_t, c_void_p, create_string_buffer

from . import native
from .engine import AftercartError, _Error, _library
from .lists import Status
from .types import Claim


class TokenKey:
    """A secret of your servers, at least 32 random bytes. Any number of threads may use it."""

    def __init__(self, secret: bytes):
        handle, error = c_void_p(), _Error()
        if _library.aftercart_key_new(secret, len(secret), byref(handle), error.room) < 0:
            raise error.raised()
        self._handle = handle
        weakref.finalize(self, _library.aftercart_key_free, handle)

    def sign(self, claim: Claim) -> str:
        """A token for the page. Sign offers that have a price and that you charge: ONE_CLICK_STORED_CREDENTIAL, CONFIRM_CONSENT and
        REENTER_PAYMENT."""
        try:
            id = claim.item_id.encode("utf-8", "replace")
            currency, decision = claim.currency.encode(), int(claim.decision_id, 16)
            if len(id) > 72 or len(currency) > 4:
                raise ValueError("an id that is too long, or a currency that is none")
            given = native.CLAIM.pack(native.CLAIM.size, claim.quantity, decision & 0xFFFF_FFFF_FFFF_FFFF, decision >> 64,
                                      claim.price, claim.expires_at_ms, currency, len(id), id, 0, 0)
        except (struct.error, ValueError) as problem:
            raise AftercartError(Status.BAD_VALUE, str(problem)) from None
        room, length = create_string_buffer(native.TOKEN_BYTES), c_size_t()
        status = _library.aftercart_token_sign(
            self._handle, create_string_buffer(given, len(given)), room, native.TOKEN_BYTES, byref(length))
        if status < 0:
            raise AftercartError(status)
        return room.raw[: length.value].decode()

    def verify(self, token: str, currency: str, now_ms: int, skew_ms: int = 0) -> Claim:
        """What a token offers, where it holds for an order in this currency now. Then charge price * quantity, once: enter
        `idempotency_key` where it is unique, in the transaction that charges. BAD_TOKEN, BAD_SIGNATURE (try the key that you had
        before), TOKEN_EXPIRED, WRONG_CURRENCY: do not."""
        text, code = token.encode("utf-8", "replace"), currency.encode()
        if len(code) != 3:
            raise AftercartError(Status.BAD_VALUE, "a currency has three letters")
        room = create_string_buffer(struct.pack("=I", native.CLAIM.size), native.CLAIM.size)
        status = _library.aftercart_token_verify(self._handle, text, len(text), code, now_ms, skew_ms, room)
        if status < 0:
            raise AftercartError(status)
        (_, quantity, low, high, price, expires_at_ms, of, length, id, key_low, key_high) = native.CLAIM.unpack(room.raw)
        return Claim(f"{high:016x}{low:016x}", id[:length].decode(), price, of.rstrip(b"\0").decode(), expires_at_ms, quantity,
                     f"{key_high:016x}{key_low:016x}")

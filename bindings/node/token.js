'use strict';

const lists = require('./lists');
const native = require('./addon').addon();
const { SIZES, AT, NUMBERS } = require('./layout');
const { AftercartError, bad, checked, chars, hex, raised, readInt64, sized, uint32, writeId, writeInt64 } = require('./values');

const at = AT.claim;

class TokenKey {
  #handle;

  constructor(secret) {
    const error = sized(SIZES.error);
    const made = native.keyNew(secret, error);
    if (typeof made === 'number') {
      throw raised(error);
    }
    this.#handle = made;
  }

  sign(claim) {
    const [given, id] = [sized(SIZES.claim), Buffer.from(claim.itemId)];
    if (id.length > SIZES.claim - AT.claim.id - 16 || !/^.{1,4}$/.test(claim.currency)) {
      throw bad('an id that is too long, or a currency that is none');
    }
    writeId(given, claim.decisionId, at.decision_id_high, at.decision_id_low);
    given.writeUInt32LE(uint32(claim.quantity ?? 1), at.quantity);
    writeInt64(given, claim.price, at.price);
    writeInt64(given, claim.expiresAtMs, at.expires_at_ms);
    given.write(claim.currency, at.currency, 4, 'latin1');
    given.writeUInt32LE(id.length, at.id_length);
    given.set(id, at.id);
    const token = Buffer.alloc(NUMBERS.TOKEN_BYTES);
    checked(native.tokenSign(this.#handle, given, token));
    return chars(token, 0);
  }

  verify(token, currency, nowMs, skewMs = 0) {
    const [claim, code] = [sized(SIZES.claim), Buffer.from(currency)];
    if (code.length !== 3) {
      throw new AftercartError(lists.Status.BAD_VALUE, 'a currency has three letters');
    }
    checked(native.tokenVerify(this.#handle, Buffer.from(token), code, nowMs, skewMs, claim));
    return {
      decisionId: hex(claim, at.decision_id_high) + hex(claim, at.decision_id_low),
      itemId: claim.toString('utf8', at.id, at.id + claim.readUInt32LE(at.id_length)),
      price: readInt64(claim, at.price),
      currency: claim.toString('latin1', at.currency, at.currency + 3),
      quantity: claim.readUInt32LE(at.quantity),
      expiresAtMs: readInt64(claim, at.expires_at_ms),
      idempotencyKey: hex(claim, at.idempotency_key_high) + hex(claim, at.idempotency_key_low),
    };
  }
}

module.exports = { TokenKey };

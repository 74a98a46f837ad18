'use strict';

// Changes of the live overlay, and leases.

const lists = require('./lists');
const { SIZES, AT, NUMBERS } = require('./layout');
const { AftercartError, answer, code, readInt64, uint32, writeInt64 } = require('./values');

class Lease {
  #bytes;

  constructor(bytes) {
    // C would read as much as the first four bytes say.
    if (bytes.length !== SIZES.lease || Buffer.from(bytes).readUInt32LE() !== SIZES.lease) {
      throw new AftercartError(lists.Status.BAD_SIZE);
    }
    this.#bytes = Buffer.alloc(SIZES.lease, bytes);
  }

  toBuffer() {
    return Buffer.from(this.#bytes);
  }

  get expiresAtMs() {
    return readInt64(this.#bytes, AT.lease.expires_at_ms);
  }
}

/** Writes changes, and the texts behind each other. */
function packChanges(changes) {
  const rows = Buffer.alloc(SIZES.change * changes.length);
  const texts = [];
  let length = 0;
  const text = (from, at) => {
    const bytes = Buffer.from(from);
    rows.writeUInt32LE(length, at);
    rows.writeUInt32LE(bytes.length, at + 4);
    length += bytes.length;
    texts.push(bytes);
  };
  const at = AT.change;
  changes.forEach((change, i) => {
    const start = i * SIZES.change;
    let [set, clear] = [0, 0];
    const given = (value, bit, write) => {
      if (value === null) {
        clear |= bit;
      } else if (value !== undefined) {
        set |= bit;
        write(value);
      }
    };
    given(change.stock, NUMBERS.CHANGE_STOCK, (stock) => rows.writeUInt32LE(uint32(stock), start + at.stock));
    given(change.price, NUMBERS.CHANGE_PRICE, (price) => {
      writeInt64(rows, price, start + at.price);
      writeInt64(rows, change.pricedAtMs ?? 0, start + at.priced_at_ms);
    });
    given(change.bid, NUMBERS.CHANGE_BID, (bid) => writeInt64(rows, bid, start + at.bid));
    given(change.daily, NUMBERS.CHANGE_DAILY, (limit) => writeInt64(rows, limit, start + at.daily));
    given(change.total, NUMBERS.CHANGE_TOTAL, (limit) => writeInt64(rows, limit, start + at.total));
    given(change.pacing, NUMBERS.CHANGE_PACING, (pacing) => text(pacing, start + at.pacing));
    given(change.utcOffsetMinutes, NUMBERS.CHANGE_UTC_OFFSET, (minutes) => {
      rows.writeInt32LE(uint32(minutes + 0x80000000) - 0x80000000, start + at.utc_offset_minutes);
    });
    text(change.id, start + at.id);
    rows.writeUInt32LE(code(lists.Item, change.kind, 0), start + at.kind);
    rows.writeUInt32LE(set, start + at.set);
    rows.writeUInt32LE(clear, start + at.clear);
    rows.writeUInt32LE(answer(change.paused), start + at.paused);
    rows.writeUInt32LE(answer(change.killed), start + at.killed);
    rows.writeUInt32LE(answer(change.money), start + at.money);
  });
  return [rows, Buffer.concat(texts)];
}

module.exports = { Lease, packChanges };

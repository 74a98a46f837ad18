'use strict';

// Errors, and how values are written for C and read.

const lists = require('./lists');
const { SIZES, AT } = require('./layout');

const named = (list) => new Map(Object.entries(list).map(([name, number]) => [number, name]));
const statuses = named(lists.Status);

class AftercartError extends Error {
  constructor(status, message = '', osError = 0, rule = 0, part = '') {
    const name = statuses.get(status) ?? 'INTERNAL';
    super(message ? `${name}: ${message}` : name);
    this.name = 'AftercartError';
    Object.assign(this, { status: name, osError, rule, part });
  }
}

const bad = (what) => new AftercartError(lists.Status.BAD_VALUE, what);

function sized(bytes) {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUInt32LE(bytes);
  return buffer;
}

function chars(buffer, from) {
  return buffer.toString('utf8', from, buffer.indexOf(0, from));
}

function raised(error) {
  const at = AT.error;
  return new AftercartError(error.readInt32LE(at.status), chars(error, at.message), error.readInt32LE(at.os_error),
    error.readUInt32LE(at.rule), chars(error, at.part));
}

function checked(status) {
  if (status < 0) {
    throw new AftercartError(status);
  }
  return status;
}

/** The number of a name of a list. */
function code(list, name, otherwise) {
  const found = name === undefined ? otherwise : Object.hasOwn(list, name) ? list[name] : undefined;
  if (found === undefined) {
    throw bad(`${name} is not one of ${Object.keys(list).join(', ')}`);
  }
  return found;
}

/** What the host may not know. */
function answer(known) {
  return known === undefined ? 0 : known ? 2 : 1;
}

function uint32(number) {
  if (!Number.isInteger(number) || number < 0 || number > 0xffffffff) {
    throw bad(`${number} is no whole number of 32 bits`);
  }
  return number;
}

if (new Uint8Array(new Uint32Array([1]).buffer)[0] !== 1) {
  throw new Error('this binding needs a machine that stores the low byte first'); // a decider's block is read and written as words
}

/** Numbers of 64 bits are read and written as halves: a BigInt each would be garbage. */
function writeInt64(buffer, number, at) {
  if (!Number.isSafeInteger(number)) {
    throw bad(`${number} is no whole number that JavaScript can hold`);
  }
  const high = Math.floor(number / 0x100000000);
  buffer.writeUInt32LE(number - high * 0x100000000, at);
  buffer.writeInt32LE(high, at + 4);
}

function readInt64(buffer, at) {
  return buffer.readInt32LE(at + 4) * 0x100000000 + buffer.readUInt32LE(at);
}

function hex(buffer, at) {
  return buffer.readBigUInt64LE(at).toString(16).padStart(16, '0');
}

/** Writes 128 bits that are given as 32 hexadecimal digits. */
function writeId(to, id, high, low) {
  if (!/^[0-9a-f]{1,32}$/.test(id)) {
    throw bad(`${id} is no decision id`);
  }
  const digits = id.padStart(32, '0');
  to.writeBigUInt64LE(BigInt(`0x${digits.slice(0, 16)}`), high);
  to.writeBigUInt64LE(BigInt(`0x${digits.slice(16)}`), low);
}

/** A short code, which C checks. */
function writeCode(buffer, text, at) {
  if (text.length > 4) {
    throw bad(`${text} is no ISO code`);
  }
  buffer.fill(0, at, at + 4);
  buffer.write(text, at, 4, 'latin1');
}

module.exports = { AftercartError, answer, bad, chars, checked, code, hex, named, raised, readInt64, sized, uint32, writeCode, writeId, writeInt64 };

'use strict';

const lists = require('./lists');
const native = require(process.env.AFTERCART_ADDON || './build/Release/aftercart.node');

// Sizes and places of structs. The tests compare them with the header, and the addon the size of the block.
const SIZES = { options: 24, error: 512, info: 64, transaction: 72, profile: 72, line: 48, fact: 32, offer: 144, summary: 72 };
const AT = {
  error: { status: 4, os_error: 8, rule: 12, part: 24, message: 56 },
  transaction: {
    flags: 4, created_at_ms: 8, value: 16, order_id: 24, currency: 32, country: 36, stage: 40, slots: 44, min_relevance: 48,
    payment: 52, rechargeable: 56, placement: 64,
  },
  profile: { flags: 4, customer: 8, age_band: 12, loyalty_member: 16, has_app: 20, unit_key: 24, session_key: 40, loyalty_tier: 56, orders: 64 },
  line: { item_id: 0, category: 8, brand: 16, unit_price: 24, quantity: 32, role: 36, sensitive: 40, flags: 44 },
  fact: { kind: 0, at_ms: 8, id: 16, tag: 24 },
  offer: {
    item_kind: 0, item_row: 4, kind: 8, position: 12, third_party: 16, relation: 20, line: 24, relevance: 28,
    p_accept_ppm: 32, p_select_ppm: 36, value: 40, ev_micros: 48, price: 56, id_length: 64, id: 72,
  },
  summary: {
    reason: 4, decision_id_low: 8, decision_id_high: 16, index_generation: 24, policy_generation: 32, retrieved: 40,
    eligible: 44, rejected: 48, centroids: 52, cells: 56, compared: 60, overlay_generation: 64,
  },
  info: { products: 4, offers: 8, index_generation: 16, policy_generation: 24, created_at_ms: 32, file_bytes: 40, kernel: 48 },
};
const NUMBERS = {
  LINES_MAX: 512, FACTS_MAX: 4096, SLOTS_MAX: 16, TRANSACTION_HAS_VALUE: 1, TRANSACTION_HAS_MIN_RELEVANCE: 2,
  TRANSACTION_IS_GIFT: 4, TRANSACTION_IS_TEST: 8, TRANSACTION_FIRST_PURCHASES: 16, LINE_HAS_UNIT_PRICE: 1,
  PROFILE_OPT_OUT_THIRD_PARTY: 1, FACT_PURCHASE: 1, FACT_DECLINE: 2, FACT_ANSWER: 3, FACT_OPT_OUT_CATEGORY: 4,
  FACT_CART_REMOVED: 5, FACT_ORDER_TAG: 6, FACT_SEGMENT: 7, PROFILE_HAS_ORDERS: 2,
};

// Where the parts of a decider's block start; addon.c has the same as a struct.
const PROFILE = SIZES.transaction;
const SUMMARY = PROFILE + SIZES.profile;
const COUNT = SUMMARY + SIZES.summary;
const OFFERS = COUNT + 8;
const LINES = OFFERS + SIZES.offer * NUMBERS.SLOTS_MAX;
const FACTS = LINES + SIZES.line * NUMBERS.LINES_MAX;
const BLOCK_BYTES = FACTS + SIZES.fact * NUMBERS.FACTS_MAX;

const named = (list) => new Map(Object.entries(list).map(([name, code]) => [code, name]));
const kinds = named(lists.Kind);
const relations = named(lists.Relation);
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

class Engine {
  #handle;

  constructor(path, options = {}) {
    const given = sized(SIZES.options);
    given.writeUInt32LE(code(lists.Mode, options.mode, 0), 4);
    given.writeUInt32LE(code(lists.Verify, options.verify, 0), 8);
    given.writeUInt32LE(code(lists.Prefault, options.prefault, 0), 12);
    writeInt64(given, options.visitBudget ?? 0, 16);
    const error = sized(SIZES.error);
    const opened = native.engineOpen(Buffer.from(path), given, error);
    if (typeof opened === 'number') {
      throw raised(error);
    }
    this.#handle = opened;
  }

  /** @internal */
  newDecider() {
    const error = sized(SIZES.error);
    const made = this.#handle === null ? lists.Status.BAD_HANDLE : native.deciderNew(this.#handle, error);
    if (made === lists.Status.BAD_HANDLE) {
      throw new AftercartError(made);
    } else if (typeof made === 'number') {
      throw raised(error);
    }
    return made;
  }

  info() {
    const info = sized(SIZES.info);
    checked(this.#handle === null ? lists.Status.BAD_HANDLE : native.engineInfo(this.#handle, info));
    const at = AT.info;
    return {
      products: info.readUInt32LE(at.products),
      offers: info.readUInt32LE(at.offers),
      indexGeneration: hex(info, at.index_generation),
      policyGeneration: hex(info, at.policy_generation),
      createdAtMs: readInt64(info, at.created_at_ms),
      fileBytes: readInt64(info, at.file_bytes),
      kernel: chars(info, at.kernel),
    };
  }

  #text(offer, which) {
    const handle = this.#handle;
    const text = handle === null ? lists.Status.BAD_HANDLE : native.itemText(handle, offer.itemKind, offer.itemRow, which);
    return typeof text === 'number' ? checked(text) : text;
  }

  title(offer) {
    return this.#text(offer, 2);
  }

  category(offer) {
    return this.#text(offer, 3);
  }

  partner(offer) {
    return this.#text(offer, 4);
  }

  close() {
    if (this.#handle !== null) {
      native.engineClose(this.#handle);
      this.#handle = null;
    }
  }
}

class Decider {
  #handle;
  #block = Buffer.alloc(BLOCK_BYTES);
  #strings = Buffer.alloc(4096);
  #length = 0;
  #facts = 0;

  constructor(engine) {
    this.#handle = engine.newDecider();
    this.#block.writeUInt32LE(SIZES.transaction, 0);
    this.#block.writeUInt32LE(SIZES.profile, PROFILE);
    this.#block.writeUInt32LE(SIZES.summary, SUMMARY);
  }

  decide(order, customer = {}) {
    if (this.#handle === null) {
      throw new AftercartError(lists.Status.BAD_HANDLE);
    }
    const lines = order.lines ?? [];
    if (lines.length > NUMBERS.LINES_MAX) {
      throw new AftercartError(lists.Status.TOO_MANY_LINES);
    }
    this.#length = 0;
    this.#facts = 0;
    this.#packOrder(order);
    for (let i = 0; i < lines.length; i++) {
      this.#packLine(lines[i], LINES + i * SIZES.line);
    }
    this.#packCustomer(customer);
    const { decide } = native;
    checked(decide(this.#handle, this.#block, lines.length, this.#facts, this.#strings, this.#length));
    return this.#offers();
  }

  close() {
    if (this.#handle !== null) {
      native.deciderFree(this.#handle);
      this.#handle = null;
    }
  }

  /** @internal runs into a defect on purpose, for the tests */
  selftest() {
    return native.selftest(this.#handle);
  }

  #packOrder(order) {
    const [block, at] = [this.#block, AT.transaction];
    const flags = (order.value === undefined ? 0 : NUMBERS.TRANSACTION_HAS_VALUE)
      | (order.minRelevance === undefined ? 0 : NUMBERS.TRANSACTION_HAS_MIN_RELEVANCE)
      | (order.isGift ? NUMBERS.TRANSACTION_IS_GIFT : 0)
      | (order.isTest ? NUMBERS.TRANSACTION_IS_TEST : 0)
      | (order.firstPurchases ? NUMBERS.TRANSACTION_FIRST_PURCHASES : 0);
    block.writeUInt32LE(flags, at.flags);
    writeInt64(block, order.createdAtMs ?? 0, at.created_at_ms);
    writeInt64(block, order.value ?? 0, at.value);
    this.#text(order.orderId, at.order_id);
    this.#code(order.currency ?? '', at.currency);
    this.#code(order.country ?? '', at.country);
    block.writeUInt32LE(code(lists.Stage, order.stage, 0), at.stage);
    block.writeUInt32LE(uint32(order.slots ?? 0), at.slots);
    block.writeUInt32LE(uint32(order.minRelevance ?? 0), at.min_relevance);
    block.writeUInt32LE(code(lists.Payment, order.payment, 0), at.payment);
    block.writeUInt32LE(answer(order.rechargeable), at.rechargeable);
    this.#text(order.placement, at.placement);
    for (const tag of order.tags ?? []) {
      this.#fact(NUMBERS.FACT_ORDER_TAG, tag);
    }
  }

  #packLine(line, start) {
    const [block, at] = [this.#block, AT.line];
    this.#text(line.itemId, start + at.item_id);
    this.#text(line.category, start + at.category);
    this.#text(line.brand, start + at.brand);
    writeInt64(block, line.unitPrice ?? 0, start + at.unit_price);
    block.writeUInt32LE(uint32(line.quantity ?? 1), start + at.quantity);
    block.writeUInt32LE(code(lists.Role, line.role, 0), start + at.role);
    block.writeUInt32LE(code(lists.Sensitive, line.sensitive, 0), start + at.sensitive);
    block.writeUInt32LE(line.unitPrice === undefined ? 0 : NUMBERS.LINE_HAS_UNIT_PRICE, start + at.flags);
  }

  #packCustomer(customer) {
    const [block, at] = [this.#block, AT.profile];
    const flags = (customer.optOutThirdParty ? NUMBERS.PROFILE_OPT_OUT_THIRD_PARTY : 0)
      | (customer.orders === undefined ? 0 : NUMBERS.PROFILE_HAS_ORDERS);
    block.writeUInt32LE(flags, PROFILE + at.flags);
    this.#text(customer.loyaltyTier, PROFILE + at.loyalty_tier);
    block.writeUInt32LE(uint32(customer.orders ?? 0), PROFILE + at.orders);
    block.writeUInt32LE(code(lists.Customer, customer.customer, 0), PROFILE + at.customer);
    block.writeUInt32LE(code(lists.AgeBand, customer.ageBand, 0), PROFILE + at.age_band);
    block.writeUInt32LE(answer(customer.loyaltyMember), PROFILE + at.loyalty_member);
    block.writeUInt32LE(answer(customer.hasApp), PROFILE + at.has_app);
    this.#key(customer.unitKey, PROFILE + at.unit_key);
    this.#key(customer.sessionKey, PROFILE + at.session_key);
    for (const event of customer.purchases ?? []) {
      this.#fact(NUMBERS.FACT_PURCHASE, event.id, event.atMs);
    }
    for (const event of customer.declines ?? []) {
      this.#fact(NUMBERS.FACT_DECLINE, event.id, event.atMs);
    }
    for (const { question, tag } of customer.answers ?? []) {
      this.#fact(NUMBERS.FACT_ANSWER, question, 0, tag);
    }
    for (const path of customer.optOutCategories ?? []) {
      this.#fact(NUMBERS.FACT_OPT_OUT_CATEGORY, path);
    }
    for (const id of customer.cartRemoved ?? []) {
      this.#fact(NUMBERS.FACT_CART_REMOVED, id);
    }
    for (const segment of customer.segments ?? []) {
      this.#fact(NUMBERS.FACT_SEGMENT, segment);
    }
  }

  #fact(kind, id, atMs = 0, tag = '') {
    if (this.#facts === NUMBERS.FACTS_MAX) {
      throw new AftercartError(lists.Status.TOO_MANY_FACTS);
    }
    const start = FACTS + this.#facts++ * SIZES.fact;
    this.#block.writeUInt32LE(kind, start + AT.fact.kind);
    writeInt64(this.#block, atMs, start + AT.fact.at_ms);
    this.#text(id, start + AT.fact.id);
    this.#text(tag, start + AT.fact.tag);
  }

  #text(text = '', at) {
    const start = this.#length;
    const most = 3 * text.length;
    if (start + most > this.#strings.length) {
      const grown = Buffer.alloc(2 * start + most);
      this.#strings.copy(grown, 0, 0, start);
      this.#strings = grown;
    }
    const length = text === '' ? 0 : this.#strings.write(text, start);
    this.#length += length;
    this.#block.writeUInt32LE(start, at);
    this.#block.writeUInt32LE(length, at + 4);
  }

  #code(text, at) {
    if (text.length > 4) {
      throw bad(`${text} is no ISO code`);
    }
    this.#block.fill(0, at, at + 4);
    this.#block.write(text, at, 4, 'latin1');
  }

  #key(key, at) {
    if (key !== undefined && key.length > 16) {
      throw bad('a key has 16 bytes');
    }
    this.#block.fill(0, at, at + 16);
    if (key !== undefined) {
      this.#block.set(key, at);
    }
  }

  #offers() {
    const [block, at] = [this.#block, AT.summary];
    const slate = [];
    for (let i = 0; i < block.readUInt32LE(COUNT); i++) {
      slate.push(this.#offer(OFFERS + i * SIZES.offer));
    }
    const number = (field) => block.readUInt32LE(SUMMARY + at[field]);
    const reason = number('reason');
    return {
      slate,
      reason,
      reasonText: reason === 0 ? '' : native.reasonText(reason),
      decisionId: hex(block, SUMMARY + at.decision_id_high) + hex(block, SUMMARY + at.decision_id_low),
      indexGeneration: hex(block, SUMMARY + at.index_generation),
      policyGeneration: hex(block, SUMMARY + at.policy_generation),
      overlayGeneration: readInt64(block, SUMMARY + at.overlay_generation),
      retrieved: number('retrieved'),
      eligible: number('eligible'),
      rejected: number('rejected'),
      centroids: number('centroids'),
      cells: number('cells'),
      compared: number('compared'),
    };
  }

  #offer(start) {
    const [block, at] = [this.#block, AT.offer];
    const number = (field) => block.readUInt32LE(start + at[field]);
    const line = block.readInt32LE(start + at.line);
    const price = readInt64(block, start + at.price);
    return {
      id: block.toString('utf8', start + at.id, start + at.id + number('id_length')),
      kind: kinds.get(number('kind')) ?? number('kind'),
      relation: relations.get(number('relation')) ?? number('relation'),
      position: number('position'),
      line: line < 0 ? null : line,
      thirdParty: number('third_party') !== 0,
      relevance: number('relevance'),
      acceptPpm: number('p_accept_ppm'),
      selectPpm: number('p_select_ppm'),
      value: readInt64(block, start + at.value),
      evMicros: readInt64(block, start + at.ev_micros),
      price: price < 0 ? null : price,
      itemKind: number('item_kind'),
      itemRow: number('item_row'),
    };
  }
}

module.exports = { AftercartError, Engine, Decider };
// For the tests.
module.exports.layout = { SIZES, AT, NUMBERS, BLOCK_BYTES };

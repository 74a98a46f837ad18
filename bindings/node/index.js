'use strict';

const lists = require('./lists');
const native = require('./addon').addon();

// Sizes and places of structs. The tests compare them with the header, and the addon the size of the block.
const SIZES = { options: 24, error: 512, info: 64, transaction: 72, profile: 80, line: 48, fact: 32, offer: 144, summary: 72,
  change: 88, live_state: 104, explanation: 176, lease: 48 };
const AT = {
  error: { status: 4, os_error: 8, rule: 12, part: 24, message: 56 },
  transaction: {
    flags: 4, created_at_ms: 8, value: 16, order_id: 24, currency: 32, country: 36, stage: 40, slots: 44, min_relevance: 48,
    payment: 52, rechargeable: 56, placement: 64,
  },
  profile: { flags: 4, customer: 8, age_band: 12, loyalty_member: 16, has_app: 20, unit_key: 24, session_key: 40, loyalty_tier: 56, orders: 64,
    purposes_asked: 72, purposes_granted: 76 },
  line: { item_id: 0, category: 8, brand: 16, unit_price: 24, quantity: 32, role: 36, sensitive: 40, flags: 44 },
  fact: { kind: 0, at_ms: 8, id: 16, tag: 24 },
  offer: {
    item_kind: 0, item_row: 4, kind: 8, position: 12, third_party: 16, relation: 20, line: 24, relevance: 28,
    p_accept_ppm: 32, p_select_ppm: 36, value: 40, ev_micros: 48, price: 56, id_length: 64, accept: 68, id: 72,
  },
  summary: {
    reason: 4, decision_id_low: 8, decision_id_high: 16, index_generation: 24, policy_generation: 32, retrieved: 40,
    eligible: 44, rejected: 48, centroids: 52, cells: 56, compared: 60, overlay_generation: 64,
  },
  change: {
    kind: 0, set: 4, clear: 8, stock: 12, paused: 16, killed: 20, money: 24, utc_offset_minutes: 28, id: 32, pacing: 40, price: 48,
    priced_at_ms: 56, bid: 64, daily: 72, total: 80,
  },
  live_state: {
    kind: 4, paused: 8, killed: 12, stock: 16, utc_offset_minutes: 20, money: 24, paced: 28, throttle_ppm: 32, leases: 36,
    price: 40, priced_at_ms: 48, bid: 56, daily: 64, total: 72, spent_today: 80, spent: 88, held: 96,
  },
  explanation: {
    item_kind: 4, item_row: 8, position: 12, relation: 16, line: 20, relevance: 24, p_accept_ppm: 28, ev_micros: 32,
    reason_count: 40, reasons: 48,
  },
  lease: { expires_at_ms: 8, words: 16 },
  info: { products: 4, offers: 8, index_generation: 16, policy_generation: 24, created_at_ms: 32, file_bytes: 40, kernel: 48 },
};
const NUMBERS = {
  LINES_MAX: 512, FACTS_MAX: 4096, SLOTS_MAX: 16, TRANSACTION_HAS_VALUE: 1, TRANSACTION_HAS_MIN_RELEVANCE: 2,
  TRANSACTION_IS_GIFT: 4, TRANSACTION_IS_TEST: 8, TRANSACTION_FIRST_PURCHASES: 16, LINE_HAS_UNIT_PRICE: 1,
  PROFILE_OPT_OUT_THIRD_PARTY: 1, FACT_PURCHASE: 1, FACT_DECLINE: 2, FACT_ANSWER: 3, FACT_OPT_OUT_CATEGORY: 4,
  FACT_CART_REMOVED: 5, FACT_ORDER_TAG: 6, FACT_SEGMENT: 7, PROFILE_HAS_ORDERS: 2, PROFILE_GPC: 4,
  FACT_SHOWN: 8, FACT_ENGAGED: 9, FACT_ACCEPTED: 10, REASONS_MAX: 32, CHANGE_STOCK: 1, CHANGE_PRICE: 2, CHANGE_BID: 4,
  CHANGE_DAILY: 8, CHANGE_TOTAL: 16, CHANGE_PACING: 32, CHANGE_UTC_OFFSET: 64,
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
const accepts = named(lists.Accept);
const items = named(lists.Item);
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

const FOUND = Symbol('a handle');

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

class Engine {
  #handle;

  constructor(path, options = {}) {
    if (path === FOUND) {
      this.#handle = options; // withLive made it
      return;
    }
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

  #open() {
    if (this.#handle === null) {
      throw new AftercartError(lists.Status.BAD_HANDLE);
    }
    return this.#handle;
  }

  /** @internal */
  lend(decider) {
    return checked(native.deciderUse(decider, this.#open()));
  }

  bindLive(path) {
    const error = sized(SIZES.error);
    if (native.liveBind(this.#open(), Buffer.from(path), error) < 0) {
      throw raised(error);
    }
  }

  withLive(path) {
    const error = sized(SIZES.error);
    const opened = native.engineWithLive(this.#open(), Buffer.from(path), error);
    if (typeof opened === 'number') {
      throw raised(error);
    }
    return new Engine(FOUND, opened);
  }

  edit(changes, nowMs) {
    const [error, done] = [sized(SIZES.error), Buffer.alloc(4)];
    const [rows, texts] = packChanges(changes);
    if (native.liveEdit(this.#open(), rows, texts, nowMs, done, error) < 0) {
      throw Object.assign(raised(error), { done: done.readUInt32LE() });
    }
  }

  look(id, nowMs, kind) {
    const [error, state, at] = [sized(SIZES.error), sized(SIZES.live_state), AT.live_state];
    if (native.liveLook(this.#open(), code(lists.Item, kind, 0), Buffer.from(id), nowMs, state, error) < 0) {
      throw raised(error);
    }
    const number = (field) => state.readUInt32LE(at[field]);
    const known = (field) => (readInt64(state, at[field]) < 0 ? null : readInt64(state, at[field]));
    const stock = state.readInt32LE(at.stock);
    return {
      kind: items.get(number('kind')),
      paused: number('paused') !== 0,
      killed: number('killed') !== 0,
      stock: stock < 0 ? null : stock,
      utcOffsetMinutes: state.readInt32LE(at.utc_offset_minutes),
      money: number('money') !== 0,
      paced: number('paced') !== 0,
      throttlePpm: number('throttle_ppm'),
      leases: number('leases'),
      price: known('price'),
      pricedAtMs: readInt64(state, at.priced_at_ms),
      bid: known('bid'),
      daily: known('daily'),
      total: known('total'),
      spentToday: readInt64(state, at.spent_today),
      spent: readInt64(state, at.spent),
      held: readInt64(state, at.held),
    };
  }

  reserve(offer, nowMs, forMs) {
    const lease = sized(SIZES.lease);
    checked(native.leaseReserve(this.#open(), offer.itemKind, offer.itemRow, offer.value, nowMs, forMs, lease));
    return new Lease(lease);
  }

  activate(lease, nowMs) {
    checked(native.leaseActivate(this.#open(), lease.toBuffer(), nowMs));
  }

  release(lease, nowMs) {
    checked(native.leaseRelease(this.#open(), lease.toBuffer(), nowMs));
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
  #block = Buffer.from(new ArrayBuffer(BLOCK_BYTES));
  #words = new Uint32Array(this.#block.buffer); // the same memory
  #strings = Buffer.alloc(4096);
  #length = 0;
  #facts = 0;

  constructor(engine) {
    this.#handle = engine.newDecider();
    this.#set(0, SIZES.transaction);
    this.#set(PROFILE, SIZES.profile);
    this.#set(SUMMARY, SIZES.summary);
  }

  decide(order, customer = {}) {
    const lines = this.#pack(order, customer);
    const { decide } = native;
    checked(decide(this.#handle, this.#block, lines, this.#facts, this.#strings, this.#length));
    return this.#offers();
  }

  explain(order, customer, id, kind) {
    const lines = this.#pack(order, customer ?? {});
    const [room, at] = [sized(SIZES.explanation), AT.explanation];
    const names = native.explain(this.#handle, this.#block, lines, this.#facts, this.#strings, this.#length,
      code(lists.Item, kind, 0), Buffer.from(id), room);
    if (typeof names === 'number') {
      throw new AftercartError(names);
    }
    const rows = names.split('\n').map((row) => row.split('\t'));
    const index = (field) => (room.readInt32LE(at[field]) < 0 ? null : room.readInt32LE(at[field]));
    const relation = room.readUInt32LE(at.relation);
    const reasons = Array.from({ length: Math.min(room.readUInt32LE(at.reason_count), NUMBERS.REASONS_MAX) },
      (_, i) => room.readUInt32LE(at.reasons + 4 * i));
    return {
      position: index('position'),
      reasons,
      reasonTexts: reasons.map(native.reasonText),
      rules: rows.filter(([word]) => word === 'rule').map(([, name]) => name),
      relation: relation === 0 ? null : relations.get(relation) ?? relation,
      line: index('line'),
      relevance: room.readUInt32LE(at.relevance),
      acceptPpm: room.readUInt32LE(at.p_accept_ppm),
      evMicros: readInt64(room, at.ev_micros),
      features: rows.filter(([word]) => word === 'feature')
        .map(([, name, value, weight]) => ({ name, value: Number(value), weight: Number(weight) })),
    };
  }

  use(engine) {
    engine.lend(this.#open());
  }

  #open() {
    if (this.#handle === null) {
      throw new AftercartError(lists.Status.BAD_HANDLE);
    }
    return this.#handle;
  }

  /** Writes a request into the block; says how many lines it has. */
  #pack(order, customer) {
    this.#open();
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
    return lines.length;
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
    const at = AT.transaction;
    const flags = (order.value === undefined ? 0 : NUMBERS.TRANSACTION_HAS_VALUE)
      | (order.minRelevance === undefined ? 0 : NUMBERS.TRANSACTION_HAS_MIN_RELEVANCE)
      | (order.isGift ? NUMBERS.TRANSACTION_IS_GIFT : 0)
      | (order.isTest ? NUMBERS.TRANSACTION_IS_TEST : 0)
      | (order.firstPurchases ? NUMBERS.TRANSACTION_FIRST_PURCHASES : 0);
    this.#set(at.flags, flags);
    this.#setWide(at.created_at_ms, order.createdAtMs ?? 0);
    this.#setWide(at.value, order.value ?? 0);
    this.#text(order.orderId, at.order_id);
    this.#code(order.currency ?? '', at.currency);
    this.#code(order.country ?? '', at.country);
    this.#set(at.stage, code(lists.Stage, order.stage, 0));
    this.#set(at.slots, uint32(order.slots ?? 0));
    this.#set(at.min_relevance, uint32(order.minRelevance ?? 0));
    this.#set(at.payment, code(lists.Payment, order.payment, 0));
    this.#set(at.rechargeable, answer(order.rechargeable));
    this.#text(order.placement, at.placement);
    for (const tag of order.tags ?? []) {
      this.#fact(NUMBERS.FACT_ORDER_TAG, tag);
    }
  }

  #packLine(line, start) {
    const at = AT.line;
    this.#text(line.itemId, start + at.item_id);
    this.#text(line.category, start + at.category);
    this.#text(line.brand, start + at.brand);
    this.#setWide(start + at.unit_price, line.unitPrice ?? 0);
    this.#set(start + at.quantity, uint32(line.quantity ?? 1));
    this.#set(start + at.role, code(lists.Role, line.role, 0));
    this.#set(start + at.sensitive, code(lists.Sensitive, line.sensitive, 0));
    this.#set(start + at.flags, line.unitPrice === undefined ? 0 : NUMBERS.LINE_HAS_UNIT_PRICE);
  }

  #packCustomer(customer) {
    const at = AT.profile;
    const flags = (customer.optOutThirdParty ? NUMBERS.PROFILE_OPT_OUT_THIRD_PARTY : 0)
      | (customer.orders === undefined ? 0 : NUMBERS.PROFILE_HAS_ORDERS)
      | (customer.gpc ? NUMBERS.PROFILE_GPC : 0);
    let [asked, granted] = [0, 0];
    for (const purpose in customer.consent) {
      const said = customer.consent[purpose];
      const bit = said === undefined ? 0 : 1 << code(lists.Purpose, purpose);
      asked |= bit;
      granted |= said ? bit : 0;
    }
    this.#set(PROFILE + at.purposes_asked, asked);
    this.#set(PROFILE + at.purposes_granted, granted);
    this.#set(PROFILE + at.flags, flags);
    this.#text(customer.loyaltyTier, PROFILE + at.loyalty_tier);
    this.#set(PROFILE + at.orders, uint32(customer.orders ?? 0));
    this.#set(PROFILE + at.customer, code(lists.Customer, customer.customer, 0));
    this.#set(PROFILE + at.age_band, code(lists.AgeBand, customer.ageBand, 0));
    this.#set(PROFILE + at.loyalty_member, answer(customer.loyaltyMember));
    this.#set(PROFILE + at.has_app, answer(customer.hasApp));
    this.#key(customer.unitKey, PROFILE + at.unit_key);
    this.#key(customer.sessionKey, PROFILE + at.session_key);
    for (const event of customer.purchases ?? []) {
      this.#fact(NUMBERS.FACT_PURCHASE, event.id, event.atMs);
    }
    for (const event of customer.declines ?? []) {
      this.#fact(NUMBERS.FACT_DECLINE, event.id, event.atMs);
    }
    for (const { id, event, atMs } of customer.exposures ?? []) {
      this.#fact(code(lists.Exposure, event, 8), id, atMs);
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
    this.#set(start + AT.fact.kind, kind);
    this.#setWide(start + AT.fact.at_ms, atMs);
    this.#text(id, start + AT.fact.id);
    this.#text(tag, start + AT.fact.tag);
  }

  #set(at, number) {
    this.#words[at >> 2] = number;
  }

  #setWide(at, number) {
    if (!Number.isSafeInteger(number)) {
      throw bad(`${number} is no whole number that JavaScript can hold`);
    }
    const high = Math.floor(number / 0x100000000);
    this.#words[at >> 2] = number - high * 0x100000000;
    this.#words[(at >> 2) + 1] = high;
  }

  #wide(at) {
    return (this.#words[(at >> 2) + 1] | 0) * 0x100000000 + this.#words[at >> 2];
  }

  #hex(at) {
    const half = (word) => this.#words[word].toString(16).padStart(8, '0');
    return half((at >> 2) + 1) + half(at >> 2);
  }

  #text(text = '', at) {
    const start = this.#length;
    const most = 3 * text.length;
    if (start + most > this.#strings.length) {
      const grown = Buffer.alloc(2 * start + most);
      this.#strings.copy(grown, 0, 0, start);
      this.#strings = grown;
    }
    const length = text.length <= 32 ? this.#short(text, start) : this.#strings.write(text, start);
    this.#length += length;
    this.#words[at >> 2] = start;
    this.#words[(at >> 2) + 1] = length;
  }

  /** Ids are short and mostly ASCII: cheaper than a call into Node for each. */
  #short(text, start) {
    const strings = this.#strings;
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c >= 0x80) {
        return strings.write(text, start);
      }
      strings[start + i] = c;
    }
    return text.length;
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
    const [words, at] = [this.#words, AT.summary];
    const slate = [];
    for (let i = 0; i < words[COUNT >> 2]; i++) {
      slate.push(this.#offer(OFFERS + i * SIZES.offer));
    }
    const number = (field) => words[(SUMMARY + field) >> 2];
    const reason = number(at.reason);
    return {
      slate,
      reason,
      reasonText: reason === 0 ? '' : native.reasonText(reason),
      decisionId: this.#hex(SUMMARY + at.decision_id_high) + this.#hex(SUMMARY + at.decision_id_low),
      indexGeneration: this.#hex(SUMMARY + at.index_generation),
      policyGeneration: this.#hex(SUMMARY + at.policy_generation),
      overlayGeneration: this.#wide(SUMMARY + at.overlay_generation),
      retrieved: number(at.retrieved),
      eligible: number(at.eligible),
      rejected: number(at.rejected),
      centroids: number(at.centroids),
      cells: number(at.cells),
      compared: number(at.compared),
    };
  }

  #offer(start) {
    const [words, at] = [this.#words, AT.offer];
    const number = (field) => words[(start + field) >> 2];
    const line = number(at.line) | 0;
    const price = this.#wide(start + at.price);
    return {
      id: this.#block.toString('utf8', start + at.id, start + at.id + number(at.id_length)),
      kind: kinds.get(number(at.kind)) ?? number(at.kind),
      relation: relations.get(number(at.relation)) ?? number(at.relation),
      position: number(at.position),
      line: line < 0 ? null : line,
      thirdParty: number(at.third_party) !== 0,
      relevance: number(at.relevance),
      acceptPpm: number(at.p_accept_ppm),
      selectPpm: number(at.p_select_ppm),
      value: this.#wide(start + at.value),
      evMicros: this.#wide(start + at.ev_micros),
      price: price < 0 ? null : price,
      accept: accepts.get(number(at.accept)) ?? number(at.accept),
      itemKind: number(at.item_kind),
      itemRow: number(at.item_row),
    };
  }
}

module.exports = { AftercartError, Engine, Decider, Lease };
// For the tests.
module.exports.layout = { SIZES, AT, NUMBERS, BLOCK_BYTES };

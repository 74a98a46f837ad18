'use strict';

const lists = require('./lists');
const native = require('./addon').addon();

const { SIZES, AT, NUMBERS, PROFILE, SUMMARY, COUNT, OFFERS, LINES, FACTS, BLOCK_BYTES } = require('./layout');
const { Lease, packChanges } = require('./live');
const { Programmes, appendEvent, eventJson, followUps } = require('./log');
const { TokenKey } = require('./token');
const { AftercartError, answer, bad, chars, checked, code, hex, named, raised, readInt64, sized, uint32, writeCode, writeInt64 } = require('./values');

const kinds = named(lists.Kind);
const relations = named(lists.Relation);
const accepts = named(lists.Accept);
const items = named(lists.Item);
const becauses = named(lists.Because);
const acceptances = named(lists.Acceptance);

const FOUND = Symbol('a handle');

class Engine {
  #handle;
  #log = null;

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
    if (this.#log !== null && native.logTo(made, this.#log.folder, this.#log.capacity, this.#log.flags, error) < 0) {
      native.deciderFree(made);
      throw raised(error);
    }
    return made;
  }

  logTo(folder, { capacity = 0, timed = false } = {}) {
    this.#log = { folder: Buffer.from(folder), capacity: uint32(capacity), flags: timed ? NUMBERS.LOG_TIMED : 0 };
  }

  info() {
    const info = sized(SIZES.info);
    checked(this.#handle === null ? lists.Status.BAD_HANDLE : native.engineInfo(this.#handle, info));
    const at = AT.info;
    return {
      products: info.readUInt32LE(at.products),
      offers: info.readUInt32LE(at.offers),
      currency: info.toString('latin1', at.currency, at.currency + 3),
      indexGeneration: hex(info, at.index_generation),
      policyGeneration: hex(info, at.policy_generation),
      createdAtMs: readInt64(info, at.created_at_ms),
      fileBytes: readInt64(info, at.file_bytes),
      kernel: chars(info, at.kernel),
    };
  }

  #text({ itemKind, itemRow }, which) {
    return this.itemText(itemKind, itemRow, which);
  }

  /** @internal */
  itemText(kind, row, which) {
    const text = this.#handle === null ? lists.Status.BAD_HANDLE : native.itemText(this.#handle, kind, row, which);
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
  open() {
    return this.#open();
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

  withModel(path, { shadow = false } = {}) {
    const error = sized(SIZES.error);
    const opened = native.engineWithModel(this.#open(), Buffer.from(path), shadow ? 1 : 0, error);
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

function ranked(rows) {
  return Array.from({ length: rows.length / SIZES.ranked }, (_, i) => {
    const because = rows.readUInt32LE(i * SIZES.ranked + AT.ranked.because);
    return { option: rows.readUInt32LE(i * SIZES.ranked), because: becauses.get(because) ?? because };
  });
}

function prefill(order, stored) {
  const [given, at] = [sized(SIZES.transaction), AT.transaction];
  given.writeUInt32LE(order.isGift ? NUMBERS.TRANSACTION_IS_GIFT : 0, at.flags);
  writeInt64(given, order.createdAtMs ?? 0, at.created_at_ms);
  writeCode(given, order.country ?? '', at.country);
  const rows = Buffer.alloc(SIZES.stored * stored.length);
  stored.forEach((of, i) => {
    const start = i * SIZES.stored;
    rows.writeUInt32LE(uint32(of.field), start + AT.stored.field);
    rows.writeUInt32LE(uint32(of.slot), start + AT.stored.slot);
    writeCode(rows, of.country ?? '', start + AT.stored.country);
    rows.writeUInt32LE(uint32(of.uses ?? 0), start + AT.stored.uses);
    writeInt64(rows, of.lastUsedMs ?? 0, start + AT.stored.last_used_ms);
  });
  const filled = Buffer.alloc(SIZES.prefilled * NUMBERS.OPTIONS_MAX);
  return Array.from({ length: checked(native.prefill(given, rows, filled)) }, (_, i) => {
    const number = (field) => filled.readUInt32LE(i * SIZES.prefilled + AT.prefilled[field]);
    return { field: number('field'), slot: number('slot'), confidencePpm: number('confidence_ppm'),
      because: becauses.get(number('because')) ?? number('because') };
  });
}

class Decider {
  #handle;
  #engine;
  #block = Buffer.from(new ArrayBuffer(BLOCK_BYTES));
  #words = new Uint32Array(this.#block.buffer); // the same memory
  #strings = Buffer.alloc(4096);
  #length = 0;
  #facts = 0;

  constructor(engine) {
    this.#handle = engine.newDecider();
    this.#engine = engine;
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
    this.#engine = engine;
  }

  nextQuestion(order, customer = {}) {
    const lines = this.#pack(order, customer);
    const [question, at, engine] = [sized(SIZES.question), AT.question, this.#engine];
    const status = checked(native.nextQuestion(this.#handle, this.#block, lines, this.#facts, this.#strings, this.#length, question));
    if (status > 0) {
      return null;
    }
    const [row, first] = [question.readUInt32LE(at.row), question.readUInt32LE(at.answer_row)];
    return {
      id: engine.itemText(lists.Item.question, row, 1),
      text: engine.itemText(lists.Item.question, row, 2),
      answers: Array.from({ length: question.readUInt32LE(at.answer_count) }, (_, i) => ({
        tag: engine.itemText(lists.Item.answer, first + i, 1),
        text: engine.itemText(lists.Item.answer, first + i, 2),
      })),
      gainMicros: readInt64(question, at.gain_micros),
      decisions: question.readUInt32LE(at.decisions),
    };
  }

  rankPaymentMethods(order, customer, options, { uses = [], counts = [], device } = {}) {
    const lines = this.#packUses(order, customer, uses);
    const rows = this.#rows('option', options, (buffer, start, { ready }) => {
      buffer.writeUInt32LE(ready ? NUMBERS.OPTION_READY : 0, start + AT.option.flags);
    });
    const usual = this.#rows('method_count', counts, (buffer, start, of) => {
      const at = AT.method_count;
      writeCode(buffer, of.country, start + at.country);
      buffer.writeUInt32LE(code(lists.Device, of.device, 0), start + at.device);
      writeInt64(buffer, of.amountFrom, start + at.amount_from);
      buffer.writeUInt32LE(uint32(of.orders), start + at.orders);
    });
    const ranking = Buffer.alloc(SIZES.ranked * options.length);
    checked(native.rankPayment(this.#handle, this.#block, lines, this.#facts, this.#strings, this.#length,
      code(lists.Device, device, 0), rows, usual, ranking));
    return ranked(ranking);
  }

  rankShippingOptions(order, customer, options, uses = []) {
    const lines = this.#packUses(order, customer, uses);
    const rows = this.#rows('option', options, (buffer, start, of) => {
      writeInt64(buffer, of.price, start + AT.option.price);
      writeInt64(buffer, of.arrivesByMs ?? 0, start + AT.option.arrives_by_ms);
    });
    const ranking = Buffer.alloc(SIZES.ranked * options.length);
    checked(native.rankShipping(this.#handle, this.#block, lines, this.#facts, this.#strings, this.#length, rows, ranking));
    return ranked(ranking);
  }

  planFollowUps(programmes, order, customer, { deliveryAtMs = 0, contactedAtMs = [] } = {}) {
    const lines = this.#pack(order, customer ?? {});
    for (const atMs of contactedAtMs) {
      this.#fact(NUMBERS.FACT_CONTACTED, '', atMs);
    }
    const [rows, engine] = [Buffer.from(new ArrayBuffer(SIZES.follow_up * NUMBERS.FOLLOW_UPS_MAX)), this.#engine];
    const count = checked(native.planFollowUps(this.#handle, this.#block, lines, this.#facts, this.#strings, this.#length,
      programmes.handle, deliveryAtMs, rows));
    return followUps(rows, count, (kind, row) => engine.itemText(kind, row, 2));
  }

  logged() {
    const [counts, at] = [sized(SIZES.logged), AT.logged];
    checked(native.logCounts(this.#open(), counts));
    const number = (field) => readInt64(counts, at[field]);
    return { logs: counts.readUInt32LE(at.logs) !== 0, made: number('made'), logged: number('logged'), dropped: number('dropped'),
      drained: number('drained') };
  }

  #packUses(order, customer, uses) {
    const lines = this.#pack(order, customer ?? {});
    for (const { id, atMs, failed } of uses) {
      this.#fact(failed ? NUMBERS.FACT_FAILED : NUMBERS.FACT_USED, id, atMs);
    }
    return lines;
  }

  /** Structs that begin with an id; `write` writes the rest. */
  #rows(struct, list, write) {
    const buffer = Buffer.from(new ArrayBuffer(SIZES[struct] * list.length));
    const words = new Uint32Array(buffer.buffer);
    list.forEach((one, i) => {
      this.#text(one.id, i * SIZES[struct], words);
      write(buffer, i * SIZES[struct], one);
    });
    return buffer;
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
    writeCode(this.#block, order.currency ?? '', at.currency);
    writeCode(this.#block, order.country ?? '', at.country);
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
    for (const event of customer.asked ?? []) {
      this.#fact(NUMBERS.FACT_ASKED, event.id, event.atMs);
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

  #text(text = '', at, words = this.#words) {
    const start = this.#length;
    const most = 3 * text.length;
    if (start + most > this.#strings.length) {
      const grown = Buffer.alloc(2 * start + most);
      this.#strings.copy(grown, 0, 0, start);
      this.#strings = grown;
    }
    const length = text.length <= 32 ? this.#short(text, start) : this.#strings.write(text, start);
    this.#length += length;
    words[at >> 2] = start;
    words[(at >> 2) + 1] = length;
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
    const decisionId = this.#hex(SUMMARY + at.decision_id_high) + this.#hex(SUMMARY + at.decision_id_low);
    // Without answers a decision has its group's id, and text is dear.
    const alone = [0, 4, 8, 12].every((i) => number(at.group_id_low + i) === number(at.decision_id_low + i));
    return {
      slate,
      reason,
      reasonText: reason === 0 ? '' : native.reasonText(reason),
      decisionId,
      indexGeneration: this.#hex(SUMMARY + at.index_generation),
      policyGeneration: this.#hex(SUMMARY + at.policy_generation),
      overlayGeneration: this.#wide(SUMMARY + at.overlay_generation),
      groupId: alone ? decisionId : this.#hex(SUMMARY + at.group_id_high) + this.#hex(SUMMARY + at.group_id_low),
      modelGeneration: number(at.model_generation),
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
      acceptance: acceptances.get(number(at.accept_reason)) ?? number(at.accept_reason),
      mayNeedConfirmation: number(at.may_need_confirmation) !== 0,
      itemKind: number(at.item_kind),
      itemRow: number(at.item_row),
    };
  }
}

module.exports = { AftercartError, Engine, Decider, Lease, Programmes, TokenKey, appendEvent, eventJson, prefill };
// For the tests.
module.exports.layout = { SIZES, AT, NUMBERS, BLOCK_BYTES };

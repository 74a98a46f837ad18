'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { AftercartError, Lease, Programmes, TokenKey, eventJson, prefill } = require('..');
const lists = require('../lists');

const ROOT = path.join(__dirname, '../../..');
const FOLDER = path.join(ROOT, 'tests/conformance');
const read = (name) => fs.readFileSync(path.join(FOLDER, name), 'utf8');
const name = (list, code) => Object.keys(lists[list]).find((one) => lists[list][one] === Number(code || 0));

function key(low, high) {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(BigInt(low), 0);
  bytes.writeBigUInt64LE(BigInt(high), 8);
  return bytes;
}

const STEPS = ['decide', 'set', 'look', 'reserve', 'activate', 'release', 'explain', 'model', 'page', 'ask', 'sign', 'verify', 'rank_payment', 'rank_shipping', 'prefill', 'follow_ups', 'event'];
const BESIDE = ['used', 'failed', 'pay', 'ship', 'usual', 'stored', 'contacted'];

/** The requests of a text, whose grammar is at its top. */
function requests(text) {
  const cases = [];
  for (const row of text.split('\n')) {
    if (row === '' || row[0] === '#') {
      continue;
    }
    const [word, a = '', b = '', c = '', d = '', e = '', f = '', g = '', ...more] = row.split('\t');
    if (word === 'case') {
      cases.push({
        name: a, steps: [], beside: [], order: { lines: [], tags: [] }, customer: { segments: [], purchases: [], declines: [], answers: [], optOutCategories: [], cartRemoved: [], exposures: [], asked: [] },
      });
      continue;
    }
    const { order, customer, steps } = cases.at(-1);
    if (BESIDE.includes(word)) {
      cases.at(-1).beside.push([word, a, b, c, d, e]);
      continue;
    }
    if (STEPS.includes(word)) {
      steps.push([word, a, b, c, d, e, f, g, ...more]);
      continue;
    }
    const exposed = () => customer.exposures.push({ id: a, event: word, atMs: Number(b) });
    const set = {
      order_id: () => { order.orderId = a; },
      created_at_ms: () => { order.createdAtMs = Number(a); },
      value: () => { order.value = Number(a); },
      currency: () => { order.currency = a; },
      country: () => { order.country = a; },
      stage: () => { order.stage = name('Stage', a); },
      slots: () => { order.slots = Number(a); },
      min_relevance: () => { order.minRelevance = Number(a); },
      payment: () => { order.payment = name('Payment', a); },
      rechargeable: () => { order.rechargeable = a === '2'; },
      placement: () => { order.placement = a; },
      order_tag: () => order.tags.push(a),
      loyalty_tier: () => { customer.loyaltyTier = a; },
      orders: () => { customer.orders = Number(a); },
      segment: () => customer.segments.push(a),
      is_gift: () => { order.isGift = true; },
      is_test: () => { order.isTest = true; },
      first_purchases: () => { order.firstPurchases = true; },
      line: () => order.lines.push({
        itemId: a, category: b, brand: c, quantity: Number(d || 1), unitPrice: e === '' ? undefined : Number(e),
        role: name('Role', f), sensitive: name('Sensitive', g),
      }),
      lines: () => { for (let n = 1; n <= Number(a); n++) order.lines.push({ itemId: `${b}-${n}` }); },
      customer: () => { customer.customer = name('Customer', a); },
      age_band: () => { customer.ageBand = name('AgeBand', a); },
      loyalty_member: () => { customer.loyaltyMember = a === '2'; },
      has_app: () => { customer.hasApp = a === '2'; },
      opt_out_third_party: () => { customer.optOutThirdParty = true; },
      unit_key: () => { customer.unitKey = key(a, b); },
      session_key: () => { customer.sessionKey = key(a, b); },
      purchase: () => customer.purchases.push({ id: a, atMs: Number(b) }),
      purchases: () => { for (let n = 1; n <= Number(a); n++) customer.purchases.push({ id: `${b}-${n}` }); },
      decline: () => customer.declines.push({ id: a, atMs: Number(b) }),
      consent: () => { customer.consent = { ...customer.consent, [name('Purpose', a)]: b === '2' }; },
      gpc: () => { customer.gpc = true; },
      shown: exposed,
      engaged: exposed,
      accepted: exposed,
      asked: () => customer.asked.push({ id: a, atMs: Number(b) }),
      answer: () => customer.answers.push({ question: a, tag: b }),
      opt_out_category: () => customer.optOutCategories.push(a),
      cart_removed: () => customer.cartRemoved.push(a),
      expect: () => {},
    };
    set[word]();
  }
  return cases;
}

/** The answer in the form of offers.txt. */
function answer(engine, decider, { order, customer }) {
  let o;
  try {
    o = decider.decide(order, customer);
  } catch (failed) {
    if (!(failed instanceof AftercartError)) {
      throw failed;
    }
    return `status\t${failed.status}\n`;
  }
  const rows = [['status', o.slate.length ? 'OK' : 'NO_OFFERS', o.reason, o.decisionId, o.indexGeneration,
    o.policyGeneration, o.retrieved, o.eligible, o.rejected, o.centroids, o.cells, o.compared]];
  for (const x of o.slate) {
    rows.push(['offer', x.id, x.itemKind, x.itemRow, lists.Kind[x.kind], x.position, Number(x.thirdParty),
      lists.Relation[x.relation], x.line ?? -1, x.relevance, x.acceptPpm, x.selectPpm, x.value, x.evMicros, x.price ?? -1,
      lists.Accept[x.accept], engine.title(x), engine.category(x), engine.partner(x)]);
  }
  return text(rows);
}

const text = (rows) => rows.map((row) => `${row.join('\t')}\n`).join('');

/** A change of one field; without a value the overlay forgets it. */
function change(kind, id, field, value) {
  const given = {
    price: () => ({ price: Number(value.split(' ')[0]), pricedAtMs: Number(value.split(' ')[1]) }),
    pacing: () => ({ pacing: value }),
    utc_offset: () => ({ utcOffsetMinutes: Number(value) }),
  }[field] ?? (() => ({ [field]: ['paused', 'killed', 'money'].includes(field) ? value === '1' : Number(value) }));
  return { id, kind: name('Item', kind), ...(value === '' ? { [field]: null } : given()) };
}

/** What live.txt asks for, one after the other, on one overlay. */
class Steps {
  #leases = new Map();

  constructor(engine, decider) {
    Object.assign(this, { engine, decider });
  }

  take({ order, customer }, f) {
    if (f[0] === 'decide') {
      this.offers = this.decider.decide(order, customer);
      return answer(this.engine, this.decider, { order, customer });
    }
    try {
      return text(this.#rows(order, customer, f));
    } catch (failed) {
      if (!(failed instanceof AftercartError)) {
        throw failed;
      }
      return `${f[0]}\t${failed.status}\n`;
    }
  }

  #rows(order, customer, [word, a, b, c, d, e]) {
    const steps = {
      set: () => this.engine.edit([change(a, b, c, d)], Number(e)),
      reserve: () => {
        const lease = this.engine.reserve(this.offers.slate.find((offer) => offer.id === b), Number(c), Number(d));
        this.#leases.set(a, new Lease(lease.toBuffer()));
      },
      activate: () => this.engine.activate(this.#leases.get(a), Number(b)),
      release: () => this.engine.release(this.#leases.get(a), Number(b)),
    };
    if (steps[word]) {
      steps[word]();
      return [[word, 'OK']];
    }
    if (word === 'look') {
      const state = this.engine.look(b, Number(c), name('Item', a));
      return [['look', 'OK', lists.Item[state.kind], ...Object.values(state).slice(1).map((one) => Number(one ?? -1))]];
    }
    const why = this.decider.explain(order, customer, a);
    return [
      ['explain', 'OK', why.position ?? -1, lists.Relation[why.relation] ?? 0, why.line ?? -1, why.relevance, why.acceptPpm,
        why.evMicros, why.reasons.join(',')],
      ...why.rules.map((rule) => ['rule', rule]),
      ...why.features.map((one) => ['feature', one.name, one.value, one.weight]),
    ];
  }
}

/** What moments.txt asks for. */
class Moments {
  #token = '';

  constructor(engine, decider) {
    Object.assign(this, { engine, decider, programmes: new Programmes(engine, path.join(FOLDER, 'programmes.toml')) });
  }

  take({ order, customer, beside }, f) {
    try {
      return text(this.#before(order, customer, beside, f) ?? this.#rows(order, customer, f));
    } catch (failed) {
      if (!(failed instanceof AftercartError)) {
        throw failed;
      }
      return `${{ rank_payment: 'ranked', sign: 'token', verify: 'claim' }[f[0]] ?? f[0]}\t${failed.status}\n`;
    }
  }

  /** The calls before payment. */
  #before(order, customer, beside, [step, device]) {
    const of = (...words) => beside.filter(([word]) => words.includes(word));
    const uses = of('used', 'failed').map(([word, id, at]) => ({ id, atMs: Number(at), failed: word === 'failed' }));
    if (step === 'prefill') {
      const stored = of('stored').map(([, field, slot, country, count, at]) => (
        { field: Number(field), slot: Number(slot), country, uses: Number(count), lastUsedMs: Number(at) }));
      return [['prefilled', 'OK'], ...prefill(order, stored).map((one) => ['field', one.field, one.slot, one.confidencePpm, lists.Because[one.because]])];
    }
    if (step === 'follow_ups') {
      const outlook = { deliveryAtMs: Number(device), contactedAtMs: of('contacted').map(([, at]) => Number(at)) };
      const plan = this.decider.planFollowUps(this.programmes, order, customer, outlook);
      return [['follow_ups', 'OK'], ...plan.map((one) => ['message', one.programme, one.template, one.contentId,
        lists.MessageKind[one.kind], lists.Channel[one.channel], lists.Withheld[one.withheld] ?? 0, one.atMs, one.expiresAtMs, one.line,
        one.title, one.dueDays ?? -1, one.ownIntervals])];
    }
    let ranked;
    if (step === 'rank_payment') {
      const counts = of('usual').map(([, id, country, on, from, orders]) => (
        { id, country, device: name('Device', on), amountFrom: Number(from), orders: Number(orders) }));
      ranked = this.decider.rankPaymentMethods(order, customer, of('pay').map(([, id, ready]) => ({ id, ready: ready === '1' })),
        { uses, counts, device: name('Device', device) });
    } else if (step === 'rank_shipping') {
      ranked = this.decider.rankShippingOptions(order, customer,
        of('ship').map(([, id, price, at]) => ({ id, price: Number(price), arrivesByMs: Number(at) })), uses);
    } else {
      return undefined;
    }
    return [['ranked', 'OK'], ...ranked.map((one) => ['option', one.option, lists.Because[one.because]])];
  }

  #rows(order, customer, [word, a, b, c, d, e, f, g, h, i, j, k]) {
    if (word === 'event') {
      const [value, margin, payout] = [f, g, h].map((one) => ((one ?? '') === '' ? undefined : Number(one)));
      const kind = name('EventKind', a);
      return [['event', 'OK', eventJson({ kind, eventId: b, decisionId: c, atMs: Number(d), itemId: e, value, margin, payout, code: i,
        question: j, answer: k })]];
    }
    if (word === 'model') {
      const engine = this.engine.withModel(path.join(FOLDER, 'model.bin'), { shadow: a === '1' });
      this.decider.use(engine);
      return [['model', 'OK']];
    }
    if (word === 'page') {
      const o = this.decider.decide(order, customer);
      return [['page', o.slate.length ? 'OK' : 'NO_OFFERS', o.groupId, o.modelGeneration],
        ...o.slate.map((x) => ['accept', x.id, lists.Accept[x.accept], lists.Acceptance[x.acceptance], Number(x.mayNeedConfirmation),
          x.acceptPpm])];
    }
    if (word === 'ask') {
      const q = this.decider.nextQuestion(order, customer);
      return q === null ? [['question', 'NO_QUESTION']]
        : [['question', 'OK', q.id, q.text, q.gainMicros, q.decisions], ...q.answers.map((one) => ['answer', one.tag, one.text])];
    }
    const key = new TokenKey(Buffer.from(a));
    if (word === 'sign') {
      this.#token = key.sign({ decisionId: b, itemId: c, price: Number(d), currency: e, quantity: Number(f), expiresAtMs: Number(g) });
      return [['token', 'OK', this.#token]];
    }
    const claim = key.verify(b || this.#token, c, Number(d), Number(e));
    return [['claim', 'OK', ...Object.values(claim)]];
  }
}

module.exports = { ROOT, FOLDER, read, requests, answer, Moments, Steps };

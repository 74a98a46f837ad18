'use strict';

const assert = require('node:assert');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { Worker } = require('node:worker_threads');
const { AftercartError, Decider, Engine, Lease, Programmes, TokenKey, appendEvent, layout } = require('..');
const lists = require('../lists');
const { ROOT, FOLDER, Moments, Steps, read, requests, answer } = require('./conformance');

const SHOP = path.join(FOLDER, 'shop.aftercart');
const machine = { orderId: 'A-1', lines: [{ itemId: 'espresso-machine' }, { itemId: 'beans-house' }] };

function fails(status, work) {
  let failed;
  assert.throws(work, (error) => {
    failed = error;
    return error instanceof AftercartError && error.status === status;
  });
  return failed;
}

test('answers what every language must', () => {
  const engine = new Engine(SHOP);
  const decider = new Decider(engine);
  const told = requests(read('requests.txt')).map((one) => `case\t${one.name}\n${answer(engine, decider, one)}\n`).join('');
  assert.deepStrictEqual(told.split('\n'), read('offers.txt').split('\n'));
});

test('answers at the other moments what every language must', () => {
  const engine = new Engine(SHOP);
  const moments = new Moments(engine, new Decider(engine));
  const told = requests(read('moments.txt')).map((one) => {
    moments.decider.use(engine);
    return `case\t${one.name}\n${one.steps.map((step) => moments.take(one, step)).join('')}\n`;
  }).join('');
  assert.deepStrictEqual(told.split('\n'), read('moments-answers.txt').split('\n'));
});

test('keeps decisions and events as every language must', () => {
  const shared = process.env.AFTERCART_TEST_LOG ?? fs.mkdtempSync(path.join(os.tmpdir(), 'aftercart-'));
  const [folder, engine] = [path.join(shared, 'node'), new Engine(SHOP)];
  const plain = new Decider(engine);
  engine.logTo(folder, { capacity: 128 });
  const decider = new Decider(engine);
  let [made, last] = [0, null];
  for (const { order, customer } of requests(read('requests.txt'))) {
    try {
      last = decider.decide(order, customer);
      made++;
    } catch (refused) {
      assert.ok(refused instanceof AftercartError);
    }
  }
  assert.deepStrictEqual(decider.logged(), { logs: true, made, logged: made, dropped: 0, drained: 0 });
  assert.strictEqual(plain.logged().logs, false, 'made before');
  const [ring] = fs.readdirSync(path.join(folder, 'rings'));
  const sum = crypto.createHash('sha256').update(fs.readFileSync(path.join(folder, 'rings', ring))).digest('hex');
  assert.strictEqual(sum, read('records.sha256').trim(), 'what Rust leaves in its ring');
  const event = { decisionId: last.decisionId, atMs: 1, value: 1299 };
  for (const kind of [...Object.keys(lists.EventKind), ...Object.keys(lists.EventKind)]) {
    appendEvent(folder, { ...event, kind, eventId: `node-${kind}` });
  }
  assert.match(fails('BAD_VALUE', () => appendEvent(folder, { ...event, kind: 'converted', eventId: 'x', value: undefined })).message, /value/);
  fails('SYSTEM_ERROR', () => appendEvent('/proc/none', { ...event, kind: 'activated', eventId: 'x' }));
  fails('BAD_PROGRAMMES', () => new Programmes(engine, __filename));
  fails('SYSTEM_ERROR', () => new Programmes(engine, 'no such file'));
  engine.logTo('/proc/none');
  fails('SYSTEM_ERROR', () => new Decider(engine));
  decider.close();
});

test('refuses keys, claims and models that are none', () => {
  fails('BAD_VALUE', () => new TokenKey(Buffer.from('too short')));
  const [key, engine] = [new TokenKey(Buffer.alloc(32)), new Engine(SHOP)];
  const claim = { decisionId: '0', itemId: 'x', price: 1, currency: engine.info().currency, expiresAtMs: 1 };
  assert.strictEqual(key.verify(key.sign(claim), 'USD', 1).quantity, 1);
  for (const wrong of [{ decisionId: 'none' }, { itemId: 'x'.repeat(100) }, { itemId: 'x'.repeat(65) }, { price: 0.5 }, { currency: 'DOLLARS' }]) {
    fails('BAD_VALUE', () => key.sign({ ...claim, ...wrong }));
  }
  fails('BAD_VALUE', () => key.verify('token', 'DOLLARS', 1));
  fails('SYSTEM_ERROR', () => engine.withModel('no such file'));
  fails('BAD_MODEL', () => engine.withModel(SHOP));
});

/** Does something with an overlay for the shop. */
async function overlaid(work) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'aftercart-'));
  const live = path.join(folder, 'shop.live');
  const plain = new Engine(SHOP);
  plain.bindLive(live);
  const [engine, decider] = [plain.withLive(live), new Decider(plain)];
  decider.use(engine);
  try {
    await work(engine, decider, live);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

test('does with an overlay what every language must', () => overlaid((engine, decider) => {
  const steps = new Steps(engine, decider);
  const told = requests(read('live.txt'))
    .map((one) => `case\t${one.name}\n${one.steps.map((step) => steps.take(one, step)).join('')}\n`).join('');
  assert.deepStrictEqual(told.split('\n'), read('live-answers.txt').split('\n'));
}));

test('never spends more than a budget, in worker threads that all want it', () => overlaid(async (engine, decider, live) => {
  const now = 1793491200000;
  const failed = fails('UNKNOWN_ID', () => engine.edit([{ id: 'barista-course', daily: 100 }, { id: 'nobody', stock: 1 },
    { id: 'club', paused: true }], now));
  assert.ok(failed.done === 1 && failed.message.includes('nobody'));
  const order = { ...machine, createdAtMs: now };
  const source = `const { Decider, Engine } = require(${JSON.stringify(path.join(__dirname, '..'))});
    const engine = new Engine(${JSON.stringify(SHOP)}).withLive(${JSON.stringify(live)});
    const decider = new Decider(engine);
    let spent = 0;
    for (let i = 0; i < 50; i++) {
      const offer = decider.decide(${JSON.stringify(order)}).slate.find((one) => one.id === 'barista-course');
      try {
        if (offer) { engine.activate(engine.reserve(offer, ${now}, 60000), ${now}); spent++; }
      } catch (full) {
        if (full.status !== 'BUDGET_EMPTY') throw full;
      }
    }
    require('node:worker_threads').parentPort.postMessage(spent);`;
  const spent = await Promise.all([1, 2, 3, 4].map(() => new Promise((resolve, reject) => {
    new Worker(source, { eval: true }).once('message', resolve).once('error', reject);
  })));
  const state = engine.look('barista-course', now);
  assert.deepStrictEqual([spent.reduce((a, b) => a + b), state.spentToday, state.held], [100, 100, 0]);
  assert.ok(!decider.decide(order).slate.some((one) => one.id === 'barista-course'));
  fails('BAD_SIZE', () => new Lease(Buffer.alloc(48)));
  fails('BAD_VALUE', () => engine.edit([{ id: 'club', utcOffsetMinutes: 0.5 }], now));
  engine.close();
  fails('BAD_HANDLE', () => engine.look('club', now));
  fails('BAD_HANDLE', () => decider.use(engine));
}));

test('lays structs out as the header does', () => {
  for (const line of fs.readFileSync(path.join(ROOT, 'ffi/abi/layout.txt'), 'utf8').trim().split('\n')) {
    const [, name, field, number] = line.match(/^aftercart_(\w+)(?:\.(\w+))? (?:size )?(\d+)/);
    if (field === undefined && !['text', 'live_fact'].includes(name)) {
      assert.strictEqual(layout.SIZES[name], Number(number), line);
    } else if (layout.AT[name]?.[field] !== undefined) {
      assert.strictEqual(layout.AT[name][field], Number(number), line);
    } else {
      assert.match(line, /reserved|struct_size|^aftercart_options|^aftercart_text|error.offset|^aftercart_live_fact/, 'a field that nobody reads');
    }
  }
});

test('has every number of the header', () => {
  const known = {
    OPEN: 'Mode', VERIFY: 'Verify', PREFAULT: 'Prefault', STAGE: 'Stage', PAYMENT: 'Payment', ROLE: 'Role', SENSITIVE: 'Sensitive',
    CUSTOMER: 'Customer', AGE: 'AgeBand', KIND: 'Kind', RELATION: 'Relation', ACCEPT: 'Accept', ACCEPTANCE: 'Acceptance', DEVICE: 'Device', BECAUSE: 'Because', ITEM: 'Item', PURPOSE: 'Purpose', EVENT: 'EventKind',
    MESSAGE: 'MessageKind', CHANNEL: 'Channel', WITHHELD: 'Withheld',
  };
  const header = fs.readFileSync(path.join(ROOT, 'include/aftercart.h'), 'utf8');
  const types = fs.readFileSync(path.join(__dirname, '../index.d.ts'), 'utf8');
  for (const [line, prefix, name, number] of header.matchAll(/^#define AFTERCART_([A-Z]+)_(\w+) (\d+)$/gm)) {
    if (known[prefix]) {
      assert.strictEqual(lists[known[prefix]][name.toLowerCase()], Number(number), line);
      const union = types.match(new RegExp(`export type ${known[prefix]} =([^;]*);`))[1];
      assert.ok(union.includes(`'${name.toLowerCase()}'`), line);
    } else if (['TRANSACTION', 'LINE', 'PROFILE', 'LINES', 'FACTS', 'SLOTS', 'FACT', 'REASONS', 'CHANGE', 'TOKEN', 'OPTION', 'OPTIONS', 'AMOUNT', 'JSON', 'LOG', 'FOLLOW'].includes(prefix)) {
      assert.strictEqual(layout.NUMBERS[`${prefix}_${name}`], Number(number), line);
    }
  }
  for (const line of fs.readFileSync(path.join(ROOT, 'ffi/abi/status.txt'), 'utf8').trim().split('\n')) {
    const [number, name] = line.split(' ');
    assert.ok(Number(number) >= 0 || lists.Status[name] === Number(number), line);
  }
});

test('says why a file does not open', () => {
  const missing = fails('SYSTEM_ERROR', () => new Engine('no such file'));
  assert.ok(missing.osError === 2 && missing.message.includes('no such file'));
  const wrong = fails('BAD_CATALOG', () => new Engine(__filename));
  assert.ok(wrong.rule > 0 && wrong.part !== '');
});

test('closes, breaks and refuses', () => {
  const engine = new Engine(SHOP, { mode: 'copy', verify: 'structure', prefault: 'none', visitBudget: 50 });
  assert.strictEqual(engine.info().products, 19);
  const [decider, broken] = [new Decider(engine), new Decider(engine)];
  engine.close();
  engine.close();
  fails('BAD_HANDLE', () => engine.info());
  fails('BAD_HANDLE', () => new Decider(engine));
  assert.ok(decider.decide(machine).slate.length > 0, 'a decider keeps what it needs');
  assert.strictEqual(broken.selftest(), lists.Status.INTERNAL);
  fails('POISONED', () => broken.decide(machine));
  broken.close();
  assert.match(decider.decide({ ...machine, currency: 'EUR' }).reasonText, /currency/);
  for (const order of [{ currency: 'DOLLAR' }, { slots: -1 }, { value: 0.5 }, { stage: 'toString' }, { lines: [{ itemId: 'x', quantity: 2 ** 32 }] }]) {
    fails('BAD_VALUE', () => decider.decide(order));
  }
  const long = '🎁ä€\ud83c'.repeat(100_000); // the last is half a character
  assert.ok(decider.decide({ lines: [...machine.lines, { itemId: long, category: long }] }).slate.length > 0);
  decider.close();
  decider.close();
  fails('BAD_HANDLE', () => decider.decide(machine));
});

test('works in worker threads', async () => {
  const expected = new Decider(new Engine(SHOP)).decide(machine);
  const source = `const { Decider, Engine } = require(${JSON.stringify(path.join(__dirname, '..'))});
    require('node:worker_threads').parentPort.postMessage(new Decider(new Engine(${JSON.stringify(SHOP)})).decide(${JSON.stringify(machine)}));`;
  const answers = await Promise.all([1, 2, 3].map(() => new Promise((resolve, reject) => {
    new Worker(source, { eval: true }).once('message', resolve).once('error', reject);
  })));
  answers.forEach((one) => assert.deepStrictEqual(one, expected));
});

test('gives back what nobody closed', async () => {
  const maps = () => fs.readFileSync('/proc/self/maps', 'utf8').split('shop.aftercart').length;
  for (let i = 0; i < 100; i++) {
    assert.ok(new Decider(new Engine(SHOP)).decide(machine).slate.length > 0);
  }
  for (let i = 0; i < 100 && maps() > 10; i++) {
    globalThis.gc();
    await new Promise((resolve) => { setTimeout(resolve, 10); });
  }
  assert.ok(maps() <= 10, `${maps()} mappings`);
});

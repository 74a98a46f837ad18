'use strict';

// How many nanoseconds a decision of each request takes, for benches/bindings.rs. Arguments: a catalog, the requests.

const fs = require('node:fs');
const { Decider, Engine } = require('..');
const { requests } = require('./conformance');

const [catalog, file] = process.argv.slice(2);
const decider = new Decider(new Engine(catalog));
const cases = requests(fs.readFileSync(file, 'utf8'));
for (let i = 0; i < 2000; i++) { // until it is compiled
  decider.decide(cases[i % cases.length].order, cases[i % cases.length].customer);
}
for (const { order, customer } of cases) {
  const batches = [];
  for (let batch = 0; batch < 100; batch++) {
    const since = process.hrtime.bigint();
    for (let i = 0; i < 10; i++) {
      decider.decide(order, customer);
    }
    batches.push(Number((process.hrtime.bigint() - since) / 10n));
  }
  console.log(batches.sort((a, b) => a - b)[9]);
}

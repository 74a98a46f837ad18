"""How many nanoseconds a decision of each request takes, for benches/bindings.rs. Arguments: a catalog, the requests."""

import sys
import time
from pathlib import Path

import aftercart
import conformance

decider = aftercart.Decider(aftercart.Engine(sys.argv[1]))
for _, order, customer, _ in conformance.requests(Path(sys.argv[2]).read_text()):
    batches = []
    for _ in range(100):
        since = time.perf_counter_ns()
        for _ in range(10):
            decider.decide(order, customer)
        batches.append((time.perf_counter_ns() - since) // 10)
    print(sorted(batches)[9])

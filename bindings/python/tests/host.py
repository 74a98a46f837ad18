"""A process that decides and keeps it, for four seconds: a catalog, and the folder of a log."""

import sys
import time

import aftercart as a

engine = a.Engine(sys.argv[1])
engine.log_to(sys.argv[2], capacity=512)
decider, until, made = a.Decider(engine), time.monotonic() + 4, 0
while time.monotonic() < until:
    decider.decide(a.Transaction([a.Line("espresso-machine")], order_id=str(made)))
    made += 1
    if made % 20 == 0:
        time.sleep(0.002)
assert decider.logged().made == made
print(f"ok: {decider.logged()}")

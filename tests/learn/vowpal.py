#!/usr/bin/env python3
"""Regret beside Vowpal Wabbit's cb_explore_adf on the same stream.

    AFTERCART_STREAM=/some/file cargo test --features cli --test learn -- --ignored a_stream_for_another_learner
    vowpal.py /some/file          # needs: pip install vowpalwabbit

Each page is one choice among its logged candidates; what each is worth in truth is in the stream. Regret is the best one's worth less the
chosen one's, in minor units per page. Vowpal Wabbit learns online after each page; aftercart once a week from its log. Both explore
a tenth at least.
"""
import json
import random
import sys

import vowpalwabbit

pages = [json.loads(line) for line in open(sys.argv[1])]
top = max(value for page in pages for _, _, value in page["actions"])
WAYS = ["--epsilon 0.1", "--squarecb", "--cover 5"]


def example(page, chosen=None):
    shared = "shared |s " + " ".join(f"t{kind}" for kind in page["types"])
    rows = []
    for at, (name, _, value) in enumerate(page["actions"]):
        label = f"{chosen[0]}:{chosen[1]}:{chosen[2]} " if chosen and chosen[0] == at else ""
        rows.append(f"{label}|a id_{name} value:{value / top}")
    return [shared] + rows


def regret_of(way, seed=1):
    vw = vowpalwabbit.Workspace(f"--cb_explore_adf {way} --cb_type mtr -q sa -l 0.5 --quiet --random_seed {seed}")
    draw, by_week = random.Random(seed), {}
    for page in pages:
        chances = vw.predict(example(page))
        total, ticket, chosen = sum(chances), draw.random(), len(chances) - 1
        for at, p in enumerate(chances):
            ticket -= p / total
            if ticket < 0:
                chosen = at
                break
        _, chance, value = page["actions"][chosen]
        cost = -value / top if draw.random() < chance else 0.0
        vw.learn(example(page, (chosen, cost, chances[chosen] / total)))
        best = max(chance * value for _, chance, value in page["actions"])
        by_week.setdefault(page["week"], []).append(best - chance * value)
    return by_week


def own(name):
    by_week = {}
    for page in pages:
        best = max(chance * value for _, chance, value in page["actions"])
        by_week.setdefault(page["week"], []).append(best - page[name])
    return by_week


def show(name, by_week):
    weeks = [sum(week) / len(week) for _, week in sorted(by_week.items())]
    mean = sum(map(sum, by_week.values())) / sum(map(len, by_week.values()))
    print(f"{name:32} {mean:8.2f}   by week " + " ".join(f"{week:.1f}" for week in weeks))


print(f"{len(pages)} pages; regret per page, minor units")
show("aftercart, fixed prior", own("fixed"))
show("aftercart, learning weekly", own("learning"))
for way in WAYS:
    show(f"vw cb_explore_adf {way}", regret_of(way))

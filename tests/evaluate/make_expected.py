#!/usr/bin/env python3
"""Makes the logs and the expected numbers of tests/evaluate.rs with the published Open Bandit Pipeline.

    make_expected.py                     bandit.csv, other.csv, slates.csv (made up, seeded) and expected.json, beside this file
    make_expected.py --obd FOLDER        the expected numbers of the Open Bandit Dataset in FOLDER, on standard output

Needs numpy, pandas and obp 0.5.7 (Python 3.10: `pip install --no-deps obp==0.5.7`, then numpy<2, pandas<2.1, scikit-learn<1.3,
matplotlib, seaborn, tqdm, pyyaml). obp imports torch and statistics packages that its estimators do not use: these are stubbed.
"""

import json
import sys
from pathlib import Path
from unittest.mock import MagicMock

for name in ["torch", "torch.nn", "torch.nn.functional", "torch.optim", "torch.utils", "torch.utils.data",
             "pyieoe", "pyieoe.evaluator", "pingouin"]:
    sys.modules[name] = MagicMock()
torch = sys.modules["torch"]
torch.utils, torch.nn = sys.modules["torch.utils"], sys.modules["torch.nn"]
torch.utils.data = sys.modules["torch.utils.data"]
torch.utils.data.Dataset = torch.nn.Module = type("Stub", (), {})

import numpy as np
import pandas as pd
from obp.ope import (DoublyRobust, InverseProbabilityWeighting, SelfNormalizedInverseProbabilityWeighting,
                     SelfNormalizedSlateIndependentIPS, SelfNormalizedSlateRewardInteractionIPS,
                     SelfNormalizedSlateStandardIPS, SlateCascadeDoublyRobust, SlateIndependentIPS,
                     SlateRewardInteractionIPS, SlateStandardIPS)

HERE = Path(__file__).parent
PRIOR_ROWS = 100.0


def shares(log, items):
    """How often each item was shown at each position: (item, position) -> probability."""
    table = pd.crosstab(log["item_id"], log["position"]).reindex(range(items), fill_value=0)
    return table / table.sum(axis=0)


def expected_rewards(log, items):
    """Of each row, for each item at the row's position: smoothed mean of the rows of the other half."""
    half, level = np.arange(len(log)) % 2, log["click"].mean()
    out = np.zeros((len(log), items))
    for own in (0, 1):
        group = log[half != own].groupby(["item_id", "position"])["click"].agg(["sum", "count"])
        smoothed = (group["sum"] + PRIOR_ROWS * level) / (group["count"] + PRIOR_ROWS)
        for row in np.flatnonzero(half == own):
            position = log["position"].iloc[row]
            out[row] = [smoothed.get((item, position), level) for item in range(items)]
    return out


def bandit(log, other):
    items = int(max(log["item_id"].max(), 0 if other is None else other["item_id"].max())) + 1
    n = len(log)
    dist = np.full((n, items, 1), 1.0 / items)
    if other is not None:
        table = shares(other, items)
        for row in range(n):
            position = log["position"].iloc[row]
            dist[row, :, 0] = table[position].to_numpy() if position in table.columns else 0.0
    arrays = dict(reward=log["click"].to_numpy(float), action=log["item_id"].to_numpy(int),
                  pscore=log["propensity_score"].to_numpy(float), position=np.zeros(n, dtype=int),
                  action_dist=dist)
    q = expected_rewards(log, items)[:, :, None]
    return {
        "standard IPS": InverseProbabilityWeighting().estimate_policy_value(**arrays),
        "standard IPS, self-normalised": SelfNormalizedInverseProbabilityWeighting().estimate_policy_value(**arrays),
        "DR (cascade)": DoublyRobust().estimate_policy_value(**arrays, estimated_rewards_by_reg_model=q),
    }


def made_up_bandit(rng, rows, sharpness):
    """Softmax choices of 6 items at 3 positions by one feature; clicks of a tenth or so."""
    x, position = rng.normal(size=rows), rng.integers(1, 4, size=rows)
    logits = sharpness * np.outer(x, np.linspace(-1, 1, 6)) + 0.3 * sharpness * np.arange(6)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    item = np.array([rng.choice(6, p=row) for row in p])
    click = rng.random(rows) < 0.05 + 0.03 * item / position
    return pd.DataFrame({"item_id": item, "position": position, "click": click.astype(int),
                         "propensity_score": p[np.arange(rows), item].round(9)})


def slate_probabilities(weights, order):
    """Plackett and Luce: given what stands before, slot by slot."""
    left, out = weights.copy(), []
    for item in order:
        out.append(left[item] / left.sum())
        left[item] = 0.0
    return out


def marginal(weights, item, slot, items=5):
    from itertools import permutations
    return sum(np.prod(slate_probabilities(weights, order + (item,)))
               for order in permutations([i for i in range(items) if i != item], slot))


def made_up_slates(rng, slates, items=5, slots=3):
    rows, q_all, dist_all, actions = [], [], [], []
    for slate in range(slates):
        b, e = rng.uniform(0.5, 2, items), rng.uniform(0.2, 3, items)
        left, order = b.copy(), []
        for _ in range(slots):
            order.append(int(rng.choice(items, p=left / left.sum())))
            left[order[-1]] = 0.0
        pb, pe, q = slate_probabilities(b, order), slate_probabilities(e, order), rng.uniform(0, 1, (slots, items))
        for k, item in enumerate(order):
            gone = e.copy()
            gone[order[:k]] = 0.0
            dist = gone / gone.sum()
            rows.append(dict(slate_id=slate, position=k, reward=int(rng.random() < 0.1 + 0.1 * item),
                             pscore=np.prod(pb), pscore_item_position=marginal(b, item, k),
                             pscore_cascade=np.prod(pb[:k + 1]), evaluation_policy_pscore=np.prod(pe),
                             evaluation_policy_pscore_item_position=marginal(e, item, k),
                             evaluation_policy_pscore_cascade=np.prod(pe[:k + 1]),
                             expected=q[k, item], expected_target=float(dist @ q[k])))
            q_all.append(q[k]), dist_all.append(dist), actions.append(item)
    return pd.DataFrame(rows), np.concatenate(q_all), np.concatenate(dist_all), np.array(actions)


def slates(rng):
    log, q, dist, action = made_up_slates(rng, 40)
    log.to_csv(HERE / "slates.csv", index=False)
    base = dict(slate_id=log["slate_id"].to_numpy(), reward=log["reward"].to_numpy(float),
                position=log["position"].to_numpy())
    columns = {name: log[name].to_numpy() for name in log.columns if "pscore" in name}
    value = lambda estimator, *names: estimator.estimate_policy_value(**base, **{name: columns[name] for name in names})
    whole = ("pscore", "evaluation_policy_pscore")
    alone = ("pscore_item_position", "evaluation_policy_pscore_item_position")
    cascade = ("pscore_cascade", "evaluation_policy_pscore_cascade")
    robust = SlateCascadeDoublyRobust(len_list=3, n_unique_action=5)
    return {
        "standard": value(SlateStandardIPS(len_list=3), *whole),
        "independent": value(SlateIndependentIPS(len_list=3), *alone),
        "cascade": value(SlateRewardInteractionIPS(len_list=3), *cascade),
        "standard, normalised": value(SelfNormalizedSlateStandardIPS(len_list=3), *whole),
        "independent, normalised": value(SelfNormalizedSlateIndependentIPS(len_list=3), *alone),
        "cascade, normalised": value(SelfNormalizedSlateRewardInteractionIPS(len_list=3), *cascade),
        "robust": robust.estimate_policy_value(**base, action=action, q_hat=q, evaluation_policy_action_dist=dist,
                                               **{name: columns[name] for name in cascade}),
    }


def main():
    if sys.argv[1:2] == ["--obd"]:
        folder, out = Path(sys.argv[2]), {}
        for campaign in ("men", "women"):
            logs = {name: pd.read_csv(folder / f"{name}_{campaign}.csv.gz") for name in ("random", "bts")}
            out[f"random_{campaign} to bts"] = bandit(logs["random"], logs["bts"])
            out[f"bts_{campaign} to random"] = bandit(logs["bts"], None)
            for name, log in logs.items():
                out[f"{name}_{campaign} itself"] = log["click"].mean()
        print(json.dumps(out, indent=1))
        return
    rng = np.random.default_rng(7)
    log, other = made_up_bandit(rng, 600, 0.5), made_up_bandit(rng, 600, 1.0)
    log.to_csv(HERE / "bandit.csv", index=False), other.to_csv(HERE / "other.csv", index=False)
    expected = {"bandit to other": bandit(log, other), "bandit to uniform": bandit(log, None), "slates": slates(rng)}
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


main()

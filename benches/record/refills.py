#!/usr/bin/env python3
"""Judges when things are bought again, on held-out repurchases: who buys what they bought before, within the next 14 days?

    refills.py --transactions T.csv.gz --products P.csv.gz [--cut 2017-09-15]

Weights and calibrations are learnt 31 days before the cut, and judged at the cut. Methods: the type's median interval (calibrated by
isotonic regression, so that it is judged by its order), the modified Poisson-Gamma of Bhagat et al. 2018 (likewise), and the
formula of src/refill.rs. Needs pandas and scikit-learn.
"""
import argparse
import numpy as np, pandas as pd
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

DAYS, PRIOR = 14, 5.0
a = argparse.ArgumentParser(); a.add_argument("--transactions", required=True); a.add_argument("--products", required=True)
a.add_argument("--cut", default="2017-09-15"); a = a.parse_args()
p = pd.read_csv(a.products, dtype=str, keep_default_na=False)
p = p[~p.category_path.str.startswith(("FUEL", "COUPON", "MISCELLANEOUS"))]
p["type"] = np.where(p.category_path != "", p.category_path, p.title)
t = pd.read_csv(a.transactions, dtype={"product_id": str, "customer_id": str})
t = t[(t.quantity > 0) & t.customer_id.notna()].merge(p[["product_id", "type"]], on="product_id")
t["day"] = (pd.to_datetime(t.timestamp).dt.normalize() - pd.Timestamp("2017-01-01")).dt.days
t = t[["customer_id", "product_id", "type", "day"]].drop_duplicates()
CUT = (pd.Timestamp(a.cut) - pd.Timestamp("2017-01-01")).days


def pairs(cut):
    keys = ["customer_id", "product_id"]
    past = t[t.day < cut].sort_values(keys + ["day"])
    d = past.groupby(keys).agg(type=("type", "first"), k=("day", "size"), first=("day", "min"), last=("day", "max")).reset_index()
    back = t[(t.day >= cut) & (t.day < cut + DAYS)][keys].drop_duplicates().assign(back=1)
    d = d.merge(back, how="left", on=keys).fillna({"back": 0})
    d["age"], d["since"], d["span"] = cut - d["first"], cut - d["last"], d["last"] - d["first"]
    gap = past.groupby(keys).day.diff()
    d["median"] = d.type.map(gap[gap > 0].groupby(past.type).median()).fillna(30)
    d["quartile"] = d.type.map(gap[gap > 0].groupby(past.type).quantile(0.25)).fillna(7)
    # Usual days to a purchase: product drawn towards type, type towards all.
    def usual(by, prior):
        sums = d.assign(n=d.k - 1).groupby(by)[["n", "age"]].sum()
        return (sums.age + PRIOR * prior) / (sums.n + PRIOR)
    level = d.age.sum() / (d.k - 1).sum()
    of_type = usual("type", level)
    types = d.drop_duplicates("product_id").set_index("product_id").type
    d["usual"] = d.product_id.map(usual("product_id", types.map(of_type)))
    return d


def formula(d):
    return np.column_stack([np.log2(d.k), np.log2(d.age + d.usual), np.log2(d.since + 1)])


def modified_poisson_gamma(d):
    mean = np.where(d.k > 1, d.span / np.maximum(d.k - 1, 1), d.usual)
    return 1 - np.exp(-DAYS * (d.k + 1) / (d.span + 2 * np.abs(mean - d.since) + d.usual))


def show(name, d, p):
    p = np.clip(p, 1e-5, 1 - 1e-5)
    top = np.argsort(-p, kind="stable")[: int(d.back.sum())]
    print(f"{name:40} log loss {log_loss(d.back, p):.4f}  AUC {roc_auc_score(d.back, p):.3f}  "
          f"expected/came {p.sum() / d.back.sum():.3f}  of the likeliest as many came {d.back.to_numpy()[top].mean():.3f}")


before, at = pairs(CUT - 31), pairs(CUT)
print(f"{len(at)} pairs of customer and product, {int(at.back.sum())} come back within {DAYS} days")
for name, of in [("type's median interval, calibrated", lambda d: -np.abs(np.log((d.since + DAYS / 2) / d["median"]))),
                 ("modified Poisson-Gamma, calibrated", modified_poisson_gamma)]:
    fit = IsotonicRegression(out_of_bounds="clip", y_min=1e-4, y_max=1 - 1e-4).fit(of(before), before.back)
    show(name, at, fit.predict(of(at)))
fit = LogisticRegression(C=1e3, max_iter=1000).fit(formula(before), before.back)
own, was = fit.predict_proba(formula(at))[:, 1], fit.predict_proba(formula(before))[:, 1]
show("src/refill.rs", at, own)
least = np.quantile(was[before.back == 1], 0.2)
for name, due in [("due by the type's lower quartile", at.since >= at.quartile), ("due by src/refill.rs", own >= least)]:
    print(f"{name:40} {due.mean():.1%} of the pairs, {at.back[due].sum() / at.back.sum():.1%} of what came back")

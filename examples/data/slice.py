#!/usr/bin/env python3
"""Cut the demo data of this folder out of the Complete Journey orders. Standard library only.

    python3 slice.py SOURCE [OUT]

SOURCE holds `transactions.csv.gz` and `products.csv.gz` (see ATTRIBUTION.md); OUT defaults to this folder.
Writes products.csv.gz, orders.csv.gz and baskets.jsonl, the same bytes every time.
"""

import csv
import gzip
import hashlib
import io
import json
import os
import sys
from decimal import ROUND_HALF_UP, Decimal

HELD_OUT_FROM = "2017-10-18"  # the last two weeks: no basket from here on is in the orders
DROPPED = {"FUEL", "COUPON", "MISCELLANEOUS"}  # departments that are not merchandise
HOUSEHOLDS = 80  # of 256: share of the households
OTHERS_BOUGHT = 2  # of 256: share of the products that only other households bought
NEVER_BOUGHT = 1  # of 256: share of the products that nobody bought
HISTORY = 200  # lines of history before a demo basket, at most

ORDER_COLUMNS = ["basket_id", "customer_id", "timestamp", "product_id", "quantity", "unit_price"]

# The demo baskets, chosen by hand among the held-out ones: (name, basket_id, with the customer's history?).
BASKETS = [
    ("coffee-and-creamer", "40436013212", False),
    ("coffee-and-filters", "40510443168", True),
    ("diapers", "40545331703", True),
    ("baby-food", "40460426229", False),
    ("dog-food", "40399946794", True),
    ("cat-food", "40424177420", False),
    ("burgers-and-beer", "40533028346", False),
    ("hot-dogs", "40411702835", True),
    ("pasta", "40556461068", True),
    ("layer-cake", "40509663038", False),
    ("baking-from-scratch", "40545472343", True),
    ("birthday-cake", "40510357183", False),
    ("party-and-gift-wrap", "40545290015", True),
    ("salad", "40532897041", False),
    ("salad-dinner", "40399747289", True),
    ("flowers", "40533002815", False),
    ("halloween", "40556640645", True),
    ("laundry", "40533104146", False),
    ("a-cold", "40400056800", True),
    ("cigarettes", "40411976638", False),
]


def bucket(text):
    """A fixed number in 0..256 for an id."""
    return hashlib.sha256(text.encode()).digest()[0]


def read(folder, name):
    with gzip.open(os.path.join(folder, name), "rt", encoding="utf-8", newline="") as f:
        yield from csv.DictReader(f)


def write_csv(path, columns, rows):
    # No name and no time in the gzip header, so that the bytes depend on the rows alone.
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        with io.TextIOWrapper(packed, encoding="utf-8", newline="") as text:
            out = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
            out.writeheader()
            out.writerows(rows)


def load(folder):
    """The products that may be shown, and every usable order line of the chosen households, oldest first."""
    products = {p["product_id"]: p for p in read(folder, "products.csv.gz")
                if p["title"] and p["category_path"].split(" > ")[0] not in DROPPED}
    lines = [t for t in read(folder, "transactions.csv.gz")
             if bucket(t["customer_id"]) < HOUSEHOLDS and t["product_id"] in products and int(t["quantity"]) > 0]
    for t in lines:
        # The source divides what was paid by the quantity; a price has whole cents.
        t["unit_price"] = str(Decimal(t["unit_price"]).quantize(Decimal("0.01"), ROUND_HALF_UP))
    lines.sort(key=lambda t: (t["timestamp"], int(t["basket_id"]), int(t["product_id"])))
    return products, lines


def keep(product, bought):
    """All that the chosen households bought, and a few products that they never did."""
    if product["product_id"] in bought:
        return True
    share = NEVER_BOUGHT if product["times_bought"] == "0" else OTHERS_BOUGHT
    return bucket(product["product_id"]) < share


def demo(lines):
    """One request per basket of BASKETS."""
    for name, basket_id, with_history in BASKETS:
        bought = [t for t in lines if t["basket_id"] == basket_id]
        first = bought[0]
        earlier = [t for t in lines if t["customer_id"] == first["customer_id"]
                   and t["timestamp"] < first["timestamp"]] if with_history else []
        yield {
            "case_id": name,
            "at": first["timestamp"],
            "lines": [{"product_id": t["product_id"], "quantity": int(t["quantity"]),
                       "unit_price": float(t["unit_price"])} for t in bought],
            "history": [{"product_id": t["product_id"], "at": t["timestamp"]} for t in earlier[-HISTORY:]],
        }


def main():
    source = sys.argv[1]
    out = sys.argv[2] if len(sys.argv) > 2 else os.path.dirname(os.path.abspath(__file__))
    products, lines = load(source)
    bought = {t["product_id"] for t in lines}
    orders = [t for t in lines if t["timestamp"] < HELD_OUT_FROM]
    times = {}
    for t in orders:
        times[t["product_id"]] = times.get(t["product_id"], 0) + 1
    kept = [p for p in products.values() if keep(p, bought)]
    for p in kept:
        p["times_bought"] = times.get(p["product_id"], 0)
    kept.sort(key=lambda p: int(p["product_id"]))
    write_csv(os.path.join(out, "products.csv.gz"), list(kept[0]), kept)
    write_csv(os.path.join(out, "orders.csv.gz"), ORDER_COLUMNS, orders)
    with open(os.path.join(out, "baskets.jsonl"), "w", encoding="utf-8", newline="\n") as f:
        for request in demo(lines):
            f.write(json.dumps(request) + "\n")
    print(f"{len(kept):,} products, {sum(p['times_bought'] == 0 for p in kept):,} of them cold; "
          f"{len(orders):,} lines, {len({t['basket_id'] for t in orders}):,} baskets, "
          f"{len({t['customer_id'] for t in orders}):,} households; {len(BASKETS)} demo baskets")


if __name__ == "__main__":
    main()

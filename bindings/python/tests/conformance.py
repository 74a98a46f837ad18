"""The requests that every language answers: tests/conformance of the repository."""

from __future__ import annotations

from pathlib import Path

import aftercart as a

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "tests/conformance"


def requests(text: str) -> list[tuple[str, a.Transaction, a.Profile]]:
    """Reads them; the grammar is at the top of the file."""
    cases: list[tuple[str, dict, dict]] = []
    for row in text.split("\n"):
        if not row or row[0] == "#":
            continue
        f = (row.split("\t") + [""] * 8)[:9]
        word, number = f[0], int(f[1]) if f[1].lstrip("-").isdigit() else 0
        if word == "case":
            cases.append((f[1], {"lines": [], "tags": []}, {"purchases": [], "declines": [], "answers": [], "segments": [],
                                                "opt_out_categories": [], "cart_removed": []}))
            continue
        _, order, customer = cases[-1]
        match word:
            case "order_id" | "currency" | "country":
                order[word] = f[1]
            case "created_at_ms" | "value" | "slots" | "min_relevance":
                order[word] = number
            case "placement":
                order[word] = f[1]
            case "payment":
                order[word] = a.Payment(number)
            case "rechargeable":
                order[word] = [None, False, True][number]
            case "order_tag":
                order["tags"].append(f[1])
            case "loyalty_tier":
                customer[word] = f[1]
            case "orders":
                customer[word] = number
            case "segment":
                customer["segments"].append(f[1])
            case "stage":
                order[word] = a.Stage(number)
            case "is_gift" | "is_test" | "first_purchases":
                order[word] = True
            case "line":
                order["lines"].append(a.Line(f[1], f[2], f[3], int(f[4] or 1), int(f[5]) if f[5] else None,
                                             a.Role(int(f[6] or 0)), a.Sensitive(int(f[7] or 0))))
            case "lines":
                order["lines"] += [a.Line(f"{f[2]}-{n + 1}") for n in range(number)]
            case "customer":
                customer[word] = a.Customer(number)
            case "age_band":
                customer[word] = a.AgeBand(number)
            case "loyalty_member" | "has_app":
                customer[word] = [None, False, True][number]
            case "opt_out_third_party":
                customer[word] = True
            case "unit_key" | "session_key":
                customer[word] = int(f[1]).to_bytes(8, "little") + int(f[2]).to_bytes(8, "little")
            case "purchase" | "decline":
                customer[word + "s"].append(a.Event(f[1], int(f[2])))
            case "purchases":
                customer[word] += [a.Event(f"{f[2]}-{n + 1}") for n in range(number)]
            case "answer":
                customer["answers"].append(a.SurveyAnswer(f[1], f[2]))
            case "opt_out_category":
                customer["opt_out_categories"].append(f[1])
            case "cart_removed":
                customer[word].append(f[1])
            case "expect":
                pass
            case _:
                raise ValueError(word)
    return [(name, a.Transaction(**order), a.Profile(**customer)) for name, order, customer in cases]


def answer(engine: a.Engine, decider: a.Decider, order: a.Transaction, customer: a.Profile) -> str:
    """The answer in the form of offers.txt."""
    try:
        o = decider.decide(order, customer)
    except a.AftercartError as failed:
        return f"status\t{failed.status.name}\n"
    rows = [["status", "OK" if o else "NO_OFFERS", o.reason, o.decision_id, f"{o.index_generation:016x}",
             f"{o.policy_generation:016x}", o.retrieved, o.eligible, o.rejected, o.centroids, o.cells, o.compared]]
    rows += [["offer", x.id, x.item_kind, x.item_row, int(x.kind), x.position, int(x.third_party), int(x.relation),
              -1 if x.line is None else x.line, x.relevance, x.accept_ppm, x.select_ppm, x.value, x.ev_micros,
              -1 if x.price is None else x.price, engine.title(x), engine.category(x), engine.partner(x)] for x in o]
    return "".join("\t".join(map(str, row)) + "\n" for row in rows)

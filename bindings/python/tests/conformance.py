"""The requests that every language answers: tests/conformance of the repository."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import aftercart as a

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "tests/conformance"


STEPS = ("decide", "set", "look", "reserve", "activate", "release", "explain", "model", "page", "ask", "sign", "verify",
         "rank_payment", "rank_shipping", "prefill", "follow_ups", "event")
BESIDE = ("used", "failed", "pay", "ship", "usual", "stored", "contacted")


def requests(text: str) -> list[tuple[str, a.Transaction, a.Profile, list[list[str]]]]:
    """Reads them, with the steps of live.txt; the grammar is at the top of the files."""
    cases: list[tuple[str, dict, dict, list]] = []
    for row in text.split("\n"):
        if not row or row[0] == "#":
            continue
        f = (row.split("\t") + [""] * 11)[:12]
        word, number = f[0], int(f[1]) if f[1].lstrip("-").isdigit() else 0
        if word == "case":
            cases.append((f[1], {"lines": [], "tags": []}, {"purchases": [], "declines": [], "answers": [], "segments": [],
                                                "opt_out_categories": [], "cart_removed": [], "exposures": [], "asked": []}, []))
            continue
        _, order, customer, steps = cases[-1]
        if word in BESIDE:
            steps.append(f)  # before the step that needs it
            continue
        if word in STEPS:
            steps.append(f)
            continue
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
            case "consent":
                name = ["preferences", "analytics", "marketing", "sale_of_data"][number]
                customer["consent"] = replace(customer.get("consent", a.Consent()), **{name: f[2] == "2"})
            case "gpc":
                customer["consent"] = replace(customer.get("consent", a.Consent()), gpc=True)
            case "shown" | "engaged" | "accepted":
                customer["exposures"].append(a.Exposed(f[1], a.Exposure[word.upper()], int(f[2])))
            case "asked":
                customer[word].append(a.Event(f[1], int(f[2])))
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
    return [(name, a.Transaction(**order), a.Profile(**customer), steps) for name, order, customer, steps in cases]


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
              -1 if x.price is None else x.price, int(x.accept), engine.title(x), engine.category(x), engine.partner(x)] for x in o]
    return "".join("\t".join(map(str, row)) + "\n" for row in rows)


def change(kind: str, id: str, field: str, value: str) -> a.Change:
    """A change of one field; without a value the overlay forgets it."""
    if not value:
        return a.Change(id, a.Item(int(kind)), forget=a.Field[field.upper()])
    match field:
        case "price":
            price, stated = value.split(" ")
            given = {"price": int(price), "priced_at_ms": int(stated)}
        case "pacing":
            given = {"pacing": value}
        case "utc_offset":
            given = {"utc_offset_minutes": int(value)}
        case "paused" | "killed" | "money":
            given = {field: value == "1"}
        case _:
            given = {field: int(value)}
    return a.Change(id, a.Item(int(kind)), **given)


class Steps:
    """What live.txt asks for, one after the other, on one overlay."""

    def __init__(self, engine: a.Engine, decider: a.Decider):
        self.engine, self.decider = engine, decider
        self.offers: a.Offers | None = None
        self.leases: dict[str, a.Lease] = {}

    def take(self, order: a.Transaction, customer: a.Profile, f: list[str]) -> str:
        if f[0] == "decide":
            self.offers = self.decider.decide(order, customer)
            return answer(self.engine, self.decider, order, customer)
        try:
            rows = self._rows(order, customer, f)
        except a.AftercartError as failed:
            rows = [[f[0], failed.status.name]]
        return "".join("\t".join(map(str, row)) + "\n" for row in rows)

    def _rows(self, order: a.Transaction, customer: a.Profile, f: list[str]) -> list[list]:
        engine, done = self.engine, [[f[0], "OK"]]
        match f[0]:
            case "set":
                engine.edit([change(*f[1:5])], int(f[5]))
            case "reserve":
                [offer] = [offer for offer in self.offers if offer.id == f[2]]
                self.leases[f[1]] = engine.reserve(offer, int(f[3]), int(f[4]))
            case "activate":
                engine.activate(self.leases[f[1]], int(f[2]))
            case "release":
                engine.release(self.leases[f[1]], int(f[2]))
            case "look":
                done[0] += [-1 if one is None else int(one) for one in engine.look(f[2], int(f[3]), a.Item(int(f[1])))]
            case _:
                e = self.decider.explain(order, customer, f[1])
                done[0] += [-1 if e.position is None else e.position, int(e.relation or 0), -1 if e.line is None else e.line,
                            e.relevance, e.accept_ppm, e.ev_micros, ",".join(map(str, e.reasons))]
                done += [["rule", rule] for rule in e.rules] + [["feature", *feature] for feature in e.features]
        return done


class Moments:
    """What moments.txt asks for."""

    def __init__(self, engine: a.Engine, decider: a.Decider):
        self.engine, self.decider, self.token = engine, decider, ""
        self.programmes = a.Programmes(engine, FOLDER / "programmes.toml")
        self.beside: dict[str, list[list[str]]] = {}

    def _uses(self) -> list[a.Use]:
        return [a.Use(of[1], int(of[2]), of[0] == "failed") for of in self.beside.get("used", [])]

    def take(self, order: a.Transaction, customer: a.Profile, f: list[str]) -> str:
        if f[0] in BESIDE:
            self.beside.setdefault("used" if f[0] == "failed" else f[0], []).append(f)
            return ""
        try:
            rows = self._rows(order, customer, f)
        except a.AftercartError as failed:
            rows = [[{"rank_payment": "ranked", "sign": "token", "verify": "claim"}.get(f[0], f[0]), failed.status.name]]
        return "".join("\t".join(map(str, row)) + "\n" for row in rows)

    def _rows(self, order: a.Transaction, customer: a.Profile, f: list[str]) -> list[list]:
        match f[0]:
            case "model":
                self.decider.use(self.engine.with_model(FOLDER / "model.bin", shadow=f[1] == "1"))
                return [["model", "OK"]]
            case "page":
                o = self.decider.decide(order, customer)
                return [["page", "OK" if o else "NO_OFFERS", o.group_id, o.model_generation]] + [
                    ["accept", x.id, int(x.accept), int(x.acceptance), int(x.may_need_confirmation), x.accept_ppm] for x in o]
            case "ask":
                q = self.decider.next_question(order, customer)
                if q is None:
                    return [["question", "NO_QUESTION"]]
                return [["question", "OK", q.id, q.text, q.gain_micros, q.decisions]] + [["answer", *one] for one in q.answers]
            case "sign":
                claim = a.Claim(f[2], f[3], int(f[4]), f[5], int(f[7]), int(f[6]))
                self.token = a.TokenKey(f[1].encode()).sign(claim)
                return [["token", "OK", self.token]]
            case "rank_payment":
                counts = [a.MethodCount(o[1], o[2], a.Device(int(o[3])), int(o[4]), int(o[5])) for o in self.beside.get("usual", [])]
                options = [a.PaymentOption(o[1], o[2] == "1") for o in self.beside.get("pay", [])]
                ranked = self.decider.rank_payment_methods(order, customer, options, self._uses(), counts, a.Device(int(f[1])))
                return [["ranked", "OK"]] + [["option", of.option, int(of.because)] for of in ranked]
            case "rank_shipping":
                options = [a.ShippingOption(o[1], int(o[2]), int(o[3])) for o in self.beside.get("ship", [])]
                ranked = self.decider.rank_shipping_options(order, customer, options, self._uses())
                return [["ranked", "OK"]] + [["option", of.option, int(of.because)] for of in ranked]
            case "follow_ups":
                contacted = [int(o[1]) for o in self.beside.get("contacted", [])]
                plan = self.decider.plan_follow_ups(self.programmes, order, customer, int(f[1]), contacted)
                return [["follow_ups", "OK"]] + [
                    ["message", of.programme, of.template, of.content_id, int(of.kind), int(of.channel), int(of.withheld or 0), of.at_ms,
                     of.expires_at_ms, of.line, self.engine.title_of(of), -1 if of.due_days is None else of.due_days, of.own_intervals]
                    for of in plan]
            case "event":
                amounts = [int(amount) if amount else None for amount in f[6:9]]
                event = a.LogEvent(a.EventKind(int(f[1])), f[2], f[3], int(f[4]), f[5], *amounts, *f[9:12])
                return [["event", "OK", event.json()]]
            case "prefill":
                stored = [a.StoredField(int(o[1]), int(o[2]), o[3], int(o[4]), int(o[5])) for o in self.beside.get("stored", [])]
                return [["prefilled", "OK"]] + [["field", *map(int, of)] for of in a.prefill(order, stored)]
            case _:
                c = a.TokenKey(f[1].encode()).verify(f[2] or self.token, f[3], int(f[4]), int(f[5]))
                return [["claim", "OK", c.decision_id, c.item_id, c.price, c.currency, c.quantity, c.expires_at_ms,
                         c.idempotency_key]]

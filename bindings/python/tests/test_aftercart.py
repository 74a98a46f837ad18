import gc
import hashlib
import multiprocessing
import os
import re
import tempfile
import threading
import unittest
from pathlib import Path

import aftercart as a
from aftercart import lists, native
from conformance import FOLDER, ROOT, Moments, Steps, answer, requests

SHOP = FOLDER / "shop.aftercart"


def machine(at_ms: int = 0) -> a.Transaction:
    return a.Transaction([a.Line("espresso-machine"), a.Line("beans-house")], order_id="A-1", created_at_ms=at_ms)


def spend(path: str, now: int, times: int) -> int:
    """What a process gets of a budget: leases taken while the page has the offer, kept as bytes, then activated."""
    engine, spent = a.Engine(SHOP).with_live(path), 0
    decider = a.Decider(engine)
    for _ in range(times):
        for offer in decider.decide(machine(now)):
            try:
                if offer.id == "barista-course":
                    engine.activate(a.Lease(bytes(engine.reserve(offer, now, 60_000).data)), now)
                    spent += 1
            except a.AftercartError as failed:
                assert failed.status == a.Status.BUDGET_EMPTY, failed
    return spent


class Tests(unittest.TestCase):
    def fails(self, status, work, *arguments):
        with self.assertRaises(a.AftercartError) as caught:
            work(*arguments)
        self.assertEqual(caught.exception.status, status)
        return caught.exception

    def test_conformance(self):
        with a.Engine(SHOP) as engine, a.Decider(engine) as decider:
            told = "".join(
                f"case\t{name}\n{answer(engine, decider, order, customer)}\n"
                for name, order, customer, _ in requests((FOLDER / "requests.txt").read_text()))
        self.assertEqual(told.split("\n"), (FOLDER / "offers.txt").read_text().split("\n"))

    def test_layouts(self):
        for line in (ROOT / "ffi/abi/layout.txt").read_text().splitlines():
            name, field, *numbers = re.fullmatch(r"aftercart_(\w+)(?:\.(\w+))? (?:size )?(\d+)(?: (\d+))?.*", line).groups()
            if name in ("text", "live_fact"):
                continue  # two numbers within others; for logs that replay decisions, which are not bound
            layout = getattr(native, name.upper())
            if field is None:
                self.assertEqual(layout.size, int(numbers[0]), line)
                continue
            starts, at = [], 0
            for count, code in re.findall(r"(\d*)([IiQqs])", layout.format):
                size = int(count or 1) if code == "s" else {"i": 4, "q": 8}[code.lower()]
                for _ in range(1 if code == "s" else int(count or 1)):
                    starts.append(at)
                    at += size
            self.assertIn(int(numbers[0]), starts, line)

    def test_numbers(self):
        known = {"OPEN": "Mode", "VERIFY": "Verify", "PREFAULT": "Prefault", "STAGE": "Stage", "PAYMENT": "Payment", "ROLE": "Role",
                 "SENSITIVE": "Sensitive", "CUSTOMER": "Customer", "AGE": "AgeBand", "KIND": "Kind",
                 "RELATION": "Relation", "FACT": "FactKind", "ACCEPT": "Accept", "ACCEPTANCE": "Acceptance",
                 "DEVICE": "Device", "BECAUSE": "Because",
                 "EVENT": "EventKind", "MESSAGE": "MessageKind", "CHANNEL": "Channel", "WITHHELD": "Withheld",
                 "ITEM": "Item"}
        header = (ROOT / "include/aftercart.h").read_text()
        for prefix, name, number in re.findall(r"(?m)^#define AFTERCART_([A-Z]+)_(\w+) (\d+)$", header):
            if prefix in known:
                self.assertEqual(getattr(lists, known[prefix])[name], int(number))
            elif prefix in ("TRANSACTION", "LINE", "PROFILE", "LINES", "FACTS", "SLOTS", "CHANGE", "TOKEN", "OPTIONS", "OPTION", "AMOUNT", "JSON", "LOG",
                            "FOLLOW"):
                self.assertEqual(getattr(native, f"{prefix}_{name}"), int(number))
        for line in (ROOT / "ffi/abi/status.txt").read_text().splitlines():
            number, name = line.split()
            if int(number) < 0:
                self.assertEqual(a.Status[name], int(number))

        for field in a.Field:
            self.assertEqual(getattr(native, f"CHANGE_{field.name}"), field)
        for exposure in a.Exposure:
            self.assertEqual(lists.FactKind[exposure.name], exposure)

    def test_live_conformance(self):
        with tempfile.TemporaryDirectory() as folder, a.Engine(SHOP) as plain:
            plain.bind_live(f"{folder}/shop.live")
            with plain.with_live(f"{folder}/shop.live") as engine, a.Decider(engine) as decider:
                steps, told = Steps(engine, decider), ""
                for name, order, customer, wanted in requests((FOLDER / "live.txt").read_text()):
                    told += f"case\t{name}\n" + "".join(steps.take(order, customer, one) for one in wanted) + "\n"
        self.assertEqual(told.split("\n"), (FOLDER / "live-answers.txt").read_text().split("\n"))

    def test_moments_conformance(self):
        told = ""
        with a.Engine(SHOP) as engine, a.Decider(engine) as decider:
            moments = Moments(engine, decider)
            for name, order, customer, steps in requests((FOLDER / "moments.txt").read_text()):
                decider.use(engine)
                moments.beside = {}
                told += f"case\t{name}\n" + "".join(moments.take(order, customer, one) for one in steps) + "\n"
        self.assertEqual(told.split("\n"), (FOLDER / "moments-answers.txt").read_text().split("\n"))

    def test_log(self):
        """What is kept of the conformance requests, to the byte; bindings/test then drains it."""
        folder = Path(os.environ.get("AFTERCART_TEST_LOG", tempfile.mkdtemp())) / "python"
        with a.Engine(SHOP) as engine, a.Decider(engine) as plain:
            engine.log_to(folder, capacity=128)
            made = 0
            with a.Decider(engine) as decider:
                for _, order, customer, _ in requests((FOLDER / "requests.txt").read_text()):
                    try:
                        last = decider.decide(order, customer)
                        made += 1
                    except a.AftercartError:
                        pass
                self.assertEqual(decider.logged(), (True, made, made, 0, 0))
                child = multiprocessing.get_context("fork").Process(target=lambda: os._exit(
                    0 if decider.decide(machine()) and decider.logged() == (False, 0, 0, 0, 0) else 1))
                child.start()
                child.join()
                self.assertEqual(child.exitcode, 0, "a child does not write into its parent's ring")
                self.assertEqual(decider.logged().made, made)
            self.assertEqual(plain.logged(), (False, 0, 0, 0, 0), "made before: it does not log")
            [ring] = (folder / "rings").glob("*.ring")
            self.assertEqual(hashlib.sha256(ring.read_bytes()).hexdigest(), (FOLDER / "records.sha256").read_text().strip())
            for kind in [*a.EventKind, *a.EventKind]:
                a.LogEvent(kind, f"python-{kind.name}", last.decision_id, 1, value=1299).append(folder)
            failed = self.fails(a.Status.BAD_VALUE, a.LogEvent(a.EventKind.CONVERTED, "x", "0", 1).append, folder)
            self.assertIn("value", str(failed))
            self.fails(a.Status.SYSTEM_ERROR, a.LogEvent(a.EventKind.ACTIVATED, "x", "0", 1).append, "/proc/none")
            self.fails(a.Status.BAD_PROGRAMMES, a.Programmes, engine, __file__)
            self.fails(a.Status.SYSTEM_ERROR, a.Programmes, engine, "no such file")
            with tempfile.TemporaryDirectory() as small:
                engine.log_to(small, capacity=8, timed=True)
                with a.Decider(engine) as decider:
                    for _ in range(20):
                        decider.decide(machine())
                    self.assertEqual(decider.logged(), (True, 20, 8, 12, 0))
            engine.log_to("/proc/none")
            self.fails(a.Status.SYSTEM_ERROR, a.Decider, engine)

    def test_keys_and_models(self):
        self.fails(a.Status.BAD_VALUE, a.TokenKey, b"too short")
        key = a.TokenKey(bytes(32))
        self.fails(a.Status.BAD_VALUE, key.sign, a.Claim("0", "x" * 100, 1, "USD", 1))
        self.fails(a.Status.BAD_VALUE, key.sign, a.Claim("no number", "x", 1, "USD", 1))
        self.fails(a.Status.BAD_VALUE, key.verify, "token", "DOLLARS", 1)
        with a.Engine(SHOP) as engine:
            self.assertEqual(engine.info().currency, "USD")
            self.fails(a.Status.SYSTEM_ERROR, engine.with_model, "no such file")
            self.fails(a.Status.BAD_MODEL, engine.with_model, SHOP)

    def test_budget(self):
        """A budget of 100 among processes that all want it."""
        now = 1793491200000
        with tempfile.TemporaryDirectory() as folder, a.Engine(SHOP) as plain, a.Decider(plain) as decider:
            path = f"{folder}/shop.live"
            plain.bind_live(path)
            engine = plain.with_live(path)
            decider.use(engine)
            changes = [a.Change("barista-course", daily=100), a.Change("nobody", stock=1), a.Change("club", paused=True)]
            failed = self.fails(a.Status.UNKNOWN_ID, engine.edit, changes, now)
            self.assertEqual(failed.done, 1)
            self.assertIn("nobody", str(failed))
            self.fails(a.Status.BAD_LIVE, plain.edit, changes, now)
            with multiprocessing.get_context("fork").Pool(4) as workers:
                self.assertEqual(sum(workers.starmap(spend, [(path, now, 50)] * 4)), 100)
            state = engine.look("barista-course", now)
            self.assertEqual((state.spent_today, state.held, state.leases), (100, 0, 0))
            self.assertEqual([offer.id for offer in decider.decide(machine(now))].count("barista-course"), 0)
            self.fails(a.Status.BAD_SIZE, engine.activate, a.Lease(b"x" * 48), now)
            engine.close()
            self.fails(a.Status.BAD_HANDLE, engine.look, "club", now)
            self.fails(a.Status.BAD_HANDLE, decider.use, engine)

    def test_opening(self):
        failed = self.fails(a.Status.SYSTEM_ERROR, a.Engine, "no such file")
        self.assertEqual(failed.os_error, 2)
        self.assertIn("no such file", str(failed))
        failed = self.fails(a.Status.BAD_CATALOG, a.Engine, __file__)
        self.assertTrue(failed.rule > 0 and failed.part)

    def test_lives(self):
        engine = a.Engine(SHOP, mode=a.Mode.COPY, verify=a.Verify.STRUCTURE, prefault=a.Prefault.NONE, visit_budget=50)
        self.assertEqual((engine.info().products, engine.info().offers), (19, 7))
        decider, broken = a.Decider(engine), a.Decider(engine)
        engine.close()
        engine.close()
        self.fails(a.Status.BAD_HANDLE, engine.info)
        self.fails(a.Status.BAD_HANDLE, a.Decider, engine)
        self.assertTrue(decider.decide(machine()), "a decider keeps what it needs")
        self.assertEqual(broken._selftest(), a.Status.INTERNAL)
        self.fails(a.Status.POISONED, broken.decide, machine())
        broken.close()
        none = decider.decide(a.Transaction([a.Line("espresso-machine")], currency="EUR"))
        self.assertEqual(len(none), 0)
        self.assertIn("currency", none.reason_text)
        for order in [a.Transaction(currency="DOLLAR"), a.Transaction(slots=-1), a.Transaction([a.Line("x", quantity=1 << 32)])]:
            self.fails(a.Status.BAD_VALUE, decider.decide, order)
        self.assertTrue(decider.decide(a.Transaction([a.Line("espresso-machine", "x" * (1 << 20), "\ud83c")])))
        decider.close()
        decider.close()
        self.fails(a.Status.BAD_HANDLE, decider.decide, machine())

    def test_threads(self):
        engine = a.Engine(SHOP)
        pool, problems = a.Pool(engine), []
        expected = pool.decide(machine())

        def work():
            for _ in range(200):
                if pool.decide(machine()) != expected:
                    problems.append("another answer")

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(problems, [])
        pool.close()
        self.fails(a.Status.BAD_HANDLE, pool.decide, machine())

    def test_net(self):
        def maps():
            return Path("/proc/self/maps").read_text().count("shop.aftercart")

        gc.collect()
        before = maps()
        for _ in range(20):
            self.assertTrue(a.Decider(a.Engine(SHOP)).decide(machine()))
        gc.collect()
        self.assertEqual(maps(), before)


if __name__ == "__main__":
    unittest.main()

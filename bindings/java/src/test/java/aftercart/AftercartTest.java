package aftercart;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** All tests; needs no test framework. Run by bindings/java/test. */
public final class AftercartTest {
    private static final Path SHOP = Conformance.FOLDER.resolve("shop.aftercart");
    private static final Path ROOT = Path.of("../..");

    private AftercartTest() {}

    interface Work {
        void run() throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, Work> tests = new LinkedHashMap<>();
        tests.put("answers what every language must", AftercartTest::conformance);
        tests.put("answers at the other moments what every language must", AftercartTest::momentsConformance);
        tests.put("keeps decisions and events as every language must", AftercartTest::log);
        tests.put("refuses keys, claims and models that are none", AftercartTest::keysAndModels);
        tests.put("does with an overlay what every language must", AftercartTest::liveConformance);
        tests.put("never spends more than a budget", AftercartTest::budget);
        tests.put("lays structs out as the header does", AftercartTest::layouts);
        tests.put("has every number of the header", AftercartTest::numbers);
        tests.put("says why a file does not open", AftercartTest::opening);
        tests.put("closes, breaks and refuses", AftercartTest::lives);
        tests.put("serves one call at a time; a pool serves virtual threads", AftercartTest::threads);
        tests.put("makes no garbage", AftercartTest::garbage);
        tests.put("gives back what nobody closed", AftercartTest::net);
        for (Map.Entry<String, Work> test : tests.entrySet()) {
            test.getValue().run();
            System.out.println("ok: " + test.getKey());
        }
    }

    private static void check(boolean holds, Object what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    private static AftercartException fails(Status status, Work work) throws Exception {
        try {
            work.run();
        } catch (AftercartException failed) {
            check(failed.status == status, failed);
            return failed;
        }
        throw new AssertionError("did not fail with " + status);
    }

    private static Transaction machine() {
        return Transaction.builder().orderId("A-1").line("espresso-machine").line("beans-house").build();
    }

    private static void conformance() throws Exception {
        StringBuilder told = new StringBuilder();
        try (Engine engine = Engine.open(SHOP); Decider decider = engine.newDecider()) {
            for (Conformance.Case one : Conformance.cases(Conformance.FOLDER.resolve("requests.txt"))) {
                told.append("case\t" + one.name() + "\n" + Conformance.answer(engine, decider, one) + "\n");
            }
        }
        compare("offers.txt", told.toString());
    }

    private static void compare(String record, String told) throws Exception {
        String recorded = Files.readString(Conformance.FOLDER.resolve(record));
        String[] here = told.split("\n", -1);
        String[] there = recorded.split("\n", -1);
        for (int i = 0; i < Math.min(here.length, there.length); i++) {
            check(here[i].equals(there[i]), "line " + (i + 1) + " of " + record + ": " + here[i]);
        }
        check(told.equals(recorded), "as many lines");
    }

    private static void momentsConformance() throws Exception {
        StringBuilder told = new StringBuilder();
        try (Engine engine = Engine.open(SHOP); Decider decider = engine.newDecider()) {
            MomentSteps steps = new MomentSteps(engine, decider);
            for (Conformance.Case one : Conformance.cases(Conformance.FOLDER.resolve("moments.txt"))) {
                decider.use(engine);
                told.append("case\t" + one.name() + "\n");
                one.steps().forEach(step -> told.append(steps.take(one, step)));
                told.append("\n");
            }
        }
        compare("moments-answers.txt", told.toString());
    }

    /** What is kept of the conformance requests, to the byte; bindings/test then drains it. */
    private static void log() throws Exception {
        String shared = System.getenv("AFTERCART_TEST_LOG");
        Path folder = shared == null ? Files.createTempDirectory("aftercart-test") : Path.of(shared, "java");
        try (Engine engine = Engine.open(SHOP); Decider plain = engine.newDecider()) {
            engine.logTo(folder, 128, false);
            Offers last = null;
            long made = 0;
            try (Decider decider = engine.newDecider()) {
                for (Conformance.Case one : Conformance.cases(Conformance.FOLDER.resolve("requests.txt"))) {
                    try {
                        last = decider.decide(one.order(), one.customer());
                        made++;
                    } catch (AftercartException refused) {
                        check(refused.status.code < 0, refused);
                    }
                }
                check(decider.logged().equals(new Logged(true, made, made, 0, 0)), decider.logged());
            }
            check(plain.logged().equals(new Logged(false, 0, 0, 0, 0)), "made before: it does not log");
            try (java.util.stream.Stream<Path> rings = Files.list(folder.resolve("rings"))) {
                byte[] bytes = Files.readAllBytes(rings.toList().get(0));
                String sum = java.util.HexFormat.of().formatHex(java.security.MessageDigest.getInstance("SHA-256").digest(bytes));
                check(Files.readString(Conformance.FOLDER.resolve("records.sha256")).strip().equals(sum), "another ring than Rust leaves");
            }
            for (int twice = 0; twice < 2; twice++) {
                for (EventKind kind : EventKind.values()) {
                    LogEvent.of(kind, "java-" + kind, last.decisionId(), 1).withValue(1299).append(folder);
                }
            }
            AftercartException wrong = fails(Status.BAD_VALUE, () -> LogEvent.of(EventKind.CONVERTED, "java", "0", 1).append(folder));
            check(wrong.getMessage().contains("value"), wrong);
            fails(Status.SYSTEM_ERROR, () -> LogEvent.of(EventKind.ACTIVATED, "java", "0", 1).append(Path.of("/proc/none")));
            fails(Status.BAD_PROGRAMMES, () -> new Programmes(engine, Path.of("pom.xml")));
            fails(Status.SYSTEM_ERROR, () -> new Programmes(engine, Path.of("no such file")));
            Path small = Files.createTempDirectory("aftercart-test");
            engine.logTo(small, 8, true);
            try (Decider decider = engine.newDecider()) {
                for (int i = 0; i < 20; i++) {
                    decider.decide(machine());
                }
                check(decider.logged().equals(new Logged(true, 20, 8, 12, 0)), decider.logged());
            }
            engine.logTo(Path.of("/proc/none"));
            fails(Status.SYSTEM_ERROR, engine::newDecider);
        }
    }

    private static void keysAndModels() throws Exception {
        fails(Status.BAD_VALUE, () -> new TokenKey(new byte[31]));
        TokenKey key = new TokenKey(new byte[32]);
        for (Claim wrong : List.of(Claim.of("none", "x", 1, "USD", 1), Claim.of("0", "x".repeat(100), 1, "USD", 1),
                Claim.of("0", "x", 1, "DOLLARS", 1), new Claim("0", "x", 1, "USD", -1, 1, ""))) {
            fails(Status.BAD_VALUE, () -> key.sign(wrong));
        }
        fails(Status.BAD_VALUE, () -> key.verify("token", "DOLLARS", 1, 0));
        try (Engine engine = Engine.open(SHOP)) {
            check(engine.info().currency().equals("USD"), engine.info());
            fails(Status.SYSTEM_ERROR, () -> engine.withModel(Path.of("no such file"), false));
            fails(Status.BAD_MODEL, () -> engine.withModel(SHOP, false));
        }
    }

    /** Does something with an overlay for the shop. */
    private static void overlaid(Overlaid work) throws Exception {
        Path folder = Files.createTempDirectory("aftercart-test");
        Path path = folder.resolve("shop.live");
        try (Engine plain = Engine.open(SHOP)) {
            plain.bindLive(path);
            try (Engine engine = plain.withLive(path); Decider decider = plain.newDecider()) {
                decider.use(engine);
                work.run(engine, decider);
            }
        } finally {
            Files.deleteIfExists(path);
            Files.delete(folder);
        }
    }

    interface Overlaid {
        void run(Engine engine, Decider decider) throws Exception;
    }

    private static void liveConformance() throws Exception {
        overlaid((engine, decider) -> {
            StringBuilder told = new StringBuilder();
            LiveSteps steps = new LiveSteps(engine, decider);
            for (Conformance.Case one : Conformance.cases(Conformance.FOLDER.resolve("live.txt"))) {
                told.append("case\t" + one.name() + "\n");
                one.steps().forEach(step -> told.append(steps.take(one, step)));
                told.append("\n");
            }
            compare("live-answers.txt", told.toString());
        });
    }

    /** A budget of 100 among virtual threads that all want it. */
    private static void budget() throws Exception {
        long now = 1793491200000L;
        overlaid((engine, decider) -> {
            AftercartException failed = fails(Status.UNKNOWN_ID, () -> engine.edit(List.of(Change.of("barista-course").daily(100),
                    Change.of("nobody").stock(1), Change.of("club").paused(true)), now));
            check(failed.done == 1 && failed.getMessage().contains("nobody"), failed);
            Transaction order = Transaction.builder().createdAtMs(now).line("espresso-machine").build();
            Offer offer = decider.decide(order).slate().get(0);
            check(offer.id().equals("barista-course"), offer);
            AtomicInteger spent = new AtomicInteger();
            ConcurrentLinkedQueue<Throwable> problems = new ConcurrentLinkedQueue<>();
            try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
                for (int i = 0; i < 400; i++) {
                    boolean declines = i % 5 == 0;
                    threads.submit(() -> {
                        try {
                            Lease lease = engine.reserve(offer, now, 60_000);
                            check(lease.expiresAtMs() == now + 60_000, lease.expiresAtMs());
                            if (declines) {
                                engine.release(lease, now);
                            } else {
                                engine.activate(lease, now);
                                spent.incrementAndGet();
                            }
                        } catch (AftercartException full) {
                            if (full.status != Status.BUDGET_EMPTY) {
                                problems.add(full);
                            }
                        } catch (Throwable problem) {
                            problems.add(problem);
                        }
                    });
                }
            }
            LiveState state = engine.look(ItemKind.OFFER, "barista-course", now);
            check(problems.isEmpty() && spent.get() == 100 && state.spentToday() == 100 && state.held() == 0, state + " " + problems);
            fails(Status.BAD_SIZE, () -> Lease.of(new byte[48]));
            engine.close();
            fails(Status.BAD_HANDLE, () -> engine.look(ItemKind.ANY, "club", now));
            fails(Status.BAD_HANDLE, () -> decider.use(engine));
        });
    }

    private static void layouts() throws Exception {
        Map<String, StructLayout> known = new HashMap<>(Map.of("options", Native.OPTIONS, "error", Native.ERROR, "info", Native.INFO, "text",
                Native.TEXT, "transaction", Native.TRANSACTION, "profile", Native.PROFILE, "line", Native.LINE, "fact",
                Native.FACT, "offer", Native.OFFER, "summary", Native.SUMMARY));
        known.putAll(Map.of("question", Native.QUESTION, "claim", Native.CLAIM, "change", Native.CHANGE, "live_state", Native.LIVE_STATE, "explanation", Native.EXPLANATION, "lease",
                Native.LEASE));
        known.putAll(Map.of("option", Native.OPTION, "method_count", Native.METHOD_COUNT, "ranked", Native.RANKED, "stored",
                Native.STORED, "prefilled", Native.PREFILLED));
        known.putAll(Map.of("follow_up", Native.FOLLOW_UP, "logged", Native.LOGGED, "event", Native.EVENT));
        for (String line : Files.readAllLines(ROOT.resolve("ffi/abi/layout.txt"))) {
            String[] words = line.substring("aftercart_".length()).split("[ .]");
            if (words[0].equals("live_fact")) {
                continue; // for logs that replay decisions, which are not bound
            }
            StructLayout layout = known.get(words[0]);
            check(layout != null, line);
            if (words[1].equals("size")) {
                check(layout.byteSize() == Long.parseLong(words[2]), line);
                check(layout.byteAlignment() == Long.parseLong(words[4]), line);
            } else {
                check(Native.at(layout, words[1]) == Long.parseLong(words[2]), line);
                check(size(layout, words[1]) == Long.parseLong(words[3]), line);
            }
        }
    }

    private static long size(StructLayout layout, String field) {
        for (MemoryLayout member : layout.memberLayouts()) {
            if (member.name().orElse("").equals(field)) {
                return member.byteSize();
            }
            if (member.name().isEmpty() && member instanceof StructLayout run && size(run, field) > 0) {
                return size(run, field);
            }
        }
        return 0;
    }

    private static void numbers() throws Exception {
        Map<String, Enum<?>[]> lists = new HashMap<>(Map.of("OPEN", Mode.values(), "VERIFY", Verify.values(), "PREFAULT", Prefault.values(),
                "STAGE", Stage.values(), "ROLE", Role.values(), "SENSITIVE", Sensitive.values(), "CUSTOMER", Customer.values(),
                "AGE", AgeBand.values(), "KIND", Kind.values(), "RELATION", Relation.values()));
        lists.putAll(Map.of("PAYMENT", Payment.values(), "ACCEPT", Accept.values(), "ACCEPTANCE", Acceptance.values(), "DEVICE", Device.values(), "BECAUSE", Because.values(), "ITEM", ItemKind.values(), "CHANGE",
                Field.values()));
        lists.putAll(Map.of("EVENT", EventKind.values(), "MESSAGE", MessageKind.values(), "CHANNEL", Channel.values(), "WITHHELD",
                Withheld.values()));
        Map<String, Integer> flags = new HashMap<>(Map.of("TRANSACTION_HAS_VALUE", Request.HAS_VALUE, "TRANSACTION_HAS_MIN_RELEVANCE",
                Request.HAS_MIN_RELEVANCE, "TRANSACTION_IS_GIFT", Request.IS_GIFT, "TRANSACTION_IS_TEST", Request.IS_TEST,
                "TRANSACTION_FIRST_PURCHASES", Request.FIRST_PURCHASES, "LINE_HAS_UNIT_PRICE", Request.HAS_UNIT_PRICE,
                "PROFILE_OPT_OUT_THIRD_PARTY", Request.OPT_OUT_THIRD_PARTY, "LINES_MAX", Native.LINES_MAX, "FACTS_MAX",
                Native.FACTS_MAX, "SLOTS_MAX", Native.SLOTS_MAX));
        flags.putAll(Map.of("PROFILE_HAS_ORDERS", Request.HAS_ORDERS, "PROFILE_GPC", Request.GPC, "TOKEN_BYTES", Native.TOKEN_BYTES, "OPTIONS_MAX",
                Native.OPTIONS_MAX, "OPTION_READY", Native.OPTION_READY));
        flags.putAll(Map.of("AMOUNT_VALUE", LogEvent.VALUE, "AMOUNT_MARGIN", LogEvent.MARGIN, "AMOUNT_PAYOUT", LogEvent.PAYOUT,
                "JSON_BYTES", LogEvent.JSON_BYTES, "LOG_TIMED", Native.LOG_TIMED));
        Map<String, Integer> facts = new HashMap<>(Map.of("SHOWN", Exposure.SHOWN.code, "ENGAGED", Exposure.ENGAGED.code, "ACCEPTED",
                Exposure.ACCEPTED.code, "PURCHASE", Request.PURCHASE, "DECLINE", Request.DECLINE, "ANSWER", Request.ANSWER,
                "OPT_OUT_CATEGORY", Request.OPT_OUT_CATEGORY, "CART_REMOVED", Request.CART_REMOVED,
                "ORDER_TAG", Request.ORDER_TAG, "SEGMENT", Request.SEGMENT));
        facts.putAll(Map.of("ASKED", Request.ASKED, "USED", Request.USED, "FAILED", Request.FAILED, "CONTACTED", Request.CONTACTED));
        Matcher all = Pattern.compile("(?m)^#define AFTERCART_([A-Z]+)_(\\w+) (\\d+)$")
                .matcher(Files.readString(ROOT.resolve("include/aftercart.h")));
        while (all.find()) {
            int number = Integer.parseInt(all.group(3));
            if (lists.containsKey(all.group(1))) {
                boolean there = false;
                for (Enum<?> one : lists.get(all.group(1))) {
                    int code = one.getDeclaringClass().getDeclaredField("code").getInt(one);
                    there |= code == number && one.name().equals(all.group(2));
                }
                check(there, all.group());
            } else if (all.group(1).equals("FACT")) {
                check(facts.get(all.group(2)) == number, all.group());
            } else if (List.of("TRANSACTION", "LINE", "PROFILE", "LINES", "FACTS", "SLOTS", "TOKEN", "OPTION", "OPTIONS", "AMOUNT", "JSON", "LOG").contains(all.group(1))) {
                check(flags.get(all.group(1) + "_" + all.group(2)) == number, all.group());
            }
        }
        for (String line : Files.readAllLines(ROOT.resolve("ffi/abi/status.txt"))) {
            String[] words = line.split(" ");
            int number = Integer.parseInt(words[0]);
            check(number >= 0 || Status.valueOf(words[1]).code == number, line);
        }
    }

    private static void opening() throws Exception {
        AftercartException failed = fails(Status.SYSTEM_ERROR, () -> Engine.open(Path.of("no such file")));
        check(failed.osError == 2 && failed.getMessage().contains("no such file"), failed);
        failed = fails(Status.BAD_CATALOG, () -> Engine.open(Path.of("pom.xml")));
        check(failed.rule > 0 && !failed.part.isEmpty(), failed);
    }

    private static void lives() throws Exception {
        Engine engine = Engine.open(SHOP, new Options(Mode.COPY, Verify.STRUCTURE, Prefault.NONE, 50));
        Info info = engine.info();
        check(info.products() == 19 && info.offers() == 7 && !info.kernel().isEmpty(), info);
        Decider decider = engine.newDecider();
        Decider broken = engine.newDecider();
        engine.close();
        engine.close();
        fails(Status.BAD_HANDLE, engine::info);
        fails(Status.BAD_HANDLE, engine::newDecider);
        check(!decider.decide(machine()).slate().isEmpty(), "a decider keeps what it needs");
        check(broken.selftest() == Status.INTERNAL.code, "a defect");
        Slate slate = new Slate();
        fails(Status.POISONED, () -> broken.decide(machine(), Profile.ANONYMOUS, slate));
        check(slate.count() == 0, "nothing to show");
        broken.close();

        Offers none = decider.decide(Transaction.builder().line("espresso-machine").currency("EUR").build());
        check(none.slate().isEmpty() && none.reasonText().contains("currency"), none);
        fails(Status.BAD_VALUE, () -> decider.decide(Transaction.builder().currency("DOLLAR").build()));
        fails(Status.BAD_VALUE, () -> decider.decide(Transaction.builder().line(Line.of("x", -1)).build()));
        String longest = "\uD83C\uDF81\u00e4\u20ac\uD83C".repeat(100_000); // the last is half a character
        Line line = Line.of("beans-house").like(longest, longest);
        check(!decider.decide(Transaction.builder().line("espresso-machine").line(line).build()).slate().isEmpty(), "long");
        decider.close();
        decider.close();
        fails(Status.BAD_HANDLE, () -> decider.decide(machine()));
    }

    private static void threads() throws Exception {
        ConcurrentLinkedQueue<Throwable> problems = new ConcurrentLinkedQueue<>();
        try (Engine engine = Engine.open(SHOP); Decider decider = engine.newDecider()) {
            Offers expected = decider.decide(machine());
            DeciderPool pool = new DeciderPool(engine);
            try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
                for (int i = 0; i < 2000; i++) {
                    threads.submit(() -> {
                        try {
                            check(pool.decide(machine()).equals(expected), "another answer");
                            check(decider.decide(machine()).equals(expected), "another answer");
                        } catch (AftercartException failed) {
                            if (failed.status != Status.BUSY) {
                                problems.add(failed);
                            }
                        } catch (Throwable problem) {
                            problems.add(problem);
                        }
                    });
                }
            }
            check(problems.isEmpty(), problems);
            pool.close();
            pool.close();
            fails(Status.BAD_HANDLE, () -> pool.decide(machine()));
        }
    }

    private static void garbage() throws Exception {
        ThreadMXBean memory = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        Transaction order = Transaction.builder().orderId("A-1").line(Line.of("espresso-machine", 2).at(24900))
                .line(Line.of("\u00e4\uD83C\uDF81").like("Coffee > Beans", "Roastery")).build();
        Profile customer = Profile.builder().purchase("pods", 0).answer("for-whom", "gift").build();
        Slate slate = new Slate();
        byte[] id = new byte[64];
        try (Engine engine = Engine.open(SHOP); DeciderPool pool = new DeciderPool(engine, 1)) {
            List<Long> rounds = new ArrayList<>();
            for (int round = 0; round < 20; round++) {
                long before = memory.getCurrentThreadAllocatedBytes();
                for (int i = 0; i < 20_000; i++) {
                    pool.decide(order, customer, slate);
                    for (int offer = 0; offer < slate.count(); offer++) {
                        slate.copyId(offer, id, 0);
                    }
                }
                rounds.add(memory.getCurrentThreadAllocatedBytes() - before);
            }
            // Until the compiler is done, calls through a method handle make some.
            check(rounds.get(rounds.size() - 1) == 0, "bytes a round: " + rounds);
        }
    }

    private static void net() throws Exception {
        long before = maps();
        for (int i = 0; i < 300; i++) {
            Decider decider = Engine.open(SHOP).newDecider();
            check(!decider.decide(machine()).slate().isEmpty(), "an engine that nobody holds lives in its decider");
        }
        for (int i = 0; i < 100 && maps() > before + 50; i++) {
            System.gc();
            Thread.sleep(20);
        }
        check(maps() <= before + 50, "still mapped: " + maps());
    }

    /** How many times the catalog is mapped. */
    private static long maps() throws Exception {
        return Files.readAllLines(Path.of("/proc/self/maps")).stream().filter(line -> line.endsWith("shop.aftercart")).count();
    }
}

package aftercart;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The calls before payment. */
final class Before {
    private static final long RANKED = Native.RANKED.byteSize();
    private static final long MOST = Native.OPTIONS_MAX;

    private Before() {}

    static List<Ranked> payment(Arena call, MemorySegment decider, Request r, List<PaymentOption> options, PaymentFacts facts) {
        MemorySegment rows = call.allocate(Native.OPTION, options.size());
        for (int i = 0; i < options.size(); i++) {
            long at = i * Native.OPTION.byteSize();
            r.text(rows, at, options.get(i).id());
            rows.set(JAVA_INT, at + Native.at(Native.OPTION, "flags"), options.get(i).ready() ? Native.OPTION_READY : 0);
        }
        List<PaymentFacts.Count> known = facts.counts();
        MemorySegment counts = call.allocate(Native.METHOD_COUNT, known.size());
        for (int i = 0; i < known.size(); i++) {
            PaymentFacts.Count of = known.get(i);
            long at = i * Native.METHOD_COUNT.byteSize();
            r.text(counts, at, of.id());
            code(counts, at + Native.at(Native.METHOD_COUNT, "country"), of.country());
            counts.set(JAVA_INT, at + Native.at(Native.METHOD_COUNT, "device"), of.device().code);
            counts.set(JAVA_LONG, at + Native.at(Native.METHOD_COUNT, "amount_from"), of.amountFrom());
            counts.set(JAVA_INT, at + Native.at(Native.METHOD_COUNT, "orders"), Request.unsigned(of.orders()));
        }
        r.finish();
        MemorySegment ranking = call.allocate(Native.RANKED, MOST);
        MemorySegment count = call.allocate(JAVA_LONG);
        checked(() -> (int) Native.RANK_PAYMENT_METHODS.invokeExact(decider, r.transaction, r.profile, r.lines,
                Native.LINE.byteSize(), r.lineCount, r.facts, Native.FACT.byteSize(), r.factCount, r.strings, (long) r.length,
                facts.device().code, rows, Native.OPTION.byteSize(), (long) options.size(), counts, Native.METHOD_COUNT.byteSize(),
                (long) known.size(), ranking, RANKED, MOST, count));
        return ranked(ranking, count.get(JAVA_LONG, 0));
    }

    static List<Ranked> shipping(Arena call, MemorySegment decider, Request r, List<ShippingOption> options) {
        MemorySegment rows = call.allocate(Native.OPTION, options.size());
        for (int i = 0; i < options.size(); i++) {
            long at = i * Native.OPTION.byteSize();
            r.text(rows, at, options.get(i).id());
            rows.set(JAVA_LONG, at + Native.at(Native.OPTION, "price"), options.get(i).price());
            rows.set(JAVA_LONG, at + Native.at(Native.OPTION, "arrives_by_ms"), options.get(i).arrivesByMs());
        }
        r.finish();
        MemorySegment ranking = call.allocate(Native.RANKED, MOST);
        MemorySegment count = call.allocate(JAVA_LONG);
        checked(() -> (int) Native.RANK_SHIPPING_OPTIONS.invokeExact(decider, r.transaction, r.profile, r.lines,
                Native.LINE.byteSize(), r.lineCount, r.facts, Native.FACT.byteSize(), r.factCount, r.strings, (long) r.length, rows,
                Native.OPTION.byteSize(), (long) options.size(), ranking, RANKED, MOST, count));
        return ranked(ranking, count.get(JAVA_LONG, 0));
    }

    private static List<Ranked> ranked(MemorySegment ranking, long count) {
        List<Ranked> all = new ArrayList<>();
        for (long at = 0; at < count * RANKED; at += RANKED) {
            all.add(new Ranked(ranking.get(JAVA_INT, at), Because.of(ranking.get(JAVA_INT, at + 4))));
        }
        return List.copyOf(all);
    }

    static List<Prefilled> prefill(Transaction order, List<Prefilled.Stored> stored) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment given = Overlay.sized(call, Native.TRANSACTION);
            given.set(JAVA_INT, Native.at(Native.TRANSACTION, "flags"), order.isGift() ? Request.IS_GIFT : 0);
            given.set(JAVA_LONG, Native.at(Native.TRANSACTION, "created_at_ms"), order.createdAtMs());
            code(given, Native.at(Native.TRANSACTION, "country"), order.country());
            MemorySegment rows = call.allocate(Native.STORED, stored.size());
            for (int i = 0; i < stored.size(); i++) {
                Prefilled.Stored of = stored.get(i);
                long at = i * Native.STORED.byteSize();
                set(rows, at, Native.STORED, "field", Request.unsigned(of.field()));
                set(rows, at, Native.STORED, "slot", Request.unsigned(of.slot()));
                set(rows, at, Native.STORED, "uses", Request.unsigned(of.uses()));
                code(rows, at + Native.at(Native.STORED, "country"), of.country());
                rows.set(JAVA_LONG, at + Native.at(Native.STORED, "last_used_ms"), of.lastUsedMs());
            }
            MemorySegment filled = call.allocate(Native.PREFILLED, MOST);
            MemorySegment count = call.allocate(JAVA_LONG);
            checked(() -> (int) Native.PREFILL.invokeExact(given, rows, Native.STORED.byteSize(), (long) stored.size(), filled,
                    Native.PREFILLED.byteSize(), MOST, count));
            List<Prefilled> all = new ArrayList<>();
            for (long i = 0; i < count.get(JAVA_LONG, 0); i++) {
                long at = i * Native.PREFILLED.byteSize();
                all.add(new Prefilled(filled.get(JAVA_INT, at), filled.get(JAVA_INT, at + 4),
                        (int) filled.get(JAVA_LONG, at + Native.at(Native.PREFILLED, "confidence_ppm")),
                        Because.of(filled.get(JAVA_INT, at + Native.at(Native.PREFILLED, "because")))));
            }
            return List.copyOf(all);
        }
    }

    private static void set(MemorySegment to, long at, StructLayout layout, String field, int number) {
        to.set(JAVA_INT, at + Native.at(layout, field), number);
    }

    /** A short code, which C checks. */
    private static void code(MemorySegment to, long at, String code) {
        byte[] bytes = code.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > 4) {
            throw new AftercartException(Status.BAD_VALUE);
        }
        MemorySegment.copy(bytes, 0, to, JAVA_BYTE, at, bytes.length);
    }

    interface Call {
        int run() throws Throwable;
    }

    static int run(Call call) {
        try {
            return call.run();
        } catch (Throwable impossible) {
            throw new AssertionError(impossible); // the C library throws nothing
        }
    }

    static void checked(Call call) {
        int status = run(call);
        if (status < 0) {
            throw new AftercartException(Status.of(status));
        }
    }
}

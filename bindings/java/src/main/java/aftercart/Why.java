package aftercart;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** Asks C for an explanation, and reads it. */
final class Why {
    private Why() {}

    static Explanation explain(Arena call, MemorySegment decider, Request r, ItemKind kind, String id) {
        byte[] bytes = id.getBytes(StandardCharsets.UTF_8);
        MemorySegment name = call.allocateFrom(JAVA_BYTE, bytes);
        MemorySegment out = call.allocate(Native.EXPLANATION);
        out.set(JAVA_INT, 0, (int) Native.EXPLANATION.byteSize());
        MemorySegment length = call.allocate(JAVA_LONG);
        for (long capacity = 4096; ; capacity = length.get(JAVA_LONG, 0) + 1) {
            MemorySegment names = call.allocate(capacity);
            int status;
            try {
                status = (int) Native.EXPLAIN.invokeExact(decider, r.transaction, r.profile, r.lines, Native.LINE.byteSize(),
                        r.lineCount, r.facts, Native.FACT.byteSize(), r.factCount, r.strings, (long) r.length, kind.code, name,
                        (long) bytes.length, out, names, capacity, length);
            } catch (Throwable impossible) {
                throw new AssertionError(impossible); // the C library throws nothing
            }
            if (status < 0) {
                throw new AftercartException(Status.of(status));
            }
            if (status == 0) {
                return read(out, names.getString(0));
            }
        }
    }

    private static Explanation read(MemorySegment from, String names) {
        List<Integer> reasons = new ArrayList<>();
        List<String> rules = new ArrayList<>();
        List<Explanation.Feature> features = new ArrayList<>();
        int count = Math.min(field(from, "reason_count"), 32);
        for (int i = 0; i < count; i++) {
            reasons.add(from.get(JAVA_INT, Native.at(Native.EXPLANATION, "reasons") + 4L * i));
        }
        for (String line : names.split("\n")) {
            String[] f = line.split("\t");
            switch (f[0]) {
                case "rule" -> rules.add(f[1]);
                case "feature" -> features.add(new Explanation.Feature(f[1], Integer.parseInt(f[2]), Integer.parseInt(f[3])));
                default -> { }
            }
        }
        return new Explanation(index(field(from, "position")), List.copyOf(reasons), List.copyOf(rules),
                Relation.of(field(from, "relation")), index(field(from, "line")), field(from, "relevance"),
                field(from, "p_accept_ppm"), from.get(JAVA_LONG, Native.at(Native.EXPLANATION, "ev_micros")),
                List.copyOf(features));
    }

    private static int field(MemorySegment from, String name) {
        return from.get(JAVA_INT, Native.at(Native.EXPLANATION, name));
    }

    private static OptionalInt index(int number) {
        return number < 0 ? OptionalInt.empty() : OptionalInt.of(number);
    }
}

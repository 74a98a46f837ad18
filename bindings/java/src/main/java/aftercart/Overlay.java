package aftercart;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** The calls of an engine that are about its live overlay. */
final class Overlay {
    private Overlay() {}

    static MemorySegment sized(Arena call, java.lang.foreign.StructLayout layout) {
        MemorySegment struct = call.allocate(layout);
        struct.set(JAVA_INT, 0, (int) layout.byteSize());
        return struct;
    }

    static MemorySegment utf8(Arena call, String text) {
        return call.allocateFrom(JAVA_BYTE, text.getBytes(StandardCharsets.UTF_8));
    }

    static void bind(Engine engine, String path) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment error = sized(call, Native.ERROR);
            MemorySegment name = utf8(call, path);
            int status = engine.with(handle -> (int) Native.LIVE_BIND.invokeExact(handle, name, name.byteSize(), error));
            if (status < 0) {
                throw new AftercartException(error);
            }
        }
    }

    static MemorySegment with(Engine engine, String path) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment error = sized(call, Native.ERROR);
            MemorySegment name = utf8(call, path);
            MemorySegment out = call.allocate(ADDRESS);
            int status = engine.with(
                    handle -> (int) Native.ENGINE_WITH_LIVE.invokeExact(handle, name, name.byteSize(), out, error));
            if (status < 0) {
                throw new AftercartException(error);
            }
            return out.get(ADDRESS, 0);
        }
    }

    static void edit(Engine engine, List<Change> changes, long nowMs) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment error = sized(call, Native.ERROR);
            MemorySegment done = call.allocate(JAVA_LONG);
            MemorySegment rows = call.allocate(Native.CHANGE, changes.size());
            ByteArrayOutputStream texts = new ByteArrayOutputStream();
            for (int i = 0; i < changes.size(); i++) {
                pack(changes.get(i), rows.asSlice(i * Native.CHANGE.byteSize(), Native.CHANGE.byteSize()), texts);
            }
            MemorySegment strings = call.allocateFrom(JAVA_BYTE, texts.toByteArray());
            int status = engine.with(handle -> (int) Native.LIVE_EDIT.invokeExact(handle, rows, Native.CHANGE.byteSize(),
                    (long) changes.size(), strings, strings.byteSize(), nowMs, done, error));
            if (status < 0) {
                throw new AftercartException(error, (int) done.get(JAVA_LONG, 0));
            }
        }
    }

    private static void pack(Change change, MemorySegment to, ByteArrayOutputStream texts) {
        int set = 0;
        for (Field field : change.set.keySet()) {
            set |= field.code;
        }
        int forget = 0;
        for (Field field : change.forget) {
            forget |= field.code;
        }
        to.set(JAVA_INT, at("kind"), change.kind.code);
        to.set(JAVA_INT, at("set"), set);
        to.set(JAVA_INT, at("clear"), forget);
        to.set(JAVA_INT, at("stock"), Request.unsigned((int) given(change, Field.STOCK)));
        to.set(JAVA_INT, at("paused"), Request.known(change.paused));
        to.set(JAVA_INT, at("killed"), Request.known(change.killed));
        to.set(JAVA_INT, at("money"), Request.known(change.money));
        to.set(JAVA_INT, at("utc_offset_minutes"), (int) given(change, Field.UTC_OFFSET));
        to.set(JAVA_LONG, at("price"), given(change, Field.PRICE));
        to.set(JAVA_LONG, at("priced_at_ms"), change.pricedAtMs);
        to.set(JAVA_LONG, at("bid"), given(change, Field.BID));
        to.set(JAVA_LONG, at("daily"), given(change, Field.DAILY));
        to.set(JAVA_LONG, at("total"), given(change, Field.TOTAL));
        text(change.id, to, at("id"), texts);
        text(change.pacing, to, at("pacing"), texts);
    }

    private static long given(Change change, Field field) {
        return change.set.getOrDefault(field, 0L);
    }

    private static void text(String text, MemorySegment to, long at, ByteArrayOutputStream texts) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        to.set(JAVA_INT, at, texts.size());
        to.set(JAVA_INT, at + 4, bytes.length);
        texts.writeBytes(bytes);
    }

    private static long at(String field) {
        return Native.at(Native.CHANGE, field);
    }

    static LiveState look(Engine engine, ItemKind kind, String id, long nowMs) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment error = sized(call, Native.ERROR);
            MemorySegment name = utf8(call, id);
            MemorySegment state = sized(call, Native.LIVE_STATE);
            int status = engine.with(handle -> (int) Native.LIVE_LOOK.invokeExact(handle, kind.code, name, name.byteSize(), nowMs,
                    state, error));
            if (status < 0) {
                throw new AftercartException(error);
            }
            int stock = number(state, "stock");
            return new LiveState(ItemKind.of(number(state, "kind")), number(state, "paused") != 0, number(state, "killed") != 0,
                    stock < 0 ? OptionalInt.empty() : OptionalInt.of(stock), number(state, "utc_offset_minutes"),
                    number(state, "money") != 0, number(state, "paced") != 0, number(state, "throttle_ppm"),
                    number(state, "leases"), option(state, "price"), amount(state, "priced_at_ms"), option(state, "bid"),
                    option(state, "daily"), option(state, "total"), amount(state, "spent_today"), amount(state, "spent"),
                    amount(state, "held"));
        }
    }

    private static int number(MemorySegment state, String field) {
        return state.get(JAVA_INT, Native.at(Native.LIVE_STATE, field));
    }

    private static long amount(MemorySegment state, String field) {
        return state.get(JAVA_LONG, Native.at(Native.LIVE_STATE, field));
    }

    private static OptionalLong option(MemorySegment state, String field) {
        long amount = amount(state, field);
        return amount < 0 ? OptionalLong.empty() : OptionalLong.of(amount);
    }

    static Lease reserve(Engine engine, Offer offer, long nowMs, long forMs) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment lease = sized(call, Native.LEASE);
            int status = engine.with(handle -> (int) Native.LEASE_RESERVE.invokeExact(handle, offer.itemKind(),
                    offer.itemRow(), offer.value(), nowMs, forMs, lease));
            if (status < 0) {
                throw new AftercartException(Status.of(status));
            }
            return new Lease(lease.toArray(JAVA_BYTE));
        }
    }

    static void activate(Engine engine, Lease lease, long nowMs) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment given = lease(call, lease);
            int status = engine.with(handle -> (int) Native.LEASE_ACTIVATE.invokeExact(handle, given, nowMs));
            if (status < 0) {
                throw new AftercartException(Status.of(status));
            }
        }
    }

    static void release(Engine engine, Lease lease, long nowMs) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment given = lease(call, lease);
            int status = engine.with(handle -> (int) Native.LEASE_RELEASE.invokeExact(handle, given, nowMs));
            if (status < 0) {
                throw new AftercartException(Status.of(status));
            }
        }
    }

    private static MemorySegment lease(Arena call, Lease lease) {
        MemorySegment given = call.allocate(Native.LEASE);
        MemorySegment.copy(lease.toBytes(), 0, given, JAVA_BYTE, 0, (int) Native.LEASE.byteSize());
        return given;
    }
}

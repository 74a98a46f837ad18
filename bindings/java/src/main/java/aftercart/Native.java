package aftercart;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** The C library: its functions, and how its structs lie in memory. A test compares the layouts with the header's. */
@SuppressWarnings("restricted") // this class is where the binding calls what may crash
final class Native {
    static final int ABI_VERSION = 1;
    static final int LINES_MAX = 512;
    static final int FACTS_MAX = 4096;
    static final int SLOTS_MAX = 16;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final SymbolLookup LIBRARY = library();

    static final MethodHandle ENGINE_OPEN = function("engine_open", JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle ENGINE_CLOSE = function("engine_close", JAVA_INT, ADDRESS);
    static final MethodHandle ENGINE_INFO = function("engine_info", JAVA_INT, ADDRESS, ADDRESS);
    static final MethodHandle ITEM_TEXT =
            function("item_text", JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS);
    static final MethodHandle DECIDER_NEW = function("decider_new", JAVA_INT, ADDRESS, ADDRESS, ADDRESS);
    static final MethodHandle DECIDER_FREE = function("decider_free", JAVA_INT, ADDRESS);
    static final MethodHandle DECIDE = function("decide", JAVA_INT, ADDRESS, ADDRESS, ADDRESS,
            ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG,
            ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS);
    static final MethodHandle DECIDER_USE = function("decider_use", JAVA_INT, ADDRESS, ADDRESS);
    static final MethodHandle EXPLAIN = function("explain", JAVA_INT, ADDRESS, ADDRESS, ADDRESS,
            ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG,
            JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS);
    static final MethodHandle ENGINE_WITH_LIVE =
            function("engine_with_live", JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
    static final MethodHandle ENGINE_WITH_MODEL =
            function("engine_with_model", JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS, ADDRESS);
    static final MethodHandle NEXT_QUESTION = function("next_question", JAVA_INT, ADDRESS, ADDRESS, ADDRESS,
            ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, ADDRESS);
    static final MethodHandle RANK_PAYMENT_METHODS = function("rank_payment_methods", JAVA_INT, ADDRESS, ADDRESS, ADDRESS,
            ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_INT,
            ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS);
    static final MethodHandle RANK_SHIPPING_OPTIONS = function("rank_shipping_options", JAVA_INT, ADDRESS, ADDRESS, ADDRESS,
            ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG,
            ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS);
    static final MethodHandle PREFILL = function("prefill", JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG,
            ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS);
    static final MethodHandle PROGRAMMES_OPEN = function("programmes_open", JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
    static final MethodHandle PROGRAMMES_FREE = function("programmes_free", JAVA_INT, ADDRESS);
    static final MethodHandle PLAN_FOLLOW_UPS = function("plan_follow_ups", JAVA_INT, ADDRESS, ADDRESS, ADDRESS,
            ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG,
            ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS);
    static final MethodHandle LOG_TO = function("log_to", JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_INT, ADDRESS);
    static final MethodHandle LOG_COUNTS = function("log_counts", JAVA_INT, ADDRESS, ADDRESS);
    static final MethodHandle EVENT_APPEND =
            function("event_append", JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS);
    static final MethodHandle EVENT_JSON =
            function("event_json", JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
    static final MethodHandle KEY_NEW = function("key_new", JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
    static final MethodHandle KEY_FREE = function("key_free", JAVA_INT, ADDRESS);
    static final MethodHandle TOKEN_SIGN = function("token_sign", JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS);
    static final MethodHandle TOKEN_VERIFY =
            function("token_verify", JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS);
    static final MethodHandle LIVE_BIND = function("live_bind", JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS);
    static final MethodHandle LIVE_EDIT = function("live_edit", JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS,
            JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS);
    static final MethodHandle LIVE_LOOK =
            function("live_look", JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS);
    static final MethodHandle LEASE_RESERVE = function("lease_reserve", JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, JAVA_LONG,
            JAVA_LONG, JAVA_LONG, ADDRESS);
    static final MethodHandle LEASE_ACTIVATE = function("lease_activate", JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG);
    static final MethodHandle LEASE_RELEASE = function("lease_release", JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG);
    static final MethodHandle SELFTEST = function("selftest", JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle REASON_TEXT = function("reason_text", ADDRESS, JAVA_INT);

    static final StructLayout TEXT = MemoryLayout.structLayout(JAVA_INT.withName("offset"), JAVA_INT.withName("length"));
    static final StructLayout OPTIONS = MemoryLayout.structLayout(ints("struct_size", "mode", "verify", "prefault"),
            JAVA_LONG.withName("visit_budget"));
    static final StructLayout ERROR = MemoryLayout.structLayout(ints("struct_size", "status", "os_error", "rule"),
            JAVA_LONG.withName("offset"), chars("part", 32), chars("message", 456));
    static final StructLayout INFO = MemoryLayout.structLayout(ints("struct_size", "products", "offers"),
            chars("currency", 4),
            longs("index_generation", "policy_generation", "created_at_ms", "file_bytes"), chars("kernel", 16));
    static final StructLayout TRANSACTION = MemoryLayout.structLayout(ints("struct_size", "flags"),
            longs("created_at_ms", "value"), TEXT.withName("order_id"), chars("currency", 4), chars("country", 4),
            ints("stage", "slots", "min_relevance", "payment", "rechargeable", "reserved"), TEXT.withName("placement"));
    static final StructLayout PROFILE = MemoryLayout.structLayout(
            ints("struct_size", "flags", "customer", "age_band", "loyalty_member", "has_app"),
            MemoryLayout.sequenceLayout(2, JAVA_LONG).withName("unit_key"),
            MemoryLayout.sequenceLayout(2, JAVA_LONG).withName("session_key"), TEXT.withName("loyalty_tier"),
            ints("orders", "reserved", "purposes_asked", "purposes_granted"));
    static final StructLayout LINE = MemoryLayout.structLayout(TEXT.withName("item_id"), TEXT.withName("category"),
            TEXT.withName("brand"), JAVA_LONG.withName("unit_price"), ints("quantity", "role", "sensitive", "flags"));
    static final StructLayout FACT = MemoryLayout.structLayout(ints("kind", "reserved"), JAVA_LONG.withName("at_ms"),
            TEXT.withName("id"), TEXT.withName("tag"));
    static final StructLayout OFFER = MemoryLayout.structLayout(ints("item_kind", "item_row", "kind", "position",
            "third_party", "relation", "line", "relevance", "p_accept_ppm", "p_select_ppm"),
            longs("value", "ev_micros", "price"), ints("id_length", "accept"), chars("id", 72),
            ints("accept_reason", "may_need_confirmation"));
    static final StructLayout SUMMARY = MemoryLayout.structLayout(ints("struct_size", "reason"),
            longs("decision_id_low", "decision_id_high", "index_generation", "policy_generation"),
            ints("retrieved", "eligible", "rejected", "centroids", "cells", "compared"),
            longs("overlay_generation", "group_id_low", "group_id_high"), ints("model_generation", "reserved"));
    static final StructLayout CHANGE = MemoryLayout.structLayout(ints("kind", "set", "clear", "stock", "paused", "killed",
            "money", "utc_offset_minutes"), TEXT.withName("id"), TEXT.withName("pacing"),
            longs("price", "priced_at_ms", "bid", "daily", "total"));
    static final StructLayout LIVE_STATE = MemoryLayout.structLayout(ints("struct_size", "kind", "paused", "killed", "stock",
            "utc_offset_minutes", "money", "paced", "throttle_ppm", "leases"), longs("price", "priced_at_ms", "bid", "daily",
            "total", "spent_today", "spent", "held"));
    static final StructLayout EXPLANATION = MemoryLayout.structLayout(ints("struct_size", "item_kind", "item_row", "position",
            "relation", "line", "relevance", "p_accept_ppm"), JAVA_LONG.withName("ev_micros"), ints("reason_count", "reserved"),
            MemoryLayout.sequenceLayout(32, JAVA_INT).withName("reasons"));
    static final StructLayout LEASE = MemoryLayout.structLayout(ints("struct_size", "reserved"),
            JAVA_LONG.withName("expires_at_ms"), MemoryLayout.sequenceLayout(4, JAVA_LONG).withName("words"));
    static final StructLayout QUESTION = MemoryLayout.structLayout(ints("struct_size", "row"), JAVA_LONG.withName("gain_micros"),
            ints("answer_row", "answer_count", "decisions", "reserved"));
    static final StructLayout CLAIM = MemoryLayout.structLayout(ints("struct_size", "quantity"),
            longs("decision_id_low", "decision_id_high", "price", "expires_at_ms"), chars("currency", 4),
            JAVA_INT.withName("id_length"), chars("id", 72), longs("idempotency_key_low", "idempotency_key_high"));
    static final StructLayout OPTION = MemoryLayout.structLayout(TEXT.withName("id"), longs("price", "arrives_by_ms"),
            ints("flags", "reserved"));
    static final StructLayout METHOD_COUNT = MemoryLayout.structLayout(TEXT.withName("id"), chars("country", 4),
            JAVA_INT.withName("device"), JAVA_LONG.withName("amount_from"), ints("orders", "reserved"));
    static final StructLayout RANKED = MemoryLayout.structLayout(ints("option", "because"), JAVA_LONG.withName("reserved"));
    static final StructLayout STORED = MemoryLayout.structLayout(ints("field", "slot"), chars("country", 4),
            JAVA_INT.withName("uses"), JAVA_LONG.withName("last_used_ms"));
    static final StructLayout PREFILLED = MemoryLayout.structLayout(ints("field", "slot", "because", "reserved"),
            JAVA_LONG.withName("confidence_ppm"));
    static final StructLayout FOLLOW_UP = MemoryLayout.structLayout(ints("kind", "channel", "withheld", "line"),
            longs("at_ms", "expires_at_ms"), ints("item_kind", "item_row", "due_days", "own_intervals"),
            chars("programme", 72), chars("template_id", 72), chars("content_id", 72));
    static final StructLayout LOGGED = MemoryLayout.structLayout(ints("struct_size", "logs"),
            longs("made", "logged", "dropped", "drained"));
    static final StructLayout EVENT = MemoryLayout.structLayout(ints("struct_size", "kind", "flags", "reserved"),
            longs("decision_id_low", "decision_id_high", "at_ms", "value", "margin", "payout"), TEXT.withName("event_id"),
            TEXT.withName("item_id"), TEXT.withName("code"), TEXT.withName("question"), TEXT.withName("answer"));
    static final int FOLLOW_UPS_MAX = 32;
    static final int LOG_TIMED = 1;
    static final int TOKEN_BYTES = 192;
    static final int OPTIONS_MAX = 32;
    static final int OPTION_READY = 1;

    private Native() {}

    /** Where a field starts. Fields of one kind that follow each other are a struct within the layout, so look into those. */
    static long at(StructLayout layout, String field) {
        long offset = 0;
        for (MemoryLayout member : layout.memberLayouts()) {
            if (member.name().isPresent() && member.name().get().equals(field)) {
                return offset;
            }
            if (member.name().isEmpty() && member instanceof StructLayout run) {
                for (MemoryLayout one : run.memberLayouts()) {
                    if (one.name().get().equals(field)) {
                        return offset + run.byteOffset(PathElement.groupElement(field));
                    }
                }
            }
            offset += member.byteSize();
        }
        throw new IllegalArgumentException(field);
    }

    /** What a reason says, in one English line. */
    static String reasonText(int reason) {
        try {
            MemorySegment text = (MemorySegment) REASON_TEXT.invokeExact(reason);
            return text.reinterpret(256).getString(0);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible); // the C library throws nothing
        }
    }

    private static StructLayout ints(String... names) {
        MemoryLayout[] fields = new MemoryLayout[names.length];
        for (int i = 0; i < names.length; i++) {
            fields[i] = JAVA_INT.withName(names[i]);
        }
        return MemoryLayout.structLayout(fields);
    }

    private static StructLayout longs(String... names) {
        MemoryLayout[] fields = new MemoryLayout[names.length];
        for (int i = 0; i < names.length; i++) {
            fields[i] = JAVA_LONG.withName(names[i]);
        }
        return MemoryLayout.structLayout(fields);
    }

    private static MemoryLayout chars(String name, int length) {
        return MemoryLayout.sequenceLayout(length, JAVA_BYTE).withName(name);
    }

    /**
     * The library at the path in the property {@code aftercart.library}, else the one in this jar, else the one that the system's
     * loader finds.
     */
    private static SymbolLookup library() {
        String path = System.getProperty("aftercart.library");
        String file = "libaftercart.so." + ABI_VERSION;
        String name = path != null ? path : file;
        SymbolLookup found;
        try {
            SymbolLookup packaged = path == null ? packaged(file) : null;
            found = packaged != null ? packaged : SymbolLookup.libraryLookup(name, Arena.global());
        } catch (IllegalArgumentException missing) {
            throw new UnsatisfiedLinkError(name + " is neither in the jar for " + platform() + " nor where the loader looks "
                    + "(LD_LIBRARY_PATH, ldconfig), and the property aftercart.library names no other");
        }
        try {
            MethodHandle abi = LINKER.downcallHandle(found.find("aftercart_abi_version").orElseThrow(),
                    FunctionDescriptor.of(JAVA_INT));
            int version = (int) abi.invokeExact();
            if (version != ABI_VERSION) {
                throw new UnsatisfiedLinkError(name + " has ABI " + version + ", this binding needs " + ABI_VERSION);
            }
        } catch (Error | RuntimeException failed) {
            throw failed;
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
        return found;
    }

    /** The folder of this platform in the jar. */
    private static String platform() {
        String arch = System.getProperty("os.arch");
        return System.getProperty("os.name").toLowerCase(Locale.ROOT) + "-" + (arch.equals("amd64") ? "x86_64" : arch);
    }

    /**
     * The library in this jar; null where it has none for this platform. It goes into a folder that only this user can enter, under
     * a name that nobody can know before, and away again as soon as it is mapped.
     */
    private static SymbolLookup packaged(String file) {
        try (InputStream library = Native.class.getResourceAsStream("native/" + platform() + "/" + file)) {
            if (library == null) {
                return null;
            }
            Path folder = Files.createTempDirectory("aftercart"); // rwx------
            Path copy = folder.resolve(file);
            try {
                Files.copy(library, copy);
                return SymbolLookup.libraryLookup(copy, Arena.global());
            } finally {
                Files.deleteIfExists(copy);
                Files.deleteIfExists(folder);
            }
        } catch (IOException refused) {
            UnsatisfiedLinkError failed = new UnsatisfiedLinkError("the library of this jar cannot be unpacked (java.io.tmpdir), "
                    + "and the property aftercart.library names no other: " + refused);
            failed.initCause(refused);
            throw failed;
        }
    }

    private static MethodHandle function(String name, MemoryLayout returns, MemoryLayout... takes) {
        MemorySegment symbol = LIBRARY.find("aftercart_" + name).orElseThrow(() -> new UnsatisfiedLinkError(name));
        return LINKER.downcallHandle(symbol, FunctionDescriptor.of(returns, takes));
    }
}

package aftercart;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalLong;

/**
 * What came of a decision: one thing that happened. Amounts are minor units of the currency of the decision. Each {@code with...}
 * gives an event with one thing more.
 *
 * @param eventId its own, 1 to 128 bytes: of several with the same id only one counts, so repeat what you are not sure of
 * @param decisionId of the offers
 * @param atMs when, Unix milliseconds
 * @param itemId of the product or offer; empty = the whole page
 * @param value 0 or more; converted, returned and ordered have one
 * @param margin may be negative
 * @param payout from the partner, 0 or more
 * @param code your own word: why it failed, was declined or came back
 * @param question of a survey, and the answer's tag
 */
public record LogEvent(EventKind kind, String eventId, String decisionId, long atMs, String itemId, OptionalLong value,
        OptionalLong margin, OptionalLong payout, String code, String question, String answer) {
    static final int JSON_BYTES = 8193;
    static final int VALUE = 1;
    static final int MARGIN = 2;
    static final int PAYOUT = 4;

    /** Something that happened to the whole page. */
    public static LogEvent of(EventKind kind, String eventId, String decisionId, long atMs) {
        OptionalLong none = OptionalLong.empty();
        return new LogEvent(kind, eventId, decisionId, atMs, "", none, none, none, "", "", "");
    }

    /** About a product or offer. */
    public LogEvent withItem(String id) {
        return new LogEvent(kind, eventId, decisionId, atMs, id, value, margin, payout, code, question, answer);
    }

    /** What it earned, or what came back. */
    public LogEvent withValue(long minor) {
        return new LogEvent(kind, eventId, decisionId, atMs, itemId, OptionalLong.of(minor), margin, payout, code, question, answer);
    }

    /** Of that, the merchant's. */
    public LogEvent withMargin(long minor) {
        return new LogEvent(kind, eventId, decisionId, atMs, itemId, value, OptionalLong.of(minor), payout, code, question, answer);
    }

    /** From the partner. */
    public LogEvent withPayout(long minor) {
        return new LogEvent(kind, eventId, decisionId, atMs, itemId, value, margin, OptionalLong.of(minor), code, question, answer);
    }

    /** A word of yours. */
    public LogEvent withCode(String word) {
        return new LogEvent(kind, eventId, decisionId, atMs, itemId, value, margin, payout, word, question, answer);
    }

    /** What was answered. */
    public LogEvent withAnswer(String question, String tag) {
        return new LogEvent(kind, eventId, decisionId, atMs, itemId, value, margin, payout, code, question, tag);
    }

    /**
     * Appends the event to a log, for the command {@code aftercart log} to take in: the folder that {@link Engine#logTo} names. From any
     * thread, at any time; some 10 microseconds.
     *
     * @throws AftercartException {@link Status#BAD_VALUE}: it cannot be what happened; {@link Status#SYSTEM_ERROR}: it is not in the
     *     log, try again
     */
    public void append(Path log) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment error = Overlay.sized(call, Native.ERROR);
            MemorySegment folder = Overlay.utf8(call, log.toString());
            ByteArrayOutputStream texts = new ByteArrayOutputStream();
            MemorySegment event = pack(call, texts);
            MemorySegment strings = call.allocateFrom(JAVA_BYTE, texts.toByteArray());
            checked(error, () -> (int) Native.EVENT_APPEND.invokeExact(folder, folder.byteSize(), event, strings, strings.byteSize(),
                    error));
        }
    }

    /** One object of JSON, the form that {@code aftercart events import} reads, where you carry events to the log yourself. */
    public String json() {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment error = Overlay.sized(call, Native.ERROR);
            MemorySegment buffer = call.allocate(JSON_BYTES);
            ByteArrayOutputStream texts = new ByteArrayOutputStream();
            MemorySegment event = pack(call, texts);
            MemorySegment strings = call.allocateFrom(JAVA_BYTE, texts.toByteArray());
            checked(error, () -> (int) Native.EVENT_JSON.invokeExact(event, strings, strings.byteSize(), buffer, buffer.byteSize(),
                    MemorySegment.NULL, error));
            return buffer.getString(0);
        }
    }

    private MemorySegment pack(Arena call, ByteArrayOutputStream texts) {
        if (!decisionId.matches("[0-9a-f]{1,32}")) {
            throw new AftercartException(Status.BAD_VALUE);
        }
        String digits = "0".repeat(32 - decisionId.length()) + decisionId;
        MemorySegment event = Overlay.sized(call, Native.EVENT);
        event.set(JAVA_INT, at("kind"), kind.code);
        event.set(JAVA_INT, at("flags"),
                (value.isPresent() ? VALUE : 0) | (margin.isPresent() ? MARGIN : 0) | (payout.isPresent() ? PAYOUT : 0));
        event.set(JAVA_LONG, at("decision_id_high"), Long.parseUnsignedLong(digits, 0, 16, 16));
        event.set(JAVA_LONG, at("decision_id_low"), Long.parseUnsignedLong(digits, 16, 32, 16));
        event.set(JAVA_LONG, at("at_ms"), atMs);
        event.set(JAVA_LONG, at("value"), value.orElse(0));
        event.set(JAVA_LONG, at("margin"), margin.orElse(0));
        event.set(JAVA_LONG, at("payout"), payout.orElse(0));
        for (Map.Entry<String, String> text : Map.of("event_id", eventId, "item_id", itemId, "code", code, "question", question,
                "answer", answer).entrySet()) {
            byte[] bytes = text.getValue().getBytes(StandardCharsets.UTF_8);
            event.set(JAVA_INT, at(text.getKey()), texts.size());
            event.set(JAVA_INT, at(text.getKey()) + 4, bytes.length);
            texts.writeBytes(bytes);
        }
        return event;
    }

    private static long at(String field) {
        return Native.at(Native.EVENT, field);
    }

    private static void checked(MemorySegment error, Before.Call call) {
        if (Before.run(call) < 0) {
            throw new AftercartException(error);
        }
    }
}

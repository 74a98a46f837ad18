package aftercart;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A message that is planned, or withheld. Offers in advertising are decided when it is sent, for {@link Stage#EMAIL}.
 *
 * @param kind null = one that only a newer version of this binding knows; so with the channel
 * @param planned whether it is to be sent
 * @param withheld why it is not; empty where it is planned, or where only a newer version of this binding knows why
 * @param line index of the bought line that it is about
 * @param expiresAtMs when it no longer makes sense
 * @param itemKind with itemRow: the line's product, for {@link Engine#title(FollowUp)}; 0 = the catalog does not know it
 * @param dueDays of a refill: days from the order to the next purchase that is expected
 * @param ownIntervals of the customer's behind that; 0 = the usual days alone
 * @param template your mail service's name for it
 * @param contentId of the offer that it carries; empty = none
 */
public record FollowUp(MessageKind kind, Channel channel, boolean planned, Optional<Withheld> withheld, int line, long atMs,
        long expiresAtMs, int itemKind, int itemRow, OptionalInt dueDays, int ownIntervals, String programme, String template,
        String contentId) {
    private static final long BYTES = Native.FOLLOW_UP.byteSize();
    private static final long MOST = Native.FOLLOW_UPS_MAX;

    static List<FollowUp> plan(Arena call, MemorySegment decider, Request r, MemorySegment programmes, long deliveryAtMs) {
        MemorySegment rows = call.allocate(Native.FOLLOW_UP, MOST);
        MemorySegment count = call.allocate(JAVA_LONG);
        Before.checked(() -> (int) Native.PLAN_FOLLOW_UPS.invokeExact(decider, r.transaction, r.profile, r.lines,
                Native.LINE.byteSize(), r.lineCount, r.facts, Native.FACT.byteSize(), r.factCount, r.strings, (long) r.length,
                programmes, deliveryAtMs, rows, BYTES, MOST, count));
        List<FollowUp> all = new ArrayList<>();
        for (long i = 0; i < count.get(JAVA_LONG, 0); i++) {
            all.add(read(rows.asSlice(i * BYTES, BYTES)));
        }
        return List.copyOf(all);
    }

    private static FollowUp read(MemorySegment from) {
        int withheld = number(from, "withheld");
        int due = number(from, "due_days");
        return new FollowUp(MessageKind.of(number(from, "kind")), Channel.of(number(from, "channel")), withheld == 0,
                Optional.ofNullable(Withheld.of(withheld)), number(from, "line"), from.get(JAVA_LONG, at("at_ms")),
                from.get(JAVA_LONG, at("expires_at_ms")), number(from, "item_kind"), number(from, "item_row"),
                due < 0 ? OptionalInt.empty() : OptionalInt.of(due), number(from, "own_intervals"),
                from.getString(at("programme")), from.getString(at("template_id")), from.getString(at("content_id")));
    }

    private static int number(MemorySegment from, String field) {
        return from.get(JAVA_INT, at(field));
    }

    private static long at(String field) {
        return Native.at(Native.FOLLOW_UP, field);
    }
}

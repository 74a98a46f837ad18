package aftercart;

import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What the live overlay says of one product, offer or partner. What is empty is as the catalog says, or without limit.
 *
 * @param utcOffsetMinutes when the day begins, minutes east of UTC
 * @param money limits count minor units of value, not accepted offers
 * @param paced the limit of a day is spread over it
 * @param throttlePpm decisions that pacing turns away now
 * @param leases that are out
 * @param spentToday activated today
 * @param spent activated ever
 * @param held by leases that are out
 */
public record LiveState(ItemKind kind, boolean paused, boolean killed, OptionalInt stock, int utcOffsetMinutes, boolean money,
        boolean paced, int throttlePpm, int leases, OptionalLong price, long pricedAtMs, OptionalLong bid, OptionalLong daily,
        OptionalLong total, long spentToday, long spent, long held) {}

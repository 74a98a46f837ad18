package aftercart;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/** A change of one product, offer or partner in the live overlay. What is not given stays as it is. */
public final class Change {
    final ItemKind kind;
    final String id;
    final Map<Field, Long> set = new EnumMap<>(Field.class);
    final Set<Field> forget = EnumSet.noneOf(Field.class);
    String pacing = "";
    long pricedAtMs;
    Boolean paused;
    Boolean killed;
    Boolean money;

    private Change(ItemKind kind, String id) {
        this.kind = kind;
        this.id = id;
    }

    /** Of whatever has the id. */
    public static Change of(String id) {
        return new Change(ItemKind.ANY, id);
    }

    /** Of what is named alike by several. */
    public static Change of(ItemKind kind, String id) {
        return new Change(kind, id);
    }

    private Change with(Field field, long value) {
        set.put(field, value);
        return this;
    }

    /** Products: units in stock; more than 62 count as 62. */
    public Change stock(int units) {
        return with(Field.STOCK, units);
    }

    /** Products: minor units, and when the price was stated, Unix milliseconds; 0 = not known. */
    public Change price(long price, long statedAtMs) {
        pricedAtMs = statedAtMs;
        return with(Field.PRICE, price);
    }

    /** Offers: what you earn when it is accepted, in place of the catalog's. */
    public Change bid(long bid) {
        return with(Field.BID, bid);
    }

    /** Offers and partners: limit of one day. */
    public Change daily(long limit) {
        return with(Field.DAILY, limit);
    }

    /** Offers and partners: limit over all days. */
    public Change total(long limit) {
        return with(Field.TOTAL, limit);
    }

    /** With a limit of a day: {@code "even"}, or 24 weights of hours or 96 of quarters, joined by commas. */
    public Change pacing(String weights) {
        pacing = weights;
        return with(Field.PACING, 0);
    }

    /** Offers and partners: when the day begins, minutes east of UTC. */
    public Change utcOffsetMinutes(int minutes) {
        return with(Field.UTC_OFFSET, minutes);
    }

    /** Not to be shown for now. */
    public Change paused(boolean paused) {
        this.paused = paused;
        return this;
    }

    /** Not to be shown any more. */
    public Change killed(boolean killed) {
        this.killed = killed;
        return this;
    }

    /** Limits count minor units of value, not accepted offers. Cannot change once there was a limit. */
    public Change money(boolean money) {
        this.money = money;
        return this;
    }

    /** The overlay forgets it: the catalog's holds again, or no limit. */
    public Change forget(Field field) {
        forget.add(field);
        return this;
    }
}

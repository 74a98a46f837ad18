package aftercart;

import java.util.List;

/**
 * What to fill in.
 *
 * @param field of what
 * @param slot from where
 * @param confidencePpm how sure, parts per million
 * @param because null = a reason that only a newer version of this binding knows
 */
public record Prefilled(int field, int slot, int confidencePpm, Because because) {
    /**
     * Something in your store that may be filled in. Its value stays with you.
     *
     * @param field what it is, by a number of yours, 0 to 255; at most one of each is suggested
     * @param slot its place in your store, 0 to 65535
     * @param country of an address, ISO 3166-1; empty where it has none
     * @param lastUsedMs Unix milliseconds; 0 = not known
     */
    public record Stored(int field, int slot, String country, int uses, long lastUsedMs) {}

    /**
     * Says which stored thing to fill in for each field, where more than half of its uses, fading over months, are one slot's. An address
     * of another country than the order's is left out, and for a gift every address is.
     */
    public static List<Prefilled> of(Transaction order, List<Stored> stored) {
        return Before.prefill(order, stored);
    }
}

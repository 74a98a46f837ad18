package aftercart;

/**
 * What was offered, at what price, until when.
 *
 * @param decisionId of the offers
 * @param itemId of the product or offer
 * @param price of one unit, minor units
 * @param currency as in {@link Info}
 * @param quantity at least 1
 * @param expiresAtMs Unix milliseconds
 * @param idempotencyKey of a token that was verified: the same for every token of one offer of one decision; else empty
 */
public record Claim(String decisionId, String itemId, long price, String currency, int quantity, long expiresAtMs,
        String idempotencyKey) {

    /** One unit, to sign. */
    public static Claim of(String decisionId, String itemId, long price, String currency, long expiresAtMs) {
        return new Claim(decisionId, itemId, price, currency, 1, expiresAtMs, "");
    }
}

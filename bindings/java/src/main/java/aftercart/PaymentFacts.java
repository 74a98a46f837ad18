package aftercart;

import java.util.List;

/**
 * What is known of ways to pay.
 *
 * @param uses the customer's
 * @param counts how often your customers use them
 */
public record PaymentFacts(List<Use> uses, List<Count> counts, Device device) {
    /** Nothing. */
    public static final PaymentFacts NONE = new PaymentFacts(List.of(), List.of(), Device.UNKNOWN);

    /**
     * How often your customers use a way to pay, in one group of orders.
     *
     * @param country ISO 3166-1
     * @param amountFrom of at least this amount, and below the next greater one that occurs
     */
    public record Count(String id, String country, Device device, long amountFrom, int orders) {}
}

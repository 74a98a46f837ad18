package aftercart;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A paid order, or a basket before payment.
 *
 * @param lines what was bought, at most 512
 * @param orderId only hashed into the decision id
 * @param createdAtMs Unix milliseconds; 0 = not known: offers that depend on time are not shown
 * @param value total in minor units; not known = the sum of the lines, where all prices are known
 * @param currency ISO 4217; empty = the catalog's
 * @param country ISO 3166-1; empty = not known: offers bound to a region are not shown
 * @param slots to fill, at most 16; 0 = as the policy says
 * @param minRelevance in thousandths; not known = as the policy says
 * @param firstPurchases nothing that the customer bought before
 * @param rechargeable whether the payment can be charged again without asking for it once more; null = not known
 * @param placement its id in the policy; empty = whichever the policy has for the stage
 * @param tags your own words for this order, which a policy may ask for
 */
public record Transaction(List<Line> lines, String orderId, long createdAtMs, OptionalLong value, String currency,
        String country, Stage stage, int slots, OptionalInt minRelevance, boolean isGift, boolean isTest,
        boolean firstPurchases, Payment payment, Boolean rechargeable, String placement, List<String> tags) {

    /** Starts one where nothing is known. */
    public static Builder builder() {
        return new Builder();
    }

    /** Sets what is known. */
    public static final class Builder {
        private final List<Line> lines = new ArrayList<>();
        private String orderId = "";
        private long createdAtMs;
        private OptionalLong value = OptionalLong.empty();
        private String currency = "";
        private String country = "";
        private Stage stage = Stage.CONFIRMATION;
        private int slots;
        private OptionalInt minRelevance = OptionalInt.empty();
        private boolean isGift;
        private boolean isTest;
        private boolean firstPurchases;
        private Payment payment = Payment.UNKNOWN;
        private Boolean rechargeable;
        private String placement = "";
        private final List<String> tags = new ArrayList<>();

        private Builder() {}

        public Builder line(Line line) {
            lines.add(line);
            return this;
        }

        public Builder line(String itemId) {
            return line(Line.of(itemId));
        }

        public Builder orderId(String orderId) {
            this.orderId = orderId;
            return this;
        }

        public Builder createdAtMs(long createdAtMs) {
            this.createdAtMs = createdAtMs;
            return this;
        }

        public Builder value(long value) {
            this.value = OptionalLong.of(value);
            return this;
        }

        public Builder currency(String currency) {
            this.currency = currency;
            return this;
        }

        public Builder country(String country) {
            this.country = country;
            return this;
        }

        public Builder stage(Stage stage) {
            this.stage = stage;
            return this;
        }

        public Builder slots(int slots) {
            this.slots = slots;
            return this;
        }

        public Builder minRelevance(int thousandths) {
            this.minRelevance = OptionalInt.of(thousandths);
            return this;
        }

        public Builder gift() {
            this.isGift = true;
            return this;
        }

        public Builder test() {
            this.isTest = true;
            return this;
        }

        public Builder firstPurchases() {
            this.firstPurchases = true;
            return this;
        }

        public Builder payment(Payment payment) {
            this.payment = payment;
            return this;
        }

        public Builder rechargeable(boolean rechargeable) {
            this.rechargeable = rechargeable;
            return this;
        }

        public Builder placement(String id) {
            this.placement = id;
            return this;
        }

        public Builder tag(String tag) {
            tags.add(tag);
            return this;
        }

        public Transaction build() {
            return new Transaction(List.copyOf(lines), orderId, createdAtMs, value, currency, country, stage, slots,
                    minRelevance, isGift, isTest, firstPurchases, payment, rechargeable, placement, List.copyOf(tags));
        }
    }
}

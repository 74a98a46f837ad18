package aftercart;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * The customer, as far as you know and may say. There is no field for a name or an address.
 *
 * @param loyaltyMember null = not known
 * @param hasApp null = not known
 * @param unitKey 128 bits of a hash of your choice; only for assigning to experiments
 * @param sessionKey 128 bits of a hash that ends with the session
 * @param purchases oldest first
 * @param declines products and offers, oldest first
 * @param optOutCategories category paths, each with its subtree
 * @param loyaltyTier your name of it; empty = not known
 * @param orders orders before this one
 * @param segments your own words for this customer, which a policy may ask for
 * @param exposures offers that were on earlier pages, oldest first: for frequency caps
 * @param asked questions that were asked, in this order and before, oldest first, whatever the answer
 * @param cartRemoved products that were looked at in this session and put back
 */
public record Profile(Customer customer, AgeBand ageBand, Boolean loyaltyMember, Boolean hasApp, boolean optOutThirdParty,
        Key unitKey, Key sessionKey, List<Event> purchases, List<Event> declines, List<SurveyAnswer> answers,
        List<String> optOutCategories, List<String> cartRemoved, String loyaltyTier, OptionalInt orders,
        List<String> segments, Consent consent, List<Exposed> exposures, List<Event> asked) {

    /** 128 bits; all zero = none. */
    public record Key(long low, long high) {
        /** No key. */
        public static final Key NONE = new Key(0, 0);
    }

    /** Somebody of whom nothing is known. */
    public static final Profile ANONYMOUS = builder().build();

    /** Starts one where nothing is known. */
    public static Builder builder() {
        return new Builder();
    }

    int factCount() {
        return purchases.size() + declines.size() + answers.size() + optOutCategories.size() + cartRemoved.size()
                + segments.size() + exposures.size() + asked.size();
    }

    /** Sets what is known. */
    public static final class Builder {
        private Customer customer = Customer.ANY;
        private AgeBand ageBand = AgeBand.UNKNOWN;
        private Boolean loyaltyMember;
        private Boolean hasApp;
        private boolean optOutThirdParty;
        private Key unitKey = Key.NONE;
        private Key sessionKey = Key.NONE;
        private String loyaltyTier = "";
        private OptionalInt orders = OptionalInt.empty();
        private final List<String> segments = new ArrayList<>();
        private Consent consent = Consent.NOBODY_ASKED;
        private final List<Exposed> exposures = new ArrayList<>();
        private final List<Event> asked = new ArrayList<>();
        private final List<Event> purchases = new ArrayList<>();
        private final List<Event> declines = new ArrayList<>();
        private final List<SurveyAnswer> answers = new ArrayList<>();
        private final List<String> optOutCategories = new ArrayList<>();
        private final List<String> cartRemoved = new ArrayList<>();

        private Builder() {}

        public Builder customer(Customer customer) {
            this.customer = customer;
            return this;
        }

        public Builder ageBand(AgeBand ageBand) {
            this.ageBand = ageBand;
            return this;
        }

        public Builder loyaltyMember(boolean member) {
            this.loyaltyMember = member;
            return this;
        }

        public Builder hasApp(boolean has) {
            this.hasApp = has;
            return this;
        }

        public Builder optOutThirdParty() {
            this.optOutThirdParty = true;
            return this;
        }

        public Builder unitKey(long low, long high) {
            this.unitKey = new Key(low, high);
            return this;
        }

        public Builder sessionKey(long low, long high) {
            this.sessionKey = new Key(low, high);
            return this;
        }

        public Builder purchase(String itemId, long atMs) {
            purchases.add(new Event(itemId, atMs));
            return this;
        }

        public Builder decline(String id, long atMs) {
            declines.add(new Event(id, atMs));
            return this;
        }

        public Builder consent(Consent consent) {
            this.consent = consent;
            return this;
        }

        public Builder exposure(String id, Exposure event, long atMs) {
            exposures.add(new Exposed(id, event, atMs));
            return this;
        }

        /** A question that was asked, whatever the answer. */
        public Builder asked(String question, long atMs) {
            asked.add(new Event(question, atMs));
            return this;
        }

        public Builder answer(String question, String tag) {
            answers.add(new SurveyAnswer(question, tag));
            return this;
        }

        public Builder optOutCategory(String path) {
            optOutCategories.add(path);
            return this;
        }

        public Builder cartRemoved(String itemId) {
            cartRemoved.add(itemId);
            return this;
        }

        public Builder loyaltyTier(String tier) {
            this.loyaltyTier = tier;
            return this;
        }

        public Builder orders(int orders) {
            this.orders = OptionalInt.of(orders);
            return this;
        }

        public Builder segment(String segment) {
            segments.add(segment);
            return this;
        }

        public Profile build() {
            return new Profile(customer, ageBand, loyaltyMember, hasApp, optOutThirdParty, unitKey, sessionKey,
                    List.copyOf(purchases), List.copyOf(declines), List.copyOf(answers), List.copyOf(optOutCategories),
                    List.copyOf(cartRemoved), loyaltyTier, orders, List.copyOf(segments), consent, List.copyOf(exposures),
                    List.copyOf(asked));
        }
    }
}

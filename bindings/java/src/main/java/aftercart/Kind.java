package aftercart;

/** What is offered. */
public enum Kind {
    PRODUCT(0),
    ADD_ON(1),
    WARRANTY(2),
    SERVICE(3),
    SUBSCRIPTION(4),
    PAYMENT_INCENTIVE(5),
    LOYALTY(6),
    APP_PROMPT(7),
    CONTENT(8),
    NEXT_PURCHASE(9);

    /** The number in the header. */
    final int code;

    Kind(int code) {
        this.code = code;
    }

    private static final Kind[] ALL = values();

    /** The one of a number; null where only a newer version of this binding knows it. */
    static Kind of(int code) {
        for (Kind one : ALL) {
            if (one.code == code) {
                return one;
            }
        }
        return null;
    }
}

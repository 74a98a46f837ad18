package aftercart;

/** What a change of the live overlay may set, or let it forget. */
public enum Field {
    STOCK(1),
    PRICE(2),
    BID(4),
    DAILY(8),
    TOTAL(16),
    PACING(32),
    /** Cannot be forgotten. */
    UTC_OFFSET(64);

    /** The number in the header. */
    final int code;

    Field(int code) {
        this.code = code;
    }
}

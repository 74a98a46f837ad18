package aftercart;

/** Kind of purchase. */
public enum Role {
    UNKNOWN(0),
    DURABLE(1),
    CONSUMABLE(2),
    SERVICE(3),
    DIGITAL(4),
    GIFT_CARD(5);

    /** The number in the header. */
    final int code;

    Role(int code) {
        this.code = code;
    }
}

package aftercart;

/** Sensitive classes of products. */
public enum Sensitive {
    NONE(0),
    ALCOHOL(1),
    TOBACCO(2),
    HEALTH(3),
    ADULT(4),
    WEAPONS(5),
    GAMBLING(6),
    CREDIT(7),
    INSURANCE(8);

    /** The number in the header. */
    final int code;

    Sensitive(int code) {
        this.code = code;
    }
}

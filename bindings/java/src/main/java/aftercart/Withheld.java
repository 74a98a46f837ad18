package aftercart;

/** Why a message is not planned. */
public enum Withheld {
    /** The time that it counts from is not known. */
    TIME_UNKNOWN(1),
    /** Its time has passed. */
    TOO_LATE(2),
    /** The customer hears enough in that week. */
    CONTACT_POLICY(3),
    /** No consent to marketing. */
    CONSENT(4),
    /** The order is a gift. */
    GIFT(5);

    /** The number in the header. */
    final int code;

    Withheld(int code) {
        this.code = code;
    }

    private static final Withheld[] ALL = values();

    /** The one of a number; null where only a newer version of this binding knows it. */
    static Withheld of(int code) {
        return code >= 1 && code <= ALL.length ? ALL[code - 1] : null;
    }
}

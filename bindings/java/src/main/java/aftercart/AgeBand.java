package aftercart;

/** How old, as far as known. */
public enum AgeBand {
    UNKNOWN(0),
    MINOR(1),
    ADULT(2);

    /** The number in the header. */
    final int code;

    AgeBand(int code) {
        this.code = code;
    }
}

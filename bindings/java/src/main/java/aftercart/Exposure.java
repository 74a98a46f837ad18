package aftercart;

/** What happened to an offer on an earlier page. */
public enum Exposure {
    /** It was seen. */
    SHOWN(8),
    /** The customer looked closer. */
    ENGAGED(9),
    /** The customer took it. */
    ACCEPTED(10);

    /** The number in the header. */
    final int code;

    Exposure(int code) {
        this.code = code;
    }
}

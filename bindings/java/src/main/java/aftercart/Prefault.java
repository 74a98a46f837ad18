package aftercart;

/** What is read from disk before decisions ask for it. */
public enum Prefault {
    BACKGROUND(0),
    WHOLE(1),
    NONE(2);

    /** The number in the header. */
    final int code;

    Prefault(int code) {
        this.code = code;
    }
}

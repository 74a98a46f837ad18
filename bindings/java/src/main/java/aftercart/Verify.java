package aftercart;

/** How much of a file is checked when it is opened. */
public enum Verify {
    FULL(0),
    STRUCTURE(1);

    /** The number in the header. */
    final int code;

    Verify(int code) {
        this.code = code;
    }
}

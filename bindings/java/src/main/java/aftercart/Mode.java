package aftercart;

/** How a catalog file gets into memory. */
public enum Mode {
    MAP(0),
    COPY(1);

    /** The number in the header. */
    final int code;

    Mode(int code) {
        this.code = code;
    }
}

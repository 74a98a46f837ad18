package aftercart;

/** Where the customer sits. */
public enum Device {
    UNKNOWN(0),
    PHONE(1),
    TABLET(2),
    DESKTOP(3);

    /** The number in the header. */
    final int code;

    Device(int code) {
        this.code = code;
    }

    private static final Device[] ALL = values();

    /** The one of a number; null where only a newer version of this binding knows it. */
    static Device of(int code) {
        return code >= 0 && code < ALL.length ? ALL[code] : null;
    }
}

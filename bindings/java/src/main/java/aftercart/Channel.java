package aftercart;

/** Through what kind of channel a message goes. */
public enum Channel {
    EMAIL(0),
    SMS(1),
    PUSH(2);

    /** The number in the header. */
    final int code;

    Channel(int code) {
        this.code = code;
    }

    private static final Channel[] ALL = values();

    /** The one of a number; null where only a newer version of this binding knows it. */
    static Channel of(int code) {
        return code >= 0 && code < ALL.length ? ALL[code] : null;
    }
}

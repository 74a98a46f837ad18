package aftercart;

/** Why an option stands where it does. */
public enum Because {
    /** Nothing speaks for another place. */
    HOST_ORDER(0),
    /** The customer's latest. */
    LAST_USED(1),
    /** The customer uses it. */
    OFTEN_USED(2),
    /** It is set up on the device. */
    READY_ON_DEVICE(3),
    /** Customers here use it. */
    USUAL_HERE(4),
    /** A cheaper one that is as fast comes first. */
    CHEAPER_FIRST(5),
    /** Held out: as you had it. */
    HOLDOUT(6);

    /** The number in the header. */
    final int code;

    Because(int code) {
        this.code = code;
    }

    private static final Because[] ALL = values();

    /** The one of a number; null where only a newer version of this binding knows it. */
    static Because of(int code) {
        return code >= 0 && code < ALL.length ? ALL[code] : null;
    }
}

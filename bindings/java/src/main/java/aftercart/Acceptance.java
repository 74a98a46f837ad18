package aftercart;

/** Why an offer is accepted in its way and no shorter one. */
public enum Acceptance {
    /** There is nothing to accept. */
    NOTHING_TO_ACCEPT(0),
    /** It is installed from an app shop. */
    APP_SHOP(1),
    /** The customer joins something, and agrees to it. */
    ENROLMENT(2),
    /** Another sells it, and takes the payment. */
    THIRD_PARTY_SELLS(3),
    /** Its provider decides, not you. */
    REGULATED(4),
    /** It joins an order that is not paid yet. */
    BEFORE_PAYMENT(5),
    /** The order's payment cannot be charged again, or nobody says that it can. */
    NOT_RECHARGEABLE(6),
    /** It recurs, which needs a consent of its own. */
    RECURS(7),
    /** You sell it, once, to a payment that can be charged again. */
    SOLD_ONCE(8);

    /** The number in the header. */
    final int code;

    Acceptance(int code) {
        this.code = code;
    }

    private static final Acceptance[] ALL = values();

    /** The one of a number; null where only a newer version of this binding knows it. */
    static Acceptance of(int code) {
        return code >= 0 && code < ALL.length ? ALL[code] : null;
    }
}

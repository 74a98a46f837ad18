package aftercart;

/** How an offer may be accepted. Charging is yours. */
public enum Accept {
    /** There is nothing to accept, or it joins an order that is not paid yet. */
    NONE(0),
    /** One click: the payment of this order is charged again. */
    ONE_CLICK_STORED_CREDENTIAL(1),
    /** One click, and a consent to what recurs. */
    CONFIRM_CONSENT(2),
    /** On the partner's page, or in an app shop. */
    REDIRECT(3),
    /** The customer gives a payment anew. */
    REENTER_PAYMENT(4),
    /** The customer agrees to be enrolled or contacted. */
    LEAD_OPT_IN(5);

    /** The number in the header. */
    final int code;

    Accept(int code) {
        this.code = code;
    }

    private static final Accept[] ALL = values();

    /** The one of a number; null where only a newer version of this binding knows it. */
    static Accept of(int code) {
        for (Accept one : ALL) {
            if (one.code == code) {
                return one;
            }
        }
        return null;
    }
}

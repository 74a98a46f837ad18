package aftercart;

/** What a message is for. */
public enum MessageKind {
    /** The order is on its way, or there: owed to the customer. */
    DELIVERY(0),
    /** How to use or care for what was bought: likewise. */
    GUIDANCE(1),
    /** What may come next: advertising. */
    SUGGESTION(2),
    /** What was bought is running out: advertising. */
    REFILL(3);

    /** The number in the header. */
    final int code;

    MessageKind(int code) {
        this.code = code;
    }

    private static final MessageKind[] ALL = values();

    /** The one of a number; null where only a newer version of this binding knows it. */
    static MessageKind of(int code) {
        return code >= 0 && code < ALL.length ? ALL[code] : null;
    }
}

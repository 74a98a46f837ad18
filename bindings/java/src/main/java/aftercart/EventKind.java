package aftercart;

/** What happened after a decision. */
public enum EventKind {
    /** The page with its offers was seen. Without it nothing counts as shown; of a held-out unit: the page without them was. */
    ACTIVATED(1),
    /** An offer was looked at more closely. */
    ENGAGED(2),
    /** An offer was accepted. */
    ACCEPTED(3),
    /** It was, and could not be carried out; the code says why. */
    ACCEPT_FAILED(4),
    /** An accepted offer earned its value. */
    CONVERTED(5),
    /** Of that, so much came back. */
    RETURNED(6),
    /** An offer or the page was waved away. */
    DISMISSED(7),
    /** A question was answered. */
    SURVEY_ANSWERED(8),
    /** The customer ordered something afterwards, by an offer or not. */
    ORDERED(9);

    /** The number in the header. */
    final int code;

    EventKind(int code) {
        this.code = code;
    }
}

package aftercart;

/** What an id names. */
public enum ItemKind {
    /** Whichever has the id; one that several have is refused. */
    ANY(0),
    PRODUCT(1),
    OFFER(2),
    /** Only in the live overlay. */
    PARTNER(3),
    /** Internal. */
    QUESTION(4),
    /** Likewise. */
    ANSWER(5);

    /** The number in the header. */
    final int code;

    ItemKind(int code) {
        this.code = code;
    }

    private static final ItemKind[] ALL = values();

    /** The one of a number; null where only a newer version of this binding knows it. */
    static ItemKind of(int code) {
        for (ItemKind one : ALL) {
            if (one.code == code) {
                return one;
            }
        }
        return null;
    }
}

package aftercart;

/** How an offer follows from the order. */
public enum Relation {
    BOUGHT_TOGETHER(1),
    GOES_WITH_TYPE(2),
    REFILL(3),
    TRIGGERED(4),
    HOUSE(5),
    ALIKE(6);

    /** The number in the header. */
    final int code;

    Relation(int code) {
        this.code = code;
    }

    private static final Relation[] ALL = values();

    /** The one of a number; null where only a newer version of this binding knows it. */
    static Relation of(int code) {
        for (Relation one : ALL) {
            if (one.code == code) {
                return one;
            }
        }
        return null;
    }
}

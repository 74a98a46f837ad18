package aftercart;

/** New or returning. */
public enum Customer {
    ANY(0),
    NEW(1),
    RETURNING(2);

    /** The number in the header. */
    final int code;

    Customer(int code) {
        this.code = code;
    }
}

package aftercart;

/** Where in the purchase. */
public enum Stage {
    CONFIRMATION(0),
    CART(1),
    CHECKOUT(2),
    PAYMENT(3),
    ORDER_STATUS(4),
    EMAIL(5),
    APP(6);

    /** The number in the header. */
    final int code;

    Stage(int code) {
        this.code = code;
    }
}

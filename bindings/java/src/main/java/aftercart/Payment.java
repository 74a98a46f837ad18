package aftercart;

/** How it was paid. */
public enum Payment {
    UNKNOWN(0),
    CARD(1),
    WALLET(2),
    BNPL(3),
    DIRECT_DEBIT(4),
    BANK_TRANSFER(5),
    INVOICE(6),
    GIFT_CARD(7),
    CASH(8);

    /** The number in the header. */
    final int code;

    Payment(int code) {
        this.code = code;
    }
}

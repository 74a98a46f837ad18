package aftercart;

/**
 * A way to pay that you permit for this order.
 *
 * @param id your name for it
 * @param ready set up on the device, as wallets are
 */
public record PaymentOption(String id, boolean ready) {}

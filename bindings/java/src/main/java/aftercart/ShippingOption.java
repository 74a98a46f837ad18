package aftercart;

/**
 * A way to ship that you permit for this order.
 *
 * @param id your name for it
 * @param price minor units
 * @param arrivesByMs the last moment of the promised window, Unix milliseconds; 0 = none was promised
 */
public record ShippingOption(String id, long price, long arrivesByMs) {}

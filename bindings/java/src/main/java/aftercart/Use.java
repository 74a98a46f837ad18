package aftercart;

/**
 * What the customer paid or shipped with before.
 *
 * @param id your name for it
 * @param atMs Unix milliseconds; 0 = not known
 * @param failed declined, or given up
 */
public record Use(String id, long atMs, boolean failed) {}

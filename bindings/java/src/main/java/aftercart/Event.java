package aftercart;

/**
 * Something that happened to a product or offer.
 *
 * @param atMs Unix milliseconds; 0 = not known
 */
public record Event(String id, long atMs) {}

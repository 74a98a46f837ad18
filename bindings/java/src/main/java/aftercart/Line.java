package aftercart;

import java.util.OptionalLong;

/**
 * One bought line.
 *
 * @param itemId the product's id in the feed; may be one that the catalog does not know
 * @param category full path, levels joined by {@code " > "}: stands in where the catalog does not know the id
 * @param brand likewise
 * @param quantity units; 0 = one
 * @param unitPrice minor units
 * @param role {@link Role#UNKNOWN} = as the catalog says
 * @param sensitive your own mark: such a line is not asked about
 */
public record Line(String itemId, String category, String brand, int quantity, OptionalLong unitPrice, Role role,
        Sensitive sensitive) {

    /** One unit of a product of the feed. */
    public static Line of(String itemId) {
        return of(itemId, 1);
    }

    /** Some units of a product of the feed. */
    public static Line of(String itemId, int quantity) {
        return new Line(itemId, "", "", quantity, OptionalLong.empty(), Role.UNKNOWN, Sensitive.NONE);
    }

    /** With the price of one unit, in minor units. */
    public Line at(long unitPrice) {
        return new Line(itemId, category, brand, quantity, OptionalLong.of(unitPrice), role, sensitive);
    }

    /** With what stands in where the catalog does not know the id. */
    public Line like(String category, String brand) {
        return new Line(itemId, category, brand, quantity, unitPrice, role, sensitive);
    }
}

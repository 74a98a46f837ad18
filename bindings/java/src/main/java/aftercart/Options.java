package aftercart;

/**
 * How to open a catalog.
 *
 * @param visitBudget products that a search may look at; 0 = as the catalog says
 */
public record Options(Mode mode, Verify verify, Prefault prefault, long visitBudget) {
    /** Mapped, verified in full, read ahead in the background. */
    public static final Options DEFAULT = new Options(Mode.MAP, Verify.FULL, Prefault.BACKGROUND, 0);
}

package aftercart;

/**
 * What the customer said to a consent banner, by purpose: null = nobody asked. A policy says what that is worth.
 *
 * @param gpc the browser sends Global Privacy Control, which refuses the sale of data
 */
public record Consent(Boolean preferences, Boolean analytics, Boolean marketing, Boolean saleOfData, boolean gpc) {
    /** Nobody asked. */
    public static final Consent NOBODY_ASKED = new Consent(null, null, null, null, false);

    /** Bits of AFTERCART_PURPOSE_... */
    int asked() {
        return (preferences != null ? 1 : 0) | (analytics != null ? 2 : 0) | (marketing != null ? 4 : 0)
                | (saleOfData != null ? 8 : 0);
    }

    int granted() {
        return (Boolean.TRUE.equals(preferences) ? 1 : 0) | (Boolean.TRUE.equals(analytics) ? 2 : 0)
                | (Boolean.TRUE.equals(marketing) ? 4 : 0) | (Boolean.TRUE.equals(saleOfData) ? 8 : 0);
    }
}

package aftercart;

import java.util.List;

/**
 * A decision: the slate, best first, and how it came about.
 *
 * @param reason without offers: the number of the commonest reason; with offers: 0
 * @param decisionId equal for equal order, catalog and policy; 32 hexadecimal digits
 * @param indexGeneration content of the catalog
 * @param policyGeneration content of the policy
 * @param overlayGeneration changes of the live overlay before the decision; 0 without one
 * @param groupId equal for all decisions of one order, whatever the customer answered; 32 hexadecimal digits
 * @param modelGeneration content of the model; 0 without one
 * @param retrieved candidates retrieved; {@code eligible} of them passed every rule, {@code rejected} were refused
 * @param centroids with {@code cells} and {@code compared}: work of the search
 */
public record Offers(List<Offer> slate, int reason, String decisionId, long indexGeneration, long policyGeneration, long overlayGeneration,
        String groupId, int modelGeneration, int retrieved, int eligible, int rejected, int centroids, int cells, int compared) {

    /** What the reason says, in one English line. */
    public String reasonText() {
        return reason == 0 ? "" : Native.reasonText(reason);
    }
}

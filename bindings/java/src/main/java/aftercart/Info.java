package aftercart;

/**
 * What an engine is.
 *
 * @param products products in the catalog
 * @param offers other offers in the catalog
 * @param indexGeneration content of the catalog: equal content, equal number
 * @param policyGeneration content of the policy
 * @param createdAtMs when the newest order in the catalog was placed, Unix milliseconds
 * @param fileBytes bytes of the file
 * @param kernel instruction set that compares vectors
 * @param currency of all amounts, ISO 4217
 */
public record Info(int products, int offers, long indexGeneration, long policyGeneration, long createdAtMs, long fileBytes,
        String kernel, String currency) {}

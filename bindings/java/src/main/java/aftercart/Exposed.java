package aftercart;

/** What happened to an offer of an earlier page. Unix milliseconds; 0 = not known, which counts as recent. */
public record Exposed(String id, Exposure event, long atMs) {}

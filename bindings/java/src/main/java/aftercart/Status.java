package aftercart;

/** How a call failed. */
public enum Status {
    /** A pointer that must be given is null. */
    NULL_POINTER(-101),
    /** A pointer or an element size is not a multiple of 8. */
    MISALIGNED(-102),
    /** A struct_size, element size or count that cannot be. */
    BAD_SIZE(-103),
    /** A reserved field, or one that this version does not know, is not zero. */
    UNSUPPORTED_FIELD(-104),
    /** A field holds a value outside its list, or one that needs a flag which is not set. */
    BAD_VALUE(-105),
    /** A text lies outside the strings that were given. */
    BAD_STRING(-106),
    /** A text is not UTF-8. */
    BAD_UTF8(-107),
    /** More than AFTERCART_LINES_MAX lines: rules could not be checked against all. */
    TOO_MANY_LINES(-108),
    /** More than AFTERCART_FACTS_MAX facts. */
    TOO_MANY_FACTS(-109),
    /** More than AFTERCART_SLOTS_MAX slots. */
    TOO_MANY_SLOTS(-110),
    /** An id that the catalog, or the catalogs of the overlay, do not have. */
    UNKNOWN_ID(-111),
    /** More options than can be put in order. */
    TOO_MANY_OPTIONS(-112),
    /** Not a live handle of this kind. */
    BAD_HANDLE(-201),
    /** Another thread is using this decider. */
    BUSY(-202),
    /** An earlier call on this decider ended in a defect; free it and make another. */
    POISONED(-203),
    /** The catalog file breaks a rule of its format. */
    BAD_CATALOG(-301),
    /** The policy in the catalog file cannot be used. */
    BAD_POLICY(-302),
    /** The live overlay has no room for this; make a larger one. */
    LIVE_FULL(-304),
    /** Not a model, or a damaged one: learn it again, or leave it out. */
    BAD_MODEL(-305),
    /** Programmes that cannot be read, or do not fit the catalog. */
    BAD_PROGRAMMES(-306),
    /** The catalog file was built by an incompatible version. */
    CATALOG_VERSION(-401),
    /** No memory. */
    OUT_OF_MEMORY(-501),
    /** The system refused; os_error has its number. */
    SYSTEM_ERROR(-502),
    /** A defect of aftercart was caught before it reached you: report it. */
    INTERNAL(-601),
    /** The live overlay is damaged, or was not bound to this catalog. */
    BAD_LIVE(-303),
    /** Nothing is left of a budget: do not show the offer. */
    BUDGET_EMPTY(-701),
    /** As many leases of a budget are out as the overlay has room for. */
    LEASES_OUT(-702),
    /** The offer or its partner was paused: do not show it. */
    PAUSED(-703),
    /** The lease expired, or was activated or released before. Nothing was counted. */
    LEASE_GONE(-704),
    /** The lease or the item is not of this engine's overlay. */
    LEASE_FOREIGN(-705),
    /** Not a token, or not one of this version. */
    BAD_TOKEN(-801),
    /** The token was not signed with this key, or was changed afterwards. */
    BAD_SIGNATURE(-802),
    /** The offer has expired: do not charge. */
    TOKEN_EXPIRED(-803),
    /** The offer is in another currency than the order: do not charge. */
    WRONG_CURRENCY(-804);

    private static final Status[] ALL = values();

    /** The number in the header. */
    final int code;

    Status(int code) {
        this.code = code;
    }

    static Status of(int code) {
        for (Status one : ALL) {
            if (one.code == code) {
                return one;
            }
        }
        return INTERNAL; // one that only a newer version of this binding knows
    }
}

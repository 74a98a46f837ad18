//! The codes that every call returns. `ffi/abi/status.txt` freezes them; no number is ever used again.
//!
//! This file stands alone: the test that writes the header includes it.

use core::ffi::CStr;

macro_rules! statuses {
    ($($name:ident = $code:literal, $c_name:literal, $text:literal;)+) => {
        /// How a call ended. Zero: done. Positive: done, with a remark. Negative: failed, in hundreds by family.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(i32)]
        pub(crate) enum Status { $(#[doc = $text] $name = $code,)+ }

        impl Status {
            /// Every status, in the order of the header.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The number.
            pub(crate) const fn code(self) -> i32 { self as i32 }

            /// The name in the header, without `AFTERCART_`.
            pub(crate) const fn name(self) -> &'static CStr { match self { $(Self::$name => $c_name,)+ } }

            /// One line for people.
            pub(crate) const fn text(self) -> &'static str { match self { $(Self::$name => $text,)+ } }
        }
    };
}

statuses! {
    Ok = 0, c"OK", "Done.";
    NoOffers = 1, c"NO_OFFERS", "Done: nothing belongs on the page. The summary has the reason.";
    Truncated = 2, c"TRUNCATED", "Done, but not everything fitted; the count is of all there is.";

    NoQuestion = 3, c"NO_QUESTION", "Done: no question is worth asking.";

    NullPointer = -101, c"NULL_POINTER", "A pointer that must be given is null.";
    Misaligned = -102, c"MISALIGNED", "A pointer or an element size is not a multiple of 8.";
    BadSize = -103, c"BAD_SIZE", "A struct_size, element size or count that cannot be.";
    UnsupportedField = -104, c"UNSUPPORTED_FIELD", "A reserved field, or one that this version does not know, is not zero.";
    BadValue = -105, c"BAD_VALUE", "A field holds a value outside its list, or one that needs a flag which is not set.";
    BadString = -106, c"BAD_STRING", "A text lies outside the strings that were given.";
    BadUtf8 = -107, c"BAD_UTF8", "A text is not UTF-8.";
    TooManyLines = -108, c"TOO_MANY_LINES", "More than AFTERCART_LINES_MAX lines: rules could not be checked against all.";
    TooManyFacts = -109, c"TOO_MANY_FACTS", "More than AFTERCART_FACTS_MAX facts.";
    TooManySlots = -110, c"TOO_MANY_SLOTS", "More than AFTERCART_SLOTS_MAX slots.";

    UnknownId = -111, c"UNKNOWN_ID", "An id that the catalog, or the catalogs of the overlay, do not have.";
    TooManyOptions = -112, c"TOO_MANY_OPTIONS", "More than AFTERCART_OPTIONS_MAX options.";

    BadHandle = -201, c"BAD_HANDLE", "Not a live handle of this kind.";
    Busy = -202, c"BUSY", "Another thread is using this decider.";
    Poisoned = -203, c"POISONED", "An earlier call on this decider ended in a defect; free it and make another.";

    BadCatalog = -301, c"BAD_CATALOG", "The catalog file breaks a rule of its format.";
    BadPolicy = -302, c"BAD_POLICY", "The policy in the catalog file cannot be used.";
    BadLive = -303, c"BAD_LIVE", "The live overlay is damaged, or was not bound to this catalog: aftercart live bind.";
    LiveFull = -304, c"LIVE_FULL", "The live overlay has no room for this; make a larger one.";
    BadModel = -305, c"BAD_MODEL", "Not a model, or a damaged one: learn it again, or leave it out.";
    BadProgrammes = -306, c"BAD_PROGRAMMES", "Programmes that cannot be read, or do not fit the catalog.";

    CatalogVersion = -401, c"CATALOG_VERSION", "The catalog file was built by an incompatible version.";

    OutOfMemory = -501, c"OUT_OF_MEMORY", "No memory.";
    SystemError = -502, c"SYSTEM_ERROR", "The system refused; os_error has its number.";

    Internal = -601, c"INTERNAL", "A defect of aftercart was caught before it reached you: report it.";

    BudgetEmpty = -701, c"BUDGET_EMPTY", "Nothing is left of a budget: do not show the offer.";
    LeasesOut = -702, c"LEASES_OUT", "As many leases of a budget are out as the overlay has room for.";
    Paused = -703, c"PAUSED", "The offer or its partner was paused: do not show it.";
    LeaseGone = -704, c"LEASE_GONE", "The lease expired, or was activated or released before. Nothing was counted.";
    LeaseForeign = -705, c"LEASE_FOREIGN", "The lease or the item is not of this engine's overlay.";

    BadToken = -801, c"BAD_TOKEN", "Not a token, or not one of this version.";
    BadSignature = -802, c"BAD_SIGNATURE", "The token was not signed with this key, or was changed afterwards.";
    TokenExpired = -803, c"TOKEN_EXPIRED", "The offer has expired: do not charge.";
    WrongCurrency = -804, c"WRONG_CURRENCY", "The offer is in another currency than the order: do not charge.";
}

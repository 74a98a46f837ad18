//! The structs that cross the boundary. Doc comments become the header.
//!
//! All are `repr(C)`, without padding, pointers, `bool` or enums: any bytes are a valid value, so reading one from C is
//! sound whatever is there; the derives prove it. `ffi/abi/layout.txt` has every size and offset.

#![allow(non_camel_case_types, reason = "these are the names that C sees")]

use std::ffi::c_char;

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// The ABI that this header describes. Compare with `aftercart_abi_version()` once at start.
pub const AFTERCART_ABI_VERSION: u32 = 1;

/// Most lines of a transaction.
pub const AFTERCART_LINES_MAX: u32 = 512;
/// Most facts of a call. Of these are read: the last 1024 purchases, the last 256 declines, the last 256 that were shown, looked
/// at or taken, the last 256 questions that were asked, the last 256 uses, the last 64 messages, the first 16 answers and the first 16 products removed from
/// the cart. Of more than 32 opted-out categories, all categories are taken as opted out.
pub const AFTERCART_FACTS_MAX: u32 = 4096;
/// Most slots of a placement: a capacity that always suffices.
pub const AFTERCART_SLOTS_MAX: u32 = 16;

/// Most pairs of files and thread for which `aftercart_resident` keeps handles.
pub const AFTERCART_RESIDENTS_MAX: u32 = 1024;

/// `aftercart_options.mode`: map the file; its pages are shared by all processes of the machine.
pub const AFTERCART_OPEN_MAP: u32 = 0;
/// `aftercart_options.mode`: read the file into memory of this process: for network file systems, and for files that
/// somebody may truncate.
pub const AFTERCART_OPEN_COPY: u32 = 1;
/// `aftercart_options.verify`: check everything; reads the whole file once.
pub const AFTERCART_VERIFY_FULL: u32 = 0;
/// `aftercart_options.verify`: check the structure only, in microseconds: for files that were verified when they were
/// published. Memory safety does not rest on the rest.
pub const AFTERCART_VERIFY_STRUCTURE: u32 = 1;
/// `aftercart_options.prefault`: a thread of this process reads a large mapped file ahead while decisions run, and ends.
pub const AFTERCART_PREFAULT_BACKGROUND: u32 = 0;
/// `aftercart_options.prefault`: opening returns when the whole mapped file was read.
pub const AFTERCART_PREFAULT_WHOLE: u32 = 1;
/// `aftercart_options.prefault`: each page of a mapped file is read when it is first needed. No thread.
pub const AFTERCART_PREFAULT_NONE: u32 = 2;

/// Not known.
pub const AFTERCART_UNKNOWN: u32 = 0;
/// No.
pub const AFTERCART_NO: u32 = 1;
/// Yes.
pub const AFTERCART_YES: u32 = 2;

/// `aftercart_transaction.flags`: `value` is given.
pub const AFTERCART_TRANSACTION_HAS_VALUE: u32 = 1;
/// `aftercart_transaction.flags`: `min_relevance` is given.
pub const AFTERCART_TRANSACTION_HAS_MIN_RELEVANCE: u32 = 2;
/// `aftercart_transaction.flags`: the order is a gift.
pub const AFTERCART_TRANSACTION_IS_GIFT: u32 = 4;
/// `aftercart_transaction.flags`: a test order, decided as any other.
pub const AFTERCART_TRANSACTION_IS_TEST: u32 = 8;
/// `aftercart_transaction.flags`: nothing that the customer bought before.
pub const AFTERCART_TRANSACTION_FIRST_PURCHASES: u32 = 16;
/// `aftercart_line.flags`: `unit_price` is given.
pub const AFTERCART_LINE_HAS_UNIT_PRICE: u32 = 1;
/// `aftercart_profile.flags`: the customer wants nothing from third parties.
pub const AFTERCART_PROFILE_OPT_OUT_THIRD_PARTY: u32 = 1;
/// `aftercart_profile.flags`: `orders` is given.
pub const AFTERCART_PROFILE_HAS_ORDERS: u32 = 2;
/// `aftercart_profile.flags`: the browser sends Global Privacy Control, which refuses the sale of data.
pub const AFTERCART_PROFILE_GPC: u32 = 4;

/// `aftercart_fact.kind`: an earlier purchase of product `id`, at `at_ms`.
pub const AFTERCART_FACT_PURCHASE: u32 = 1;
/// `aftercart_fact.kind`: the customer declined product or offer `id`, at `at_ms`.
pub const AFTERCART_FACT_DECLINE: u32 = 2;
/// `aftercart_fact.kind`: an answer `tag` to question `id` of a micro-survey. The tag `gift` suppresses refills.
pub const AFTERCART_FACT_ANSWER: u32 = 3;
/// `aftercart_fact.kind`: the customer does not want to see category path `id`, with its subtree.
pub const AFTERCART_FACT_OPT_OUT_CATEGORY: u32 = 4;
/// `aftercart_fact.kind`: product `id` was looked at in this session and put back.
pub const AFTERCART_FACT_CART_REMOVED: u32 = 5;
/// `aftercart_fact.kind`: `id` is a word of yours for this order, which a policy's conditions may ask for.
pub const AFTERCART_FACT_ORDER_TAG: u32 = 6;
/// `aftercart_fact.kind`: `id` is a word of yours for this customer, likewise.
pub const AFTERCART_FACT_SEGMENT: u32 = 7;

/// `aftercart_fact.kind`: product or offer `id` was shown on an earlier page, at `at_ms`: for frequency caps.
pub const AFTERCART_FACT_SHOWN: u32 = 8;
/// `aftercart_fact.kind`: the customer looked closer at it: likewise.
pub const AFTERCART_FACT_ENGAGED: u32 = 9;
/// `aftercart_fact.kind`: the customer took it: likewise.
pub const AFTERCART_FACT_ACCEPTED: u32 = 10;
/// `aftercart_fact.kind`: question `id` was asked, at `at_ms`, in this order or before, whatever the answer: so that it rests.
pub const AFTERCART_FACT_ASKED: u32 = 11;
/// `aftercart_fact.kind`: the customer paid or shipped with `id`, a name of yours, at `at_ms`. For the calls before payment; decisions
/// do not look at it.
pub const AFTERCART_FACT_USED: u32 = 12;
/// `aftercart_fact.kind`: likewise, and it did not work out: declined, or given up.
pub const AFTERCART_FACT_FAILED: u32 = 13;
/// `aftercart_fact.kind`: a message that the customer got at `at_ms`, or will get, through any channel. For `aftercart_plan_follow_ups`;
/// has no `id`.
pub const AFTERCART_FACT_CONTACTED: u32 = 14;

/// Of an id: whatever has it, product, offer or partner. An id that several of them have is refused.
pub const AFTERCART_ITEM_ANY: u32 = 0;
/// `aftercart_offer.item_kind`: a product of the catalog.
pub const AFTERCART_ITEM_PRODUCT: u32 = 1;
/// `aftercart_offer.item_kind`: any other offer.
pub const AFTERCART_ITEM_OFFER: u32 = 2;
/// A partner: only in calls about the live overlay.
pub const AFTERCART_ITEM_PARTNER: u32 = 3;
/// A question of the policy: only in `aftercart_item_text`, where its title is its words.
pub const AFTERCART_ITEM_QUESTION: u32 = 4;
/// An answer to one: likewise, where its id is its tag.
pub const AFTERCART_ITEM_ANSWER: u32 = 5;

/// `aftercart_item_text`: the id in the feed.
pub const AFTERCART_TEXT_ID: u32 = 1;
/// `aftercart_item_text`: the title.
pub const AFTERCART_TEXT_TITLE: u32 = 2;
/// `aftercart_item_text`: the category path; empty where not known and for other offers.
pub const AFTERCART_TEXT_CATEGORY: u32 = 3;
/// `aftercart_item_text`: the id of the partner behind it; empty for your own.
pub const AFTERCART_TEXT_PARTNER: u32 = 4;

/// `aftercart_live_fact.own` of an offer, and `.partner`: paused or killed.
pub const AFTERCART_LIVE_PAUSED: u32 = 1;
/// Likewise: nothing was left to reserve.
pub const AFTERCART_LIVE_EMPTY: u32 = 2;
/// Likewise, from this bit on: decisions that pacing turned away, parts per million.
pub const AFTERCART_LIVE_THROTTLE_SHIFT: u32 = 8;

/// `aftercart_change.set` and `.clear`: units in stock.
pub const AFTERCART_CHANGE_STOCK: u32 = 1;
/// Likewise: the price, with `priced_at_ms`.
pub const AFTERCART_CHANGE_PRICE: u32 = 2;
/// Likewise: what an offer earns.
pub const AFTERCART_CHANGE_BID: u32 = 4;
/// Likewise: the limit of a day.
pub const AFTERCART_CHANGE_DAILY: u32 = 8;
/// Likewise: the limit over all days.
pub const AFTERCART_CHANGE_TOTAL: u32 = 16;
/// Likewise: how the limit of a day is spread over it.
pub const AFTERCART_CHANGE_PACING: u32 = 32;
/// `aftercart_change.set`: when the day begins.
pub const AFTERCART_CHANGE_UTC_OFFSET: u32 = 64;

/// Most reasons of an explanation.
pub const AFTERCART_REASONS_MAX: u32 = 32;

/// `aftercart_selftest`: run into a defect, to show that it ends there.
pub const AFTERCART_SELFTEST_PANIC: u32 = 1;

// The header wants literals; these tie them to the engine's.
const _: () = assert!(AFTERCART_LINES_MAX as usize == engine::limits::LINES_MAX);
const _: () = assert!(AFTERCART_SLOTS_MAX as usize == engine::limits::SLOTS_MAX);
const _: () = assert!(engine::limits::PURCHASES_MAX == 1024 && engine::limits::DECLINES_MAX == 256);
const _: () = assert!(engine::limits::EXPOSURES_MAX == 256 && engine::limits::USES_MAX == 256);
const _: () = assert!(engine::limits::CONTACTS_MAX == 64);
const _: () = assert!(AFTERCART_LIVE_PAUSED as u64 == engine::LiveFact::PAUSED);
const _: () = assert!(AFTERCART_LIVE_EMPTY as u64 == engine::LiveFact::EMPTY);
const _: () = assert!(AFTERCART_LIVE_THROTTLE_SHIFT == engine::LiveFact::THROTTLE_SHIFT);
const _: () = assert!(engine::limits::ANSWERS_MAX == 16 && engine::limits::OPT_OUTS_MAX == 32);
const _: () = assert!(AFTERCART_REASONS_MAX == 32); // the length of `aftercart_explanation.reasons`
const _: () = assert!(engine::limits::ID_BYTES_MAX < 72); // `aftercart_offer.id` has room for it and a zero byte

/// An opened catalog with its policy. Immutable: any number of threads may use one at the same time.
#[derive(Debug)]
pub struct aftercart_engine {
    _opaque: (),
}

/// Makes decisions, one call at a time; may move between threads. Owns all memory that a decision needs.
#[derive(Debug)]
pub struct aftercart_decider {
    _opaque: (),
}

/// A text: `length` bytes of UTF-8 from byte `offset` of the `strings` argument. Length 0 = not given, whatever the offset.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_text {
    /// First byte in `strings`.
    pub offset: u32,
    /// Bytes.
    pub length: u32,
}

/// What went wrong, in words. Filled in where a function that takes it fails.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_error {
    /// `sizeof(aftercart_error)`.
    pub struct_size: u32,
    /// The status that the function returned.
    pub status: i32,
    /// `errno` of the system call that failed, else 0.
    pub os_error: i32,
    /// Number of the rule of the format that the file breaks, else 0.
    pub rule: u32,
    /// Where the file breaks it: a byte, or a row of `part`.
    pub offset: u64,
    /// Which part of the file: a header field or section, ended by a zero byte.
    pub part: [c_char; 32],
    /// The whole story in one line of UTF-8, cut where it does not fit, ended by a zero byte.
    pub message: [c_char; 456],
}

/// How to open a catalog. All zero (but `struct_size`) is the default.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_options {
    /// `sizeof(aftercart_options)`.
    pub struct_size: u32,
    /// `AFTERCART_OPEN_MAP` or `AFTERCART_OPEN_COPY`.
    pub mode: u32,
    /// `AFTERCART_VERIFY_FULL` or `AFTERCART_VERIFY_STRUCTURE`.
    pub verify: u32,
    /// What is read from disk before decisions ask for it: `AFTERCART_PREFAULT_BACKGROUND`, `AFTERCART_PREFAULT_WHOLE` or
    /// `AFTERCART_PREFAULT_NONE`.
    pub prefault: u32,
    /// Products that a search may look at; 0 = as the catalog says. At the number of products, every search is exact.
    pub visit_budget: u64,
}

/// What an engine is.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_info {
    /// `sizeof(aftercart_info)`.
    pub struct_size: u32,
    /// Products in the catalog.
    pub products: u32,
    /// Other offers in the catalog.
    pub offers: u32,
    /// ISO 4217 code of all amounts, padded with zeros.
    pub currency: [c_char; 4],
    /// Content of the catalog: equal content, equal number.
    pub index_generation: u64,
    /// Content of the policy.
    pub policy_generation: u64,
    /// When the newest order in the catalog was placed, Unix milliseconds.
    pub created_at_ms: i64,
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Instruction set that compares vectors, ended by a zero byte. Offers do not depend on it.
    pub kernel: [c_char; 16],
}

/// A paid order, or a basket before payment.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_transaction {
    /// `sizeof(aftercart_transaction)`.
    pub struct_size: u32,
    /// `AFTERCART_TRANSACTION_...`, or-ed.
    pub flags: u32,
    /// When, Unix milliseconds. 0 = not known: offers that depend on time are not shown.
    pub created_at_ms: i64,
    /// Total in minor units, with `AFTERCART_TRANSACTION_HAS_VALUE`. Without: the sum of the lines, where all prices are known.
    pub value: i64,
    /// Your order id. Only hashed into the decision id.
    pub order_id: aftercart_text,
    /// ISO 4217 code, for example `"EUR"`, of `value` and the lines. Empty = the catalog's.
    pub currency: [c_char; 4],
    /// ISO 3166-1 code, for example `"DE"`, of where the order goes. Empty = not known: offers bound to a region are not shown.
    pub country: [c_char; 4],
    /// Where in the purchase: `AFTERCART_STAGE_...`.
    pub stage: u32,
    /// Slots to fill, at most `AFTERCART_SLOTS_MAX`; 0 = as the policy says.
    pub slots: u32,
    /// Least relevance in thousandths, with `AFTERCART_TRANSACTION_HAS_MIN_RELEVANCE`. Without: as the policy says.
    pub min_relevance: u32,
    /// How it was paid: `AFTERCART_PAYMENT_...`.
    pub payment: u32,
    /// Whether that payment can be charged again without asking for it once more: `AFTERCART_UNKNOWN`, `AFTERCART_NO` or
    /// `AFTERCART_YES`.
    pub rechargeable: u32,
    /// Zero.
    pub reserved: u32,
    /// The placement's id in the policy. Empty = whichever the policy has for the stage. One that the policy does not have shows
    /// nothing, where it has placements at all.
    pub placement: aftercart_text,
}

/// One bought line.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_line {
    /// The product's id in the feed. May be one that the catalog does not know.
    pub item_id: aftercart_text,
    /// Full category path, levels joined by `" > "`: stands in where the catalog does not know the id.
    pub category: aftercart_text,
    /// Brand: likewise.
    pub brand: aftercart_text,
    /// Price of one unit in minor units, with `AFTERCART_LINE_HAS_UNIT_PRICE`. Without: not known.
    pub unit_price: i64,
    /// Units; 0 = one.
    pub quantity: u32,
    /// What kind of purchase: `AFTERCART_ROLE_...`; 0 = as the catalog says.
    pub role: u32,
    /// Your own mark: `AFTERCART_SENSITIVE_...`. Such a line is not asked about; 0 = as catalog and policy say.
    pub sensitive: u32,
    /// `AFTERCART_LINE_...`, or-ed.
    pub flags: u32,
}

/// The customer, as far as you know and may say. All zero (but `struct_size`) is an anonymous one. There is no field for a
/// name, an e-mail address, a phone number or a street.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_profile {
    /// `sizeof(aftercart_profile)`.
    pub struct_size: u32,
    /// `AFTERCART_PROFILE_...`, or-ed.
    pub flags: u32,
    /// New or returning: `AFTERCART_CUSTOMER_...`.
    pub customer: u32,
    /// Age: `AFTERCART_AGE_...`. Where not known, age-restricted offers are not shown.
    pub age_band: u32,
    /// In the loyalty programme: `AFTERCART_UNKNOWN`, `AFTERCART_NO` or `AFTERCART_YES`.
    pub loyalty_member: u32,
    /// Has your app: likewise.
    pub has_app: u32,
    /// 128 bits of a hash of your choice; only for assigning to experiments. All zero = none.
    pub unit_key: [u64; 2],
    /// 128 bits of a hash that ends with the session. All zero = none.
    pub session_key: [u64; 2],
    /// Your name of the customer's loyalty tier. Empty = not known.
    pub loyalty_tier: aftercart_text,
    /// Orders before this one, with `AFTERCART_PROFILE_HAS_ORDERS`. Without: not known.
    pub orders: u32,
    /// Zero.
    pub reserved: u32,
    /// Purposes that the customer was asked to consent to: `1 << AFTERCART_PURPOSE_...`, or-ed.
    pub purposes_asked: u32,
    /// Those of them that the customer granted; the others are refused.
    pub purposes_granted: u32,
}

/// One thing known of the customer, oldest first. Fields that its kind does not use are zero.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_fact {
    /// `AFTERCART_FACT_...`.
    pub kind: u32,
    /// Zero.
    pub reserved: u32,
    /// When, Unix milliseconds, 0 = not known. Purchases, declines, and what was shown, looked at or taken.
    pub at_ms: i64,
    /// What it is about: see `AFTERCART_FACT_...`.
    pub id: aftercart_text,
    /// The tag that an answer stands for. Answers only.
    pub tag: aftercart_text,
}

/// One offer of the slate.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_offer {
    /// `AFTERCART_ITEM_PRODUCT` or `AFTERCART_ITEM_OFFER`.
    pub item_kind: u32,
    /// Row in the catalog, for `aftercart_item_text`. Only valid with the engine of this decider.
    pub item_row: u32,
    /// What it is: `AFTERCART_KIND_...`.
    pub kind: u32,
    /// Position on the page, from 0.
    pub position: u32,
    /// 1 = sold or made by a third party.
    pub third_party: u32,
    /// How it follows from the order: `AFTERCART_RELATION_...`.
    pub relation: u32,
    /// Index of the bought line behind it; -1 where no single line is.
    pub line: i32,
    /// How well it fits what was bought, in thousandths.
    pub relevance: u32,
    /// Probability that the customer accepts it, parts per million.
    pub p_accept_ppm: u32,
    /// Probability that the policy shows it in this slot, parts per million: what pacing lets pass of it.
    pub p_select_ppm: u32,
    /// What you earn when it is accepted, minor units.
    pub value: i64,
    /// Expected contribution, millionths of a minor unit.
    pub ev_micros: i64,
    /// Price to the customer in minor units, as the live overlay has it, else the catalog; -1 = not known.
    pub price: i64,
    /// Bytes of `id`.
    pub id_length: u32,
    /// How it may be accepted: `AFTERCART_ACCEPT_...`. Charging is yours; `stage`, `payment` and `rechargeable` of the
    /// transaction decide whether the payment of the order may be charged again.
    pub accept: u32,
    /// Id in the feed, at most 64 bytes of UTF-8, ended by a zero byte.
    pub id: [c_char; 72],
    /// Why it is accepted in that way and no shorter one: `AFTERCART_ACCEPTANCE_...`.
    pub accept_reason: u32,
    /// 1 = the customer's bank may want them to confirm the charge (strong customer authentication).
    pub may_need_confirmation: u32,
}

/// The decision as a whole: enough to log it, and to make it again.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_summary {
    /// `sizeof(aftercart_summary)`.
    pub struct_size: u32,
    /// Without offers: the commonest reason, `AFTERCART_REASON_...`. With offers: 0.
    pub reason: u32,
    /// Equal for equal order, catalog and policy: low half.
    pub decision_id_low: u64,
    /// High half.
    pub decision_id_high: u64,
    /// Content of the catalog.
    pub index_generation: u64,
    /// Content of the policy.
    pub policy_generation: u64,
    /// Candidates retrieved.
    pub retrieved: u32,
    /// Candidates that passed every rule.
    pub eligible: u32,
    /// Candidates refused.
    pub rejected: u32,
    /// Centroids that the search compared.
    pub centroids: u32,
    /// Cells that the search scanned.
    pub cells: u32,
    /// Products that the search compared.
    pub compared: u32,
    /// Changes of the live overlay before the decision; 0 without one. `aftercart_live_facts` has what was read of it.
    pub overlay_generation: u64,
    /// Equal for all decisions of one order under one catalog and policy, whatever the customer answered: low half.
    pub group_id_low: u64,
    /// High half.
    pub group_id_high: u64,
    /// Content of the model; 0 without one.
    pub model_generation: u32,
    /// Zero.
    pub reserved: u32,
}

/// The right to spend from the budgets of an offer, until it expires. Plain data: keep it with the customer's session, and
/// activate or release it from any process of the machine.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_lease {
    /// `sizeof(aftercart_lease)`.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// When it expires, Unix milliseconds; 0 = it holds nothing, since there is no limit.
    pub expires_at_ms: i64,
    /// What the library knows it by.
    pub words: [u64; 4],
}

/// What a decision read of the live overlay about one candidate.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_live_fact {
    /// `AFTERCART_ITEM_PRODUCT` or `AFTERCART_ITEM_OFFER`.
    pub item_kind: u32,
    /// Row in the catalog.
    pub item_row: u32,
    /// A product: its price + 1 (32 bits), the price's minute since 2025 (24 bits), its stock + 1 (6 bits), paused, killed; each
    /// 0 where the overlay does not say. An offer: `AFTERCART_LIVE_...`.
    pub own: u64,
    /// Of its partner: `AFTERCART_LIVE_...`.
    pub partner: u64,
    /// What an offer earns, minor units; -1 = as the catalog says.
    pub bid: i64,
}

/// One change of the live overlay. What it does not name stays as it is.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_change {
    /// What `id` is: `AFTERCART_ITEM_...`.
    pub kind: u32,
    /// `AFTERCART_CHANGE_...`, or-ed: which of the fields below count. Others are zero.
    pub set: u32,
    /// `AFTERCART_CHANGE_...`, or-ed: what the overlay forgets, so that the catalog's holds again, or no limit.
    pub clear: u32,
    /// Products: units in stock; more than 62 count as 62.
    pub stock: u32,
    /// Not to be shown for now: `AFTERCART_YES` or `AFTERCART_NO`; `AFTERCART_UNKNOWN` = as it is.
    pub paused: u32,
    /// Not to be shown any more: likewise.
    pub killed: u32,
    /// Whether limits count minor units of value, not accepted offers: likewise. Cannot change once there was a limit.
    pub money: u32,
    /// Offers and partners: when the day begins, minutes east of UTC, -840 to 840.
    pub utc_offset_minutes: i32,
    /// Id in the feed.
    pub id: aftercart_text,
    /// Offers and partners with a limit of a day: `"even"`, or 24 weights of hours or 96 of quarters of an hour in decimal,
    /// joined by commas, from midnight on.
    pub pacing: aftercart_text,
    /// Products: price in minor units of the catalog's currency, 0 to 4294967294.
    pub price: i64,
    /// When that price was stated, Unix milliseconds; 0 = not known.
    pub priced_at_ms: i64,
    /// Offers: what you earn when it is accepted, minor units, in place of the catalog's.
    pub bid: i64,
    /// Offers and partners: limit of one day, 0 to 17592186044415.
    pub daily: i64,
    /// Offers and partners: limit over all days, likewise.
    pub total: i64,
}

/// What the live overlay says of one product, offer or partner.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_live_state {
    /// `sizeof(aftercart_live_state)`.
    pub struct_size: u32,
    /// What it is: `AFTERCART_ITEM_...`.
    pub kind: u32,
    /// 1 = not to be shown for now.
    pub paused: u32,
    /// 1 = not to be shown any more.
    pub killed: u32,
    /// Products: units in stock, of which 62 stands for more; -1 = as the catalog says.
    pub stock: i32,
    /// Offers and partners: when the day begins, minutes east of UTC.
    pub utc_offset_minutes: i32,
    /// 1 = limits count minor units of value; 0 = accepted offers.
    pub money: u32,
    /// 1 = the limit of a day is spread over it.
    pub paced: u32,
    /// Decisions that pacing turns away now, parts per million.
    pub throttle_ppm: u32,
    /// Leases that are out.
    pub leases: u32,
    /// Products: price in minor units; -1 = as the catalog says.
    pub price: i64,
    /// When that price was stated, Unix milliseconds, to the minute below; 0 = not known.
    pub priced_at_ms: i64,
    /// Offers: what you earn when it is accepted, minor units; -1 = as the catalog says.
    pub bid: i64,
    /// Limit of one day; -1 = none.
    pub daily: i64,
    /// Limit over all days; -1 = none.
    pub total: i64,
    /// Activated today.
    pub spent_today: i64,
    /// Activated ever.
    pub spent: i64,
    /// Held by leases that are out.
    pub held: i64,
}

/// Everything that speaks for and against one product or offer.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_explanation {
    /// `sizeof(aftercart_explanation)`.
    pub struct_size: u32,
    /// `AFTERCART_ITEM_PRODUCT` or `AFTERCART_ITEM_OFFER`.
    pub item_kind: u32,
    /// Row in the catalog.
    pub item_row: u32,
    /// Position on the page; -1 = not shown.
    pub position: i32,
    /// How it follows from the order: `AFTERCART_RELATION_...`; 0 = nothing leads to it.
    pub relation: u32,
    /// Index of the bought line behind it; -1 where no single line is.
    pub line: i32,
    /// How well it fits what was bought, in thousandths.
    pub relevance: u32,
    /// Probability that the customer accepts it, parts per million.
    pub p_accept_ppm: u32,
    /// Expected contribution, millionths of a minor unit.
    pub ev_micros: i64,
    /// Reasons that there are; more than fit into `reasons` are counted, not kept.
    pub reason_count: u32,
    /// Zero.
    pub reserved: u32,
    /// Why it is not shown: all rules that refuse it, and the limit or competitor that it lost to. `AFTERCART_REASON_...`.
    pub reasons: [u32; 32],
}

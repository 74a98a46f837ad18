//! Every maximum, with its reason. Work and memory of a decision follow from these alone.

/// Most products in one catalog: an id and its kind share a 32-bit word in the name table.
pub const PRODUCTS_MAX: u32 = 1 << 28;
/// Most vector components. Rows are padded to a multiple of [`DIM_STEP`].
pub const DIM_MAX: usize = 512;
/// Rows are whole cache lines of int8.
pub const DIM_STEP: usize = 64;
/// Most cells: a search scans the codes of some 12 areas and more, each about the root of this many cells. Cells keep their
/// size up to 16 million products.
pub const CELLS_MAX: u32 = 1 << 18;
/// Most areas: every search compares the centroids of all of them.
pub const AREAS_MAX: u32 = 1 << 10;

/// Most lines of a transaction: a longer one is refused, since rules could not be checked against all of it.
pub const LINES_MAX: usize = 512;
/// Lines that ask for complements: the dearest ones of a larger basket.
pub const ASKING_LINES_MAX: usize = 32;
/// Products that are asked for together, from memory or disk, before they are looked up.
pub(crate) const FORESEEN: usize = 32;
/// Rows that a product is compared with: those lines, and the customer's taste.
pub(crate) const ASKED_MAX: usize = ASKING_LINES_MAX + 1;
/// Query vectors of one search.
pub const QUERIES_MAX: usize = 4;
/// Past purchases that are read, newest last.
pub const PURCHASES_MAX: usize = 1024;
/// Declines that are read.
pub const DECLINES_MAX: usize = 256;
/// Earlier exposures that are read.
pub const EXPOSURES_MAX: usize = 256;
/// Frequency caps of all contracts together.
pub const CAPS_MAX: usize = 16_384;
/// Answers that are read.
pub const ANSWERS_MAX: usize = 16;
/// Products put back from the cart that are read.
pub const CART_REMOVED_MAX: usize = 16;
/// Opted-out categories that are read.
pub const OPT_OUTS_MAX: usize = 32;

/// Products that a search returns.
pub const SEARCH_HITS_MAX: usize = 160;
/// Of those, the ones near the basket that become candidates.
pub const COMPLEMENT_HITS_MAX: usize = 32;
/// Associates that speak for a line. Where there are as many, vectors add nothing: on a grocer's held-out orders no measure
/// fell when such lines did not ask them. A ranker learns better where they do, so its own requests ask for every line.
pub const LISTED: usize = 8;
/// Products that lists of what lies near may add.
pub const NEAR_HITS_MAX: usize = 32;
/// Products that associates of the lines may add, and as many those of earlier purchases.
pub const LINK_HITS_MAX: usize = 80;
/// Products that most customers buy, which may be new to this one.
pub const BEST_SELLERS_MAX: usize = 96;
/// Products that type transitions may add.
pub const TYPE_HITS_MAX: usize = 96;
/// Products near the customer's taste that a search may add.
pub const TASTE_HITS_MAX: usize = 24;
/// Past purchases that may come back as refills.
pub const REFILL_HITS_MAX: usize = 64;
/// Partner and house offers that triggers may add.
pub const OFFER_HITS_MAX: usize = 64;
/// Candidates of one decision, all sources together.
pub const CANDIDATES_MAX: usize = 2 * LINK_HITS_MAX
    + BEST_SELLERS_MAX
    + COMPLEMENT_HITS_MAX
    + NEAR_HITS_MAX
    + TYPE_HITS_MAX
    + TASTE_HITS_MAX
    + REFILL_HITS_MAX
    + OFFER_HITS_MAX
    + CART_REMOVED_MAX;
/// Candidates that a decision goes on with where its deadline came before they were scored.
pub const LATE_CANDIDATES_MAX: usize = 64;
/// Types that go with one type, as the file keeps them.
pub const TRANSITIONS_MAX: usize = 32;
/// Products that were bought with one product, as the file keeps them.
pub const ASSOCIATES_MAX: usize = 64;
/// Of those, the ones that are read for an earlier purchase.
pub const PAST_ASSOCIATES_MAX: usize = 40;
/// Earlier purchases whose associates are read.
pub const PAST_ASKED_MAX: usize = 64;
/// Types of earlier purchases that are asked what goes with them.
pub const PAST_TYPES_MAX: usize = 256;
/// Earlier baskets that a file keeps.
pub const BASKETS_MAX: usize = 1 << 24;
/// Products of one of them.
pub const BASKET_LINES_MAX: usize = 64;
/// Of a product's earlier baskets, the ones that the file lists.
pub const POSTINGS_MAX: usize = 512;
/// Entries of those lists that one decision reads.
pub const POSTINGS_READ_MAX: usize = 2048;
/// Earlier baskets, the ones most like the one at hand, whose products are looked at.
pub const SIMILAR_MAX: usize = 200;
/// Products that are kept in mind while associates and similar baskets are added up: more than lists name, and some 3,600 of
/// those baskets. What only the least alike of very large ones held is left out. A table of twice as many stays in cache.
pub const LINKS_MAX: usize = 8192;
/// Types that are pooled over a basket.
pub const POOLED_TYPES_MAX: usize = ASKING_LINES_MAX * TRANSITIONS_MAX;

/// Slots of a placement.
pub const SLOTS_MAX: usize = 16;
/// Rejections that a decision returns; further ones are only counted.
pub const REJECTED_MAX: usize = 256;

/// Cells that one query may scan.
pub const PROBES_MAX: usize = 1024;
/// Products that one query may compare again by their whole rows.
pub const RERANK_MAX: usize = 512;
/// Products that a search compares, unless a builder or a caller says otherwise.
pub const VISIT_BUDGET: u32 = 1024;
/// Of those, the ones that are compared again by their whole rows.
pub const RERANK: u32 = 96;
/// Slots of the name table that a look-up may read. The builder grows the table until all names fit.
pub const NAME_PROBES_MAX: usize = 64;
/// Depth of a category tree.
pub const CATEGORY_DEPTH_MAX: usize = 16;
/// Longest id, in bytes.
pub const ID_BYTES_MAX: usize = 64;
/// Records of one policy and the contracts of a catalog.
pub const POLICY_RULES_MAX: usize = 1 << 18;
/// Classes of products that a policy's rules treat alike.
pub const RULE_CLASSES_MAX: usize = 16_384;
/// Rules with conditions of one policy: each is asked once per decision.
pub const RULES_MAX: usize = 1024;
/// Steps of all their conditions together.
pub const CONDITION_OPS_MAX: usize = 16_384;
/// Answers that a condition may keep in mind at once.
pub const CONDITION_STACK_MAX: usize = 64;
/// Pairs that may not meet.
pub const APART_MAX: usize = 64;
/// Placements of one policy.
pub const PLACEMENTS_MAX: usize = 64;
/// Changes of the clock in the policy's time zone.
pub const ZONE_SHIFTS_MAX: usize = 1024;
/// Questions of one policy.
pub const QUESTIONS_MAX: usize = 16;
/// Answers of one question.
pub const QUESTION_ANSWERS_MAX: usize = 6;
/// Answers of all questions together: choosing a question makes a decision for each.
pub const QUESTION_DECISIONS_MAX: usize = 32;
/// Longest text of a question or answer, in bytes.
pub const QUESTION_TEXT_MAX: usize = 255;
/// Programmes of what follows a purchase.
pub const PROGRAMMES_MAX: usize = 64;
/// Of those, the ones that speak after one order.
pub const FOLLOW_UP_PROGRAMMES_MAX: usize = 8;
/// Messages of one programme.
pub const FOLLOW_UP_STEPS_MAX: usize = 8;
/// Messages that one order plans.
pub const FOLLOW_UPS_MAX: usize = 16;
/// Other messages that a plan makes way for.
pub const CONTACTS_MAX: usize = 64;
/// Ways to pay or to ship that are put in order.
pub const OPTIONS_MAX: usize = 32;
/// Earlier uses of them, or stored fields, that are read.
pub const USES_MAX: usize = 256;
/// Counts of ways to pay that are read.
pub const METHOD_COUNTS_MAX: usize = 1024;
/// Layers of experiments of one policy.
pub const LAYERS_MAX: usize = 4;
/// Arms of all experiments of one layer.
pub const ARMS_MAX: usize = 64;
/// Candidates that exploration draws among.
pub const EXPLORE_MAX: usize = 32;
/// Longest name of a rule, in bytes.
pub const RULE_NAME_MAX: usize = 64;
/// Tags of an order that are read.
pub const TAGS_MAX: usize = 32;
/// Segments of a customer that are read.
pub const SEGMENTS_MAX: usize = 64;
/// Blocks of one partner.
pub const PARTNER_BLOCKS_MAX: usize = 256;
/// Offers behind one trigger.
pub const TRIGGER_OFFERS_MAX: usize = 64;

const _: () = assert!(DIM_MAX.is_multiple_of(DIM_STEP));
// A product index and its name kind share 32 bits.
const _: () = assert!(PRODUCTS_MAX.is_power_of_two() && PRODUCTS_MAX.trailing_zeros() == 28);
// The candidate table of `scratch.rs` is at most half full.
const _: () = assert!(CANDIDATES_MAX <= 1024);

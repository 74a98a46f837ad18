//! Every column of the log, with its unit and its class of redaction: *public* (catalog, policy, machine), *order* (one order,
//! not who placed it), *pseudonym* (the same for the same customer: erase or replace it where the log leaves your house).

use super::Table;

/// Name, what it is, class.
pub type Column = (&'static str, &'static str, &'static str);

/// The columns of a table, in order.
#[must_use]
pub fn of(table: Table) -> &'static [Column] {
    match table {
        Table::Decisions => DECISIONS,
        Table::Offers => OFFERS,
        Table::Events => EVENTS,
    }
}

const DECISIONS: &[Column] = &[
    ("decision_id", "32 hexadecimal digits; joins offers and events", "order"),
    (
        "group_id",
        "the same for decisions of one order under several answers; the decision_id where nothing was answered",
        "order",
    ),
    ("ring", "where it was recorded: a decider's ring", "public"),
    ("number", "of the decision in its ring, from 1; missing ones were dropped", "public"),
    ("at_utc", "when; null = not known", "order"),
    ("day", "the same as a date", "order"),
    ("index_generation", "catalog, 16 hexadecimal digits", "public"),
    ("policy_generation", "policy, 16 hexadecimal digits", "public"),
    ("overlay_generation", "changes of the overlay's settings before", "public"),
    (
        "model_generation",
        "of the model that was learnt from a log, 8 hexadecimal digits; null without one",
        "public",
    ),
    ("model_shadow", "it decided nothing", "public"),
    ("seed", "of exploration; 0 without", "public"),
    ("unit", "what was assigned: customer, session, order, none", "public"),
    ("unit_hash", "stands for it, 16 hexadecimal digits", "pseudonym"),
    ("shows", "offers, nothing, earlier (the page as it was)", "public"),
    ("holdout_bucket", "of the global holdout, 0 to 9,999; null without one", "public"),
    ("held_out", "the global holdout keeps it", "public"),
    ("holdout_share", "share of the units that it keeps; null without one", "public"),
    ("share_1", "share of the units that the policy gives its arm", "public"),
    ("experiment_1", "experiment of layer 1; null without", "public"),
    ("arm_1", "its arm", "public"),
    ("bucket_1", "bucket in the layer, 0 to 9,999", "public"),
    ("share_2", "", "public"),
    ("experiment_2", "layer 2", "public"),
    ("arm_2", "", "public"),
    ("bucket_2", "", "public"),
    ("share_3", "", "public"),
    ("experiment_3", "layer 3", "public"),
    ("arm_3", "", "public"),
    ("bucket_3", "", "public"),
    ("share_4", "", "public"),
    ("experiment_4", "layer 4", "public"),
    ("arm_4", "", "public"),
    ("bucket_4", "", "public"),
    ("placement", "its id in the policy; empty = the default one", "public"),
    ("stage", "confirmation, email, ...", "public"),
    ("status", "OK, NO_OFFER, HOLDOUT", "public"),
    ("reason", "why there is no offer, a reason code; null where there is one", "public"),
    ("degraded_search", "searches were left out for a deadline", "public"),
    ("degraded_candidates", "candidates were left out for a deadline", "public"),
    ("took_us", "microseconds that it took, by the host's clock; null = not timed", "public"),
    ("slots", "to fill", "public"),
    ("shown", "filled, or that would have been", "public"),
    ("lines", "bought lines", "order"),
    ("order_value", "minor units; null = not known", "order"),
    ("currency", "of all amounts", "public"),
    ("line_types", "rows of the catalog's types of up to 8 lines that are not sensitive", "order"),
    ("retrieved", "candidates", "public"),
    ("eligible", "of those, the ones that passed every rule and floor", "public"),
    ("rejected", "of those, the ones refused", "public"),
    ("slate_p_select", "probability of the slate, slots in order: the product of theirs", "public"),
    ("reason_codes", "why candidates were refused, commonest first, at most 12", "public"),
    ("reason_counts", "how many each", "public"),
    ("candidate_ids", "of up to 32 eligible candidates, the slate first", "public"),
    ("candidate_p_accept", "0 to 1", "public"),
    ("candidate_p_catalog", "the catalog's own, which a model may have replaced", "public"),
    ("candidate_p_model", "the model's; null without one", "public"),
    ("candidate_relevance", "0 to 1", "public"),
    ("candidate_value", "minor units", "public"),
    ("candidate_ev", "expected contribution, minor units", "public"),
    ("candidate_refill", "the customer bought it before", "order"),
];

const OFFERS: &[Column] = &[
    ("decision_id", "joins decisions", "order"),
    ("position", "on the page, from 0", "public"),
    ("item_id", "of the product or offer; empty where the drain did not have the catalog", "public"),
    ("kind", "product, warranty, subscription, ...", "public"),
    ("partner", "its id; empty = the merchant", "public"),
    ("category", "path of a product's category; empty for others", "public"),
    ("relation", "how it follows from the order", "public"),
    ("line", "index of the bought line behind it; null without", "order"),
    ("relevance", "0 to 1", "public"),
    ("p_accept", "probability that it is accepted", "public"),
    ("p_select", "probability of the choice given the slots before", "public"),
    ("value", "what it earns when accepted, minor units", "public"),
    ("ev", "p_accept times value", "public"),
    ("ghost", "its unit was held out: it was not shown", "public"),
];

const EVENTS: &[Column] = &[
    ("event_id", "its own: the same twice counts once", "order"),
    ("decision_id", "what it came of", "order"),
    ("at_utc", "when", "order"),
    (
        "event",
        "activated, engaged, accepted, accept_failed, converted, returned, dismissed, survey_answered, ordered",
        "public",
    ),
    ("item_id", "of the product or offer; empty = the page", "public"),
    ("value", "minor units: of a conversion, a return, an order", "order"),
    ("margin", "of it, the merchant's, minor units", "order"),
    ("payout", "from the partner, minor units", "order"),
    ("code", "of a failure or dismissal, in the host's words", "public"),
    ("question", "of a survey", "public"),
    ("answer", "its tag", "order"),
];

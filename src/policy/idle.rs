//! Questions that are never worth asking, for `aftercart policy check`. Control plane.

use super::condition::{Condition, FlagFact, ListFact};
use super::review::can_hold;
use super::{CompiledPolicy, Policy, Question};
use crate::index::View;
use crate::index::format::{NONE, OfferRecord, answer_key, trigger};
use crate::profile::GIFT;
use crate::vocabulary::OfferKind;

/// Each with the reason why no answer to it changes a page, or why it is never asked.
pub(super) fn idle_questions(policy: &Policy, compiled: &CompiledPolicy, view: &View<'_>) -> Vec<String> {
    let idle = |question: &Question| {
        let why = if !can_hold(&question.ask_if) {
            "is never asked: its ask_if contradicts itself"
        } else if question.answers.iter().all(|answer| changes_nothing(&answer.tag, policy, compiled, view)) {
            "can never change a page: its tags trigger no offer, and no condition asks for them"
        } else {
            return None;
        };
        Some(format!("question \"{}\" {why}", question.id))
    };
    policy.questions.iter().filter_map(idle).collect()
}

fn changes_nothing(tag: &str, policy: &Policy, compiled: &CompiledPolicy, view: &View<'_>) -> bool {
    let gift = tag == GIFT;
    let triggers = !view.triggered(trigger::ANSWER, answer_key(tag.as_bytes())).is_empty();
    // A gift keeps refills and own subscriptions away.
    let own_subscription =
        |record: &OfferRecord| record.kind == OfferKind::Subscription.code() && record.partner.get() == NONE;
    let of_gifts =
        || gift && (policy.slate.max_refill_percent > 0 || view.offers.iter().any(own_subscription));
    let own = policy.rules.iter().any(|rule| asks(&rule.when, tag, gift));
    !(triggers || own || of_gifts() || compiled.contracts.ask_for(tag, gift))
}

/// Whether a condition looks at an answer.
fn asks(condition: &Condition, tag: &str, gift: bool) -> bool {
    condition.has(&mut |part| match part {
        Condition::Has { list: ListFact::Answers, value } => value == tag,
        Condition::Flag(FlagFact::OrderGift) => gift,
        _ => false,
    })
}

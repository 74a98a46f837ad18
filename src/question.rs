//! The one question: which answer, if the customer gave it, would change the page for the better.

use std::sync::Arc;

use crate::context;
use crate::days::DAY_MS;
use crate::decide::{DecideError, Decider};
use crate::offer::{Item, Offer, Offers, Status};
use crate::policy::{Facts, ReadyQuestion};
use crate::profile::{Answer, GIFT, Profile};
use crate::scratch::Candidate;
use crate::transaction::Transaction;

/// A question's row in the policy. Only valid with the engine that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuestionIx(pub u8);

/// A question that is worth asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextQuestion {
    /// Which; [`crate::Engine::question`] has its words.
    pub question: QuestionIx,
    /// By how much the page is expected to be worth more once it is answered, in millionths of a minor unit.
    pub gain_micros: i64,
    /// Decisions that were made to find out: one as things stand, one for each answer of each question that may be asked.
    pub decisions: u8,
}

impl Decider {
    /// The question whose answer is expected to make the page worth most, or none where no answer would change it, or where one
    /// was asked or answered in this order.
    ///
    /// For each question that may be asked here and each of its answers it decides as if that answer had been given. With
    /// prior p(a), slate S(a) under the answer, S as things stand, and V(x | a) the expected contribution of a slate's offers
    /// under the answer (0 for one that the answer rules out), a question's gain is the sum over its answers of
    /// p(a) * (V(S(a) | a) - V(S | a)): its expected value of information. Ties go to the policy's first.
    ///
    /// No heap allocation, no lock, no system call, no panic; at most [`crate::limits::QUESTION_DECISIONS_MAX`] decisions and
    /// one, none of them recorded. The same input gives the same question on every machine. Afterwards decide again with
    /// the answer in [`Profile::answers`]: the order's other fields unchanged, both decisions have the same
    /// [`Offers::group_id`], and chance falls alike in both.
    ///
    /// # Errors
    /// As [`Decider::decide`].
    pub fn next_question(
        &mut self,
        transaction: &Transaction<'_>,
        profile: &Profile<'_>,
    ) -> Result<Option<NextQuestion>, DecideError> {
        let engine = Arc::clone(self.engine());
        let policy = engine.policy();
        let asked_now = profile.asked.iter().any(|asked| asked.at_ms >= transaction.created_at_ms);
        if policy.questions.is_empty() || !profile.answers.is_empty() || asked_now {
            return Ok(None);
        }
        let as_is = self.staged(transaction, profile, &mut |_| false, &mut |_| (), None)?;
        if matches!(as_is.status, Status::Holdout(_)) {
            return Ok(None);
        }
        let slots = policy.slots(&transaction.placement).into();
        let order_value = context::order_value(transaction);
        let facts = Facts::new(transaction, profile, &policy.zone, order_value, transaction.is_gift, slots);
        let (mut best, mut decisions) = (None::<NextQuestion>, 1);
        for (ix, question) in (0..).map(QuestionIx).zip(&policy.questions) {
            let told = transaction.is_gift && question.answers.iter().any(|answer| answer.tag == GIFT);
            if told
                || rests(question, transaction, profile)
                || !question.may_ask(transaction.placement.id, &facts)
            {
                continue;
            }
            let gain_micros = self.gain(transaction, profile, &as_is, question, &facts, &mut decisions)?;
            let least = question.min_gain_micros.max(best.map_or(0, |best| best.gain_micros));
            if gain_micros > least {
                best = Some(NextQuestion { question: ix, gain_micros, decisions });
            }
        }
        Ok(best.map(|best| NextQuestion { decisions, ..best }))
    }

    fn gain(
        &mut self,
        transaction: &Transaction<'_>,
        profile: &Profile<'_>,
        as_is: &Offers,
        question: &ReadyQuestion,
        facts: &Facts,
        decisions: &mut u8,
    ) -> Result<i64, DecideError> {
        let mut gain = 0i64;
        for (answer, prior_ppm) in question.likely(facts) {
            let given = [Answer { question: &question.id, tag: &answer.tag }];
            let told = Profile { answers: &given, ..*profile };
            let offers = self.staged(transaction, &told, &mut |_| false, &mut |_| (), None)?;
            *decisions += 1;
            let eligible = &self.parts().1.work.candidates.list;
            let more = worth(offers.decided()).saturating_sub(still_worth(as_is.decided(), eligible));
            // Divided first: a slate's worth in millionths times a million may not fit.
            let whole = (more / 1_000_000).saturating_mul(prior_ppm.into());
            gain = gain
                .saturating_add(whole)
                .saturating_add(more % 1_000_000 * i64::from(prior_ppm) / 1_000_000);
        }
        Ok(gain)
    }
}

/// Whether the customer was asked lately. Where a time is not known, they were.
fn rests(question: &ReadyQuestion, transaction: &Transaction<'_>, profile: &Profile<'_>) -> bool {
    let cooldown_ms = i64::from(question.cooldown_days) * DAY_MS;
    profile.asked.iter().any(|asked| {
        let dated = asked.at_ms > 0 && transaction.created_at_ms > 0;
        let since = transaction.created_at_ms.saturating_sub(asked.at_ms);
        asked.question == question.id && (!dated || since < cooldown_ms)
    })
}

fn worth(slate: &[Offer]) -> i64 {
    slate.iter().fold(0, |sum, offer| sum.saturating_add(offer.ev_micros))
}

/// What a slate's offers are worth among the candidates of another decision; nothing where they are not among them.
fn still_worth(slate: &[Offer], eligible: &[Candidate]) -> i64 {
    let of = |item: Item| eligible.iter().find(|c| c.item == item).map_or(0, |c| c.ev_micros);
    slate.iter().fold(0, |sum, offer| sum.saturating_add(of(offer.item)))
}

//! Decisions that can be watched: which stage took how long, by the host's own clock.

use crate::decide::{Checkpoint, DecideError, Decider};
use crate::offer::Offers;
use crate::profile::Profile;
use crate::transaction::Transaction;

/// The stages that [`Decider::decide_observed`] tells of, in order.
pub const STAGES: [&str; 5] = ["context", "lists", "search", "gate and score", "arbitrate"];

impl Decider {
    /// As [`Decider::decide_until`], and calls `stage_done` as each of [`STAGES`] ends, so that a host that reads a clock there
    /// knows where the time went. A decision that is switched off ends none.
    ///
    /// # Errors
    /// As [`Decider::decide`].
    pub fn decide_observed(
        &mut self,
        transaction: &Transaction<'_>,
        profile: &Profile<'_>,
        mut is_late: impl FnMut(Checkpoint) -> bool,
        mut stage_done: impl FnMut(&'static str),
    ) -> Result<Offers, DecideError> {
        let offers = self.staged(transaction, profile, &mut is_late, &mut stage_done, None)?;
        self.keep_record(transaction, &offers);
        Ok(offers)
    }
}

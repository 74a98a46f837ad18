//! Decisions with a deadline: the only place that reads a clock, and only where the host asks for it.

use std::time::Instant;

use crate::decide::{DecideError, Decider};
use crate::offer::Offers;
use crate::profile::Profile;
use crate::transaction::Transaction;

impl Decider {
    /// As [`Decider::decide`], and leaves out what [`Decider::decide_until`] says once `deadline` has passed. The clock is read
    /// twice; on common systems that is no system call.
    ///
    /// # Errors
    /// As [`Decider::decide`].
    pub fn decide_by(
        &mut self,
        transaction: &Transaction<'_>,
        profile: &Profile<'_>,
        deadline: Instant,
    ) -> Result<Offers, DecideError> {
        self.decide_until(transaction, profile, |_| Instant::now() >= deadline)
    }
}

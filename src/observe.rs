//! Decisions that can be watched: which stage took how long, by the host's own clock; and what is kept of them.

use std::num::NonZeroU32;

use crate::decide::{Checkpoint, DecideError, Decider};
use crate::offer::Offers;
use crate::profile::Profile;
use crate::record::{DecisionRecord, RingCounts, RingWriter};
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
        let begun_ns = self.now_ns();
        let offers = self.staged(transaction, profile, &mut is_late, &mut stage_done, None)?;
        self.keep_record(transaction, &offers, begun_ns);
        Ok(offers)
    }

    /// Reads a clock as each recorded decision begins and ends, so that the log knows how long it took. Nanoseconds from any
    /// start, never backwards: a clock that goes back makes a decision take no time. This library has no clock of its own.
    pub fn time_with(&mut self, clock: Option<fn() -> u64>) {
        self.clock = clock;
    }

    /// What became of its decisions since it writes them to a ring; `None` where it does not.
    #[must_use]
    pub fn recorded(&self) -> Option<RingCounts> {
        self.log.as_ref().map(RingWriter::counts)
    }

    /// The time, where decisions are recorded and timed.
    fn now_ns(&self) -> Option<u64> {
        self.clock.filter(|_| self.log.is_some()).map(|clock| clock())
    }

    /// Writes a decision to the ring, where there is one.
    fn keep_record(&mut self, transaction: &Transaction<'_>, offers: &Offers, begun_ns: Option<u64>) {
        let took = begun_ns.zip(self.now_ns()).map(|(begun, now)| now.saturating_sub(begun));
        let took =
            took.map(|took| NonZeroU32::new(took.try_into().unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN));
        if let Some(log) = &mut self.log {
            log.write(&mut DecisionRecord::new(&self.engine, &self.scratch, transaction, offers, took));
        }
    }
}

//! How long work tells the outside how far it is. The library draws nothing itself.

/// Receives the steps of a build. The command line draws bars; a test ignores them.
/// Called from one thread at a time for one step.
pub trait Progress: Sync {
    /// A step begins. `total` is in `unit`s; 0 where it is not known beforehand.
    fn start(&self, step: &str, total: u64, unit: Unit);
    /// The running step has done `done` units so far.
    fn at(&self, done: u64);
    /// The running step is over; `summary` is one line for people.
    fn finish(&self, summary: &str);
}

/// What a step counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes of an input file, as stored (compressed size where it is compressed).
    Bytes,
    /// Anything else, counted one by one.
    Items,
}

/// Ignores everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _: &str, _: u64, _: Unit) {}
    fn at(&self, _: u64) {}
    fn finish(&self, _: &str) {}
}

//! Reads a mapped catalog ahead of its decisions. Control plane: it asks the system, may wait, and may start a thread.
//!
//! Decisions jump about in the file, so the system is told not to read around what they miss. What all of them read is asked
//! for at open, and the rest is read by a thread, in the order in which it saves most waits for a byte. Decisions that come
//! before it is done note what they are about to read, and the thread fetches that first, all at once.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use super::format::{SectionEntry, SectionKind as S};
use super::map::{Bytes, PAGE};
use super::validate::Layout;

/// When a mapped file comes from disk into memory. Everything here is advice: it changes how long first decisions take, never
/// what they say, and a system that does not know it ignores it. Without effect on copies, which are read whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prefault {
    /// Opening asks for what every decision reads, up to 4 MiB, and does not wait. A thread reads the rest, up to 1 GiB, while
    /// decisions run already, and ends; it ends early when the catalog is dropped. Small files need no thread.
    #[default]
    Background,
    /// Opening returns when the whole file was read: as long as the disk takes for that.
    Whole,
    /// Each page when it is first touched: for tools that read little of a file.
    None,
}

/// Read at open, wherever it lies.
const OPENING: [S; 4] = [S::PolicyAllowed, S::Categories, S::Areas, S::Cells];

/// The start of a file: header, table and small sections, read at open.
const START: usize = 512 << 10;

/// What decisions read, in the order in which it is fetched: the small sections, of which a decision reads most; then those
/// of which it touches many pages; last those of which it touches one for each line of its basket.
const ORDER: [S; 27] = [
    S::Ranker,
    S::BestSellers,
    S::Types,
    S::Transitions,
    S::Areas,
    S::AreaCentroids,
    S::CellCodes,
    S::CellSteps,
    S::Cells,
    S::Centroids,
    S::TypeProducts,
    S::OutSteps,
    S::TypeOf,
    S::AssociateStarts,
    S::NearOf,
    S::BasketsOf,
    S::BasketStarts,
    S::Products,
    S::OutVectors,
    S::OutCodes,
    S::Names,
    S::InVectors,
    S::Associates,
    S::Postings,
    S::BasketProducts,
    S::Near,
    S::Strings,
];

/// Asked for at open without waiting: the small sections of a million products. What comes later waits behind it, the names
/// that a decision looks up first among it.
const ASKED: usize = 4 << 20;

/// Read by the thread: what is beyond may not fit into memory, and must not push out what does.
const BACKGROUND: usize = 1 << 30;

/// Read by the thread at a time: enough for most of a disk's speed, little enough that a decision that misses a page
/// does not wait long behind it.
const PIECE: usize = 256 << 10;

/// Asks for what validation will read. `entries` may be wrong: ranges that are not there are not asked for.
pub(super) fn ask_for_opening(bytes: &Bytes, entries: &[SectionEntry]) {
    for entry in entries {
        let start = usize::try_from(entry.offset.get()).unwrap_or(usize::MAX);
        let end = start.saturating_add(usize::try_from(entry.length.get()).unwrap_or(usize::MAX));
        let whole = OPENING.iter().any(|kind| *kind as u32 == entry.kind.get());
        // Of other sections only the end, behind which the padding is looked at.
        bytes.ask(if whole { start..end } else { end.saturating_sub(1)..end });
    }
}

/// Asks for the start of the file.
pub(super) fn ask_for_start(bytes: &Bytes) {
    bytes.ask(0..START);
}

/// Asks for what every decision reads, and has the rest read.
pub(super) fn in_background(bytes: &Arc<Bytes>, wanted: &Arc<Wanted>, layout: &Layout) {
    let mut asked = 0;
    for range in ORDER.map(|kind| layout.range(kind)) {
        let part = range.len().min(ASKED - asked);
        bytes.ask(range.start..range.start + part);
        asked += part;
    }
    if asked == ASKED {
        let (bytes, own, layout) = (Arc::clone(bytes), Arc::clone(wanted), layout.clone());
        let reader = std::thread::Builder::new().name("aftercart-read".into());
        wanted.is_read.store(true, Ordering::Relaxed);
        let started = reader.spawn(move || {
            read_in_order(&bytes, &own, &layout);
            own.is_read.store(false, Ordering::Relaxed);
        });
        // Without the thread, decisions read what they touch.
        wanted.is_read.fetch_and(started.is_ok(), Ordering::Relaxed);
    }
}

fn read_in_order(bytes: &Arc<Bytes>, wanted: &Wanted, layout: &Layout) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // What decisions note must not wait until a piece was read. Without the thread, they read what they touch.
        let taker = std::thread::Builder::new().name("aftercart-want".into());
        let _ = taker.spawn_scoped(scope, || {
            while !done.load(Ordering::Relaxed) {
                wanted.take_all(|page| bytes.ask(page * PAGE..page * PAGE + 1));
                std::thread::sleep(NAP);
            }
        });
        read_pieces(bytes, wanted, layout);
        done.store(true, Ordering::Relaxed);
    });
}

fn read_pieces(bytes: &Arc<Bytes>, wanted: &Wanted, layout: &Layout) {
    let (mut left, mut noted) = (BACKGROUND, 0);
    for range in ORDER.map(|kind| layout.range(kind)) {
        let part = range.len().min(left);
        left -= part;
        for piece in pieces(range.start..range.start + part) {
            if Arc::strong_count(bytes) == 1 {
                return; // nobody else is left to decide with it
            }
            // A decision that misses pages gets the disk for itself: with this, the first one takes a third less time.
            let before = std::mem::replace(&mut noted, wanted.noted.load(Ordering::Relaxed));
            if noted != before {
                std::thread::sleep(YIELD);
            }
            bytes.ask(piece.clone());
            bytes.touch(piece);
        }
    }
}

/// Between two pieces while decisions note pages: some are read even where decisions never cease.
const YIELD: Duration = Duration::from_millis(2);
/// Between two looks at what is noted: far less than a wait for the disk.
const NAP: Duration = Duration::from_micros(20);

/// Pages that decisions are about to read, noted for the thread that reads ahead, which asks for all of them at once: a
/// decision that met them one by one would wait for the disk each time. Noting takes no lock and no system call, and what
/// finds no room is not noted. Whatever is noted, decisions read the same bytes.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// Whether a thread takes what is noted.
    is_read: AtomicBool,
    noted: AtomicUsize,
    taken: AtomicUsize,
    /// Page number plus 1; 0 = none.
    pages: [AtomicU32; NOTES],
}

/// More than the candidates of one decision lie in.
const NOTES: usize = 2048;

impl Wanted {
    pub(super) fn new() -> Self {
        let pages = [const { AtomicU32::new(0) }; NOTES];
        Self {
            is_read: AtomicBool::new(false),
            noted: AtomicUsize::new(0),
            taken: AtomicUsize::new(0),
            pages,
        }
    }

    /// Itself, while noting is of use.
    pub(super) fn while_read(&self) -> Option<&Self> {
        self.is_read.load(Ordering::Relaxed).then_some(self)
    }

    /// Notes the pages of a range of the file.
    pub(super) fn note(&self, range: Range<usize>) {
        for page in range.start / PAGE..range.end.div_ceil(PAGE) {
            let (noted, taken) = (self.noted.load(Ordering::Relaxed), self.taken.load(Ordering::Relaxed));
            // Full, or what takes them was lost in a fork. A few deciders that see the same room may overwrite each other.
            if noted.wrapping_sub(taken) >= NOTES {
                return;
            }
            let at = self.noted.fetch_add(1, Ordering::Relaxed);
            if let Some(place) = self.pages.get(at % NOTES) {
                place.store((page as u32).wrapping_add(1), Ordering::Release);
            }
        }
    }

    fn take_all(&self, mut ask: impl FnMut(usize)) {
        let mut at = self.taken.load(Ordering::Relaxed);
        while at != self.noted.load(Ordering::Relaxed) {
            let page = self.pages.get(at % NOTES).map_or(0, |page| page.swap(0, Ordering::Acquire));
            if page > 0 {
                ask(page as usize - 1);
            }
            at = at.wrapping_add(1);
            self.taken.store(at, Ordering::Relaxed);
        }
    }
}

/// Reads a range and waits for it. Costs little where it is in memory.
pub(super) fn read(bytes: &Bytes, range: Range<usize>) {
    for piece in pieces(range) {
        // One more is under way while this one is waited for.
        bytes.ask(piece.start..piece.end + PIECE);
        bytes.touch(piece);
    }
}

fn pieces(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    range.clone().step_by(PIECE).map(move |start| start..(start + PIECE).min(range.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_a_range_once() {
        for range in [0..0, 5..6, 100..100 + PIECE, 7..3 * PIECE + 1] {
            let (mut next, mut last) = (range.start, 0);
            for piece in pieces(range.clone()) {
                assert!(piece.start == next && piece.len() <= PIECE && !piece.is_empty());
                (next, last) = (piece.end, piece.end);
            }
            assert!(last == range.end || range.is_empty());
        }
    }

    #[test]
    fn what_is_noted_is_taken_once_and_what_finds_no_room_is_not() {
        let wanted = Wanted::new();
        assert!(wanted.while_read().is_none(), "no thread takes notes yet");
        let taken = || {
            let mut pages = Vec::new();
            wanted.take_all(|page| pages.push(page));
            pages
        };
        wanted.note(0..0);
        assert!(taken().is_empty());
        wanted.note(PAGE - 1..PAGE + 1);
        wanted.note(5 * PAGE..5 * PAGE + 64);
        assert_eq!(taken(), [0, 1, 5]);
        assert!(taken().is_empty());
        wanted.note(0..(NOTES + 10) * PAGE);
        assert_eq!(taken(), (0..NOTES).collect::<Vec<_>>());
        wanted.note(9 * PAGE..10 * PAGE);
        assert_eq!(taken(), [9]);
    }
}

//! What came of a decision: one event, what must hold of it, and how it gets into a log from any process and language.
//!
//! An event is a line of JSON, the form that `aftercart events import` reads. Where [`append`] leaves it, `aftercart log` takes it
//! into the log and throws the file away. An event counts once by its id, so whoever dies in between, nothing is lost or counted
//! twice.

use std::fmt::{self, Write as _};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::vocabulary::vocabulary;

/// Longest id of an event, in bytes.
pub const EVENT_ID_BYTES_MAX: usize = 128;
/// Longest other text of an event, in bytes.
pub const EVENT_TEXT_BYTES_MAX: usize = 256;
/// Longest line of an event, in bytes.
pub const EVENT_LINE_BYTES_MAX: usize = 8192;
/// Largest amount, and with a minus the smallest: a number of JSON has all its digits.
const AMOUNT_MAX: i64 = 1_000_000_000_000_000;
/// How often the file may be taken away while an event is being appended.
const APPEND_TRIES_MAX: usize = 100;

// Each byte may become six, and what is not text is shorter than 512.
const _: () = assert!(6 * (EVENT_ID_BYTES_MAX + 4 * EVENT_TEXT_BYTES_MAX) + 512 <= EVENT_LINE_BYTES_MAX);

vocabulary! {
    /// What happened.
    EventKind {
        /// The page with its offers was seen. Without it nothing counts as shown; of a held-out unit: the page without them was.
        #[default] Activated = 1, "activated";
        /// An offer was looked at more closely.
        Engaged = 2, "engaged";
        /// An offer was accepted.
        Accepted = 3, "accepted";
        /// It was, and could not be carried out; `code` says why.
        AcceptFailed = 4, "accept_failed";
        /// An accepted offer earned `value`, of which `margin` and `payout` are the merchant's.
        Converted = 5, "converted";
        /// Of that, `value`, `margin` and `payout` came back.
        Returned = 6, "returned";
        /// An offer or the page was waved away.
        Dismissed = 7, "dismissed";
        /// `question` was answered with tag `answer`.
        SurveyAnswered = 8, "survey_answered";
        /// The unit ordered something afterwards, by an offer or not, for `value`: for every arm alike.
        Ordered = 9, "ordered";
    }
}

/// One event. Amounts are minor units of the currency of its decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<T = String> {
    /// Its own, 1 to 128 bytes: of several with the same id only one counts.
    pub event_id: T,
    /// Of which decision.
    pub decision_id: u128,
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// What.
    pub kind: EventKind,
    /// Id of the product or offer; empty = the whole page.
    pub item_id: T,
    /// 0 or more.
    pub value: Option<i64>,
    /// May be negative.
    pub margin: Option<i64>,
    /// From the partner; 0 or more.
    pub payout: Option<i64>,
    /// The host's own word.
    pub code: T,
    /// Of a survey.
    pub question: T,
    /// Its tag.
    pub answer: T,
}

/// What is wrong with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventProblem {
    /// Its id.
    #[error("event_id: 1 to 128 bytes")]
    Id,
    /// A long text.
    #[error("{0}: at most 256 bytes")]
    TooLong(&'static str),
    /// An amount beyond what a number of JSON says exactly.
    #[error("{0}: at most 10,000,000,000,000.00")]
    TooLarge(&'static str),
    /// An amount with the wrong sign.
    #[error("value and payout are 0 or more; what came back is a \"returned\"")]
    Negative,
    /// No value where the kind has one.
    #[error("value: \"{0}\" has one")]
    NoValue(EventKind),
}

impl<T: AsRef<str>> Event<T> {
    /// Whether it can be what happened.
    ///
    /// # Errors
    /// [`EventProblem`].
    pub fn check(&self) -> Result<(), EventProblem> {
        if !(1..=EVENT_ID_BYTES_MAX).contains(&self.event_id.as_ref().len()) {
            return Err(EventProblem::Id);
        }
        let long = self.texts().into_iter().find(|(_, text)| text.len() > EVENT_TEXT_BYTES_MAX);
        if let Some((name, _)) = long {
            return Err(EventProblem::TooLong(name));
        }
        let large =
            |amount: &Option<i64>| amount.is_some_and(|a| a.unsigned_abs() > AMOUNT_MAX.unsigned_abs());
        if let Some((name, _)) = self.amounts().into_iter().find(|(_, amount)| large(amount)) {
            return Err(EventProblem::TooLarge(name));
        }
        if self.value.is_some_and(|value| value < 0) || self.payout.is_some_and(|payout| payout < 0) {
            return Err(EventProblem::Negative);
        }
        let earns = matches!(self.kind, EventKind::Converted | EventKind::Ordered | EventKind::Returned);
        if earns && self.value.is_none() { Err(EventProblem::NoValue(self.kind)) } else { Ok(()) }
    }

    /// Its line of JSON. Inline: nothing is on the heap.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn line(&self) -> Result<EventLine, EventProblem> {
        self.check()?;
        let mut line = EventLine { bytes: [0; EVENT_LINE_BYTES_MAX], length: 0 };
        // What passed the check fits.
        self.write(&mut line).map_err(|_| EventProblem::TooLong("all of it"))?;
        Ok(line)
    }

    fn texts(&self) -> [(&'static str, &str); 4] {
        let texts = [("item_id", &self.item_id), ("code", &self.code), ("question", &self.question)];
        let [item, code, question] = texts.map(|(name, text)| (name, text.as_ref()));
        [item, code, question, ("answer", self.answer.as_ref())]
    }

    fn amounts(&self) -> [(&'static str, Option<i64>); 3] {
        [("value", self.value), ("margin", self.margin), ("payout", self.payout)]
    }

    fn write(&self, to: &mut EventLine) -> fmt::Result {
        to.write_str("{\"event_id\":")?;
        write_text(to, self.event_id.as_ref())?;
        let (decision, at, kind) = (self.decision_id, self.at_ms, self.kind.name());
        write!(to, ",\"decision_id\":\"{decision:032x}\",\"at\":{at},\"event\":\"{kind}\"")?;
        for (name, amount) in self.amounts() {
            let Some(amount) = amount else { continue };
            let (sign, minor) = (if amount < 0 { "-" } else { "" }, amount.unsigned_abs());
            write!(to, ",\"{name}\":{sign}{}.{:02}", minor / 100, minor % 100)?;
        }
        for (name, text) in self.texts().into_iter().filter(|(_, text)| !text.is_empty()) {
            write!(to, ",\"{name}\":")?;
            write_text(to, text)?;
        }
        to.write_str("}")
    }
}

/// A text of JSON.
fn write_text(to: &mut EventLine, text: &str) -> fmt::Result {
    to.write_char('"')?;
    for letter in text.chars() {
        match letter {
            '"' | '\\' => write!(to, "\\{letter}")?,
            '\0'..='\x1f' => write!(to, "\\u{:04x}", u32::from(letter))?,
            _ => to.write_char(letter)?,
        }
    }
    to.write_char('"')
}

/// An event as JSON, without an end of line.
#[derive(Debug, Clone)]
pub struct EventLine {
    bytes: [u8; EVENT_LINE_BYTES_MAX],
    length: usize,
}

impl EventLine {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.bytes.get(..self.length).unwrap_or(&[])).unwrap_or("")
    }
}

impl fmt::Write for EventLine {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length.checked_add(text.len()).ok_or(fmt::Error)?;
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// Appends an event to a log, whose folder is made where it is not there: for `aftercart log`, or `Log::take_events`, to take in.
/// One write of the system under a file lock; any process of the machine may, at any time. Syscalls: not for a decision.
///
/// # Errors
/// `InvalidInput` with an [`EventProblem`] inside; else what the system says: then the event is not there.
pub fn append<T: AsRef<str>>(log: &Path, event: &Event<T>) -> io::Result<()> {
    let line = event.line().map_err(|problem| io::Error::new(io::ErrorKind::InvalidInput, problem))?;
    // It begins a line of its own, also behind half a line that a full disk left.
    let mut text = Vec::with_capacity(line.length + 2);
    text.extend_from_slice(b"\n");
    text.extend_from_slice(line.as_str().as_bytes());
    text.extend_from_slice(b"\n");
    let path = path_in(log);
    for _ in 0..APPEND_TRIES_MAX {
        let mut file = match OpenOptions::new().append(true).create(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                std::fs::create_dir_all(path.parent().unwrap_or(log))?;
                continue;
            }
            opened => opened?,
        };
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => continue, // it is being taken: there is another by now
            Err(TryLockError::Error(error)) => return Err(error),
            Ok(()) if was_taken(&file)? => continue,
            Ok(()) => {}
        }
        let whole = file.write(&text)? == text.len();
        return if whole { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) };
    }
    Err(io::ErrorKind::WouldBlock.into()) // somebody else keeps a lock on it
}

/// Where events of a log wait.
pub(crate) fn path_in(log: &Path) -> PathBuf {
    log.join("incoming").join("events.jsonl")
}

/// Whether a file that is open was thrown away.
fn was_taken(file: &File) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Ok(file.metadata()?.nlink() == 0)
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        Ok(false) // who has a file open keeps it there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_event_fits_its_line() {
        let (id, text) = ("\0".repeat(EVENT_ID_BYTES_MAX), "\0".repeat(EVENT_TEXT_BYTES_MAX));
        let event = Event {
            event_id: id.as_str(),
            decision_id: u128::MAX,
            at_ms: i64::MIN,
            kind: EventKind::SurveyAnswered,
            item_id: text.as_str(),
            value: Some(AMOUNT_MAX),
            margin: Some(-AMOUNT_MAX),
            payout: Some(AMOUNT_MAX),
            code: text.as_str(),
            question: text.as_str(),
            answer: text.as_str(),
        };
        let line = event.line().expect("it fits");
        assert!(line.as_str().ends_with("\\u0000\"}") && line.length > 7_000, "{}", line.length);
        let longer = format!("{text}x");
        assert_eq!(
            Event { code: longer.as_str(), ..event.clone() }.check(),
            Err(EventProblem::TooLong("code"))
        );
        assert_eq!(Event { margin: Some(i64::MIN), ..event }.check(), Err(EventProblem::TooLarge("margin")));
    }
}

//! What follows a purchase, by category: plainly, and ready for one catalog.

use crate::days::DAY_MS;
use crate::engine::Engine;
use crate::index::format::NameKind;
use crate::limits::{FOLLOW_UP_STEPS_MAX, PROGRAMMES_MAX, RULE_NAME_MAX};
use crate::policy::Unknown;
use crate::vocabulary::vocabulary;

vocabulary! {
    /// What a message is for.
    MessageKind {
        /// The order is on its way, or there. Owed to the customer: no cap and no consent keeps it back.
        #[default] Delivery = 0, "delivery";
        /// How to use or care for what was bought. Likewise.
        Guidance = 1, "guidance";
        /// What may come next. Advertising.
        Suggestion = 2, "suggestion";
        /// What was bought is running out. Advertising.
        Refill = 3, "refill";
    }
}

vocabulary! {
    /// Through what kind of channel.
    Channel {
        /// E-mail.
        #[default] Email = 0, "email";
        /// Text message.
        Sms = 1, "sms";
        /// Notification of the merchant's app.
        Push = 2, "push";
    }
}

vocabulary! {
    /// From when a step counts its days.
    Anchor {
        /// The order.
        #[default] Order = 0, "order";
        /// The promised delivery.
        Delivery = 1, "delivery";
        /// The moment at which the customer is expected to buy it again.
        Due = 2, "due";
    }
}

/// One message of a programme.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "programmes", derive(serde::Deserialize))]
#[cfg_attr(feature = "programmes", serde(deny_unknown_fields))]
pub struct Step {
    /// Your mail service's name for it, 1 to 64 bytes; its own within a programme.
    pub template: String,
    /// What it is for.
    pub kind: MessageKind,
    /// Through what.
    #[cfg_attr(feature = "programmes", serde(default))]
    pub channel: Channel,
    /// From when its days count.
    pub after: Anchor,
    /// Days after that, -365 to 365; below 0 = before.
    #[cfg_attr(feature = "programmes", serde(default))]
    pub days: f64,
    /// Days in which it still makes sense, above 0 to 365.
    #[cfg_attr(feature = "programmes", serde(default = "a_week"))]
    pub expires_days: f64,
    /// Id of the offer of kind `content` that it carries; empty = for guidance what the catalog has for the very product
    /// ([`Programmes::content_of`]), else none.
    #[cfg_attr(feature = "programmes", serde(default))]
    pub content: String,
}

#[cfg(feature = "programmes")]
fn a_week() -> f64 {
    7.0
}

/// What follows a purchase of some categories.
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "programmes", derive(serde::Deserialize))]
#[cfg_attr(feature = "programmes", serde(deny_unknown_fields, default))]
pub struct Programme {
    /// Its name, 1 to 64 bytes, its own.
    pub id: String,
    /// Category paths, each with its subtree: of several programmes the one of the nearest category holds.
    pub categories: Vec<String>,
    /// Id of an earlier programme whose steps it has too, save those with a template of its own. Empty = none.
    pub extends: String,
    /// Its messages, at most 8 with what it extends.
    #[cfg_attr(feature = "programmes", serde(rename = "step"))]
    pub steps: Vec<Step>,
}

/// How often a customer hears from the shop, through all channels together.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "programmes", derive(serde::Deserialize))]
#[cfg_attr(feature = "programmes", serde(deny_unknown_fields, default))]
pub struct ContactPolicy {
    /// Messages in any seven days, beyond which nothing is advertised.
    pub max_per_week: u8,
    /// Least hours between an advertising message and any other.
    pub gap_hours: u16,
    /// Whether to advertise to customers whom nobody asked for consent to marketing.
    pub not_asked: Unknown,
}

impl Default for ContactPolicy {
    fn default() -> Self {
        Self { max_per_week: 2, gap_hours: 48, not_asked: Unknown::Deny }
    }
}

/// All of it. In a file it is TOML (see the README); in Rust it is this.
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "programmes", derive(serde::Deserialize))]
#[cfg_attr(feature = "programmes", serde(deny_unknown_fields, default))]
pub struct ProgrammeTable {
    /// Days from order to delivery where the order does not say; none = what counts from delivery is not sent then.
    pub delivery_days: Option<f64>,
    /// How often.
    pub contact: ContactPolicy,
    /// What, by category.
    #[cfg_attr(feature = "programmes", serde(rename = "programme"))]
    pub programmes: Vec<Programme>,
}

/// Why a table cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("programme \"{programme}\": {problem}")]
pub struct ProgrammeError {
    /// Its id.
    pub programme: String,
    /// What is wrong, and the way out.
    pub problem: String,
}

impl ProgrammeTable {
    /// Reads TOML.
    ///
    /// # Errors
    /// The parser's, with line and column.
    #[cfg(feature = "programmes")]
    pub fn from_toml(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}

/// A table made ready for the catalog of one engine. Immutable, `Send + Sync`.
#[derive(Debug, Clone, Default)]
pub struct Programmes {
    pub(super) build_id: u64,
    pub(super) delivery_ms: Option<i64>,
    pub(super) contact: ContactPolicy,
    /// Category row and programme, by row.
    categories: Vec<(u32, u16)>,
    pub(super) list: Vec<Ready>,
}

/// A programme with all its steps.
#[derive(Debug, Clone)]
pub(super) struct Ready {
    pub(super) id: String,
    pub(super) steps: Vec<Step>,
}

impl Programmes {
    /// Makes a table ready.
    ///
    /// # Errors
    /// [`ProgrammeError`]: a name that the catalog does not have, a number out of range, or a programme that makes no sense.
    pub fn new(table: &ProgrammeTable, engine: &Engine) -> Result<Self, ProgrammeError> {
        let mut ready = Self {
            build_id: engine.catalog().build_id(),
            delivery_ms: table.delivery_days.map(days_ms),
            contact: table.contact.clone(),
            ..Self::default()
        };
        if table.programmes.len() > PROGRAMMES_MAX {
            return Err(wrong("", "there are more than 64 programmes; put some together"));
        }
        for programme in &table.programmes {
            ready.add(programme, engine)?;
        }
        ready.categories.sort_unstable();
        Ok(ready)
    }

    fn add(&mut self, programme: &Programme, engine: &Engine) -> Result<(), ProgrammeError> {
        let error = |problem: &str| wrong(&programme.id, problem);
        if !(1..=RULE_NAME_MAX).contains(&programme.id.len()) {
            return Err(error("id: give each programme one of 1 to 64 bytes"));
        }
        if self.list.iter().any(|other| other.id == programme.id) {
            return Err(error("the id is there twice; give each programme its own"));
        }
        let mut steps = programme.steps.clone();
        if !programme.extends.is_empty() {
            let base = self.list.iter().find(|other| other.id == programme.extends);
            let base = base.ok_or_else(|| error("extends: names no programme before it"))?;
            let own = |step: &&Step| !programme.steps.iter().any(|other| other.template == step.template);
            steps.extend(base.steps.iter().filter(own).cloned());
        }
        if !(1..=FOLLOW_UP_STEPS_MAX).contains(&steps.len()) {
            return Err(error("step: give it 1 to 8, with those of the programme that it extends"));
        }
        for (at, step) in steps.iter().enumerate() {
            let twice = steps[..at].iter().any(|other| other.template == step.template);
            if let Some(problem) = problem_of(step, twice, engine) {
                return Err(error(&format!("step \"{}\": {problem}", step.template)));
            }
        }
        for path in &programme.categories {
            let row = engine.view().find(NameKind::Category, path.as_bytes());
            let row = row.ok_or_else(|| {
                error(&format!(
                    "the catalog has no category \"{path}\"; `aftercart inspect FILE --categories` lists them"
                ))
            })?;
            if self.categories.iter().any(|(other, _)| *other == row) {
                return Err(error(&format!("category \"{path}\" has a programme already; name it once")));
            }
            self.categories.push((row, self.list.len() as u16));
        }
        self.list.push(Ready { id: programme.id.clone(), steps });
        Ok(())
    }

    /// The programme of a category: its own, or its nearest ancestor's.
    pub(super) fn of(&self, category: u32) -> Option<u16> {
        let at = self.categories.binary_search_by_key(&category, |(row, _)| *row).ok()?;
        self.categories.get(at).map(|(_, programme)| *programme)
    }

    pub(super) fn step(&self, programme: u16, step: u8) -> Option<&Step> {
        self.list.get(usize::from(programme))?.steps.get(usize::from(step))
    }
}

fn problem_of(step: &Step, twice: bool, engine: &Engine) -> Option<&'static str> {
    if !(1..=RULE_NAME_MAX).contains(&step.template.len()) {
        return Some("template: give it 1 to 64 bytes");
    }
    if twice {
        return Some("the template is there twice; each step has its own");
    }
    if !(-365.0..=365.0).contains(&step.days) {
        return Some("days: must be -365 to 365");
    }
    if !(step.expires_days > 0.0 && step.expires_days <= 365.0) {
        return Some("expires_days: must be above 0 to 365");
    }
    if (step.kind == MessageKind::Refill) != (step.after == Anchor::Due) {
        return Some("a refill counts from \"due\", and nothing else does");
    }
    let unknown = !step.content.is_empty() && engine.find_offer(&step.content).is_none();
    unknown.then_some("content: the catalog has no such offer")
}

fn wrong(programme: &str, problem: &str) -> ProgrammeError {
    ProgrammeError { programme: programme.to_owned(), problem: problem.to_owned() }
}

pub(super) fn days_ms(days: f64) -> i64 {
    (days * DAY_MS as f64).round() as i64
}

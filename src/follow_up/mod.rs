//! The days after: what to send, when, through which kind of channel, and why. A plan, not a sender: each message is the host's
//! mail service's, and an offer in it is decided when it is sent, by `decide` for stage `email`, so that it obeys that day's rules.
//!
//! Messages count their days from the order, from the promised delivery, or from the moment at which the customer is expected
//! to buy again: the order plus the customer's own intervals, drawn to the usual one (`due.rs` has the formula). Without an own
//! interval it is the usual one; without that, the customer's, from two intervals on; else there is none, and no refill.

mod due;
mod programme;

use smallvec::SmallVec;

use crate::bought::Line;
use crate::context::{self, Context};
use crate::days::DAY_MS;
use crate::decide::{DecideError, Decider};
use crate::engine::Engine;
use crate::index::format::NONE;
use crate::limits::{CONTACTS_MAX, FOLLOW_UP_PROGRAMMES_MAX, FOLLOW_UP_STEPS_MAX, FOLLOW_UPS_MAX, LINES_MAX};
use crate::offer::{Item, OfferIx, ProductIx};
use crate::policy::Unknown;
use crate::profile::Profile;
use crate::transaction::Transaction;
use crate::vocabulary::{ContentKind, Purpose};

use due::{Due, due};

pub use programme::{
    Anchor, Channel, ContactPolicy, MessageKind, Programme, ProgrammeError, ProgrammeTable, Programmes, Step,
};

/// An hour.
const HOUR_MS: i64 = 3_600_000;
const WEEK_MS: i64 = 7 * DAY_MS;

/// A message that the customer got, or that is planned already, through any channel.
#[derive(Debug, Clone, Copy, Default)]
pub struct Contact {
    /// When, Unix milliseconds.
    pub at_ms: i64,
}

/// What the host knows of the days after an order. `Default`: nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outlook<'a> {
    /// The promised delivery, Unix milliseconds; 0 = not known.
    pub delivery_at_ms: i64,
    /// Other messages to the customer; the last [`CONTACTS_MAX`] are read.
    pub contacts: &'a [Contact],
}

/// A planned message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowUp {
    /// When to send it, Unix milliseconds.
    pub at_ms: i64,
    /// When it no longer makes sense, Unix milliseconds.
    pub expires_at_ms: i64,
    /// Index into `Transaction::lines` of the line that it is about.
    pub line: u16,
    /// That line's product, where the catalog knows it.
    pub product: Option<ProductIx>,
    /// For a refill, days from the order to the next purchase that is expected.
    pub due_days: Option<u16>,
    /// Intervals of the customer's own behind that; 0 = the usual days alone.
    pub own_intervals: u16,
    programme: u16,
    step: u8,
}

/// Why a message is not planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withheld {
    /// The time that it counts from is not known: of the order, the delivery, or the next purchase.
    TimeUnknown,
    /// Its time has passed before it could be sent.
    TooLate,
    /// Beyond what customers hear in a week, or too near another message while it makes sense.
    ContactPolicy,
    /// No consent to marketing.
    Consent,
    /// A gift is not bought again by who gave it, and how to use it is not theirs to read.
    Gift,
}

impl Withheld {
    /// Every reason, in the order of its code.
    pub const ALL: &'static [Self] =
        &[Self::TimeUnknown, Self::TooLate, Self::ContactPolicy, Self::Consent, Self::Gift];

    /// The fixed number of this reason, from 1.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8 + 1
    }

    /// The name as C has it, in small letters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TimeUnknown => "time_unknown",
            Self::TooLate => "too_late",
            Self::ContactPolicy => "contact_policy",
            Self::Consent => "consent",
            Self::Gift => "gift",
        }
    }

    /// One line for people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::TimeUnknown => "the time that it counts from is not known",
            Self::TooLate => "its time has passed",
            Self::ContactPolicy => "the customer hears enough in that week",
            Self::Consent => "no consent to marketing",
            Self::Gift => "the order is a gift",
        }
    }
}

/// What is planned, in the order of time, and what is withheld. Inline: nothing is on the heap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUps {
    planned: SmallVec<[FollowUp; FOLLOW_UPS_MAX]>,
    withheld: SmallVec<[(FollowUp, Withheld); FOLLOW_UPS_MAX]>,
}

impl FollowUps {
    /// The messages, earliest first.
    #[must_use]
    pub fn planned(&self) -> &[FollowUp] {
        &self.planned
    }

    /// Messages of the programmes that are not sent, with the reason. Their times are those at which they would have been.
    #[must_use]
    pub fn withheld(&self) -> &[(FollowUp, Withheld)] {
        &self.withheld
    }
}

/// Why nothing could be planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FollowUpError {
    /// The request exceeds a limit.
    #[error(transparent)]
    Decide(#[from] DecideError),
    /// The programmes were made ready for another catalog.
    #[error("the programmes were made ready for another catalog")]
    OtherCatalog,
}

impl Programmes {
    /// Name of a planned message's programme, and its step; `None` where these programmes did not plan it.
    #[must_use]
    pub fn step_of(&self, of: &FollowUp) -> Option<(&str, &Step)> {
        let name = &self.list.get(usize::from(of.programme))?.id;
        Some((name, self.step(of.programme, of.step)?))
    }

    /// What a planned message carries: the content that its step names; guidance that names none, how to use or care for its very
    /// product, as far as the catalog has that for the product, its model or its category ([`Engine::content_of`]).
    #[must_use]
    pub fn content_of(&self, of: &FollowUp, engine: &Engine) -> Option<OfferIx> {
        let step = self.step(of.programme, of.step)?;
        if !step.content.is_empty() || step.kind != MessageKind::Guidance {
            return engine.find_offer(&step.content);
        }
        let rank = |content: &OfferIx| match engine.content_kind(Item::Offer(*content)) {
            Some(ContentKind::Usage) => 0,
            Some(ContentKind::Care) => 1,
            Some(ContentKind::Guide) => 2,
            Some(ContentKind::Pairing) | None => 3,
        };
        engine.content_of(of.product?).filter(|content| rank(content) < 3).min_by_key(rank)
    }
}

impl Decider {
    /// Plans the days after an order.
    ///
    /// Each programme speaks once, about its dearest line, and of several that say the same of the delivery one does; lines of
    /// sensitive classes have none. Messages that are owed (delivery,
    /// guidance) are never kept back by caps or consent; advertising comes after all guidance about its line, keeps its gap to
    /// every other message and is withheld where the week is full. A gift has neither guidance nor refills: the giver
    /// does not use it.
    ///
    /// No heap allocation, no lock, no system call, no panic, bounded work; the same input gives the same plan. Later events cancel
    /// messages at the host: a return all about its line, a purchase of the product its refill, an opt-out all advertising.
    ///
    /// # Errors
    /// [`FollowUpError`].
    pub fn plan_follow_ups(
        &mut self,
        programmes: &Programmes,
        transaction: &Transaction<'_>,
        profile: &Profile<'_>,
        outlook: &Outlook<'_>,
    ) -> Result<FollowUps, FollowUpError> {
        if transaction.lines.len() > LINES_MAX {
            return Err(DecideError::TooManyLines.into());
        }
        let (engine, scratch) = self.parts();
        if programmes.build_id != engine.catalog().build_id() {
            return Err(FollowUpError::OtherCatalog);
        }
        let context =
            context::resolve(engine.view(), engine.policy(), transaction, profile, &mut scratch.context);
        let mut plan = Plan {
            programmes,
            outlook,
            advertises: may_advertise(profile, &programmes.contact),
            follow_ups: FollowUps { planned: SmallVec::new(), withheld: SmallVec::new() },
        };
        let spoken = spoken_for(&context, programmes);
        // What is owed first, so that advertising makes way for it.
        for owed in [true, false] {
            for (programme, line) in &spoken {
                plan.add(&context, *programme, line, owed);
            }
        }
        plan.follow_ups.planned.sort_unstable_by_key(|f| (f.at_ms, f.programme, f.step));
        Ok(plan.follow_ups)
    }
}

fn may_advertise(profile: &Profile<'_>, contact: &ContactPolicy) -> bool {
    profile.consent.answer(Purpose::Marketing).unwrap_or(contact.not_asked == Unknown::Allow)
}

type Spoken = SmallVec<[(u16, Line); FOLLOW_UP_PROGRAMMES_MAX]>;

/// Programmes of the order, each with its dearest line; those of the dearest lines where there are too many.
fn spoken_for(context: &Context<'_>, programmes: &Programmes) -> Spoken {
    let mut spoken = Spoken::new();
    for line in context.lines.iter().filter(|line| !line.sensitive) {
        let nearest = context.view.ancestors(line.category).find_map(|category| programmes.of(category));
        let Some(programme) = nearest else { continue };
        if let Some(known) = spoken.iter_mut().find(|(other, _)| *other == programme) {
            if line.value > known.1.value {
                known.1 = *line;
            }
        } else if spoken.len() < FOLLOW_UP_PROGRAMMES_MAX {
            spoken.push((programme, *line));
        } else if let Some(least) = spoken.iter_mut().min_by_key(|(_, line)| line.value)
            && least.1.value < line.value
        {
            *least = (programme, *line);
        }
    }
    spoken
}

struct Plan<'a> {
    programmes: &'a Programmes,
    outlook: &'a Outlook<'a>,
    advertises: bool,
    follow_ups: FollowUps,
}

impl Plan<'_> {
    /// Plans the messages of one programme that are owed, or those that advertise.
    fn add(&mut self, context: &Context<'_>, programme: u16, line: &Line, owed: bool) {
        let due = due(context, line);
        for number in 0..FOLLOW_UP_STEPS_MAX as u8 {
            let Some(step) = self.programmes.step(programme, number) else { return };
            if matches!(step.kind, MessageKind::Delivery | MessageKind::Guidance) != owed {
                continue;
            }
            let start = self.start(context, step, due);
            let at_ms = start.map_or(0, |start| start.saturating_add(programme::days_ms(step.days)));
            let follow_up = FollowUp {
                at_ms,
                expires_at_ms: at_ms.saturating_add(programme::days_ms(step.expires_days)),
                line: line.number,
                product: (line.product != NONE).then_some(ProductIx(line.product)),
                due_days: due.filter(|_| step.after == Anchor::Due).map(|due| due.days),
                own_intervals: due.filter(|_| step.after == Anchor::Due).map_or(0, |due| due.own_intervals),
                programme,
                step: number,
            };
            match self.place(context, step, follow_up, start.is_some()) {
                Ok(placed) if step.kind == MessageKind::Delivery && self.is_said(step, placed.at_ms) => {}
                Ok(placed) if self.follow_ups.planned.len() < FOLLOW_UPS_MAX => {
                    self.follow_ups.planned.push(placed);
                }
                Ok(_) => self.withhold(follow_up, Withheld::ContactPolicy),
                Err(reason) => self.withhold(follow_up, reason),
            }
        }
    }

    /// Whether another programme sends this about the delivery: an order has one.
    fn is_said(&self, step: &Step, at_ms: i64) -> bool {
        let same = |other: &Step| other.template == step.template && other.channel == step.channel;
        let mut planned = self.follow_ups.planned.iter().filter(|other| other.at_ms == at_ms);
        planned.any(|other| self.programmes.step(other.programme, other.step).is_some_and(same))
    }

    fn withhold(&mut self, follow_up: FollowUp, reason: Withheld) {
        if self.follow_ups.withheld.len() < FOLLOW_UPS_MAX {
            self.follow_ups.withheld.push((follow_up, reason));
        }
    }

    fn start(&self, context: &Context<'_>, step: &Step, due: Option<Due>) -> Option<i64> {
        let ordered = context.now_ms()?;
        match step.after {
            Anchor::Order => Some(ordered),
            Anchor::Delivery => {
                let promised = Some(self.outlook.delivery_at_ms).filter(|at| *at > 0);
                promised.or_else(|| Some(ordered.saturating_add(self.programmes.delivery_ms?)))
            }
            Anchor::Due => Some(ordered.saturating_add(i64::from(due?.days).saturating_mul(DAY_MS))),
        }
    }

    /// The message at a time that suits, or why there is none.
    fn place(
        &self,
        context: &Context<'_>,
        step: &Step,
        mut follow_up: FollowUp,
        timed: bool,
    ) -> Result<FollowUp, Withheld> {
        let advertises = matches!(step.kind, MessageKind::Suggestion | MessageKind::Refill);
        if context.gift && matches!(step.kind, MessageKind::Guidance | MessageKind::Refill) {
            return Err(Withheld::Gift);
        }
        if advertises && !self.advertises {
            return Err(Withheld::Consent);
        }
        let now = context.now_ms().filter(|_| timed).ok_or(Withheld::TimeUnknown)?;
        if follow_up.expires_at_ms < now {
            return Err(Withheld::TooLate);
        }
        follow_up.at_ms = follow_up.at_ms.max(now);
        if advertises {
            follow_up.at_ms = self.free_moment(&follow_up).ok_or(Withheld::ContactPolicy)?;
        }
        Ok(follow_up)
    }

    /// The first moment from which a message keeps its distance to all others, in a week that has room for it.
    fn free_moment(&self, follow_up: &FollowUp) -> Option<i64> {
        let gap_ms = i64::from(self.programmes.contact.gap_hours) * HOUR_MS;
        let guidance = self.follow_ups.planned.iter().filter(|other| {
            let kind = self.programmes.step(other.programme, other.step).map(|step| step.kind);
            other.line == follow_up.line && kind == Some(MessageKind::Guidance)
        });
        let mut at = guidance.map(|other| other.at_ms.saturating_add(gap_ms)).fold(follow_up.at_ms, i64::max);
        // Each other message moves it at most once beyond itself, and full weeks by a month.
        for _ in 0..=FOLLOW_UPS_MAX + CONTACTS_MAX + 31 {
            if at > follow_up.expires_at_ms {
                return None;
            }
            match self.others().find(|other| other.abs_diff(at) < gap_ms.unsigned_abs()) {
                Some(near) => at = near.saturating_add(gap_ms),
                None if self.has_room(at) => return Some(at),
                None => at = at.saturating_add(DAY_MS),
            }
        }
        None
    }

    /// Whether no seven days around a moment hold more than the cap with one message more.
    fn has_room(&self, at: i64) -> bool {
        let most = usize::from(self.programmes.contact.max_per_week);
        let week_from = |from: i64| {
            self.others().filter(|other| (from..from.saturating_add(WEEK_MS)).contains(other)).count()
        };
        let mut starts = self.others().filter(|from| *from <= at && at.saturating_sub(*from) < WEEK_MS);
        most > 0 && week_from(at) < most && starts.all(|from| week_from(from) < most)
    }

    /// Moments of all other messages.
    fn others(&self) -> impl Iterator<Item = i64> {
        let from = self.outlook.contacts.len().saturating_sub(CONTACTS_MAX);
        let past = self.outlook.contacts.get(from..).unwrap_or(&[]).iter().map(|contact| contact.at_ms);
        past.chain(self.follow_ups.planned.iter().map(|planned| planned.at_ms))
    }
}

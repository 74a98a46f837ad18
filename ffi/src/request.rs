//! From the structs of a call to the engine's request. Text is borrowed from the caller; lists go into memory that
//! the decider set aside, so nothing is allocated.

use std::ffi::c_char;

use engine::before_payment::{MethodCount, Use};
use engine::follow_up::Contact;
use engine::limits::{
    ANSWERS_MAX, CART_REMOVED_MAX, DECLINES_MAX, EXPOSURES_MAX, LINES_MAX, METHOD_COUNTS_MAX, OPT_OUTS_MAX,
    PURCHASES_MAX, SEGMENTS_MAX, TAGS_MAX, USES_MAX,
};
use engine::vocabulary::{
    AgeBand, Country, Currency, CustomerKind, Exposure, PaymentType, Role, SensitiveClass, Stage,
};
use engine::{
    Answer, Asked, Consent, Decline, Exposed, LineItem, Placement, Profile, Purchase, Purposes, Repeat,
    Session, Transaction,
};

use crate::before_payment::{aftercart_method_count, method_count};
use crate::boundary::{Array, Caller};
use crate::status::Status;
use crate::types::*;

/// An array of the caller: where, bytes of an element, how many.
pub(crate) type Rows<T> = (*const T, usize, usize);

/// What the caller passes, as it comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given<'c> {
    pub(crate) transaction: aftercart_transaction,
    pub(crate) profile: Option<aftercart_profile>,
    pub(crate) lines: Array<'c, aftercart_line>,
    pub(crate) facts: Array<'c, aftercart_fact>,
    /// Of ways to pay, where the call takes them.
    pub(crate) counts: Option<Array<'c, aftercart_method_count>>,
    strings: &'c [u8],
    /// Likewise, where all of them are UTF-8: then no text needs to be looked at again.
    whole: Option<&'c str>,
}

/// A block of strings with more bytes for each line and fact than this holds more than their texts, so it is not looked at as a whole.
const TEXT_BYTES: usize = 64;

impl<'c> Given<'c> {
    /// Reads what a call passes, and checks all of it that does not need the text.
    pub(crate) fn read(
        caller: &'c Caller,
        transaction: *const aftercart_transaction,
        profile: *const aftercart_profile,
        (lines, line_size, line_count): Rows<aftercart_line>,
        (facts, fact_size, fact_count): Rows<aftercart_fact>,
        (strings, strings_length): (*const c_char, usize),
    ) -> Result<Self, Status> {
        if line_count > LINES_MAX {
            return Err(Status::TooManyLines);
        }
        if fact_count > AFTERCART_FACTS_MAX as usize {
            return Err(Status::TooManyFacts);
        }
        let mut given = Self {
            transaction: caller.read(transaction)?,
            profile: caller.read_optional(profile)?,
            lines: caller.read_array(lines, line_size, line_count)?,
            facts: caller.read_array(facts, fact_size, fact_count)?,
            counts: None,
            strings: caller.bytes(strings.cast(), strings_length)?,
            whole: None,
        };
        if given.strings.len() <= TEXT_BYTES * (1 + line_count + fact_count) {
            given.whole = std::str::from_utf8(given.strings).ok();
        }
        Ok(given)
    }

    pub(crate) fn text(&self, text: aftercart_text) -> Result<&'c str, Status> {
        let start = text.offset as usize;
        match self.whole.and_then(|whole| whole.get(start..start.checked_add(text.length as usize)?)) {
            Some(found) => Ok(found),
            None => text_in(self.strings, text), // says what is wrong
        }
    }

    /// The order, with lines that [`Lists::fill`] read.
    pub(crate) fn transaction<'a>(&self, lists: &'a Lists<'c>) -> Result<Transaction<'a>, Status> {
        let given = &self.transaction;
        let [has_value, has_min_relevance, is_gift, is_test, first_purchases] = flags(
            given.flags,
            [
                AFTERCART_TRANSACTION_HAS_VALUE,
                AFTERCART_TRANSACTION_HAS_MIN_RELEVANCE,
                AFTERCART_TRANSACTION_IS_GIFT,
                AFTERCART_TRANSACTION_IS_TEST,
                AFTERCART_TRANSACTION_FIRST_PURCHASES,
            ],
        )?;
        let min_relevance = optional(has_min_relevance, i64::from(given.min_relevance))?;
        let min_relevance = min_relevance.map(u16::try_from).transpose().map_err(|_| Status::BadValue)?;
        zero(given.reserved)?;
        Ok(Transaction {
            payment: value(given.payment, PaymentType::from_code)?,
            rechargeable: answer(given.rechargeable)?,
            tags: &lists.tags,
            order_id: self.text(given.order_id)?,
            created_at_ms: given.created_at_ms,
            value: optional(has_value, given.value)?,
            currency: code(&given.currency, Currency::parse)?,
            country: code(&given.country, Country::parse)?,
            is_gift,
            is_test,
            lines: &lists.lines,
            placement: Placement {
                id: self.text(given.placement)?,
                stage: value(given.stage, Stage::from_code)?,
                slots: u8::try_from(given.slots).map_err(|_| Status::TooManySlots)?,
                min_relevance,
                repeat: if first_purchases { Repeat::Never } else { Repeat::Allowed },
            },
        })
    }

    /// The customer, with facts that [`Lists::fill`] read.
    pub(crate) fn profile<'a>(&self, lists: &'a Lists<'c>) -> Result<Profile<'a>, Status> {
        let known = Profile {
            opt_out_categories: &lists.opt_outs,
            purchases: &lists.purchases,
            declines: &lists.declines,
            exposures: &lists.exposures,
            answers: &lists.answers,
            asked: &lists.asked,
            segments: &lists.segments,
            session: Session { session_key: None, cart_removed: &lists.removed },
            ..Profile::default()
        };
        let Some(given) = &self.profile else {
            return Ok(known);
        };
        let [opt_out_third_party, has_orders, gpc] = flags(
            given.flags,
            [AFTERCART_PROFILE_OPT_OUT_THIRD_PARTY, AFTERCART_PROFILE_HAS_ORDERS, AFTERCART_PROFILE_GPC],
        )?;
        zero(given.reserved)?;
        let [asked, granted] = [given.purposes_asked, given.purposes_granted].map(Purposes::from_bits);
        let (asked, granted) =
            (asked.ok_or(Status::UnsupportedField)?, granted.ok_or(Status::UnsupportedField)?);
        if !asked.contains(granted) {
            return Err(Status::BadValue); // granted what nobody asked about
        }
        let key = |[low, high]: [u64; 2]| {
            let key = u128::from(high) << 64 | u128::from(low);
            (key != 0).then_some(key.to_le_bytes())
        };
        Ok(Profile {
            unit_key: key(given.unit_key),
            customer: value(given.customer, CustomerKind::from_code)?,
            loyalty_member: answer(given.loyalty_member)?,
            loyalty_tier: self.text(given.loyalty_tier)?,
            orders: optional(has_orders, given.orders.into())?.map(|_| given.orders),
            has_app: answer(given.has_app)?,
            age_band: value(given.age_band, AgeBand::from_code)?,
            consent: Consent { asked, granted, gpc },
            opt_out_third_party,
            session: Session { session_key: key(given.session_key), ..known.session },
            ..known
        })
    }

    fn line(&self, given: &aftercart_line) -> Result<LineItem<'c>, Status> {
        let [has_unit_price] = flags(given.flags, [AFTERCART_LINE_HAS_UNIT_PRICE])?;
        Ok(LineItem {
            item_id: self.text(given.item_id)?,
            category: self.text(given.category)?,
            brand: self.text(given.brand)?,
            quantity: given.quantity.max(1),
            unit_price: optional(has_unit_price, given.unit_price)?,
            role: value(given.role, Role::from_code)?,
            sensitive: value(given.sensitive, SensitiveClass::from_code)?,
        })
    }
}

/// Questions that were asked, of which the last are read: as many as offers that were shown.
const ASKED_MAX: usize = EXPOSURES_MAX;
/// Messages that the engine is told of: it reads the last of them. So few facts need no counting.
const CONTACTED_MAX: usize = EXPOSURES_MAX;

/// Memory for the lists of a request, set aside once.
#[derive(Debug, Default)]
pub(crate) struct Lists<'a> {
    lines: Vec<LineItem<'a>>,
    purchases: Vec<Purchase<'a>>,
    declines: Vec<Decline<'a>>,
    exposures: Vec<Exposed<'a>>,
    answers: Vec<Answer<'a>>,
    asked: Vec<Asked<'a>>,
    pub(crate) uses: Vec<Use<'a>>,
    pub(crate) counts: Vec<MethodCount<'a>>,
    pub(crate) contacts: Vec<Contact>,
    opt_outs: Vec<&'a str>,
    removed: Vec<&'a str>,
    tags: Vec<&'a str>,
    segments: Vec<&'a str>,
}

impl<'a> Lists<'a> {
    pub(crate) fn new() -> Result<Self, Status> {
        Ok(Self {
            lines: room(LINES_MAX)?,
            purchases: room(PURCHASES_MAX)?,
            declines: room(DECLINES_MAX)?,
            exposures: room(EXPOSURES_MAX)?,
            answers: room(ANSWERS_MAX)?,
            asked: room(ASKED_MAX)?,
            uses: room(USES_MAX)?,
            counts: room(METHOD_COUNTS_MAX)?,
            contacts: room(CONTACTED_MAX)?,
            opt_outs: room(OPT_OUTS_MAX + 1)?, // one more, so that the engine sees that there are too many
            removed: room(CART_REMOVED_MAX)?,
            tags: room(TAGS_MAX + 1)?, // one more, so that the engine sees that it does not read all
            segments: room(SEGMENTS_MAX + 1)?,
        })
    }

    /// The same memory, empty, for text of another lifetime.
    pub(crate) fn recycle<'b>(self) -> Lists<'b> {
        Lists {
            lines: recycle(self.lines),
            purchases: recycle(self.purchases),
            declines: recycle(self.declines),
            exposures: recycle(self.exposures),
            answers: recycle(self.answers),
            asked: recycle(self.asked),
            uses: recycle(self.uses),
            counts: recycle(self.counts),
            contacts: recycle(self.contacts),
            opt_outs: recycle(self.opt_outs),
            removed: recycle(self.removed),
            tags: recycle(self.tags),
            segments: recycle(self.segments),
        }
    }

    /// Reads lines and facts.
    pub(crate) fn fill(&mut self, given: &Given<'a>) -> Result<(), Status> {
        for line in given.lines.iter() {
            push(&mut self.lines, given.line(&line?)?);
        }
        let mut skip = Skip::of(&given.facts)?;
        for fact in given.facts.iter() {
            self.add(given, &fact?, &mut skip)?;
        }
        for count in given.counts.iter().flat_map(Array::iter).take(METHOD_COUNTS_MAX) {
            push(&mut self.counts, method_count(given, &count?)?);
        }
        Ok(())
    }

    fn add(&mut self, given: &Given<'a>, fact: &aftercart_fact, skip: &mut Skip) -> Result<(), Status> {
        let (id, tag, at_ms) = (given.text(fact.id)?, given.text(fact.tag)?, fact.at_ms);
        zero(fact.reserved)?;
        let event = exposure(fact.kind);
        let dated = event.is_some()
            || matches!(
                fact.kind,
                AFTERCART_FACT_PURCHASE
                    | AFTERCART_FACT_DECLINE
                    | AFTERCART_FACT_ASKED
                    | AFTERCART_FACT_USED
                    | AFTERCART_FACT_FAILED
                    | AFTERCART_FACT_CONTACTED
            );
        let tagged = fact.kind == AFTERCART_FACT_ANSWER;
        let named = fact.kind != AFTERCART_FACT_CONTACTED;
        if (at_ms != 0 && !dated) || (!tag.is_empty() && !tagged) || (!id.is_empty() && !named) {
            return Err(Status::UnsupportedField);
        }
        if let Some(event) = event {
            push_last(&mut self.exposures, &mut skip.exposures, Exposed { id, event, at_ms });
            return Ok(());
        }
        match fact.kind {
            AFTERCART_FACT_PURCHASE => {
                push_last(&mut self.purchases, &mut skip.purchases, Purchase { item_id: id, at_ms });
            }
            AFTERCART_FACT_DECLINE => {
                push_last(&mut self.declines, &mut skip.declines, Decline { id, at_ms });
            }
            AFTERCART_FACT_ASKED => {
                push_last(&mut self.asked, &mut skip.asked, Asked { question: id, at_ms })
            }
            AFTERCART_FACT_USED | AFTERCART_FACT_FAILED => {
                let failed = fact.kind == AFTERCART_FACT_FAILED;
                push_last(&mut self.uses, &mut skip.uses, Use { id, at_ms, failed });
            }
            AFTERCART_FACT_CONTACTED => {
                push_last(&mut self.contacts, &mut skip.contacts, Contact { at_ms });
            }
            AFTERCART_FACT_ANSWER => push(&mut self.answers, Answer { question: id, tag }),
            AFTERCART_FACT_OPT_OUT_CATEGORY => push(&mut self.opt_outs, id),
            AFTERCART_FACT_CART_REMOVED => push(&mut self.removed, id),
            AFTERCART_FACT_ORDER_TAG => push(&mut self.tags, id),
            AFTERCART_FACT_SEGMENT => push(&mut self.segments, id),
            _ => return Err(Status::BadValue),
        }
        Ok(())
    }
}

/// How many of the first facts of a kind are left out.
#[derive(Debug, Default)]
struct Skip {
    purchases: usize,
    declines: usize,
    exposures: usize,
    asked: usize,
    uses: usize,
    contacts: usize,
}

impl Skip {
    /// Of these lists the engine reads the last elements, so the first ones make way. Few facts fit in any case.
    fn of(facts: &Array<'_, aftercart_fact>) -> Result<Self, Status> {
        let mut skip = Self::default();
        if facts.len() <= PURCHASES_MAX.min(DECLINES_MAX).min(EXPOSURES_MAX) {
            return Ok(skip);
        }
        for fact in facts.iter() {
            match fact?.kind {
                AFTERCART_FACT_PURCHASE => skip.purchases += 1,
                AFTERCART_FACT_DECLINE => skip.declines += 1,
                AFTERCART_FACT_ASKED => skip.asked += 1,
                AFTERCART_FACT_USED | AFTERCART_FACT_FAILED => skip.uses += 1,
                AFTERCART_FACT_CONTACTED => skip.contacts += 1,
                kind if exposure(kind).is_some() => skip.exposures += 1,
                _ => {}
            }
        }
        skip.purchases = skip.purchases.saturating_sub(PURCHASES_MAX);
        skip.declines = skip.declines.saturating_sub(DECLINES_MAX);
        skip.exposures = skip.exposures.saturating_sub(EXPOSURES_MAX);
        skip.asked = skip.asked.saturating_sub(ASKED_MAX);
        skip.uses = skip.uses.saturating_sub(USES_MAX);
        skip.contacts = skip.contacts.saturating_sub(CONTACTED_MAX);
        Ok(skip)
    }
}

fn exposure(fact: u32) -> Option<Exposure> {
    match fact {
        AFTERCART_FACT_SHOWN => Some(Exposure::Shown),
        AFTERCART_FACT_ENGAGED => Some(Exposure::Engaged),
        AFTERCART_FACT_ACCEPTED => Some(Exposure::Accepted),
        _ => None,
    }
}

/// Room for `most` elements, or a failure instead of an abort.
fn room<T>(most: usize) -> Result<Vec<T>, Status> {
    let mut list = Vec::new();
    list.try_reserve_exact(most).map_err(|_| Status::OutOfMemory)?;
    Ok(list)
}

/// Turns a list into an empty one of a type that differs in lifetimes only. The standard library collects in place, so the
/// memory stays; the C tests count allocations.
fn recycle<A, B>(mut list: Vec<A>) -> Vec<B> {
    const { assert!(size_of::<A>() == size_of::<B>() && align_of::<A>() == align_of::<B>()) };
    list.clear();
    list.into_iter().map(|_| unreachable!("the list is empty")).collect()
}

/// Adds an element where there is room. Never allocates.
fn push<T>(list: &mut Vec<T>, element: T) {
    if list.len() < list.capacity() {
        list.push(element);
    }
}

fn push_last<T>(list: &mut Vec<T>, skip: &mut usize, element: T) {
    match skip.checked_sub(1) {
        Some(left) => *skip = left,
        None => push(list, element),
    }
}

/// A text within a block of strings.
pub(crate) fn text_in(strings: &[u8], text: aftercart_text) -> Result<&str, Status> {
    if text.length == 0 {
        return Ok("");
    }
    let start = text.offset as usize;
    let end = start.checked_add(text.length as usize).ok_or(Status::BadString)?;
    let bytes = strings.get(start..end).ok_or(Status::BadString)?;
    std::str::from_utf8(bytes).map_err(|_| Status::BadUtf8)
}

/// Takes flags apart, and refuses unknown ones.
pub(crate) fn flags<const N: usize>(given: u32, known: [u32; N]) -> Result<[bool; N], Status> {
    zero(given & !known.iter().fold(0, |all, flag| all | flag))?;
    Ok(known.map(|flag| given & flag != 0))
}

/// A number that counts only with its flag. Without, it must be zero: a forgotten flag is found here, not in production.
pub(crate) fn optional(flag: bool, number: i64) -> Result<Option<i64>, Status> {
    match (flag, number) {
        (true, _) => Ok(Some(number)),
        (false, 0) => Ok(None),
        (false, _) => Err(Status::BadValue),
    }
}

pub(crate) fn zero(field: u32) -> Result<(), Status> {
    if field == 0 { Ok(()) } else { Err(Status::UnsupportedField) }
}

/// A value of one of the engine's lists.
pub(crate) fn value<T>(given: u32, from_code: impl Fn(u8) -> Option<T>) -> Result<T, Status> {
    u8::try_from(given).ok().and_then(from_code).ok_or(Status::BadValue)
}

pub(crate) fn answer(given: u32) -> Result<Option<bool>, Status> {
    match given {
        AFTERCART_UNKNOWN => Ok(None),
        AFTERCART_NO => Ok(Some(false)),
        AFTERCART_YES => Ok(Some(true)),
        _ => Err(Status::BadValue),
    }
}

/// An ISO code, padded with zeros; all zero where not given.
pub(crate) fn code<T>(given: &[c_char; 4], parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Status> {
    let bytes = given.map(|c| c as u8);
    let text = std::str::from_utf8(&bytes).map_err(|_| Status::BadValue)?.trim_end_matches('\0');
    if text.is_empty() { Ok(None) } else { parse(text).map(Some).ok_or(Status::BadValue) }
}

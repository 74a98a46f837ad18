//! What a request says, as conditions ask for it: numbers, hashes of texts, flags.

use super::condition::{FlagFact, ListFact, NumberFact, TextFact};
use super::zone::Zone;
use crate::limits::{ANSWERS_MAX, CART_REMOVED_MAX, SEGMENTS_MAX, TAGS_MAX};
use crate::profile::Profile;
use crate::transaction::Transaction;
use crate::vocabulary::{AgeBand, CustomerKind, PaymentType, Purpose};

/// Facts of one request. `None` = the request does not say.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    numbers: [Option<i64>; NumberFact::ALL.len()],
    texts: [Option<u64>; TextFact::ALL.len()],
    flags: [Option<bool>; FlagFact::ALL.len()],
    tags: Hashes<TAGS_MAX>,
    segments: Hashes<SEGMENTS_MAX>,
    answers: Hashes<ANSWERS_MAX>,
    cart_removed: Hashes<CART_REMOVED_MAX>,
}

/// Hashes of the texts of a list.
#[derive(Debug)]
struct Hashes<const MOST: usize> {
    list: [u64; MOST],
    length: usize,
    /// There were more, which nobody read.
    cut: bool,
}

impl<const MOST: usize> Default for Hashes<MOST> {
    fn default() -> Self {
        Self { list: [0; MOST], length: 0, cut: false }
    }
}

impl<const MOST: usize> Hashes<MOST> {
    fn new<'t>(texts: impl ExactSizeIterator<Item = &'t str>) -> Self {
        let (cut, length) = (texts.len() > MOST, texts.len().min(MOST));
        let mut list = [0; MOST];
        list.iter_mut().zip(texts).for_each(|(hash, text)| *hash = text_hash(text));
        Self { list, length, cut }
    }

    fn has(&self, hash: u64) -> Option<bool> {
        let found = self.list.iter().take(self.length).any(|known| *known == hash);
        if !found && self.cut { None } else { Some(found) }
    }
}

/// What stands for a text in a compiled condition.
pub(crate) fn text_hash(text: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(text.as_bytes())
}

impl Facts {
    pub(crate) fn new(
        transaction: &Transaction<'_>,
        profile: &Profile<'_>,
        zone: &Zone,
        order_value: Option<i64>,
        gift: bool,
        slots: usize,
    ) -> Self {
        let now = Some(transaction.created_at_ms).filter(|at| *at > 0);
        let local = now.and_then(|at| zone.local(at));
        let units: u64 = transaction.lines.iter().map(|line| u64::from(line.quantity)).sum();
        let some = |known: bool, text: &str| known.then(|| text_hash(text));
        let text = |text: &str| some(!text.is_empty(), text);
        let (payment, customer) = (transaction.payment, profile.customer);
        let (age, placement) = (profile.age_band, &transaction.placement);
        Self {
            // In the order of the codes.
            numbers: [
                order_value,
                Some(transaction.lines.len() as i64),
                Some(units.min(i64::MAX as u64) as i64),
                profile.orders.map(i64::from),
                local.map(|at| at.hour),
                local.map(|at| at.minute),
                now,
                Some(slots as i64),
            ],
            texts: [
                transaction.country.map(|country| text_hash(country.as_str())),
                some(payment != PaymentType::Unknown, payment.name()),
                some(customer != CustomerKind::Any, customer.name()),
                some(age != AgeBand::Unknown, age.name()),
                text(profile.loyalty_tier),
                local.map(|at| text_hash(at.weekday)),
                text(placement.id),
                some(true, placement.stage.name()),
            ],
            flags: [
                Some(gift),
                Some(transaction.is_test),
                transaction.rechargeable,
                profile.loyalty_member,
                profile.has_app,
                profile.consent.answer(Purpose::Preferences),
                profile.consent.answer(Purpose::Analytics),
                profile.consent.answer(Purpose::Marketing),
                profile.consent.answer(Purpose::SaleOfData),
                Some(profile.consent.gpc),
            ],
            tags: Hashes::new(transaction.tags.iter().copied()),
            segments: Hashes::new(profile.segments.iter().copied()),
            answers: Hashes::new(profile.answers.iter().map(|answer| answer.tag)),
            cart_removed: Hashes::new(profile.session.cart_removed.iter().copied()),
        }
    }

    pub(crate) fn number(&self, fact: NumberFact) -> Option<i64> {
        self.numbers.get(usize::from(fact.code())).copied().flatten()
    }

    pub(crate) fn text(&self, fact: TextFact) -> Option<u64> {
        self.texts.get(usize::from(fact.code())).copied().flatten()
    }

    pub(crate) fn flag(&self, fact: FlagFact) -> Option<bool> {
        self.flags.get(usize::from(fact.code())).copied().flatten()
    }

    pub(crate) fn has(&self, list: ListFact, hash: u64) -> Option<bool> {
        match list {
            ListFact::OrderTags => self.tags.has(hash),
            ListFact::CustomerSegments => self.segments.has(hash),
            ListFact::Answers => self.answers.has(hash),
            ListFact::CartRemoved => self.cart_removed.has(hash),
        }
    }
}

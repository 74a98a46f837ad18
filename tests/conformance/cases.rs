//! Reads `requests.txt`, whose grammar is at its top. The test and the bench of the bindings share it.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "each user uses some of it"
)]

use aftercart::vocabulary::{
    AgeBand, Country, Currency, CustomerKind, Exposure, PaymentType, Purpose, Role, SensitiveClass, Stage,
};
use aftercart::{Answer, Asked, Decline, Exposed, LineItem, Profile, Purchase, Repeat, Transaction};

/// A request: its lines, each split into word and fields; and, in live.txt, what is done with it.
pub struct Case<'a> {
    pub name: &'a str,
    pub steps: Vec<Vec<&'a str>>,
    lines: Vec<Vec<&'a str>>,
}

const STEPS: [&str; 17] = [
    "decide",
    "set",
    "look",
    "reserve",
    "activate",
    "release",
    "explain",
    "model",
    "page",
    "ask",
    "sign",
    "verify",
    "rank_payment",
    "rank_shipping",
    "prefill",
    "follow_ups",
    "event",
];

/// Words of moments.txt that are not the request's.
const BESIDE: [&str; 7] = ["used", "failed", "pay", "ship", "usual", "stored", "contacted"];

/// A line of a case.
#[derive(Clone, Copy)]
pub struct Fields<'a>(pub &'a [&'a str]);

impl<'a> Fields<'a> {
    /// A field; empty where it is not there.
    pub fn text(self, at: usize) -> &'a str {
        self.0.get(at).copied().unwrap_or("")
    }

    /// Likewise; 0 where it is not there.
    pub fn number<T: std::str::FromStr + Default>(self, at: usize) -> T {
        if self.text(at).is_empty() { T::default() } else { number(self.text(at)) }
    }
}

/// The requests of a text.
pub fn cases(text: &str) -> Vec<Case<'_>> {
    let mut cases: Vec<Case<'_>> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        match (fields[0], cases.last_mut()) {
            ("case", _) => cases.push(Case { name: fields[1], steps: Vec::new(), lines: Vec::new() }),
            (word, Some(case)) if STEPS.contains(&word) => case.steps.push(fields),
            (_, Some(case)) => case.lines.push(fields),
            (_, None) => panic!("{line}: before the first case"),
        }
    }
    cases
}

/// The texts of numbered items, which a request borrows.
fn numbered(count: &str, item: &str) -> Vec<String> {
    (1..=number::<usize>(count)).map(|n| format!("{item}-{n}")).collect()
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

fn key(low: &str, high: &str) -> Option<[u8; 16]> {
    Some((u128::from(number::<u64>(high)) << 64 | u128::from(number::<u64>(low))).to_le_bytes())
}

/// The lists of a request.
#[derive(Default)]
struct Lists<'a> {
    lines: Vec<LineItem<'a>>,
    purchases: Vec<Purchase<'a>>,
    declines: Vec<Decline<'a>>,
    exposures: Vec<Exposed<'a>>,
    answers: Vec<Answer<'a>>,
    asked: Vec<Asked<'a>>,
    opt_outs: Vec<&'a str>,
    tags: Vec<&'a str>,
    segments: Vec<&'a str>,
    removed: Vec<&'a str>,
}

impl Case<'_> {
    /// What stands beside the request, of one of these words.
    pub fn beside<'s>(&'s self, words: &'s [&str]) -> impl Iterator<Item = Fields<'s>> {
        self.lines.iter().filter(|line| words.contains(&line[0])).map(|line| Fields(line))
    }

    /// The status that this request must be refused with, where types of Rust cannot say it.
    pub fn refused(&self) -> Option<&str> {
        self.lines.iter().find(|line| line[0] == "expect").map(|line| line[1])
    }

    /// Borrows it in the form that a decision takes.
    pub fn with<R>(&self, then: impl FnOnce(&Transaction<'_>, &Profile<'_>) -> R) -> R {
        let texts: Vec<Vec<String>> = self
            .lines
            .iter()
            .map(|line| match line[0] {
                "lines" | "purchases" => numbered(line[1], line[2]),
                _ => Vec::new(),
            })
            .collect();
        let (mut lists, mut transaction, mut profile) =
            (Lists::default(), Transaction::default(), Profile::default());
        for (line, texts) in self.lines.iter().zip(&texts) {
            let field = |at: usize| line.get(at).copied().unwrap_or("");
            if !lists.add(line[0], field, texts) {
                set(&mut transaction, &mut profile, line[0], field);
            }
        }
        transaction.lines = &lists.lines;
        transaction.tags = &lists.tags;
        profile.segments = &lists.segments;
        profile.purchases = &lists.purchases;
        profile.declines = &lists.declines;
        profile.exposures = &lists.exposures;
        profile.answers = &lists.answers;
        profile.asked = &lists.asked;
        profile.opt_out_categories = &lists.opt_outs;
        profile.session.cart_removed = &lists.removed;
        then(&transaction, &profile)
    }
}

impl<'a> Lists<'a> {
    /// Adds what is an element of a list.
    fn add(&mut self, word: &str, field: impl Fn(usize) -> &'a str, texts: &'a [String]) -> bool {
        let code = |at| if field(at).is_empty() { 0 } else { number::<u8>(field(at)) };
        match word {
            "line" => self.lines.push(LineItem {
                item_id: field(1),
                category: field(2),
                brand: field(3),
                quantity: if field(4).is_empty() { 1 } else { number(field(4)) },
                unit_price: Some(field(5)).filter(|text| !text.is_empty()).map(number),
                role: Role::from_code(code(6)).expect("a role"),
                sensitive: SensitiveClass::from_code(code(7)).expect("a class"),
            }),
            "lines" => self.lines.extend(texts.iter().map(|text| LineItem::of(text))),
            "purchase" => self.purchases.push(Purchase { item_id: field(1), at_ms: number(field(2)) }),
            "purchases" => {
                self.purchases.extend(texts.iter().map(|text| Purchase { item_id: text, at_ms: 0 }));
            }
            "decline" => self.declines.push(Decline { id: field(1), at_ms: number(field(2)) }),
            "shown" | "engaged" | "accepted" => {
                let event = Exposure::ALL.iter().find(|event| event.name() == word);
                let event = *event.expect("an exposure");
                self.exposures.push(Exposed { id: field(1), event, at_ms: number(field(2)) });
            }
            "asked" => self.asked.push(Asked { question: field(1), at_ms: number(field(2)) }),
            "answer" => self.answers.push(Answer { question: field(1), tag: field(2) }),
            "opt_out_category" => self.opt_outs.push(field(1)),
            "order_tag" => self.tags.push(field(1)),
            "segment" => self.segments.push(field(1)),
            "cart_removed" => self.removed.push(field(1)),
            _ => return false,
        }
        true
    }
}

/// Sets what is a field.
fn set<'a>(
    transaction: &mut Transaction<'a>,
    profile: &mut Profile<'a>,
    word: &str,
    field: impl Fn(usize) -> &'a str,
) {
    let known = |text: &str| [None, Some(false), Some(true)][number::<usize>(text)];
    match word {
        "order_id" => transaction.order_id = field(1),
        "created_at_ms" => transaction.created_at_ms = number(field(1)),
        "value" => transaction.value = Some(number(field(1))),
        "currency" => transaction.currency = Some(Currency::parse(field(1)).expect("a currency")),
        "country" => transaction.country = Some(Country::parse(field(1)).expect("a country")),
        "stage" => transaction.placement.stage = Stage::from_code(number(field(1))).expect("a stage"),
        "slots" => transaction.placement.slots = number(field(1)),
        "min_relevance" => transaction.placement.min_relevance = Some(number(field(1))),
        "payment" => transaction.payment = PaymentType::from_code(number(field(1))).expect("a payment"),
        "rechargeable" => transaction.rechargeable = known(field(1)),
        "placement" => transaction.placement.id = field(1),
        "is_gift" => transaction.is_gift = true,
        "is_test" => transaction.is_test = true,
        "first_purchases" => transaction.placement.repeat = Repeat::Never,
        "customer" => profile.customer = CustomerKind::from_code(number(field(1))).expect("a customer"),
        "age_band" => profile.age_band = AgeBand::from_code(number(field(1))).expect("an age"),
        "loyalty_member" => profile.loyalty_member = known(field(1)),
        "has_app" => profile.has_app = known(field(1)),
        "loyalty_tier" => profile.loyalty_tier = field(1),
        "orders" => profile.orders = Some(number(field(1))),
        "consent" => {
            let purpose = Purpose::from_code(number(field(1))).expect("a purpose");
            profile.consent.asked = profile.consent.asked.with(purpose);
            if known(field(2)) == Some(true) {
                profile.consent.granted = profile.consent.granted.with(purpose);
            }
        }
        "gpc" => profile.consent.gpc = true,
        word if BESIDE.contains(&word) => {}
        "opt_out_third_party" => profile.opt_out_third_party = true,
        "unit_key" => profile.unit_key = key(field(1), field(2)),
        "session_key" => profile.session.session_key = key(field(1), field(2)),
        _ => panic!("{word}: no such word"),
    }
}

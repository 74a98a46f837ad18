//! The steps of moments.txt, taken by the engine.

use std::fmt::Write as _;
use std::sync::Arc;

use aftercart::before_payment::{
    Device, MethodCount, PaymentFacts, PaymentOption, Ranking, ShippingOption, StoredField, Use, prefill,
};
use aftercart::event::{Event, EventKind};
use aftercart::follow_up::{Contact, Outlook, Programmes};
use aftercart::token::{Claim, Redeeming, TokenError, TokenKey, check};
use aftercart::vocabulary::{Country, Currency};
use aftercart::{AcceptPlan, Decider, Engine, Item, Model, Status};
use xxhash_rust::xxh3::xxh3_64;

use super::cases::{Case, Fields};

pub(crate) struct Steps {
    plain: Arc<Engine>,
    model: Arc<Model>,
    programmes: Programmes,
    decider: Decider,
    token: String,
}

impl Steps {
    pub(crate) fn new(plain: Arc<Engine>, model: Arc<Model>, programmes: Programmes) -> Self {
        Self { decider: Decider::new(Arc::clone(&plain)), plain, model, programmes, token: String::new() }
    }

    /// What a case answers, beginning without a model.
    pub(crate) fn all(&mut self, case: &Case<'_>) -> String {
        self.decider.swap_engine(Arc::clone(&self.plain));
        let mut text = format!("case\t{}\n", case.name);
        for step in &case.steps {
            text += &self.take(case, Fields(step));
        }
        text + "\n"
    }

    fn take(&mut self, case: &Case<'_>, step: Fields<'_>) -> String {
        match step.text(0) {
            "model" => {
                let with = self.plain.with_model(Arc::clone(&self.model), step.text(1) == "1");
                self.decider.swap_engine(Arc::new(with));
                "model\tOK\n".into()
            }
            "page" => self.page(case),
            "ask" => self.ask(case),
            "sign" => match sign(step) {
                Ok(token) => {
                    self.token = token;
                    format!("token\tOK\t{}\n", self.token)
                }
                Err(error) => format!("token\t{}\n", status(error)),
            },
            "verify" => verify(step, &self.token),
            "rank_payment" => self.rank_payment(case, step),
            "rank_shipping" => self.rank_shipping(case),
            "prefill" => fill(case),
            "follow_ups" => self.follow_ups(case, step),
            "event" => event(step),
            other => panic!("{other}: no such step"),
        }
    }

    fn page(&mut self, case: &Case<'_>) -> String {
        case.with(|transaction, profile| {
            let offers = self.decider.decide(transaction, profile).expect("a request within the limits");
            let name = if matches!(offers.status, Status::Ok) { "OK" } else { "NO_OFFERS" };
            let mut text = format!("page\t{name}\t{:032x}\t{}\n", offers.group_id, offers.generations.model);
            for offer in offers.slate() {
                let plan = AcceptPlan::of(offer, transaction);
                let _ = writeln!(
                    text,
                    "accept\t{}\t{}\t{}\t{}\t{}",
                    self.decider.engine().id(offer.item),
                    plan.mode.code(),
                    plan.reason.code(),
                    u8::from(plan.may_need_confirmation),
                    offer.p_accept_ppm
                );
            }
            text
        })
    }

    fn ask(&mut self, case: &Case<'_>) -> String {
        let next = case.with(|transaction, profile| self.decider.next_question(transaction, profile));
        let Some(next) = next.expect("a request within the limits") else {
            return "question\tNO_QUESTION\n".into();
        };
        let engine = self.decider.engine();
        let (id, words) = engine.question(next.question).expect("it is the engine's");
        let mut text = format!("question\tOK\t{id}\t{words}\t{}\t{}\n", next.gain_micros, next.decisions);
        for (words, tag) in engine.question_answers(next.question) {
            let _ = writeln!(text, "answer\t{tag}\t{words}");
        }
        text
    }

    fn rank_payment(&self, case: &Case<'_>, step: Fields<'_>) -> String {
        let options: Vec<PaymentOption<'_>> = case
            .beside(&["pay"])
            .map(|option| PaymentOption { id: option.text(1), ready: option.text(2) == "1" })
            .collect();
        let counts: Vec<MethodCount<'_>> = case
            .beside(&["usual"])
            .map(|of| MethodCount {
                id: of.text(1),
                country: Country::parse(of.text(2)).expect("a country"),
                device: Device::from_code(of.number(3)).expect("a device"),
                amount_from: of.number(4),
                orders: of.number(5),
            })
            .collect();
        let uses = uses(case);
        let device = Device::from_code(step.number(1)).expect("a device");
        let facts = PaymentFacts { uses: &uses, counts: &counts, device };
        let ranked = case.with(|transaction, profile| {
            self.decider.engine().rank_payment_methods(transaction, profile, &facts, &options)
        });
        ranked.map_or_else(|_| "ranked\tTOO_MANY_OPTIONS\n".into(), |ranking| told(&ranking))
    }

    fn rank_shipping(&self, case: &Case<'_>) -> String {
        let options: Vec<ShippingOption<'_>> = case
            .beside(&["ship"])
            .map(|of| ShippingOption { id: of.text(1), price: of.number(2), arrives_by_ms: of.number(3) })
            .collect();
        let ranked = case.with(|transaction, profile| {
            self.decider.engine().rank_shipping_options(transaction, profile, &uses(case), &options)
        });
        told(&ranked.expect("few enough"))
    }
}

impl Steps {
    fn follow_ups(&mut self, case: &Case<'_>, step: Fields<'_>) -> String {
        let contacts: Vec<Contact> =
            case.beside(&["contacted"]).map(|of| Contact { at_ms: of.number(1) }).collect();
        let outlook = Outlook { delivery_at_ms: step.number(1), contacts: &contacts };
        let plan = case.with(|transaction, profile| {
            self.decider.plan_follow_ups(&self.programmes, transaction, profile, &outlook)
        });
        let plan = plan.expect("a request within the limits");
        let mut text = String::from("follow_ups\tOK\n");
        let withheld = plan.withheld().iter().map(|(of, why)| (of, why.code()));
        for (of, why) in plan.planned().iter().map(|of| (of, 0)).chain(withheld) {
            let (programme, step) = self.programmes.step_of(of).expect("its own");
            let content = self.programmes.content_of(of, &self.plain);
            let _ = writeln!(
                text,
                "message\t{programme}\t{}\t{}\t{}\t{}\t{why}\t{}\t{}\t{}\t{}\t{}\t{}",
                step.template,
                content.map_or("", |content| self.plain.id(Item::Offer(content))),
                step.kind.code(),
                step.channel.code(),
                of.at_ms,
                of.expires_at_ms,
                of.line,
                of.product.map_or("", |product| self.plain.title(Item::Product(product))),
                of.due_days.map_or(-1, i32::from),
                of.own_intervals
            );
        }
        text
    }
}

fn event(step: Fields<'_>) -> String {
    let amount = |at: usize| Some(step.text(at)).filter(|text| !text.is_empty()).map(|_| step.number(at));
    let event = Event {
        kind: EventKind::from_code(step.number(1)).expect("a kind"),
        event_id: step.text(2),
        decision_id: u128::from_str_radix(step.text(3), 16).expect("an id"),
        at_ms: step.number(4),
        item_id: step.text(5),
        value: amount(6),
        margin: amount(7),
        payout: amount(8),
        code: step.text(9),
        question: step.text(10),
        answer: step.text(11),
    };
    match event.line() {
        Ok(line) => format!("event\tOK\t{}\n", line.as_str()),
        Err(_) => "event\tBAD_VALUE\n".into(),
    }
}

fn uses<'a>(case: &'a Case<'_>) -> Vec<Use<'a>> {
    case.beside(&["used", "failed"])
        .map(|of| Use { id: of.text(1), at_ms: of.number(2), failed: of.text(0) == "failed" })
        .collect()
}

fn told(ranking: &Ranking) -> String {
    let mut text = String::from("ranked\tOK\n");
    for ranked in ranking {
        let _ = writeln!(text, "option\t{}\t{}", ranked.option, ranked.because.code());
    }
    text
}

fn fill(case: &Case<'_>) -> String {
    let stored: Vec<StoredField> = case
        .beside(&["stored"])
        .map(|of| StoredField {
            field: of.number(1),
            slot: of.number(2),
            country: Country::parse(of.text(3)),
            uses: of.number(4),
            last_used_ms: of.number(5),
        })
        .collect();
    let mut text = String::from("prefilled\tOK\n");
    for of in case.with(|transaction, _| prefill(transaction, &stored)) {
        let because = of.because.code();
        let _ = writeln!(text, "field\t{}\t{}\t{}\t{because}", of.field, of.slot, of.confidence_ppm);
    }
    text
}

fn sign(step: Fields<'_>) -> Result<String, TokenError> {
    let claim = Claim {
        decision_id: u128::from_str_radix(step.text(2), 16).expect("an id"),
        item_id: step.text(3),
        price: step.number(4),
        currency: Currency::parse(step.text(5)).expect("a currency"),
        quantity: step.number(6),
        expires_at_ms: step.number(7),
    };
    Ok(TokenKey::new(step.text(1).as_bytes())?.issue(&claim)?.as_str().to_owned())
}

fn verify(step: Fields<'_>, last: &str) -> String {
    let token = if step.text(2).is_empty() { last } else { step.text(2) };
    let key = TokenKey::new(step.text(1).as_bytes()).expect("long enough");
    let currency = Currency::parse(step.text(3)).expect("a currency");
    match check(token, &[key], Redeeming { currency, now_ms: step.number(4), skew_ms: step.number(5) }) {
        Err(error) => format!("claim\t{}\n", status(error)),
        Ok(of) => format!(
            "claim\tOK\t{:032x}\t{}\t{}\t{}\t{}\t{}\t{:032x}\n",
            of.decision_id,
            of.item_id(),
            of.price,
            std::str::from_utf8(&of.currency.0).expect("letters"),
            of.quantity,
            of.expires_at_ms,
            of.idempotency_key()
        ),
    }
}

fn status(error: TokenError) -> &'static str {
    match error {
        TokenError::Malformed => "BAD_TOKEN",
        TokenError::BadSignature => "BAD_SIGNATURE",
        TokenError::Expired => "TOKEN_EXPIRED",
        TokenError::WrongCurrency => "WRONG_CURRENCY",
        _ => "BAD_VALUE",
    }
}

/// A model that says of pods and of everything else something that the catalog does not: in the form of src/model.rs.
pub(crate) fn model() -> Vec<u8> {
    let key = |name: &str| xxh3_64(&[&[4], name.as_bytes()].concat()); // level 4: items
    let mut factors = [(key("pods"), 65_536i32 * 3), (key("machine-warranty"), -65_536 * 2)];
    factors.sort_unstable();
    let mut bytes = b"\x89aftmdl\n".to_vec();
    for word in [1, 0, factors.len() as i32, 0, 30_000, 65_536].iter().chain(&[0; 16]) {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(1_790_000_000_000i64.to_le_bytes());
    bytes.resize(112, 0);
    for (key, factor) in factors {
        bytes.extend(key.to_le_bytes());
        bytes.extend(factor.to_le_bytes());
        bytes.extend([0; 4]);
    }
    bytes.extend(0i32.to_le_bytes());
    let generation = (xxh3_64(&bytes) as u32 & 0x7FFF_FFFF).max(1);
    bytes[20..24].copy_from_slice(&generation.to_le_bytes());
    let sum = xxh3_64(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

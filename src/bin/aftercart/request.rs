//! Requests as JSON: what `decide --jsonl` reads.

use std::collections::BTreeMap;

use aftercart::build::feed::{parse_price, parse_timestamp};
use aftercart::vocabulary::{Country, Currency, Exposure, PaymentType, Purpose, Role, Stage};
use aftercart::{
    Answer, Asked, Consent, Decline, Exposed, LineItem, Placement, Profile, Purchase, Repeat, Session,
    Transaction,
};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde_json::{Value, json};

/// A value that may be text, a number, or absent: exporters differ.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(untagged, expecting = "expected text or a number")]
pub(crate) enum Text {
    #[default]
    None,
    Quoted(String),
    Number(serde_json::Number),
}

impl Text {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Quoted(text) => text.trim().to_owned(),
            Self::Number(number) => number.to_string(),
        }
    }
}

/// One request. Every field but `lines` is optional.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Request {
    pub(crate) case_id: Value,
    /// Of a case of held-out orders: `new14` asks for first purchases only.
    task: Value,
    repeat: Text,
    at: Text,
    lines: Vec<LineRequest>,
    history: Vec<PastRequest>,
    order_id: Text,
    unit_key: Text,
    session_key: Text,
    value: Text,
    currency: Text,
    country: Text,
    customer: Text,
    age_band: Text,
    is_gift: bool,
    payment: Text,
    rechargeable: Option<bool>,
    tags: Vec<String>,
    /// The placement's id in the policy.
    placement: String,
    stage: Text,
    segments: Vec<String>,
    loyalty_tier: String,
    orders: Option<u32>,
    loyalty_member: Option<bool>,
    has_app: Option<bool>,
    /// Answer by purpose; what is left out nobody asked.
    consent: BTreeMap<Purpose, bool>,
    gpc: bool,
    opt_out_third_party: bool,
    opt_out_categories: Vec<String>,
    answers: Vec<AnswerRequest>,
    declines: Vec<DeclineRequest>,
    exposures: Vec<ExposedRequest>,
    asked: Vec<AskedRequest>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LineRequest {
    product_id: Text,
    quantity: Text,
    unit_price: Text,
    category: String,
    brand: String,
    role: Text,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PastRequest {
    product_id: Text,
    at: Text,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AnswerRequest {
    question: String,
    tag: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AskedRequest {
    question: String,
    at: Text,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct DeclineRequest {
    id: Text,
    at: Text,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ExposedRequest {
    id: Text,
    event: Text,
    at: Text,
}

/// A request with its texts read, from which [`Basket::with`] borrows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Basket {
    pub(crate) case_id: Value,
    pub(crate) repeat: Repeat,
    pub(crate) lines: Vec<BasketLine>,
    order_id: String,
    at_ms: i64,
    value: Option<i64>,
    currency: Option<Currency>,
    country: Option<Country>,
    is_gift: bool,
    payment: PaymentType,
    rechargeable: Option<bool>,
    tags: Vec<String>,
    placement: String,
    stage: Stage,
    segments: Vec<String>,
    loyalty_tier: String,
    purchases: Vec<(String, i64)>,
    declines: Vec<(String, i64)>,
    exposures: Vec<(String, Exposure, i64)>,
    answers: Vec<AnswerRequest>,
    asked: Vec<(String, i64)>,
    opt_out_categories: Vec<String>,
    profile: Profile<'static>,
    /// As it was written; empty where it was not.
    written: String,
}

/// A line of a [`Basket`].
#[derive(Debug, Clone, Default)]
pub(crate) struct BasketLine {
    pub(crate) id: String,
    pub(crate) category: String,
    brand: String,
    pub(crate) quantity: u32,
    unit_price: Option<i64>,
    role: Role,
}

impl BasketLine {
    fn read(line: &LineRequest, currency: &mut Option<Currency>) -> Result<Self, String> {
        let quantity = match line.quantity.text().as_str() {
            "" => 1.0,
            text => text.parse::<f64>().map_err(|_| format!("lines.quantity: \"{text}\" is not a number"))?,
        };
        if quantity.is_nan() || quantity < 0.0 {
            return Err(format!("lines.quantity: {quantity} is below 0"));
        }
        if quantity > f64::from(u32::MAX) {
            return Err(format!("lines.quantity: {quantity:e} is above {}", u32::MAX));
        }
        let (id, category) = (line.product_id.text(), line.category.clone());
        if id.is_empty() && category.is_empty() && line.role.text().is_empty() {
            return Err(
                "lines: one has no product_id: give it, or a category where the product is none of the catalog's".into(),
            );
        }
        Ok(Self {
            id,
            category,
            brand: line.brand.clone(),
            quantity: quantity.ceil() as u32,
            // A part of a unit (by weight) has no whole number to multiply: its value is not known.
            unit_price: price("lines.unit_price", &line.unit_price, currency)?
                .filter(|_| quantity.fract() == 0.0),
            role: choice("lines.role", &line.role)?.unwrap_or_default(),
        })
    }

    fn lend(&self) -> LineItem<'_> {
        LineItem {
            item_id: &self.id,
            category: &self.category,
            brand: &self.brand,
            quantity: self.quantity,
            unit_price: self.unit_price,
            role: self.role,
            ..LineItem::default()
        }
    }
}

fn at_ms(field: &str, text: &Text) -> Result<i64, String> {
    match text.text().as_str() {
        "" => Ok(0),
        at => parse_timestamp(at).map_err(|error| {
            format!("{field}: \"{at}\" {error}: write it like 2026-11-24T18:30:00Z, or as Unix seconds")
        }),
    }
}

/// An amount; a currency in it becomes the request's, and two that differ are an error.
fn price(field: &str, text: &Text, currency: &mut Option<Currency>) -> Result<Option<i64>, String> {
    match text.text().as_str() {
        "" => Ok(None),
        amount => {
            let (minor, stated) = parse_price(amount).map_err(|e| {
                format!("{field}: \"{amount}\" {e}: write it like \"12.50\" or \"12.50 EUR\"")
            })?;
            if let (Some(known), Some(stated)) = (*currency, stated)
                && known != stated
            {
                return Err(format!("{field}: \"{amount}\" is not in {}", known.as_str()));
            }
            *currency = currency.or(stated);
            Ok(Some(minor))
        }
    }
}

/// A word of one of the vocabularies, which name their words where it is none.
fn choice<T: DeserializeOwned>(field: &str, text: &Text) -> Result<Option<T>, String> {
    match text.text().as_str() {
        "" => Ok(None),
        name => T::deserialize(name.into_deserializer())
            .map(Some)
            .map_err(|error: serde::de::value::Error| format!("{field}: {error}")),
    }
}

/// A code of an ISO list; `like` shows one.
fn code<T>(
    field: &str,
    text: &Text,
    parse: impl Fn(&str) -> Option<T>,
    like: &str,
) -> Result<Option<T>, String> {
    match text.text().as_str() {
        "" => Ok(None),
        name => parse(name)
            .map(Some)
            .ok_or_else(|| format!("{field}: \"{name}\" is no code: write it like \"{like}\"")),
    }
}

impl Basket {
    /// A basket of product ids.
    pub(crate) fn of(ids: &[String], at_ms: i64) -> Self {
        let line = |id: &String| BasketLine { id: id.clone(), quantity: 1, ..BasketLine::default() };
        Self { lines: ids.iter().map(line).collect(), at_ms, ..Self::default() }
    }

    /// Adds a line.
    pub(crate) fn push(&mut self, id: String, quantity: u32, unit_price: Option<i64>) {
        self.lines.push(BasketLine { id, quantity, unit_price, ..BasketLine::default() });
    }

    /// Reads one JSON text; `at_ms_else` where it does not say when.
    pub(crate) fn parse(json: &str, at_ms_else: i64) -> Result<Self, String> {
        if !json.trim_start().starts_with('{') {
            return Err("a request is a JSON object".into());
        }
        let request: Request = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let mut currency = code("currency", &request.currency, Currency::parse, "EUR")?;
        let value = price("value", &request.value, &mut currency)?;
        let lines = request.lines.iter().map(|line| BasketLine::read(line, &mut currency));
        let lines = lines.collect::<Result<_, _>>()?;
        let first_purchases = request.task.as_str() == Some("new14");
        let repeat = match (request.repeat.text().as_str(), first_purchases) {
            ("" | "allowed", false) => Repeat::Allowed,
            ("" | "never", _) => Repeat::Never,
            (other, _) => return Err(format!("repeat: \"{other}\" is not \"allowed\" or \"never\"")),
        };
        let dated = |field: &str, id: &Text, at: &Text| Ok::<_, String>((id.text(), at_ms(field, at)?));
        let profile = Profile {
            customer: choice("customer", &request.customer)?.unwrap_or_default(),
            age_band: choice("age_band", &request.age_band)?.unwrap_or_default(),
            loyalty_member: request.loyalty_member,
            orders: request.orders,
            has_app: request.has_app,
            consent: consent(&request),
            opt_out_third_party: request.opt_out_third_party,
            unit_key: key(&request.unit_key),
            session: Session { session_key: key(&request.session_key), ..Session::default() },
            ..Profile::default()
        };
        Ok(Self {
            at_ms: Some(at_ms("at", &request.at)?).filter(|at| *at != 0).unwrap_or(at_ms_else),
            order_id: request.order_id.text(),
            value,
            currency,
            country: code("country", &request.country, Country::parse, "DE")?,
            is_gift: request.is_gift,
            payment: choice("payment", &request.payment)?.unwrap_or_default(),
            rechargeable: request.rechargeable,
            tags: request.tags,
            placement: request.placement,
            stage: choice("stage", &request.stage)?.unwrap_or_default(),
            segments: request.segments,
            loyalty_tier: request.loyalty_tier,
            purchases: request
                .history
                .iter()
                .map(|p| dated("history.at", &p.product_id, &p.at))
                .collect::<Result<_, _>>()?,
            declines: request
                .declines
                .iter()
                .map(|d| dated("declines.at", &d.id, &d.at))
                .collect::<Result<_, _>>()?,
            exposures: request.exposures.iter().map(exposure).collect::<Result<_, _>>()?,
            case_id: request.case_id,
            repeat,
            asked: request
                .asked
                .iter()
                .map(|a| Ok::<_, String>((a.question.clone(), at_ms("asked.at", &a.at)?)))
                .collect::<Result<_, _>>()?,
            answers: request.answers,
            opt_out_categories: request.opt_out_categories,
            lines,
            profile,
            written: json.to_owned(),
        })
    }

    /// The request as JSON that [`Basket::parse`] reads.
    pub(crate) fn to_json(&self) -> Value {
        if let Ok(written) = serde_json::from_str(&self.written) {
            return written;
        }
        let line = |line: &BasketLine| {
            let price = line.unit_price.map(money);
            json!({ "product_id": line.id, "quantity": line.quantity, "unit_price": price })
        };
        json!({ "lines": self.lines.iter().map(line).collect::<Vec<_>>() })
    }

    /// The host's order id; empty where it has none.
    pub(crate) fn order_id(&self) -> &str {
        &self.order_id
    }

    /// When it happened, Unix milliseconds; 0 = not known.
    pub(crate) fn at_ms(&self) -> i64 {
        self.at_ms
    }

    /// Lends the request in the library's terms.
    pub(crate) fn with<R>(
        &self,
        placement: Placement<'_>,
        call: impl FnOnce(&Transaction<'_>, &Profile<'_>) -> R,
    ) -> R {
        let lines: Vec<LineItem<'_>> = self.lines.iter().map(BasketLine::lend).collect();
        let purchases: Vec<Purchase<'_>> =
            self.purchases.iter().map(|(id, at_ms)| Purchase { item_id: id, at_ms: *at_ms }).collect();
        let declines: Vec<Decline<'_>> =
            self.declines.iter().map(|(id, at_ms)| Decline { id, at_ms: *at_ms }).collect();
        let exposures: Vec<Exposed<'_>> = self
            .exposures
            .iter()
            .map(|(id, event, at_ms)| Exposed { id, event: *event, at_ms: *at_ms })
            .collect();
        let answers: Vec<Answer<'_>> =
            self.answers.iter().map(|a| Answer { question: &a.question, tag: &a.tag }).collect();
        let asked: Vec<Asked<'_>> =
            self.asked.iter().map(|(question, at_ms)| Asked { question, at_ms: *at_ms }).collect();
        let (tags, segments) = (texts(&self.tags), texts(&self.segments));
        let opt_outs = texts(&self.opt_out_categories);
        let transaction = Transaction {
            order_id: &self.order_id,
            created_at_ms: self.at_ms,
            value: self.value,
            currency: self.currency,
            country: self.country,
            is_gift: self.is_gift,
            is_test: false,
            payment: self.payment,
            rechargeable: self.rechargeable,
            tags: &tags,
            lines: &lines,
            placement: Placement { id: &self.placement, stage: self.stage, repeat: self.repeat, ..placement },
        };
        let profile = Profile {
            purchases: &purchases,
            declines: &declines,
            exposures: &exposures,
            answers: &answers,
            asked: &asked,
            opt_out_categories: &opt_outs,
            segments: &segments,
            loyalty_tier: &self.loyalty_tier,
            ..self.profile
        };
        call(&transaction, &profile)
    }
}

fn exposure(of: &ExposedRequest) -> Result<(String, Exposure, i64), String> {
    let event = choice("exposures.event", &of.event)?.unwrap_or_default();
    Ok((of.id.text(), event, at_ms("exposures.at", &of.at)?))
}

fn consent(request: &Request) -> Consent {
    let mut consent = Consent { gpc: request.gpc, ..Consent::default() };
    for (purpose, granted) in &request.consent {
        consent.asked = consent.asked.with(*purpose);
        if *granted {
            consent.granted = consent.granted.with(*purpose);
        }
    }
    consent
}

/// A key out of any text.
fn key(text: &Text) -> Option<[u8; 16]> {
    let text = Some(text.text()).filter(|text| !text.is_empty())?;
    Some(xxhash_rust::xxh3::xxh3_128(text.as_bytes()).to_le_bytes())
}

/// An amount in minor units of a currency with cents.
pub(crate) fn money(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

fn texts(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}

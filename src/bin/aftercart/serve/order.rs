//! An order of the page, turned into the request that any host would make.

use serde::Deserialize;
use serde_json::{Value, json};

use super::shop::Shop;
use crate::Failure;
use crate::live::now_ms;
use crate::request::{Basket, money};
use aftercart::Item;
use aftercart::build::feed::parse_timestamp;

/// What the page sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Order {
    order_id: String,
    /// Unix milliseconds of the payment; 0 = now. A decision made again after an answer is of the same moment.
    at_ms: i64,
    lines: Vec<OrderLine>,
    /// The ready basket whose customer buys; empty = somebody whom the shop does not know.
    customer: String,
    payment: String,
    rechargeable: Option<bool>,
    country: String,
    tags: Vec<String>,
    /// The customer said so before payment.
    is_gift: bool,
    /// The promised delivery, Unix milliseconds; 0 = none.
    pub(super) delivery_at_ms: i64,
    /// The customer agreed to hear from the shop; `None` = nobody asked.
    marketing: Option<bool>,
    answers: Vec<Given>,
    declines: Vec<String>,
    asked: Vec<Was>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OrderLine {
    id: String,
    quantity: u32,
}

/// A question that was on a page.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Was {
    question: String,
    at_ms: i64,
}

/// An answer of a micro-survey.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Given {
    question: String,
    tag: String,
}

/// "Why not this one?"
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    pub(super) order: Order,
    /// Product or offer id.
    pub(super) id: String,
}

/// The one click.
#[derive(Debug, Deserialize)]
pub(super) struct Click {
    pub(super) token: String,
}

impl Order {
    /// The request. Prices are the catalog's.
    pub(super) fn basket(&self, shop: &Shop) -> Result<Basket, Failure> {
        let engine = shop.engine();
        let at_ms = if self.at_ms > 0 { self.at_ms } else { now_ms() };
        let lines = self.lines.iter().map(|line| {
            let item = engine.find_product(&line.id).map(Item::Product);
            let price = item.and_then(|item| engine.price(item)).map(money);
            json!({ "product_id": line.id, "quantity": line.quantity, "unit_price": price })
        });
        let history = shop.history(&self.customer).map_or_else(Vec::new, |past| moved(past, at_ms));
        let decline = |id: &String| json!({ "id": id, "at": seconds(at_ms) });
        let answer = |given: &Given| json!({ "question": given.question, "tag": given.tag });
        let asked = |was: &Was| json!({ "question": was.question, "at": seconds(was.at_ms) });
        let request = json!({
            "order_id": self.order_id,
            "at": seconds(at_ms),
            "lines": lines.collect::<Vec<_>>(),
            "customer": if history.is_empty() { "new" } else { "returning" },
            "history": history,
            "currency": engine.currency().as_str(),
            "country": self.country,
            "age_band": "adult",
            "payment": self.payment,
            "rechargeable": self.rechargeable,
            "tags": self.tags,
            "is_gift": self.is_gift,
            "consent": self.marketing.map_or(json!({}), |granted| json!({ "marketing": granted })),
            "answers": self.answers.iter().map(answer).collect::<Vec<_>>(),
            "asked": self.asked.iter().map(asked).collect::<Vec<_>>(),
            "declines": self.declines.iter().map(decline).collect::<Vec<_>>(),
        });
        Ok(Basket::parse(&request.to_string(), at_ms)?)
    }
}

/// Requests say times in seconds.
fn seconds(at_ms: i64) -> Value {
    (at_ms / 1000).into()
}

/// Earlier purchases, moved so that the basket which they belong to is bought now: what is due again still is.
fn moved(past: &Value, now_ms: i64) -> Vec<Value> {
    let at = |value: &Value| value.as_str().and_then(|text| parse_timestamp(text).ok());
    let by = at(&past["at"]).map_or(0, |then| now_ms - then);
    let history = past["history"].as_array().map(Vec::as_slice).unwrap_or_default();
    let purchase =
        |p: &Value| Some(json!({ "product_id": p["product_id"], "at": seconds(at(&p["at"])? + by) }));
    history.iter().filter_map(purchase).collect()
}

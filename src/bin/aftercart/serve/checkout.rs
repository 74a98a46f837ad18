//! The payment page: the host's own options, put in order.

use aftercart::Placement;
use aftercart::before_payment::{
    Device, MethodCount, PaymentFacts, PaymentOption, Ranking, ShippingOption, StoredField, Use, prefill,
};
use aftercart::vocabulary::{Country, Stage};
use serde::Deserialize;
use serde_json::{Value, json};

use super::order::Order;
use super::shop::Shop;
use crate::Failure;

/// What the page permits, and what the visitor used before.
#[derive(Debug, Deserialize)]
pub(super) struct Checkout {
    order: Order,
    phone: bool,
    methods: Vec<Method>,
    ways: Vec<Way>,
    paid: Vec<Was>,
    shipped: Vec<Was>,
    /// Places of the host's store, without what is in them.
    stored: Vec<Kept>,
    /// Orders of the shop by way to pay, in this country.
    usual: Vec<(String, u32)>,
}

/// A place of the host's store.
#[derive(Debug, Deserialize)]
struct Kept {
    field: u8,
    slot: u16,
    country: String,
    last_used_ms: i64,
    uses: u32,
}

#[derive(Debug, Deserialize)]
struct Method {
    id: String,
    ready: bool,
}

#[derive(Debug, Deserialize)]
struct Way {
    id: String,
    /// Minor units.
    price: i64,
    arrives_by_ms: i64,
}

#[derive(Debug, Deserialize)]
struct Was {
    id: String,
    at_ms: i64,
}

/// Both lists in the order in which to show them, each with its reason.
pub(super) fn rank(shop: &Shop, at: &Checkout) -> Result<Value, Failure> {
    let basket = at.order.basket(shop)?;
    let engine = shop.engine();
    let (paid, shipped) = (uses(&at.paid), uses(&at.shipped));
    let methods: Vec<PaymentOption<'_>> =
        at.methods.iter().map(|method| PaymentOption { id: &method.id, ready: method.ready }).collect();
    let ways: Vec<ShippingOption<'_>> = at
        .ways
        .iter()
        .map(|way| ShippingOption { id: &way.id, price: way.price, arrives_by_ms: way.arrives_by_ms })
        .collect();
    let device = if at.phone { Device::Phone } else { Device::Desktop };
    let country = Country::parse("US").ok_or("no country")?;
    let counts: Vec<MethodCount<'_>> = at
        .usual
        .iter()
        .map(|(id, orders)| MethodCount { id, country, device, amount_from: 0, orders: *orders })
        .collect();
    let facts = PaymentFacts { uses: &paid, counts: &counts, device };
    let placement = Placement { stage: Stage::Payment, ..Placement::default() };
    let stored: Vec<StoredField> = at.stored.iter().map(Kept::lend).collect();
    basket.with(placement, |transaction, profile| {
        let methods = engine.rank_payment_methods(transaction, profile, &facts, &methods)?;
        let ways = engine.rank_shipping_options(transaction, profile, &shipped, &ways)?;
        let filled: Vec<Value> = prefill(transaction, &stored)
            .iter()
            .map(|of| {
                let confidence = f64::from(of.confidence_ppm) / 1e6;
                json!({ "field": of.field, "slot": of.slot, "confidence": confidence, "because": of.because.name() })
            })
            .collect();
        Ok(json!({ "methods": in_order(&methods), "ways": in_order(&ways), "filled": filled }))
    })
}

impl Kept {
    fn lend(&self) -> StoredField {
        StoredField {
            field: self.field,
            slot: self.slot,
            country: Country::parse(&self.country),
            last_used_ms: self.last_used_ms,
            uses: self.uses,
        }
    }
}

fn uses(of: &[Was]) -> Vec<Use<'_>> {
    of.iter().map(|was| Use { id: &was.id, at_ms: was.at_ms, failed: false }).collect()
}

fn in_order(ranking: &Ranking) -> Vec<Value> {
    ranking.iter().map(|of| json!({ "option": of.option, "because": of.because.name() })).collect()
}

//! A decision as the page shows it: the offers with their reasons, and how they came about.

use std::time::Instant;

use aftercart::follow_up::Outlook;
use aftercart::token::{Claim, Redeeming, redeem};
use aftercart::{
    AcceptPlan, Because, Decider, Engine, Item, Offer, Offers, Placement, Profile, Reason, Status,
    Transaction,
};
use serde_json::{Value, json};

use super::order::{Asked, Click, Order};
use super::shop::Shop;
use crate::Failure;
use crate::follow_ups;
use crate::live::now_ms;
use crate::print::{self, because, describe};
use crate::request::{Basket, money};

/// Decides, measures each stage, and explains each offer that is shown.
pub(super) fn decide(shop: &mut Shop, order: &Order) -> Result<Value, Failure> {
    let basket = order.basket(shop)?;
    let (offers, stages) = basket
        .with(Placement::default(), |transaction, profile| timed(&mut shop.decider, transaction, profile))?;
    let question = basket.with(Placement::default(), |transaction, profile| {
        shop.decider.next_question(transaction, profile)
    })?;
    let mut shown = Vec::new();
    for offer in offers.slate() {
        let mut object = offer_json(shop, &basket, offer);
        let plan = basket.with(Placement::default(), |transaction, _| AcceptPlan::of(offer, transaction));
        object["plan"] =
            json!({ "reason": plan.reason.text(), "may_need_confirmation": plan.may_need_confirmation });
        let claim = Claim::of(shop.engine(), &offers, offer, basket.at_ms() + VALID_MS);
        object["token"] =
            claim.map(|claim| shop.key.issue(&claim)).transpose()?.map(|t| t.as_str().to_owned()).into();
        object["why"] = explained(shop, &basket, offer.item)?;
        shown.push(object);
    }
    let days_after = days_after(shop, &basket, order.delivery_at_ms)?;
    let engine = shop.engine();
    let total: f64 = stages.iter().map(|(_, us)| us).sum();
    let counters = offers.counters;
    Ok(json!({
        "status": offers.status.name(),
        "reason": offers.status.reason().map(reason),
        "held_out": matches!(offers.status, Status::Holdout(_)),
        "decision_id": format!("{:032x}", offers.decision_id),
        "at_ms": basket.at_ms(),
        "offers": shown,
        "group_id": format!("{:032x}", offers.group_id),
        "question": print::question(engine, question),
        "days_after": days_after,
        "guides": guides(engine, &basket),
        "funnel": { "retrieved": counters.retrieved, "eligible": counters.eligible, "shown": offers.slate().len() },
        "compared": counters.search.products,
        "refused": refused(engine, &offers),
        "refused_count": counters.rejected,
        "stages": stages.iter().map(|(name, us)| json!({ "name": name, "us": us })).collect::<Vec<_>>(),
        "us": total,
        "generations": {
            "catalog": format!("{:016x}", offers.generations.index),
            "policy": format!("{:016x}", offers.generations.policy),
            "overlay": offers.generations.overlay,
        },
    }))
}

/// The plan for the days after, as the events that a mail service would get.
fn days_after(shop: &mut Shop, basket: &Basket, delivery_at_ms: i64) -> Result<Value, Failure> {
    let Some(programmes) = &shop.programmes else { return Ok(Value::Null) };
    let plan =
        follow_ups::plan(&mut shop.decider, programmes, basket, &Outlook { delivery_at_ms, contacts: &[] })?;
    let engine = shop.decider.engine();
    let event = |of, withheld| follow_ups::event(engine, programmes, basket, of, withheld);
    Ok(json!({
        "planned": plan.planned().iter().map(|of| event(of, None)).collect::<Vec<_>>(),
        "withheld": plan.withheld().iter().map(|(of, reason)| event(of, Some(*reason))).collect::<Vec<_>>(),
    }))
}

/// What the merchant's server does with a click: the token must hold, and is taken once. Then it would charge.
pub(super) fn accept(shop: &Shop, click: &Click) -> Result<Value, Failure> {
    let of = Redeeming { currency: shop.engine().currency(), now_ms: now_ms(), skew_ms: SKEW_MS };
    let redeemed = redeem(&click.token, std::slice::from_ref(&shop.key), of, &shop.guard)?;
    Ok(json!({
        "id": redeemed.item_id(),
        "amount": redeemed.amount().map(money),
        "quantity": redeemed.quantity,
        "decision_id": format!("{:032x}", redeemed.decision_id),
        "idempotency_key": format!("{:032x}", redeemed.idempotency_key()),
    }))
}

/// An offer holds for a quarter of an hour.
const VALID_MS: i64 = 15 * 60_000;
/// By how much two servers' clocks may differ.
const SKEW_MS: i64 = 30_000;

/// Microseconds of each stage.
type Stages = Vec<(&'static str, f64)>;

/// A decision, timed. The library reads no clock; this listener does.
fn timed(
    decider: &mut Decider,
    transaction: &Transaction<'_>,
    profile: &Profile<'_>,
) -> Result<(Offers, Stages), Failure> {
    let mut stages = Vec::with_capacity(aftercart::STAGES.len());
    let mut last = Instant::now();
    let stage_done = |name| {
        let now = Instant::now();
        stages.push((name, (now - last).as_nanos() as f64 / 1000.0));
        last = now;
    };
    let offers = decider.decide_observed(transaction, profile, |_| false, stage_done)?;
    Ok((offers, stages))
}

fn offer_json(shop: &Shop, basket: &Basket, offer: &Offer) -> Value {
    let mut object = shop.product(offer.item);
    object["kind"] = offer.kind.name().into();
    object["price"] = offer.price.map(money).into();
    object["third_party"] = offer.third_party.into();
    object["accept"] = offer.accept.name().into();
    object["relevance"] = thousandths(offer.relevance);
    object["p_accept"] = millionths(offer.p_accept_ppm);
    object["value"] = money(offer.value).into();
    object["ev"] = (offer.ev_micros as f64 / 1e8).into();
    object["because"] = because_json(shop.engine(), basket, offer.because);
    object["content"] = shop.engine().content_kind(offer.item).map(|kind| kind.name()).into();
    object
}

/// What holds for each line, whether or not the page has room for it.
fn guides(engine: &Engine, basket: &Basket) -> Vec<Value> {
    let of_line = |line: &crate::request::BasketLine| {
        let product = engine.find_product(&line.id)?;
        let guide = |of| {
            let item = Item::Offer(of);
            let kind = engine.content_kind(item).map(|kind| kind.name());
            json!({ "id": engine.id(item), "title": engine.title(item), "kind": kind })
        };
        let guides: Vec<Value> = engine.content_of(product).map(guide).collect();
        Some(json!({ "line": line.id, "title": engine.title(Item::Product(product)), "guides": guides }))
    };
    basket.lines.iter().filter_map(of_line).collect()
}

fn because_json(engine: &Engine, basket: &Basket, of: Because) -> Value {
    let line = of.line.and_then(|line| basket.lines.get(usize::from(line)));
    let bought = line.map(|line| match engine.find_product(&line.id) {
        Some(ix) => engine.title(Item::Product(ix)).to_owned(),
        None => line.id.clone(),
    });
    json!({ "line": of.line, "bought": bought, "relation": of.relation.name(), "text": because(of.relation, bought.clone()) })
}

fn reason(reason: Reason) -> Value {
    json!({ "code": reason.code(), "text": reason.text() })
}

/// Refused candidates by reason, commonest first.
fn refused(engine: &Engine, offers: &Offers) -> Vec<Value> {
    let mut groups: Vec<(Reason, Vec<Value>)> = Vec::new();
    for rejected in offers.rejected() {
        let named = json!({ "id": engine.id(rejected.item), "title": describe(engine, rejected.item) });
        match groups.iter_mut().find(|(reason, _)| *reason == rejected.reason) {
            Some((_, items)) => items.push(named),
            None => groups.push((rejected.reason, vec![named])),
        }
    }
    groups.sort_by_key(|(reason, items)| (std::cmp::Reverse(items.len()), *reason));
    groups.into_iter().map(|(of, items)| json!({ "reason": reason(of), "items": items })).collect()
}

/// Everything that speaks for and against one item of the catalog.
pub(super) fn why(shop: &mut Shop, asked: &Asked) -> Result<Value, Failure> {
    let basket = asked.order.basket(shop)?;
    let engine = shop.engine();
    let id = asked.id.trim();
    let product = engine.find_product(id).map(Item::Product);
    let item = product.or_else(|| engine.find_offer(id).map(Item::Offer));
    let item = item.ok_or_else(|| format!("the catalog has no product or offer \"{id}\""))?;
    let mut object = shop.product(item);
    object["why"] = explained(shop, &basket, item)?;
    Ok(object)
}

fn explained(shop: &mut Shop, basket: &Basket, item: Item) -> Result<Value, Failure> {
    let why = basket.with(Placement::default(), |transaction, profile| {
        shop.decider.explain(transaction, profile, item)
    })?;
    let mut features: Vec<_> = why.contributions.iter().filter(|c| c.weight != 0).collect();
    features.sort_by_key(|c| std::cmp::Reverse(c.weight.unsigned_abs()));
    let feature =
        |c: &&aftercart::Contribution| json!({ "name": c.feature, "value": c.value, "weight": c.weight });
    Ok(json!({
        "position": why.position,
        "reasons": why.reasons.iter().map(|of| reason(*of)).collect::<Vec<_>>(),
        "rules": why.rules,
        "because": why.because.map(|of| because_json(shop.engine(), basket, of)),
        "relevance": thousandths(why.relevance),
        "p_accept": millionths(why.p_accept_ppm),
        "ev": why.ev_micros as f64 / 1e8,
        "features": features.iter().map(feature).collect::<Vec<_>>(),
    }))
}

fn thousandths(of: u16) -> Value {
    (f64::from(of) / 1000.0).into()
}

fn millionths(of: u32) -> Value {
    (f64::from(of) / 1e6).into()
}

//! Offers and reasons as text for people and as JSON for machines.

use std::fmt::Write as _;

use aftercart::{Engine, Item, NextQuestion, Offer, Offers, Relation, Status};
use serde_json::{Value, json};

use crate::request::{Basket, money};

/// The level above the type: it says what a terse title means.
fn family(category: &str) -> &str {
    let mut levels = category.rsplit(" > ");
    let own = levels.next().unwrap_or("");
    levels.next().unwrap_or(own)
}

/// Text of feeds and requests as a terminal may show it: what it could take for a command is gone.
fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Title with its kind, for people.
pub(crate) fn describe(engine: &Engine, item: Item) -> String {
    match (engine.title(item), family(engine.category(item))) {
        ("", "") => engine.id(item).to_owned(),
        (title, "") => harmless(title),
        ("", kind) => harmless(kind),
        (title, kind) => harmless(&format!("{title} ({kind})")),
    }
}

/// Why an offer is there; `bought` names the line behind it, where one is.
pub(crate) fn because(relation: Relation, bought: Option<String>) -> String {
    let words = match relation {
        Relation::BoughtTogether => "bought together with",
        Relation::GoesWithType => "goes with",
        Relation::Refill => "bought before, due again",
        Relation::Triggered => "triggered by",
        Relation::House => "house offer",
        Relation::Alike => "by title or category, fits",
    };
    match bought {
        None if relation == Relation::Triggered => "triggered by this order".to_owned(),
        None => words.to_owned(),
        Some(bought) => format!("{words} {bought}"),
    }
}

/// A decision for people.
pub(crate) fn pretty(engine: &Engine, basket: &Basket, offers: &Offers) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "bought");
    for line in &basket.lines {
        let known = engine.find_product(&line.id).map(|ix| describe(engine, Item::Product(ix)));
        let name = known.unwrap_or_else(|| format!("{} (not in the catalog)", line.id));
        let _ = writeln!(out, "    {} x {name}  #{}", line.quantity, line.id);
    }
    match offers.status {
        Status::Ok => {
            let _ = writeln!(out, "offers");
        }
        Status::NoOffer(_) | Status::Holdout(_) => {
            let _ = writeln!(out, "no offer: {}", offers.status.reason().map_or("", |reason| reason.text()));
        }
    }
    for offer in offers.slate() {
        let price = offer.price.map_or_else(String::new, |p| format!("  {}", money(p)));
        let party = engine.partner(offer.item);
        let from = if party.is_empty() { String::new() } else { format!("  [{} by {party}]", offer.kind) };
        let id = engine.id(offer.item);
        let line = offer.because.line.and_then(|line| basket.lines.get(usize::from(line)));
        let bought = line.map(|line| match engine.find_product(&line.id) {
            Some(ix) => describe(engine, Item::Product(ix)),
            None => line.id.clone(),
        });
        let _ =
            writeln!(out, "  {} {}{price}{from}  #{id}", offer.position + 1, describe(engine, offer.item));
        let _ = writeln!(
            out,
            "      {} | relevance {:.2}, p_accept {:.2} %",
            because(offer.because.relation, bought),
            f64::from(offer.relevance) / 1000.0,
            f64::from(offer.p_accept_ppm) / 10_000.0
        );
    }
    // Ids that the catalog does not have, and names of partners.
    harmless(&out)
}

/// The question that is worth asking, for machines; null where none is.
pub(crate) fn question(engine: &Engine, next: Option<NextQuestion>) -> Value {
    let Some(next) = next else { return Value::Null };
    let (id, text) = engine.question(next.question).unwrap_or_default();
    let answers = engine.question_answers(next.question);
    json!({
        "id": id,
        "text": text,
        "answers": answers.map(|(text, tag)| json!({ "text": text, "tag": tag })).collect::<Vec<_>>(),
        "gain": next.gain_micros as f64 / 1e8,
        "decisions": next.decisions,
    })
}

/// The same for people.
pub(crate) fn pretty_question(engine: &Engine, next: Option<NextQuestion>) -> String {
    let Some(next) = next else { return "no question: no answer would make the page worth more\n".into() };
    let (id, text) = engine.question(next.question).unwrap_or_default();
    let gain = next.gain_micros as f64 / 1e8;
    let mut out = format!("question  {text}  #{id}, expected to make the page worth {gain:.4} more\n");
    for (text, tag) in engine.question_answers(next.question) {
        let _ = writeln!(out, "    {text}  #{tag}");
    }
    out
}

fn item_json(engine: &Engine, item: Item) -> (&'static str, Value) {
    let name = match item {
        Item::Product(_) => "product_id",
        Item::Offer(_) => "offer_id",
    };
    (name, json!(engine.id(item)))
}

/// A decision for machines.
pub(crate) fn object(engine: &Engine, basket: &Basket, offers: &Offers, rejected: bool) -> Value {
    let of_slate = |slate: &[Offer]| slate_json(engine, basket, slate);
    let mut object = json!({
        "case_id": basket.case_id,
        "status": offers.status.name(),
        "offers": of_slate(offers.slate()),
        "decision_id": format!("{:032x}", offers.decision_id),
        "group_id": format!("{:032x}", offers.group_id),
        "generations": { "index": format!("{:016x}", offers.generations.index), "policy": format!("{:016x}", offers.generations.policy), "overlay": offers.generations.overlay },
        "counters": { "retrieved": offers.counters.retrieved, "eligible": offers.counters.eligible, "rejected": offers.counters.rejected, "cells": offers.counters.search.cells, "products": offers.counters.search.products },
    });
    if offers.generations.model != 0 {
        object["generations"]["model"] = format!("{:08x}", offers.generations.model).into();
    }
    let arms: serde_json::Map<String, Value> = engine
        .arms(&offers.assignment)
        .map(|(experiment, arm)| (experiment.to_owned(), arm.into()))
        .collect();
    if !arms.is_empty() || offers.assignment.holdout_bucket.is_some() {
        object["assignment"] = json!({ "unit": offers.assignment.unit.name(), "shows": offers.assignment.shows.name(), "arms": arms });
    }
    if matches!(offers.status, Status::Holdout(_)) {
        object["ghost"] = of_slate(offers.ghost()).into();
    }
    if let Some(reason) = offers.status.reason() {
        object["reason"] = json!({ "code": reason.code(), "text": reason.text() });
    }
    if rejected {
        let list = offers.rejected().iter().map(|r| {
            let (name, id) = item_json(engine, r.item);
            json!({ name: id, "code": r.reason.code() })
        });
        object["rejected"] = list.collect();
    }
    object
}

fn slate_json(engine: &Engine, basket: &Basket, slate: &[Offer]) -> Vec<Value> {
    slate
        .iter()
        .map(|offer| {
            let (name, id) = item_json(engine, offer.item);
            let line = offer.because.line.and_then(|line| basket.lines.get(usize::from(line)));
            let mut object = json!({
                name: id,
                "kind": offer.kind.name(),
                "position": offer.position,
                "third_party": offer.third_party,
                "accept": offer.accept.name(),
                "relevance": f64::from(offer.relevance) / 1000.0,
                "p_accept": f64::from(offer.p_accept_ppm) / 1e6,
                "p_select": f64::from(offer.p_select_ppm) / 1e6,
                "value": money(offer.value),
                "price": offer.price.map(money),
                "ev": offer.ev_micros as f64 / 1e8,
                "because": { "line": offer.because.line, "product_id": line.map(|l| &l.id), "relation": offer.because.relation.name() },
            });
            if let Some(kind) = engine.content_kind(offer.item) {
                object["content"] = kind.name().into();
            }
            object
        })
        .collect()
}

//! The rules as a table that a person can check: `tests/decision_table/table.toml`.
#![cfg(feature = "build")]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use aftercart::build::feed::{Product, read_partners};
use aftercart::build::{BuildOptions, Inputs};
use aftercart::vocabulary::{
    AgeBand, Attribute, Availability, Country, Currency, CustomerKind, Exposure, Purpose, SensitiveClass,
    Stage,
};
use aftercart::{Consent, Decider, Item, Policy, Purposes, Reason};
use common::{Request, World};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    row: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    rule: String,
    #[serde(default)]
    policy: String,
    #[serde(default)]
    request: Asked,
    item: String,
    refused: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    bought: Vec<String>,
    currency: Option<String>,
    country: Option<String>,
    age: Option<AgeBand>,
    is_gift: bool,
    consent: BTreeMap<Purpose, bool>,
    gpc: bool,
    opt_out_third_party: bool,
    opt_out_categories: Vec<String>,
    loyalty_member: Option<bool>,
    declines: Vec<String>,
    exposures: Vec<(String, Exposure)>,
    segments: Vec<String>,
    placement: String,
    stage: Stage,
}

impl Asked {
    fn request(&self) -> Request {
        let bought: Vec<&str> = self.bought.iter().map(String::as_str).collect();
        let mut request = Request {
            created_at_ms: 1_801_656_000_000,
            value: Some(5_000),
            currency: self.currency.as_deref().map(|code| Currency::parse(code).expect("a currency")),
            customer: CustomerKind::Returning,
            age_band: self.age.unwrap_or(AgeBand::Adult),
            is_gift: self.is_gift,
            consent: self.consent(),
            opt_out_third_party: self.opt_out_third_party,
            opt_out_categories: self.opt_out_categories.clone(),
            loyalty_member: self.loyalty_member,
            declines: self.declines.iter().map(|id| (id.clone(), 0)).collect(),
            exposures: self.exposures.iter().map(|(id, event)| (id.clone(), *event, 0)).collect(),
            segments: self.segments.clone(),
            placement_id: self.placement.clone(),
            ..Request::of(if bought.is_empty() { &["maker"] } else { &bought })
        };
        if let Some(country) = &self.country {
            request.country = Some(Country::parse(country).expect("a country"));
        }
        request.placement.stage = self.stage;
        request
    }
}

impl Asked {
    fn consent(&self) -> Consent {
        let all = |wanted: fn(bool) -> bool| {
            self.consent
                .iter()
                .filter(|(_, granted)| wanted(**granted))
                .fold(Purposes::default(), |set, (p, _)| set.with(*p))
        };
        Consent { asked: all(|_| true), granted: all(|granted| granted), gpc: self.gpc }
    }
}

fn shop() -> World {
    let product = |id: &str, category: &str, brand: &str| Product {
        id: id.into(),
        title: id.into(),
        category_path: category.into(),
        brand: brand.into(),
        price: Some(1_200),
        availability: Availability::InStock,
        ..Product::default()
    };
    let wine = SensitiveClass::Alcohol;
    let beans = [(Attribute::Color, "brown"), (Attribute::CustomLabel0, "clearance")];
    let beans = beans.map(|(attribute, value)| (attribute, value.to_owned())).to_vec();
    let products = vec![
        product("maker", "Kitchen > Coffee makers", "Brewer"),
        product("other-maker", "Kitchen > Coffee makers", "Brewer"),
        Product { attributes: beans, ..product("beans", "Food > Coffee beans", "Roast") },
        product("soda", "Food > Soda", "Fizz"),
        product("robot", "Toys > Robots", "Tin"),
        product("mystery", "", ""),
        Product { sensitive: wine, ..product("wine", "Food > Wine", "Cellar") },
        Product { availability: Availability::OutOfStock, ..product("sold-out", "Kitchen > Mugs", "Clay") },
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("partners.toml");
    std::fs::write(&path, include_str!("decision_table/partners.toml")).expect("written");
    let partners = read_partners(&path).expect("partners");
    let inputs = Inputs { products, partners, ..Inputs::default() };
    World::of(1, inputs, BuildOptions { calibrate: false, ..BuildOptions::default() })
}

#[test]
fn every_row_of_the_table_holds() {
    let world = shop();
    let table: Table = toml::from_str(include_str!("decision_table/table.toml")).expect("a table");
    let mut wrong = Vec::new();
    for row in &table.row {
        let text = format!(
            "taxonomy = \"merchant\"\ntime_zone = \"America/New_York\"\nplacement.slots = 12\n{}{}",
            if row.policy.contains("min_relevance") { "" } else { "placement.min_relevance = 0.0\n" },
            row.policy.trim_start()
        );
        let policy: Policy = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", row.rule));
        let mut decider = Decider::new(world.under(&policy));
        let engine = Arc::clone(decider.engine());
        let item = engine.find_product(&row.item).map(Item::Product);
        let item = item.or(engine.find_offer(&row.item).map(Item::Offer)).expect(&row.item);
        let request = row.request.request();
        let explained = request.with(|t, p| decider.explain(t, p, item)).expect("within the limits");
        // What a small shop without orders cannot show, and what happens to whatever no rule refuses.
        let soft =
            [Reason::NotRetrieved, Reason::LostToHigher, Reason::BelowRelevance, Reason::ThirdPartyQuota];
        let expected = row.refused.as_deref();
        let named = |reason: &Reason| expected == Some(format!("{reason:?}").as_str());
        let holds = match expected {
            Some(_) => explained.reasons.iter().any(named),
            None => explained.reasons.iter().all(|reason| soft.contains(reason)),
        };
        if !holds {
            wrong.push(format!("{}: {} is refused for {:?}", row.rule, row.item, explained.reasons));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Each reason that the gate can give has a row.
    let rows: Vec<&str> = table.row.iter().filter_map(|row| row.refused.as_deref()).collect();
    let without = [
        // Those of experiments: `tests/experiment.rs`.
        Reason::Holdout,
        Reason::HoldoutEarlier,
        // The live overlay's: `tests/live.rs`.
        Reason::LeaseEmpty,
        Reason::Paced,
        Reason::Paused,
        Reason::NoLive,
        Reason::LostToHigher,
        Reason::SameGroup,
        Reason::Owned,
        Reason::PriceUnknown,
        Reason::Region,
        Reason::TypeQuota,
        Reason::BrandQuota,
        Reason::PartnerQuota,
        Reason::ShareOwed,
        Reason::RefillQuota,
        Reason::GiftSuppressesRefill,
        Reason::NotRetrieved,
        Reason::VerifierDropped,
        Reason::NothingToAsk,
        Reason::BadRecord,
    ];
    for reason in Reason::ALL.iter().filter(|reason| !without.contains(reason)) {
        assert!(rows.contains(&format!("{reason:?}").as_str()), "no row for {reason:?}");
    }
}

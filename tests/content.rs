//! Guides for what was bought: of each kind the nearest holds, they compete like other offers, or are the last rung.
#![cfg(feature = "build")]

mod common;

use aftercart::build::feed::{HoldsFor, PartnerOffer, Partners, Product};
use aftercart::build::{BuildOptions, Inputs};
use aftercart::policy::Rung;
use aftercart::vocabulary::{ContentKind, OfferKind};
use aftercart::{Decider, Item, Policy, Reason};
use common::{OwnedLine, Request, World};

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

fn content(id: &str, kind: ContentKind, [products, groups, categories]: [&[&str]; 3]) -> PartnerOffer {
    let (products, groups, categories) = (names(products), names(groups), names(categories));
    PartnerOffer {
        id: id.into(),
        kind: OfferKind::Content,
        house: true,
        content: Some(HoldsFor { kind, products, groups, categories }),
        ..PartnerOffer::default()
    }
}

fn shop(offers: Vec<PartnerOffer>) -> World {
    let product = |id: &str, group: &str, path: &str| Product {
        id: id.into(),
        item_group_id: group.into(),
        category_path: path.into(),
        ..Product::default()
    };
    let products = vec![
        product("espresso", "m1", "Kitchen > Coffee > Machines"),
        product("espresso-red", "m1", "Kitchen > Coffee > Machines"),
        product("drip", "m2", "Kitchen > Coffee > Machines"),
        product("filter", "", "Kitchen > Coffee > Filters"),
        product("pan", "", "Kitchen > Pans"),
        product("sock", "", "Clothing > Socks"),
    ];
    let partners = Partners { offers, ..Partners::default() };
    World::of(
        1,
        Inputs { products, partners, ..Inputs::default() },
        BuildOptions { calibrate: false, ..BuildOptions::default() },
    )
}

/// A decision's offers: id, relevance and line.
fn slate(world: &World, policy: &Policy, request: &Request) -> Vec<(String, u16, Option<u16>)> {
    let engine = world.under(policy);
    let mut decider = Decider::new(engine.clone());
    let offers =
        request.with(|transaction, profile| decider.decide(transaction, profile)).expect("within limits");
    let of = |o: &aftercart::Offer| (engine.id(o.item).to_owned(), o.relevance, o.because.line);
    offers.slate().iter().map(of).collect()
}

fn all_slots() -> Policy {
    let mut policy = Policy::default();
    (policy.placement.slots, policy.placement.min_relevance) = (16, 0.0);
    policy.suppress.kinds = vec![OfferKind::Product];
    policy
}

/// What holds for a product, as the engine says and as a decision about it shows.
fn holds(world: &World, product: &str) -> Vec<(String, u16)> {
    let engine = &world.engine;
    let ix = engine.find_product(product).expect("it is in the catalog");
    let mut said: Vec<String> =
        engine.content_of(ix).map(|of| engine.id(Item::Offer(of)).to_owned()).collect();
    let shown = slate(world, &all_slots(), &Request::of(&[product]));
    let mut shown: Vec<(String, u16)> = shown
        .into_iter()
        .map(|(id, relevance, line)| {
            assert_eq!(line, Some(0), "{id}: because of the line");
            (id, relevance)
        })
        .collect();
    said.sort();
    shown.sort();
    assert_eq!(said, shown.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>(), "{product}");
    shown
}

#[test]
fn of_each_kind_the_nearest_holds_product_before_model_before_category_before_those_above() {
    use ContentKind::{Care, Guide, Pairing, Usage};
    let mut world = shop(vec![
        content("kitchen-care", Care, [&[], &[], &["Kitchen"]]),
        content("kitchen-guide", Guide, [&[], &[], &["kitchen"]]),
        content("coffee-care", Care, [&[], &[], &["Kitchen > Coffee"]]),
        content("coffee-pairing", Pairing, [&[], &[], &["Kitchen > Coffee"]]),
        content("machine-usage", Usage, [&[], &[], &["Kitchen > Coffee > Machines"]]),
        content("m1-usage", Usage, [&[], &["m1"], &[]]),
        content("m1-pairing", Pairing, [&[], &["m1"], &[]]),
        content("red-usage", Usage, [&["espresso-red"], &[], &[]]),
        content("red-usage-2", Usage, [&["espresso-red", "pan"], &[], &[]]),
    ]);
    let want = |list: &[(&str, u16)]| -> Vec<(String, u16)> {
        list.iter().map(|(id, relevance)| ((*id).to_owned(), *relevance)).collect()
    };
    let (above, coffee) = (("kitchen-guide", 700), ("coffee-care", 700));
    for (product, list) in [
        ("espresso", vec![coffee, above, ("m1-pairing", 1000), ("m1-usage", 1000)]),
        (
            "espresso-red",
            vec![coffee, above, ("m1-pairing", 1000), ("red-usage", 1000), ("red-usage-2", 1000)],
        ),
        ("drip", vec![coffee, ("coffee-pairing", 700), above, ("machine-usage", 700)]),
        ("filter", vec![coffee, ("coffee-pairing", 700), above]),
        ("pan", vec![("kitchen-care", 700), above, ("red-usage-2", 1000)]),
        ("sock", vec![]),
    ] {
        assert_eq!(holds(&world, product), want(&list), "{product}");
    }
    // A product that the catalog does not have inherits by the category that the request names.
    let line = OwnedLine {
        item_id: "new".into(),
        category: "Kitchen > Pans".into(),
        quantity: 1,
        ..OwnedLine::default()
    };
    let request = Request { lines: vec![line], ..Request::of(&[]) };
    let shown: Vec<String> = slate(&world, &all_slots(), &request).into_iter().map(|(id, ..)| id).collect();
    assert_eq!(shown, ["kitchen-care", "kitchen-guide"]);
    // What is wrong ends the build.
    for (holds, want) in
        [([&["tea"][..], &[], &[]], "no product \"tea\""), ([&[], &[], &["Tea"]], "no category \"Tea\"")]
    {
        world.inputs.partners.offers = vec![content("x", Care, holds)];
        let refused =
            aftercart::build::build(&world.inputs, &world.options, &aftercart::build::progress::Silent);
        assert!(refused.expect_err("refused").to_string().contains(want), "{want}");
    }
}

fn own(id: &str, kind: OfferKind, payout: i64, house: bool) -> PartnerOffer {
    let id = id.to_owned();
    PartnerOffer {
        id,
        kind,
        payout,
        house,
        accept_rate_ppm: 100_000,
        trigger_any: true,
        ..PartnerOffer::default()
    }
}

fn ids(world: &World, policy: &Policy) -> Vec<String> {
    slate(world, policy, &Request::of(&["pan"])).into_iter().map(|(id, ..)| id).collect()
}

#[test]
fn content_competes_by_what_it_is_worth() {
    let guide = |payout| PartnerOffer {
        payout,
        accept_rate_ppm: 100_000,
        house: false,
        ..content("guide", ContentKind::Care, [&["pan"], &[], &[]])
    };
    let mut policy = all_slots();
    for (payout, want) in [(300, ["guide", "wrap"]), (100, ["wrap", "guide"])] {
        let world = shop(vec![own("wrap", OfferKind::AddOn, 200, false), guide(payout)]);
        assert_eq!(ids(&world, &policy), want, "worth {payout}");
    }
    // Floor and reserve hold for it.
    let world = shop(vec![own("wrap", OfferKind::AddOn, 200, false), guide(100)]);
    policy.placement.reserve = 0.15;
    assert_eq!(ids(&world, &policy), ["wrap"]);
    let engine = world.under(&policy);
    let guide = Item::Offer(engine.find_offer("guide").expect("there"));
    let why = Request::of(&["pan"])
        .with(|transaction, profile| Decider::new(engine.clone()).explain(transaction, profile, guide));
    assert_eq!(why.expect("within limits").reasons, [Reason::BelowReserve]);
}

#[test]
fn content_is_the_last_rung_of_the_ladder() {
    let world = shop(vec![
        content("guide", ContentKind::Care, [&["pan"], &[], &[]]),
        own("app", OfferKind::AppPrompt, 9_000, true),
        own("wrap", OfferKind::AddOn, 1, false),
    ]);
    let mut policy = all_slots();
    for (slots, want) in [(3, &["wrap", "app", "guide"][..]), (2, &["wrap", "app"]), (1, &["wrap"])] {
        policy.placement.slots = slots;
        assert_eq!(ids(&world, &policy), want, "{slots} slots");
    }
    // A floor that keeps all else away leaves the ladder in place.
    (policy.placement.slots, policy.placement.reserve) = (3, 1.0);
    assert_eq!(ids(&world, &policy), ["app", "guide"]);
    for (ladder, want) in [
        (vec![Rung::Content, Rung::House], &["guide", "app"][..]),
        (vec![Rung::Content], &["guide"]),
        (vec![], &[]),
    ] {
        policy.placement.fallback = Some(ladder.clone());
        assert_eq!(ids(&world, &policy), want, "{ladder:?}");
    }
}

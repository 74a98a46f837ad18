//! The days after: owed messages arrive, advertising makes way, and refills come in the customer's own rhythm.
#![cfg(feature = "build")]

mod common;
#[path = "common/counting.rs"]
mod counting;

use std::sync::Arc;

use aftercart::follow_up::{
    Anchor, Channel, Contact, ContactPolicy, FollowUpError, FollowUps, MessageKind, Outlook, Programme,
    ProgrammeTable, Programmes, Step, Withheld,
};
use aftercart::policy::Unknown;
use aftercart::vocabulary::{Purpose, Role};
use aftercart::{Consent, Decider, Item, Purposes};
use common::{NOW, Request, Rng, World};
use counting::counted;

const DAY: i64 = 86_400_000;

fn step(template: &str, kind: MessageKind, after: Anchor, days: f64) -> Step {
    let (channel, content) = (Channel::Email, String::new());
    Step { template: template.into(), kind, channel, after, days, expires_days: 20.0, content }
}

fn table(categories: Vec<String>) -> ProgrammeTable {
    let steps = vec![
        step("on-its-way", MessageKind::Delivery, Anchor::Delivery, -1.0),
        step("next", MessageKind::Suggestion, Anchor::Order, 1.0),
        Step { expires_days: 2.0, ..step("soon", MessageKind::Suggestion, Anchor::Delivery, 0.0) },
        step("usage", MessageKind::Guidance, Anchor::Delivery, 2.0),
        step("again", MessageKind::Refill, Anchor::Due, 0.0),
    ];
    let programme = Programme { id: "all".into(), categories, steps, ..Programme::default() };
    let contact = ContactPolicy { max_per_week: 3, gap_hours: 48, not_asked: Unknown::Allow };
    ProgrammeTable { delivery_days: Some(3.0), contact, programmes: vec![programme] }
}

fn roots(world: &World) -> Vec<String> {
    let mut roots: Vec<String> =
        world.categories.iter().map(|path| path.split(" > ").next().unwrap_or(path).to_owned()).collect();
    roots.sort_unstable();
    roots.dedup();
    roots
}

fn plan(
    decider: &mut Decider,
    programmes: &Programmes,
    request: &Request,
    outlook: &Outlook<'_>,
) -> FollowUps {
    request.with(|transaction, profile| {
        decider.plan_follow_ups(programmes, transaction, profile, outlook).expect("within the limits")
    })
}

fn kind_of(programmes: &Programmes, of: &aftercart::follow_up::FollowUp) -> MessageKind {
    programmes.step_of(of).expect("its own").1.kind
}

#[test]
fn a_plan_keeps_its_promises_whatever_the_order() {
    let (mut planned, mut withheld, mut kinds) = (0, Vec::new(), Vec::new());
    for seed in 0..4 {
        let world = World::new(seed, 300);
        let table = table(roots(&world));
        let programmes = Programmes::new(&table, &world.engine).expect("it names what is there");
        let mut decider = Decider::new(Arc::clone(&world.engine));
        let mut rng = Rng::new(seed);
        for number in 0..150 {
            let request = common::request(&mut rng, &world);
            let contacts: Vec<Contact> = (0..rng.below(4))
                .map(|_| Contact { at_ms: NOW + (rng.below(40) as i64 - 10) * DAY / 2 })
                .collect();
            let delivery_at_ms = if rng.chance(50) { NOW + 5 * DAY } else { 0 };
            let outlook = Outlook { delivery_at_ms, contacts: &contacts };
            let plan = plan(&mut decider, &programmes, &request, &outlook);
            let context = format!("seed {seed}, request {number}: {plan:?}");
            check(&plan, &programmes, &request, &contacts, &context);
            planned += plan.planned().len();
            kinds.extend(plan.planned().iter().map(|of| kind_of(&programmes, of)));
            withheld.extend(plan.withheld().iter().map(|(_, reason)| *reason));
        }
    }
    assert!(planned > 500, "{planned}");
    for kind in MessageKind::ALL {
        assert!(kinds.contains(kind), "{kind}");
    }
    for reason in [Withheld::TimeUnknown, Withheld::ContactPolicy, Withheld::Consent, Withheld::Gift] {
        assert!(withheld.contains(&reason), "{reason:?}");
    }
}

fn check(plan: &FollowUps, programmes: &Programmes, request: &Request, contacts: &[Contact], context: &str) {
    let advertises = |kind| matches!(kind, MessageKind::Suggestion | MessageKind::Refill);
    let gift = request.is_gift || request.answers.iter().any(|tag| tag == "gift");
    assert!(plan.planned().is_sorted_by_key(|of| of.at_ms), "{context}");
    for of in plan.planned() {
        let kind = kind_of(programmes, of);
        assert!(of.at_ms >= request.created_at_ms && of.at_ms <= of.expires_at_ms, "{context}");
        assert!(usize::from(of.line) < request.lines.len(), "{context}");
        assert!(!gift || !matches!(kind, MessageKind::Refill | MessageKind::Guidance), "{context}");
        if !advertises(kind) {
            continue;
        }
        assert_ne!(request.consent.answer(Purpose::Marketing), Some(false), "{context}");
        let others = plan.planned().iter().filter(|other| *other != of).map(|other| other.at_ms);
        let others: Vec<i64> = others.chain(contacts.iter().map(|contact| contact.at_ms)).collect();
        assert!(others.iter().all(|other| (other - of.at_ms).abs() >= 2 * DAY), "the gap, {context}");
        for from in others.iter().chain([&of.at_ms]) {
            let week = others.iter().chain([&of.at_ms]).filter(|at| (*from..from + 7 * DAY).contains(*at));
            let with_it = (*from..from + 7 * DAY).contains(&of.at_ms);
            assert!(!with_it || week.count() <= 3, "the week, {context}");
        }
        let guided = plan
            .planned()
            .iter()
            .filter(|other| other.line == of.line && kind_of(programmes, other) == MessageKind::Guidance);
        assert!(guided.into_iter().all(|guidance| guidance.at_ms < of.at_ms), "guidance first, {context}");
    }
    let owed = |of: &aftercart::follow_up::FollowUp| !advertises(kind_of(programmes, of));
    for (of, reason) in plan.withheld() {
        let never = matches!(reason, Withheld::Consent | Withheld::ContactPolicy);
        assert!(!(owed(of) && never), "what is owed is kept back, {context}");
    }
}

#[test]
fn an_order_is_on_its_way_once() {
    let world = World::new(1, 300);
    let mut table = table(Vec::new());
    let of_all = table.programmes.remove(0);
    let of_one = |(at, root): (usize, String)| Programme {
        id: format!("p{at}"),
        categories: vec![root],
        steps: of_all.steps.clone(),
        ..Programme::default()
    };
    table.programmes = roots(&world).into_iter().enumerate().map(of_one).collect();
    let programmes = Programmes::new(&table, &world.engine).expect("it names what is there");
    let mut decider = Decider::new(Arc::clone(&world.engine));
    let mut rng = Rng::new(1);
    let (mut once, mut several) = (0, 0);
    for _ in 0..150 {
        let plan = plan(&mut decider, &programmes, &common::request(&mut rng, &world), &Outlook::default());
        let kinds: Vec<MessageKind> = plan.planned().iter().map(|of| kind_of(&programmes, of)).collect();
        let of = |kind| kinds.iter().filter(|own| **own == kind).count();
        let delivery = of(MessageKind::Delivery);
        assert!(delivery <= 1, "{plan:?}");
        once += delivery;
        several += usize::from(of(MessageKind::Guidance) > 1);
    }
    assert!(once > 20 && several > 5, "{once} orders are on their way, {several} with several programmes");
}

#[test]
fn planning_does_not_touch_the_heap() {
    let world = World::new(3, 300);
    let programmes = Programmes::new(&table(roots(&world)), &world.engine).expect("it names what is there");
    let mut decider = Decider::new(Arc::clone(&world.engine));
    let mut rng = Rng::new(3);
    for _ in 0..100 {
        let request = common::request(&mut rng, &world);
        request.with(|transaction, profile| {
            let outlook = Outlook::default();
            let (plan, taken, given) =
                counted(|| decider.plan_follow_ups(&programmes, transaction, profile, &outlook));
            assert_eq!((taken, given), (0, 0), "{request:?}");
            plan.expect("within the limits");
        });
    }
}

/// Days to the next purchase after `times` earlier ones, `days` apart.
fn due_days(world: &World, product: &str, times: i64, days: i64) -> Option<(u16, u16)> {
    let programmes = Programmes::new(&table(roots(world)), &world.engine).expect("it names what is there");
    let purchases = (1..=times).rev().map(|n| (product.to_owned(), NOW - n * days * DAY)).collect();
    let mut request = Request { purchases, ..Request::of(&[product]) };
    request.lines[0].role = Role::Consumable;
    let plan = plan(&mut Decider::new(Arc::clone(&world.engine)), &programmes, &request, &Outlook::default());
    let all = plan.planned().iter().chain(plan.withheld().iter().map(|(of, _)| of));
    all.filter_map(|of| Some((of.due_days?, of.own_intervals))).next()
}

#[test]
fn a_refill_follows_the_customers_own_rhythm_drawn_to_the_usual_one() {
    let world = World::new(2, 300);
    let mut tried = 0;
    for product in &world.inputs.products {
        let Some((usual, 0)) = due_days(&world, &product.id, 0, 0) else { continue };
        for (times, days) in [(1, 10), (2, 10), (3, 40), (8, 21), (40, 5)] {
            // The median of log-normal intervals; logarithms are linear between powers of two, so within a tenth.
            let own = times.min(16) as f64;
            let expected = ((3.0 * f64::from(usual).ln() + own * (days as f64).ln()) / (3.0 + own)).exp();
            let (got, intervals) = due_days(&world, &product.id, times, days).expect("it is due");
            assert_eq!(i64::from(intervals), times.min(16));
            let off = (f64::from(got) / expected - 1.0).abs();
            assert!(
                off < 0.1 || (f64::from(got) - expected).abs() < 1.0,
                "{} {times} {days}: {got}, not {expected}",
                product.id
            );
        }
        tried += 1;
    }
    assert!(tried > 10, "{tried} products have a rhythm");
}

#[test]
fn the_nearest_category_has_the_word_and_inherits() {
    let world = World::new(1, 300);
    let items =
        world.inputs.products.iter().filter_map(|p| world.engine.find_product(&p.id)).map(Item::Product);
    let item = items.clone().find(|item| world.engine.category(*item).contains(" > "));
    let item = item.expect("a product below a root");
    let leaf = world.engine.category(item).to_owned();
    let root = leaf.split(" > ").next().expect("its root");
    let own = Programme {
        id: "own".into(),
        categories: vec![leaf.clone()],
        extends: "all".into(),
        steps: vec![Step { days: 9.0, ..step("usage", MessageKind::Guidance, Anchor::Order, 9.0) }],
    };
    let mut table = table(vec![root.to_owned()]);
    table.programmes.push(own);
    let programmes = Programmes::new(&table, &world.engine).expect("it names what is there");
    let mut request = Request::of(&[world.engine.id(item)]);
    request.consent = Consent { asked: Purposes::ALL, granted: Purposes::ALL, gpc: false };
    let plan = plan(&mut Decider::new(Arc::clone(&world.engine)), &programmes, &request, &Outlook::default());
    let named: Vec<(&str, &str, i64)> = plan
        .planned()
        .iter()
        .map(|of| {
            programmes
                .step_of(of)
                .map(|(id, step)| (id, step.template.as_str(), (of.at_ms - NOW) / DAY))
                .expect("its own")
        })
        .collect();
    assert!(named.contains(&("own", "usage", 9)), "its own in place of the inherited one: {named:?}");
    assert!(named.contains(&("own", "on-its-way", 2)), "and the others: {named:?}");
    assert!(
        named.iter().any(|(_, template, day)| *template == "next" && *day >= 11),
        "after the guidance: {named:?}"
    );
}

#[test]
fn tables_are_checked() {
    let world = World::new(1, 60);
    let refused = |change: &dyn Fn(&mut ProgrammeTable)| {
        let mut table = table(roots(&world));
        change(&mut table);
        Programmes::new(&table, &world.engine).expect_err("it makes no sense").to_string()
    };
    assert!(
        refused(&|t| t.programmes[0].categories.push("Nowhere".into())).contains("no category \"Nowhere\"")
    );
    assert!(refused(&|t| t.programmes[0].id.clear()).contains("1 to 64 bytes"));
    assert!(refused(&|t| t.programmes[0].extends = "later".into()).contains("no programme before it"));
    assert!(refused(&|t| t.programmes[0].steps[0].days = 400.0).contains("-365 to 365"));
    assert!(refused(&|t| t.programmes[0].steps[0].days = f64::NAN).contains("-365 to 365"));
    assert!(refused(&|t| t.programmes[0].steps[0].expires_days = 0.0).contains("above 0"));
    assert!(refused(&|t| t.programmes[0].steps[1].template = "usage".into()).contains("twice"));
    assert!(refused(&|t| t.programmes[0].steps[4].after = Anchor::Order).contains("counts from \"due\""));
    assert!(refused(&|t| t.programmes[0].steps[0].content = "no-offer".into()).contains("no such offer"));

    let other = World::new(2, 60).engine;
    let programmes = Programmes::new(&table(roots(&world)), &world.engine).expect("it names what is there");
    Request::of(&["x"]).with(|transaction, profile| {
        let wrong =
            Decider::new(other).plan_follow_ups(&programmes, transaction, profile, &Outlook::default());
        assert_eq!(wrong, Err(FollowUpError::OtherCatalog));
    });
}

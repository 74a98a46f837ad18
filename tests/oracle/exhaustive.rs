//! Decides by looking at everything: no graph, no cells, no bitmaps, no scratch.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "each test binary uses its own part"
)]

use std::cmp::Reverse;

use aftercart::build::feed::{HoldsFor, PartnerOffer};
use aftercart::limits::{
    ANSWERS_MAX, ASKING_LINES_MAX, BEST_SELLERS_MAX, COMPLEMENT_HITS_MAX, LINK_HITS_MAX, OFFER_HITS_MAX,
    QUERIES_MAX, REFILL_HITS_MAX, SEARCH_HITS_MAX, TASTE_HITS_MAX,
};
use aftercart::policy::FirstPartyValue;
use aftercart::testing::{self, Learnt};
use aftercart::vocabulary::{ContentKind, OfferKind};
use aftercart::{Engine, Item, ProductIx, Reason, Relation, Status};

use super::conditions::{self, Called, Position};
use super::rules::{Case, Line, Shop, Traits, below, path};

/// Something that might be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub item: Item,
    pub relation: Relation,
    pub line: Option<u16>,
    pub relevance: u16,
    pub p_accept_ppm: u32,
    pub ev_micros: i64,
    pub score: i32,
    pub house: bool,
    pub position: u8,
}

/// What the engine must answer.
#[derive(Debug, Default)]
pub struct Answer {
    pub slate: Vec<Entry>,
    /// Every candidate with all reasons against it; empty for what is shown.
    pub candidates: Vec<(Item, Vec<Reason>)>,
    pub group_id: u128,
    /// The vector search alone, best first.
    pub nearest: Vec<ProductIx>,
}

/// Rows of a catalog, read once.
pub struct Rows {
    into: Vec<Vec<i8>>,
    out: Vec<Vec<i8>>,
    /// Length of each product's own item-item list.
    listed: Vec<usize>,
    unit: u32,
}

impl Rows {
    pub fn new(shop: &Shop<'_>) -> Self {
        let (into, out) = shop.ix.iter().map(|ix| testing::rows(&shop.world.engine, *ix)).unzip();
        let listed = shop.facts.iter().map(|facts| facts.associates).collect();
        Self { into, out, listed, unit: testing::unit_dot(&shop.world.engine) }
    }
}

fn dot(a: &[i8], b: &[i8]) -> i64 {
    a.iter().zip(b).map(|(x, y)| i64::from(*x) * i64::from(*y)).sum()
}

pub fn decide(case: &Case<'_>, engine: &Engine, rows: &Rows) -> Answer {
    let case = &Case { group_id: testing::group_id(engine, case.transaction), ..case.clone() };
    let mut answer = Answer { group_id: case.group_id, ..Answer::default() };
    if conditions::named(case.policy, case).is_none()
        || case.policy.kill_switch
        || case.transaction.currency.is_some_and(|c| Some(c) != case.shop.world.inputs.currency)
    {
        return answer;
    }
    let asking = asking(case);
    let mut found: Vec<Entry> = Vec::new();
    let add = |found: &mut Vec<Entry>, entry: Entry| {
        if found.iter().all(|e| e.item != entry.item) {
            found.push(entry);
        }
    };
    for entry in offers(case, &asking) {
        add(&mut found, entry);
    }
    let learnt = testing::learnt(engine, case.transaction, case.profile);
    for row in refills(case, &learnt) {
        add(&mut found, product(case, row, Relation::Refill));
    }
    for row in linked(case, &learnt) {
        add(&mut found, product(case, row, Relation::BoughtTogether));
    }
    for row in types(case, &learnt) {
        add(&mut found, product(case, row, Relation::GoesWithType));
    }
    let nearest = nearest(case, &queries(case.shop, &asking, rows), rows, SEARCH_HITS_MAX);
    answer.nearest = nearest.iter().map(|row| case.shop.ix[*row]).collect();
    for row in nearest.into_iter().take(COMPLEMENT_HITS_MAX) {
        add(&mut found, product(case, row, Relation::BoughtTogether));
    }
    let taste: Vec<Vec<i8>> = learnt.taste.into_iter().collect();
    for row in self::nearest(case, &taste, rows, TASTE_HITS_MAX) {
        add(&mut found, product(case, row, Relation::BoughtTogether));
    }
    score(case, engine, &mut found);
    arbitrate(case, found, &mut answer);
    answer
}

fn product(case: &Case<'_>, row: usize, relation: Relation) -> Entry {
    let item = Item::Product(case.shop.ix[row]);
    Entry {
        item,
        relation,
        line: None,
        relevance: 0,
        p_accept_ppm: 0,
        ev_micros: 0,
        score: 0,
        house: false,
        position: 0,
    }
}

/// Known lines of no sensitive class, the 32 dearest in the order of the basket.
fn asking<'a>(case: &'a Case<'_>) -> Vec<&'a Line> {
    let known = |line: &&Line| line.row.is_some() || line.category.is_some();
    let mut lines: Vec<&Line> = case.lines.iter().filter(|l| !l.sensitive).filter(known).collect();
    lines.sort_by_key(|line| Reverse(line.value));
    lines.truncate(ASKING_LINES_MAX);
    lines.sort_by_key(|line| line.number);
    lines
}

fn offers(case: &Case<'_>, asking: &[&Line]) -> Vec<Entry> {
    let shop = case.shop;
    let all = &shop.world.inputs.partners.offers;
    let mut found: Vec<Entry> = Vec::new();
    let mut take = |number: usize, relevance: u16, line: Option<u16>| {
        let offer = &all[number];
        let item = Item::Offer(shop.world.engine.find_offer(&offer.id).expect("every offer is found"));
        if found.len() == OFFER_HITS_MAX || found.iter().any(|e| e.item == item) {
            return;
        }
        found.push(Entry {
            item,
            relation: if offer.house { Relation::House } else { Relation::Triggered },
            line,
            relevance,
            p_accept_ppm: offer.accept_rate_ppm,
            ev_micros: case.told_offer(&offer.id).bid.unwrap_or(offer.payout).max(0)
                * i64::from(offer.accept_rate_ppm),
            score: 0,
            house: offer.house,
            position: 0,
        });
    };
    let mut each = |relevance, line, matches: &dyn Fn(&aftercart::build::feed::PartnerOffer) -> bool| {
        for number in (0..all.len()).filter(|n| matches(&all[*n])) {
            take(number, relevance, line);
        }
    };
    for line in asking {
        if let Some(id) = line.row.map(|row| &shop.world.inputs.products[row].id) {
            each(1000, Some(line.number), &|o| o.trigger_products.contains(id));
        }
    }
    for line in asking {
        for (relevance, held) in content(shop, line) {
            each(relevance, Some(line.number), &|o| held.contains(&&o.id));
        }
    }
    for answer in case.profile.answers.iter().take(ANSWERS_MAX) {
        each(900, None, &|o| o.trigger_answers.iter().any(|tag| tag == answer.tag));
    }
    for line in asking {
        let levels = line.category.clone().unwrap_or_default();
        for depth in (1..=levels.len()).rev() {
            let here = levels[..depth].to_vec();
            each(700, Some(line.number), &|o| o.trigger_categories.iter().any(|c| path(c) == here));
        }
    }
    for line in case.lines.iter().filter(|line| !line.sensitive && line.brand.is_some()).take(32) {
        if let Some(brand) = &line.brand {
            each(600, Some(line.number), &|o| o.trigger_brands.contains(brand));
        }
    }
    each(300, None, &|o| o.trigger_any);
    found
}

/// Ids of the content that holds for a line: of each kind that of its product, else its model's, else its nearest category's.
fn content<'a>(shop: &'a Shop<'_>, line: &Line) -> [(u16, Vec<&'a String>); 2] {
    let (mut own, mut inherited) = (Vec::new(), Vec::new());
    let product = line.row.map(|row| &shop.world.inputs.products[row]);
    let all = || shop.world.inputs.partners.offers.iter();
    let by = |kind: ContentKind, holds: &dyn Fn(&HoldsFor) -> bool| -> Vec<&'a String> {
        let of = |o: &&PartnerOffer| o.content.as_ref().is_some_and(|of| of.kind == kind && holds(of));
        all().filter(of).map(|o| &o.id).collect()
    };
    let nearest = |kind: ContentKind, levels: &[String]| {
        let at = |depth: usize| by(kind, &|of| of.categories.iter().any(|c| path(c) == levels[..depth]));
        (1..=levels.len()).rev().map(at).find(|held| !held.is_empty()).unwrap_or_default()
    };
    for kind in ContentKind::ALL {
        let Some(product) = product else { continue };
        let products = by(*kind, &|of| of.products.contains(&product.id));
        let group = &product.item_group_id;
        let model = by(*kind, &|of| !group.is_empty() && of.groups.contains(group));
        own.extend(if products.is_empty() { model } else { products });
    }
    // What a product of the catalog has beside its own is of its own category; else the request's counts, where the feed has none.
    let levels = match product.filter(|_| !own.is_empty()) {
        Some(product) => path(&product.category_path),
        None => line.category.clone().unwrap_or_default(),
    };
    for kind in ContentKind::ALL {
        let has = |id: &&String| {
            all().any(|o| &o.id == *id && o.content.as_ref().is_some_and(|of| of.kind == *kind))
        };
        if !own.iter().any(has) {
            inherited.extend(nearest(*kind, &levels));
        }
    }
    [(1000, own), (700, inherited)]
}

fn refills(case: &Case<'_>, learnt: &Learnt) -> Vec<usize> {
    let shop = case.shop;
    let weight =
        |row: usize| learnt.bought_before.iter().find(|(ix, _)| *ix == shop.ix[row]).map(|(_, w)| *w);
    let mut wanted: Vec<_> = case
        .past
        .iter()
        .filter(|past| case.used_up(past))
        // A partner's product does not come back for what was sensitive.
        .filter(|past| !case.is_sensitive(past.row) || shop.world.inputs.products[past.row].seller.is_empty())
        .filter(|past| case.lines.iter().all(|l| l.kind.as_ref() != Some(&shop.kind[past.row])))
        .filter(|past| case.standing(past.row).is_empty() && case.due(past))
        .collect();
    wanted.sort_by_key(|past| (Reverse(weight(past.row)), shop.ix[past.row]));
    wanted.into_iter().take(REFILL_HITS_MAX).map(|past| past.row).collect()
}

/// The best 128 of the item-item lists by the basket, the best 128 by the history, and the 96 that sell best where there is one.
fn linked(case: &Case<'_>, learnt: &Learnt) -> Vec<usize> {
    let shop = case.shop;
    let row_of = |ix: &ProductIx| shop.ix.iter().position(|other| other == ix).expect("of this catalog");
    let may_come = |row: &usize| {
        case.lines.iter().all(|l| l.kind.as_ref() != Some(&shop.kind[*row])) && case.standing(*row).is_empty()
    };
    let mut rows = Vec::new();
    for side in [0, 1] {
        let mut order: Vec<_> = learnt.linked.iter().filter(|(_, worth)| worth[side] > 0).collect();
        order.sort_by_key(|(ix, worth)| (Reverse(worth[side]), *ix));
        rows.extend(order.iter().map(|(ix, _)| row_of(ix)).filter(may_come).take(LINK_HITS_MAX));
    }
    if !case.past.is_empty() {
        rows.extend(learnt.best_sellers.iter().map(row_of).filter(may_come).take(BEST_SELLERS_MAX));
    }
    rows
}

/// Of the 24 types most worth asking, the 4 most bought that may be shown of the 32 most bought.
fn types(case: &Case<'_>, learnt: &Learnt) -> Vec<usize> {
    let shop = case.shop;
    let mut order = learnt.worth.clone();
    order.sort_by_key(|(kind, worth)| (Reverse(*worth), *kind));
    let mut rows = Vec::new();
    for (kind, _) in order.into_iter().take(24) {
        let mut own: Vec<usize> = (0..shop.ix.len()).filter(|row| shop.facts[*row].kind == kind).collect();
        own.sort_by_key(|row| (Reverse(shop.facts[*row].popularity), shop.ix[*row]));
        rows.extend(own.into_iter().take(32).filter(|row| case.standing(*row).is_empty()).take(4));
    }
    rows
}

/// The best products by the greatest dot product over the queries.
fn nearest(case: &Case<'_>, queries: &[Vec<i8>], rows: &Rows, most: usize) -> Vec<usize> {
    let shop = case.shop;
    if queries.is_empty() {
        return Vec::new();
    }
    let fresh = |row: &usize| case.lines.iter().all(|l| l.kind.as_ref() != Some(&shop.kind[*row]));
    let mut scored: Vec<(i64, ProductIx, usize)> = (0..shop.ix.len())
        .filter(fresh)
        .filter(|row| case.standing(*row).is_empty())
        .map(|row| (queries.iter().map(|q| dot(q, &rows.out[row])).max().unwrap_or(0), shop.ix[row], row))
        .collect();
    scored.sort_by_key(|(score, ix, _)| (Reverse(*score), *ix));
    scored.into_iter().take(most).map(|(_, _, row)| row).collect()
}

/// Lines with a list of at least so many do not ask the vectors.
const LISTED: usize = 8;

fn queries(shop: &Shop<'_>, asking: &[&Line], rows: &Rows) -> Vec<Vec<i8>> {
    let stand_in = |line: &Line| {
        let category = line.category.as_ref().expect("asking lines are known");
        let inside = |row: &usize| shop.category[*row].as_ref().is_some_and(|c| below(category, c));
        let best = |row: &usize| (shop.facts[*row].popularity, Reverse(shop.ix[*row]));
        (0..shop.ix.len()).filter(inside).max_by_key(best).expect("a category has a product")
    };
    let row = |line: &Line| line.row.unwrap_or_else(|| stand_in(line));
    let asking: Vec<&Line> = asking.iter().copied().filter(|line| rows.listed[row(line)] < LISTED).collect();
    let asked = |line: &Line| rows.into[row(line)].clone();
    if asking.len() <= QUERIES_MAX {
        return asking.iter().map(|line| asked(line)).collect();
    }
    let mut dearest = asking.clone();
    dearest.sort_by_key(|line| Reverse(line.value));
    let mut queries: Vec<Vec<i8>> = dearest.iter().take(QUERIES_MAX - 1).map(|line| asked(line)).collect();
    let mut sum = vec![0i64; queries[0].len()];
    for row in asking.iter().map(|line| asked(line)) {
        sum.iter_mut().zip(row).for_each(|(total, value)| *total += i64::from(value));
    }
    let length = sum.iter().map(|v| v * v).sum::<i64>().isqrt().max(1);
    let unit = i64::from(rows.unit).isqrt();
    queries.push(sum.into_iter().map(|v| (v * unit / length).clamp(-127, 127) as i8).collect());
    queries
}

/// The numbers are the engine's own: what is on trial here is who may appear, not how well they fit.
fn score(case: &Case<'_>, engine: &Engine, found: &mut [Entry]) {
    let product = |e: &Entry| match e.item {
        Item::Product(ix) => Some(ix),
        Item::Offer(_) => None,
    };
    let products: Vec<ProductIx> = found.iter().filter_map(product).collect();
    let scores = testing::scores(engine, case.transaction, case.profile, &products);
    let scored = found.iter_mut().filter(|e| matches!(e.item, Item::Product(_))).zip(scores);
    for (entry, score) in scored {
        entry.relevance = score.relevance;
        entry.p_accept_ppm = score.p_accept_ppm;
        entry.ev_micros = score.ev_micros;
        entry.score = score.score;
        entry.relation = score.relation;
        entry.line = score.line;
        let Item::Product(ix) = entry.item else { continue };
        let row = case.shop.row_of[&ix];
        let margin = case.shop.world.inputs.products[row].margin_bps;
        let by_margin = case.policy.value.first_party == FirstPartyValue::Margin;
        if let Some(price) = case.price_now(row).filter(|_| by_margin) {
            let bps = margin.unwrap_or(case.shop.world.options.margin_bps);
            entry.ev_micros = price * i64::from(bps) / 10_000 * i64::from(score.p_accept_ppm);
        }
    }
}

fn arbitrate(case: &Case<'_>, mut found: Vec<Entry>, answer: &mut Answer) {
    let shop = case.shop;
    let content = |e: &Entry| match e.item {
        Item::Product(_) => false,
        Item::Offer(_) => {
            let number = shop.offers[shop.world.engine.id(e.item)];
            shop.world.inputs.partners.offers[number].kind == OfferKind::Content
        }
    };
    let ladder = conditions::ladder(case);
    let rung = |e: &Entry| ladder.iter().position(|rung| e.house && *rung == content(e));
    let positions = conditions::positions(case);
    let (mut waiting, mut given) = (Vec::new(), false);
    found.sort_by_key(|e| (e.house, rung(e), Reverse(e.ev_micros), Reverse(e.score), e.item));
    let mut shown: Vec<Traits> = Vec::new();
    for entry in found {
        if entry.house && !given {
            // House offers take what is left over after all others.
            given = true;
            give_what_is_owed(case, &waiting, answer);
            shown =
                answer.slate.iter().map(|e| case.traits(e.item, e.relation == Relation::Refill)).collect();
        }
        let refill = entry.relation == Relation::Refill;
        let mut wrong = match entry.item {
            Item::Product(ix) => case.product(shop.row_of[&ix], refill),
            Item::Offer(_) => case.offer(shop.offers[shop.world.engine.id(entry.item)]),
        };
        if !entry.house && entry.relevance < case.floor() && case.without != Some(Reason::BelowRelevance) {
            wrong.push(Reason::BelowRelevance);
        }
        let likely = entry.p_accept_ppm >= case.least_p_accept_ppm();
        if !entry.house && !likely && case.without != Some(Reason::BelowAcceptance) {
            wrong.push(Reason::BelowAcceptance);
        }
        if !entry.house && entry.ev_micros < case.reserve() && case.without != Some(Reason::BelowReserve) {
            wrong.push(Reason::BelowReserve);
        }
        let traits = case.traits(entry.item, refill);
        if wrong.is_empty() && !entry.house {
            waiting.push(entry.clone());
        }
        if wrong.is_empty() && entry.house && rung(&entry).is_none() {
            wrong.push(Reason::PositionExcluded);
        }
        if wrong.is_empty() {
            wrong = if shown.len() >= case.slots() {
                vec![Reason::LostToHigher]
            } else {
                case.over(&shown, &traits)
            };
        }
        let called = Called::item(case, entry.item);
        let clash = |e: &Entry| conditions::apart(case, &called, &Called::item(case, e.item));
        if wrong.is_empty()
            && case.without != Some(Reason::CompetitiveSeparation)
            && answer.slate.iter().any(clash)
        {
            wrong.push(Reason::CompetitiveSeparation);
        }
        let mut entry = entry;
        if wrong.is_empty() {
            match position_for(case, &positions, &answer.slate, &entry, &called) {
                Ok(position) => entry.position = position,
                Err(reasons) => wrong = reasons,
            }
        }
        answer.candidates.push((entry.item, wrong.clone()));
        if wrong.is_empty() {
            shown.push(traits);
            answer.slate.push(entry);
        }
    }
    if !given {
        give_what_is_owed(case, &waiting, answer);
    }
    answer.slate.sort_by_key(|entry| entry.position);
}

/// Offers of partners who are owed more of the page, best first, each in place of the worst offer that makes room for it, until
/// a partner's best one finds no place.
fn give_what_is_owed(case: &Case<'_>, waiting: &[Entry], answer: &mut Answer) {
    let (mut waiting, mut done) = (waiting.to_vec(), Vec::new());
    let positions = conditions::positions(case);
    let partner = |entry: &Entry| case.traits(entry.item, false).partner;
    let least = |entry: &Entry| partner(entry).map_or(0, |id| case.shop.partners[id.as_str()].min_share_bps);
    waiting.sort_by_key(|e| (Reverse(e.ev_micros), Reverse(e.score), e.item));
    'next: for entry in waiting.into_iter().filter(|entry| least(entry) > 0) {
        let owner = partner(&entry);
        let owed = case.share(owner.as_deref().expect("a partner"), "least", least(&entry)).0;
        let shown = answer.slate.iter().filter(|e| partner(e) == owner).count();
        if shown >= owed || done.contains(&owner) || answer.slate.iter().any(|e| e.item == entry.item) {
            continue;
        }
        let mut victims: Vec<Entry> = answer.slate.iter().filter(|e| least(e) == 0).cloned().collect();
        victims.sort_by_key(|e| (e.ev_micros, Reverse(e.item)));
        for victim in victims {
            let rest: Vec<Entry> = answer.slate.iter().filter(|e| e.item != victim.item).cloned().collect();
            let called = Called::item(case, entry.item);
            let clash = |e: &Entry| conditions::apart(case, &called, &Called::item(case, e.item));
            let traits: Vec<Traits> =
                rest.iter().map(|e| case.traits(e.item, e.relation == Relation::Refill)).collect();
            let own = case.traits(entry.item, entry.relation == Relation::Refill);
            if !case.over(&traits, &own).is_empty() || rest.iter().any(clash) {
                continue;
            }
            let Ok(position) = position_for(case, &positions, &rest, &entry, &called) else { continue };
            for (item, reasons) in &mut answer.candidates {
                if *item == victim.item {
                    *reasons = vec![Reason::ShareOwed];
                } else if *item == entry.item {
                    reasons.clear();
                }
            }
            answer.slate = rest;
            answer.slate.push(Entry { position, ..entry });
            continue 'next;
        }
        done.push(owner);
    }
}

/// The first free position that takes an entry, or why none does.
fn position_for(
    case: &Case<'_>,
    positions: &[Position],
    slate: &[Entry],
    entry: &Entry,
    called: &Called<'_>,
) -> Result<u8, Vec<Reason>> {
    let mut reasons = Vec::new();
    for (at, position) in positions.iter().enumerate() {
        if slate.iter().any(|other| usize::from(other.position) == at) {
            continue;
        }
        let low = entry.relevance < position.floor && case.without != Some(Reason::BelowRelevance);
        let poor = entry.ev_micros < position.reserve && case.without != Some(Reason::BelowReserve);
        if !position.takes(called) && case.without != Some(Reason::PositionExcluded) {
            reasons.push(Reason::PositionExcluded);
        } else if low && !entry.house {
            reasons.push(Reason::BelowRelevance);
        } else if poor && !entry.house {
            reasons.push(Reason::BelowReserve);
        } else {
            return Ok(at as u8);
        }
    }
    Err(reasons)
}

/// The engine must have decided as this did.
pub fn assert_same(engine: &Engine, expected: &Answer, found: &aftercart::Offers, context: &str) {
    let name = |item| format!("{} ({item:?})", engine.id(item));
    let want: Vec<_> =
        expected.slate.iter().map(|e| (name(e.item), e.relation, e.line, e.relevance, e.ev_micros)).collect();
    let have: Vec<_> = found
        .slate()
        .iter()
        .map(|o| (name(o.item), o.because.relation, o.because.line, o.relevance, o.ev_micros))
        .collect();
    assert_eq!(have, want, "slate, {context}");
    assert_eq!(found.status == Status::Ok, !want.is_empty(), "status, {context}");
    assert_eq!(found.counters.retrieved as usize, expected.candidates.len(), "candidates, {context}");
    assert_eq!(
        found.counters.rejected as usize,
        expected.candidates.len() - expected.slate.len(),
        "rejections, {context}"
    );
    for rejected in found.rejected() {
        let held = expected.candidates.iter().find(|(item, _)| *item == rejected.item);
        let reasons = &held.unwrap_or_else(|| panic!("{} is no candidate, {context}", name(rejected.item))).1;
        assert!(
            reasons.contains(&rejected.reason),
            "{} refused for {:?}, oracle {reasons:?}, {context}",
            name(rejected.item),
            rejected.reason
        );
        assert_ne!(rejected.reason, Reason::VerifierDropped, "gate and verifier disagree, {context}");
    }
}

//! Asks the catalog about every case: ten offers to judge the ranking, and what a page shows at each floor.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use aftercart::build::progress::{Progress, Unit};
use aftercart::{Because, Decider, Item, Placement, Relation};

use super::cases::{Case, Head, Line, each_line, json, twice, wrong};
use super::metrics::{K, Shown};
use crate::Failure;
use crate::bars::Bars;
use crate::request::Basket;

/// The floors that are tried are this many thousandths apart.
pub(super) const FLOOR_STEP: u16 = 10;
/// From 0 to 1000.
pub(super) const FLOORS: usize = 1000 / FLOOR_STEP as usize + 1;

/// Floors on `p_accept` that are tried.
pub(super) const LIKELY: [f64; 9] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];

/// An offer as it was made.
#[derive(Debug, Clone)]
pub(super) struct Offered {
    pub(super) item: Item,
    pub(super) relevance: u16,
    pub(super) p_accept: f64,
    pub(super) because: Because,
}

/// A case with the catalog's answer.
pub(super) struct Asked {
    pub(super) case: Case,
    /// Ten slots, no floor.
    pub(super) offers: Vec<Offered>,
    pub(super) ids: Vec<String>,
}

/// What pages show in one task, with the catalog's own slots.
#[derive(Clone)]
pub(super) struct Pages {
    pub(super) task: String,
    /// With the catalog's own floor.
    pub(super) own: Shown,
    /// With each floor.
    pub(super) floors: Vec<Shown>,
    /// What is left of `own` at each of [`LIKELY`].
    pub(super) likely: [Shown; LIKELY.len()],
}

/// The request of a case. Its task says whether only first purchases count.
fn request(text: &str) -> Result<Basket, String> {
    Basket::parse(text, 0).map_err(|problem| {
        wrong("request", &problem, "write the case as a request of `decide --jsonl`, with case_id and task")
    })
}

/// Decides all cases. Tasks come in the order of their first case.
pub(super) fn ask_all(
    path: &Path,
    truth: &HashMap<String, Vec<String>>,
    decider: &mut Decider,
    bars: &Bars,
) -> Result<(Vec<Asked>, Vec<Pages>), Failure> {
    let (mut all, mut pages): (Vec<Asked>, Vec<Pages>) = (Vec::new(), Vec::new());
    let mut seen: HashSet<String> = HashSet::new();
    bars.start("decide for each case", truth.len() as u64, Unit::Items);
    each_line(path, |text| {
        let (case, basket) = read_case(text, truth, decider)?;
        if !seen.insert(case.id.clone()) {
            return Err(twice("case_id", &case.id));
        }
        let at = pages.iter().position(|page| page.task == case.task).unwrap_or_else(|| {
            let (own, floors) = (Shown::default(), vec![Shown::default(); FLOORS]);
            pages.push(Pages { task: case.task.clone(), own, floors, likely: Default::default() });
            pages.len() - 1
        });
        let asked = ask(case, &basket, decider, &mut pages[at])?;
        all.push(asked);
        bars.at(all.len() as u64);
        Ok(())
    })?;
    if all.is_empty() {
        return Err(format!(
            "{}: no case in it\n  way out: cut some from orders with --write-cases",
            path.display()
        )
        .into());
    }
    bars.finish(&format!("{} cases, each with {FLOORS} floors", all.len()));
    Ok((all, pages))
}

fn read_case(
    text: &str,
    truth: &HashMap<String, Vec<String>>,
    decider: &Decider,
) -> Result<(Case, Basket), String> {
    let head: Head = json(text, r#"{"case_id":"a","task":"next14","lines":[{"product_id":"SKU1"}]}"#)?;
    let (id, task) = (head.case_id.text(), head.task.text());
    if id.is_empty() || task.is_empty() {
        let field = if id.is_empty() { "case_id" } else { "task" };
        return Err(wrong(field, "is empty", "name every case and its task"));
    }
    let relevant = truth.get(&id).ok_or_else(|| {
        wrong("case_id", &format!("the truth has no \"{id}\""), "give the truth of the same cases")
    })?;
    let basket = request(text)?;
    let known_product = |id: &str| decider.engine().find_product(id).is_some();
    let case = Case {
        is_known: head.history.iter().any(|past| known_product(&past.product_id.text())),
        lines: basket
            .lines
            .iter()
            .map(|line| Line { id: line.id.clone(), category: line.category.clone() })
            .collect(),
        relevant: relevant.clone(),
        id,
        task,
    };
    Ok((case, basket))
}

fn ask(case: Case, basket: &Basket, decider: &mut Decider, pages: &mut Pages) -> Result<Asked, String> {
    let ten = Placement { slots: K as u8, min_relevance: Some(0), ..Placement::default() };
    let offers = decide(basket, ten, decider)?;
    let engine = std::sync::Arc::clone(decider.engine());
    let id = |offer: &Offered| engine.id(offer.item).to_owned();
    let ids: Vec<String> = offers.iter().map(id).collect();
    let hits = |offers: &[Offered]| offers.iter().filter(|offer| case.relevant.contains(&id(offer))).count();
    let own = decide(basket, Placement::default(), decider)?;
    pages.own.add(own.len(), hits(&own));
    for (shown, least) in pages.likely.iter_mut().zip(LIKELY) {
        let stays = |offer: &&Offered| offer.p_accept >= least || offer.because.relation == Relation::House;
        let left: Vec<Offered> = own.iter().filter(stays).cloned().collect();
        shown.add(left.len(), hits(&left));
    }
    // A floor that all of a slate pass changes nothing: the next decision is at the first one that some offer fails.
    let mut at = 0;
    while at < FLOORS {
        let floor = at as u16 * FLOOR_STEP;
        let slate =
            decide(basket, Placement { min_relevance: Some(floor), ..Placement::default() }, decider)?;
        // House offers are shown below the floor.
        let least = slate.iter().map(|offer| offer.relevance).filter(|relevance| *relevance >= floor).min();
        let next = least.map_or(FLOORS, |least| usize::from(least / FLOOR_STEP) + 1);
        let hits = hits(&slate);
        pages.floors[at..next.min(FLOORS)].iter_mut().for_each(|shown| shown.add(slate.len(), hits));
        at = next;
    }
    Ok(Asked { case, offers, ids })
}

fn decide(basket: &Basket, placement: Placement, decider: &mut Decider) -> Result<Vec<Offered>, String> {
    let offers = basket
        .with(placement, |transaction, profile| decider.decide(transaction, profile))
        .map_err(|error| wrong("lines", &error.to_string(), "leave the case out"))?;
    let offered = |offer: &aftercart::Offer| Offered {
        item: offer.item,
        relevance: offer.relevance,
        p_accept: f64::from(offer.p_accept_ppm) / 1e6,
        because: offer.because,
    };
    Ok(offers.slate().iter().map(offered).collect())
}

//! What goes with what before a shop has orders: hand-written pairs of categories (`goes_with.toml`), and the shop's types that
//! they speak of.

mod names;
mod table;

use std::collections::BTreeMap;

use self::names::Names;
use self::table::{Entry, Strength, Table};
use super::affinity::{Expected, TypePrior};
use super::error::BuildError;
use super::feed::{NONE, Product};
use super::taxonomy::Taxonomy;

/// Types of one category that are expected of another: the largest ones.
const TYPES_EACH: usize = 3;

/// Lift and probability of a level. Grocers' orders give the clearest pairs (diapers and wipes, filters and ground coffee) lifts
/// from 12 to 22; the least level is what a floor of 0.2 lets pass.
fn numbers(strength: Strength) -> (f32, f32) {
    match strength {
        Strength::Strong => (24.0, 0.30),
        Strength::Good => (12.0, 0.10),
        Strength::Some => (9.5, 0.04),
    }
}

/// What the prior says of each type of a shop.
pub(crate) fn of_types(products: &[Product], taxonomy: &Taxonomy) -> Result<Vec<TypePrior>, BuildError> {
    let table = Table::shipped()?;
    let names = Names::new(&table);
    let kinds = kinds(products, taxonomy, &names, &table);
    let mut sizes = vec![0u32; kinds.len()];
    taxonomy.type_of.iter().for_each(|kind| sizes[*kind as usize] += 1);
    // The shop's types of each entry and of what is below it, largest first.
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); table.entries.len()];
    for (kind, entry) in (0..).zip(&kinds).filter_map(|(kind, entry)| entry.map(|entry| (kind, entry))) {
        table.with_ancestors(entry).for_each(|above| members[above].push(kind));
    }
    for own in &mut members {
        own.sort_by_key(|kind| (std::cmp::Reverse(sizes[*kind as usize]), *kind));
    }
    let prior = (0..).zip(&kinds).map(|(kind, entry)| match entry {
        Some(entry) => TypePrior {
            goes_with: expected(kind, *entry, &table, &members, taxonomy),
            role: table.entries[*entry].role,
        },
        None => TypePrior::default(),
    });
    Ok(prior.collect())
}

/// Each further type of one category says less: half the lift, a smaller share.
fn expected(
    kind: u32,
    entry: usize,
    table: &Table,
    members: &[Vec<u32>],
    taxonomy: &Taxonomy,
) -> Vec<Expected> {
    let mut all: BTreeMap<u32, Expected> = BTreeMap::new();
    let said = table.goes_with(entry);
    for (target, strength) in &said {
        let (own, Some(strength)) = (&members[*target], *strength) else { continue };
        let (lift, probability) = numbers(strength);
        // Without categories every title is a type: begin elsewhere for each, or all would bring the same few.
        let titles = own.first().is_some_and(|to| taxonomy.type_category[*to as usize] == NONE);
        let start = if titles { kind as usize % own.len() } else { 0 };
        let some = own.iter().cycle().skip(start).take(own.len().min(TYPES_EACH));
        for (to, at) in some.zip(0i32..) {
            let said = Expected {
                to: *to,
                lift: (lift * 0.5f32.powi(at)).max(1.0),
                probability: probability / (at + 1) as f32,
            };
            all.entry(*to)
                .and_modify(|old| *old = if said.lift > old.lift { said } else { *old })
                .or_insert(said);
        }
    }
    // A kind may be taken back of which another one is expected: a laser printer wants toner, no ink.
    for (target, _) in said.iter().filter(|(_, strength)| strength.is_none()) {
        all.retain(|to, _| !members[*target].contains(to));
    }
    all.remove(&kind);
    all.into_values().collect()
}

/// The entry of each type, where it is sure.
fn kinds(products: &[Product], taxonomy: &Taxonomy, names: &Names<'_>, table: &Table) -> Vec<Option<usize>> {
    // What the feed says in a standard taxonomy; the products of one type may differ, then most of them decide.
    let mut stated: Vec<BTreeMap<&str, u32>> = vec![BTreeMap::new(); taxonomy.type_category.len()];
    let mut first: Vec<usize> = vec![usize::MAX; taxonomy.type_category.len()];
    for (row, kind) in taxonomy.type_of.iter().enumerate().map(|(row, kind)| (row, *kind as usize)) {
        let said = products[row].standard_category.as_str();
        if !said.is_empty() {
            *stated[kind].entry(said).or_default() += 1;
        }
        first[kind] = first[kind].min(row);
    }
    let most = |said: &BTreeMap<&str, u32>| {
        let best = said.iter().max_by_key(|(path, times)| (**times, std::cmp::Reverse(**path)));
        best.map(|(path, _)| path.to_string())
    };
    let find = |kind: usize| {
        let standard = most(&stated[kind]).unwrap_or_default();
        let product = &products[*first.get(kind)?];
        let category = taxonomy.type_category[kind];
        let own = match taxonomy.paths.get(category as usize) {
            Some(path) => names.of_path(path),
            None => names.of_title(&product.title, &product.brand),
        };
        let by_standard = names.of_standard(&standard).or_else(|| names.of_path(&standard));
        match (by_standard, own) {
            // The shop's own name may say more.
            (Some(a), Some(b)) if a != b && table.is_below(b, a) => Some(b),
            (Some(a), _) => Some(a),
            (None, own) => own,
        }
    };
    (0..taxonomy.type_category.len()).map(find).collect()
}

/// Whether an entry means its category as a whole.
fn whole(entry: &Entry) -> bool {
    !entry.part
}

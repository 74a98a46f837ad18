//! Which names somebody may have meant who wrote one that the catalog does not have.

use super::selectors::By;
use crate::index::View;

/// Names offered at most.
#[cfg(feature = "policy")]
const MOST: usize = 3;
/// Likeness below which a name is no help: what one typing error in four letters leaves is above.
#[cfg(feature = "policy")]
const LEAST: f64 = 0.7;

/// The likeliest names of a kind, best first.
#[cfg(feature = "policy")]
pub(super) fn like(view: &View<'_>, by: By, name: &str) -> Vec<String> {
    let names: Box<dyn Iterator<Item = &str>> = match by {
        By::Category => Box::new(view.categories.iter().map(|of| view.str(of.path))),
        By::Brand => Box::new(view.brands.iter().map(|of| view.str(of.name))),
        By::Partner => Box::new(view.partners.iter().map(|of| view.str(of.id))),
        By::Product => Box::new(view.products.iter().map(|of| view.str(of.id))),
        By::Offer => Box::new(view.offers.iter().map(|of| view.str(of.id))),
        By::Kind | By::Party | By::Attribute => return Vec::new(),
    };
    among(names, name)
}

/// The likeliest of these names, best first. Of a path its last name counts too: whoever leaves out what stands above a category
/// means that.
#[cfg(feature = "policy")]
pub(crate) fn among<'n>(names: impl Iterator<Item = &'n str>, name: &str) -> Vec<String> {
    let wanted = name.to_lowercase();
    let to = |known: &str| {
        // Most of a million names are not worth the comparison.
        let fits = known.len().abs_diff(wanted.len()) * 4 <= known.len().max(wanted.len());
        if fits { strsim::normalized_damerau_levenshtein(known, &wanted) } else { 0.0 }
    };
    let likeness = |known: &str| {
        let known = known.to_lowercase();
        to(&known).max(known.rsplit_once(" > ").map_or(0.0, |(_, last)| to(last)))
    };
    let mut near: Vec<(f64, &str)> =
        names.map(|known| (likeness(known), known)).filter(|(likeness, _)| *likeness >= LEAST).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    near.into_iter().take(MOST).map(|(_, known)| known.to_owned()).collect()
}

#[cfg(not(feature = "policy"))]
pub(super) fn like(_: &View<'_>, _: By, _: &str) -> Vec<String> {
    Vec::new()
}

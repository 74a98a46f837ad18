//! Finds what policy and partners name and the feed does not have, before an hour goes into learning.

use std::collections::HashSet;

use super::catalogue::{BuildOptions, Inputs, Vectors, build};
use super::error::BuildError;
use super::feed::Product;
use super::progress::Silent;
use crate::limits::DIM_STEP;

/// Order lines from which learning takes longer than the rehearsal by far.
pub(super) const WORTH_LINES: usize = 500_000;

/// Builds the shop in small: every name that a rule could use, a product for each, and nothing learnt.
pub(super) fn rehearse(inputs: &Inputs, options: &BuildOptions) -> Result<(), BuildError> {
    let products: Vec<Product> = with_all_names(inputs).cloned().collect();
    let rows = vec![0.0; products.len() * DIM_STEP];
    let small = Inputs {
        vectors: Some(Vectors { dim: DIM_STEP, out_rows: rows, in_rows: None }),
        products,
        currency: inputs.currency,
        partners: inputs.partners.clone(),
        policy: inputs.policy.clone(),
        ..Inputs::default()
    };
    let plain = BuildOptions { calibrate: false, near_lists: false, prior: false, ..options.clone() };
    build(&small, &plain, &Silent).map(drop)
}

/// Products that are named, or bring a name that none before them had.
fn with_all_names(inputs: &Inputs) -> impl Iterator<Item = &Product> {
    let of_policy = inputs.policy.iter().flat_map(|policy| policy.all_names()).flat_map(|n| &n.products);
    let offers = &inputs.partners.offers;
    let of_offers = offers.iter().flat_map(|offer| &offer.trigger_products);
    let content = || offers.iter().filter_map(|offer| offer.content.as_ref());
    let of_content = content().flat_map(|holds| &holds.products);
    let named: HashSet<&str> = of_policy.chain(of_offers).chain(of_content).map(String::as_str).collect();
    let groups: HashSet<&str> = content().flat_map(|holds| &holds.groups).map(String::as_str).collect();
    let (mut categories, mut brands, mut attributes) = (HashSet::new(), HashSet::new(), HashSet::new());
    let mut sellers = HashSet::new();
    inputs.products.iter().filter(move |product| {
        let fresh = [
            categories.insert(product.category_path.as_str()),
            brands.insert(product.brand.as_str()),
            sellers.insert(product.seller.as_str()),
            product.attributes.iter().fold(false, |fresh, attribute| fresh | attributes.insert(attribute)),
        ];
        let asked_for =
            named.contains(product.id.as_str()) || groups.contains(product.item_group_id.as_str());
        fresh.contains(&true) || asked_for
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Policy, Rule};
    use crate::vocabulary::Attribute;

    fn product(row: usize) -> Product {
        Product {
            id: format!("p{row}"),
            category_path: format!("Home > L{}", row % 7),
            brand: format!("Brand {}", row % 5),
            attributes: vec![(Attribute::Color, format!("color {}", row % 11))],
            ..Product::default()
        }
    }

    #[test]
    fn it_refuses_what_the_whole_build_would_and_nothing_else() {
        let shop = Inputs { products: (0..500).map(product).collect(), ..Inputs::default() };
        assert_eq!(with_all_names(&shop).count(), 11);
        let mut rule = Rule { name: "r".into(), ..Rule::default() };
        rule.suppress.categories = vec!["Home > L6".into()];
        rule.suppress.brands = vec!["Brand 4".into()];
        rule.suppress.products = vec!["p499".into()];
        rule.allow_only.attributes.insert(Attribute::Color, vec!["color 10".into()]);
        let under = |rule: &Rule| {
            let taxonomy = Some("merchant".into());
            let policy = Policy { rules: vec![rule.clone()], taxonomy, ..Policy::default() };
            rehearse(&Inputs { policy: Some(policy), ..shop.clone() }, &BuildOptions::default())
        };
        assert!(under(&rule).is_ok());
        rule.bought.products = vec!["p500".into()];
        assert!(matches!(under(&rule), Err(BuildError::Policy(_))), "no such product");
    }
}

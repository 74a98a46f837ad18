//! From category paths and titles to a category tree and product types.

use std::collections::{BTreeMap, HashMap};

use super::feed::{NONE, Product};

/// Separates the levels of a path.
pub(crate) const LEVEL: &str = " > ";

/// Categories in depth-first order, and types.
#[derive(Debug, Default)]
pub(crate) struct Taxonomy {
    /// Full path of each category.
    pub(crate) paths: Vec<String>,
    /// Parent of each, or [`NONE`].
    pub(crate) parents: Vec<u32>,
    /// First category after each subtree.
    pub(crate) ends: Vec<u32>,
    /// Category of each product row, or [`NONE`].
    pub(crate) category_of: Vec<u32>,
    /// Type of each product row.
    pub(crate) type_of: Vec<u32>,
    /// Category of each type; [`NONE`] for a type made from a title.
    pub(crate) type_category: Vec<u32>,
}

impl Taxonomy {
    /// Reads the paths of all products. A product without a category is of the type of its title; without either it is
    /// a type of its own.
    pub(crate) fn new(products: &[Product]) -> Self {
        // "Food" is "food": a rule for one must not miss the other. The first spelling is kept.
        let mut levels: BTreeMap<Vec<String>, Vec<&str>> = BTreeMap::new();
        for product in products {
            let (path, folded) = (split(&product.category_path), folded(&product.category_path));
            for depth in 1..=path.len() {
                levels.entry(folded[..depth].to_vec()).or_insert_with(|| path[..depth].to_vec());
            }
        }
        let mut tree = Self::default();
        let mut index: HashMap<&[String], u32> = HashMap::new();
        for (ix, (path, spelling)) in levels.iter().enumerate() {
            let parent = index.get(&path[..path.len() - 1]).copied().unwrap_or(NONE);
            // The spelling above, too, so that a path begins with its parent's.
            let own = spelling.last().copied().unwrap_or("");
            let above = tree.paths.get(parent as usize).map_or(String::new(), |p| format!("{p}{LEVEL}"));
            tree.paths.push(above + own);
            tree.parents.push(parent);
            tree.ends.push(ix as u32 + 1);
            index.insert(path, ix as u32);
        }
        for ix in (0..tree.paths.len()).rev() {
            if let Some(end) = tree.parents.get(ix).filter(|p| **p != NONE).map(|p| *p as usize) {
                tree.ends[end] = tree.ends[end].max(tree.ends[ix]);
            }
        }
        tree.category_of = products
            .iter()
            .map(|p| index.get(folded(&p.category_path).as_slice()).copied().unwrap_or(NONE))
            .collect();
        tree.number_types(products);
        tree
    }

    fn number_types(&mut self, products: &[Product]) {
        let mut by_category: HashMap<u32, u32> = HashMap::new();
        let mut by_title: HashMap<String, u32> = HashMap::new();
        for (row, product) in products.iter().enumerate() {
            let category = self.category_of[row];
            let fresh = self.type_category.len() as u32;
            let kind = if category == NONE {
                let title = product.title.trim().to_lowercase();
                let name = if title.is_empty() { product.id.clone() } else { title };
                *by_title.entry(name).or_insert(fresh)
            } else {
                *by_category.entry(category).or_insert(fresh)
            };
            if kind == fresh {
                self.type_category.push(category);
            }
            self.type_of.push(kind);
        }
    }
}

/// Levels of a path, without empty ones.
pub(super) fn levels(path: &str) -> impl Iterator<Item = &str> {
    path.split('>').map(str::trim).filter(|level| !level.is_empty())
}

/// A path as a catalog spells it, however its levels are parted.
pub(super) fn joined(path: &str) -> String {
    levels(path).collect::<Vec<_>>().join(LEVEL)
}

/// As many levels as a catalog has.
fn split(path: &str) -> Vec<&str> {
    levels(path).take(crate::limits::CATEGORY_DEPTH_MAX - 1).collect()
}

/// Levels as they are compared.
fn folded(path: &str) -> Vec<String> {
    split(path).into_iter().map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(id: &str, path: &str, title: &str) -> Product {
        Product { id: id.into(), category_path: path.into(), title: title.into(), ..Product::default() }
    }

    #[test]
    fn a_subtree_is_a_range_even_where_names_sort_between_levels() {
        let tree = Taxonomy::new(&[
            product("1", "Home > Coffee", ""),
            product("2", "Home - Garden", ""),
            product("3", "Home", ""),
            product("4", "Home > Coffee > Pods", ""),
        ]);
        assert_eq!(tree.paths, ["Home", "Home > Coffee", "Home > Coffee > Pods", "Home - Garden"]);
        assert_eq!(tree.ends, [3, 3, 3, 4]);
        assert_eq!(tree.parents, [NONE, 0, 1, NONE]);
        assert_eq!(tree.category_of, [1, 3, 0, 2]);
    }

    #[test]
    fn spellings_that_differ_by_case_are_one_category() {
        let tree = Taxonomy::new(&[
            product("1", "Home > Coffee", ""),
            product("2", "home>COFFEE", ""),
            product("3", "HOME", ""),
        ]);
        assert_eq!(tree.paths, ["Home", "Home > Coffee"]);
        assert_eq!(tree.category_of, [1, 1, 0]);
    }

    #[test]
    fn without_a_category_the_title_is_the_type() {
        let tree = Taxonomy::new(&[
            product("1", "", "Socks"),
            product("2", "", "socks "),
            product("3", "", ""),
            product("4", "", ""),
            product("5", "Socks", "socks"),
        ]);
        assert_eq!(tree.type_of, [0, 0, 1, 2, 3]);
        assert_eq!(tree.type_category, [NONE, NONE, NONE, 0]);
    }
}

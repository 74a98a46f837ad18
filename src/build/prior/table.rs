//! The shipped table, read and checked.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::whole;
use crate::build::error::BuildError;
use crate::vocabulary::Role;

/// How strongly one category leads to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    Some,
    Good,
    Strong,
}

/// One category of the table.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) path: String,
    pub(super) words: Vec<String>,
    pub(super) role: Role,
    pub(super) part: bool,
    /// The entry above.
    pub(super) parent: Option<usize>,
    /// Own pairs; `None` = never.
    own: Vec<(usize, Option<Strength>)>,
}

/// All entries by number.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) entries: Vec<Entry>,
    /// Words that only some ids or names may go with.
    pub(super) claims: HashMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    claims: HashMap<String, Vec<String>>,
    category: BTreeMap<String, Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    category: String,
    words: Vec<String>,
    role: String,
    #[serde(default)]
    part: bool,
    #[serde(default)]
    apart: bool,
    #[serde(default)]
    kind_of: String,
    #[serde(default)]
    strong: Vec<String>,
    #[serde(default)]
    good: Vec<String>,
    #[serde(default)]
    some: Vec<String>,
    #[serde(default)]
    never: Vec<String>,
}

impl Table {
    /// The table that ships with the crate.
    pub(super) fn shipped() -> Result<Self, BuildError> {
        Self::read(include_str!("goes_with.toml")).map_err(|problem| BuildError::Input {
            problem: format!("the shipped goes_with.toml: {problem}"),
            way_out: "this is a defect of aftercart: report it".into(),
        })
    }

    fn read(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let number: HashMap<&str, usize> = file.category.keys().map(String::as_str).zip(0..).collect();
        let of = |name: &String| number.get(name.as_str()).copied().ok_or(format!("no category {name}"));
        let mut entries = Vec::new();
        for (name, written) in &file.category {
            let levels = [
                (&written.strong, Some(Strength::Strong)),
                (&written.good, Some(Strength::Good)),
                (&written.some, Some(Strength::Some)),
                (&written.never, None),
            ];
            let mut own = Vec::new();
            for (names, strength) in levels {
                for target in names {
                    own.push((of(target)?, strength));
                }
            }
            let parent = if written.kind_of.is_empty() { None } else { Some(of(&written.kind_of)?) };
            entries.push(Entry {
                name: name.clone(),
                id: written.id.clone(),
                path: written.category.clone(),
                words: written.words.clone(),
                role: Role::from_name(&written.role).ok_or(format!("{name}: no role {}", written.role))?,
                part: written.part,
                parent,
                own,
            });
        }
        let by_id: HashMap<String, usize> =
            entries.iter().zip(0..).filter(|(e, _)| whole(e)).map(|(e, at)| (e.id.clone(), at)).collect();
        let apart = file.category.values().map(|written| written.apart);
        for (entry, _) in entries.iter_mut().zip(apart).filter(|(entry, apart)| whole(entry) && !apart) {
            entry.parent = above(&entry.id).find_map(|id| by_id.get(id).copied());
        }
        Ok(Self { entries, claims: file.claims })
    }

    /// An entry and those above it, nearest first.
    pub(super) fn with_ancestors(&self, entry: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(entry), |at| self.entries[*at].parent)
    }

    /// Whether an entry is another one or of its kind.
    pub(super) fn is_below(&self, entry: usize, above: usize) -> bool {
        self.with_ancestors(entry).any(|at| at == above)
    }

    /// What goes with an entry, `None` = never: its own pairs, and those above it that it does not speak of. Nothing of the
    /// same kind.
    pub(super) fn goes_with(&self, entry: usize) -> Vec<(usize, Option<Strength>)> {
        let mut said: BTreeMap<usize, Option<Strength>> = BTreeMap::new();
        for at in self.with_ancestors(entry) {
            for (target, strength) in &self.entries[at].own {
                said.entry(*target).or_insert(*strength);
            }
        }
        let alike = |target: usize| self.is_below(target, entry) || self.is_below(entry, target);
        said.into_iter().filter(|(target, _)| !alike(*target)).collect()
    }
}

/// Ids above an id, nearest first: `ap-2-3` has `ap-2` and `ap`.
pub(super) fn above(id: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(id), |id| id.rsplit_once('-').map(|(above, _)| above)).skip(1)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::io::Read;

    use super::*;

    /// Shopify's whole taxonomy: path by id.
    fn shopify() -> HashMap<String, String> {
        let packed = include_bytes!("../../../tests/taxonomy/shopify-2025-08-unstable.txt.gz");
        let mut text = String::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).expect("gzip of UTF-8");
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let parts = lines.filter_map(|line| line.split_once(" : "));
        let id = |gid: &str| gid.trim().trim_start_matches("gid://shopify/TaxonomyCategory/").to_owned();
        parts.map(|(gid, path)| (id(gid), path.trim().to_owned())).collect()
    }

    #[test]
    fn every_category_is_one_of_shopifys() {
        let (table, shopify) = (Table::shipped().expect("it reads"), shopify());
        assert!(shopify.len() > 10_000);
        for entry in &table.entries {
            assert_eq!(shopify.get(&entry.id), Some(&entry.path), "{}", entry.name);
        }
    }

    #[test]
    fn pairs_lead_elsewhere_and_are_said_once() {
        let table = Table::shipped().expect("it reads");
        let mut pairs = 0;
        for (at, entry) in table.entries.iter().enumerate() {
            let targets: HashSet<usize> = entry.own.iter().map(|(target, _)| *target).collect();
            assert_eq!(targets.len(), entry.own.len(), "{}: a target twice", entry.name);
            for (target, strength) in &entry.own {
                pairs += usize::from(strength.is_some());
                let alike = table.is_below(*target, at) || table.is_below(at, *target);
                assert!(!alike, "{} leads to its like {}", entry.name, table.entries[*target].name);
            }
            assert!(!entry.words.is_empty(), "{}: no words", entry.name);
        }
        assert!(pairs > 500, "{pairs}");
    }

    #[test]
    fn whole_categories_and_words_mean_one_entry_each() {
        let table = Table::shipped().expect("it reads");
        let mut ids = HashSet::new();
        for entry in table.entries.iter().filter(|entry| whole(entry)) {
            assert!(ids.insert(&entry.id), "{}: its id is another's too", entry.name);
        }
        let mut words: HashMap<&str, usize> = HashMap::new();
        for (at, entry) in table.entries.iter().enumerate() {
            for word in &entry.words {
                if let Some(other) = words.insert(word, at) {
                    let alike = table.is_below(other, at) || table.is_below(at, other);
                    assert!(alike, "{word}: {} and {}", entry.name, table.entries[other].name);
                }
            }
        }
    }

    #[test]
    fn a_kind_inherits_what_it_does_not_take_back() {
        let table = Table::shipped().expect("it reads");
        let at = |name: &str| table.entries.iter().position(|entry| entry.name == name).expect(name);
        let goes = |name: &str| table.goes_with(at(name));
        let strength = |from: &str, to: &str| goes(from).iter().find(|x| x.0 == at(to)).and_then(|x| x.1);
        assert_eq!(strength("coffee-maker", "coffee-filter"), Some(Strength::Strong));
        assert_eq!(strength("coffee-filter", "coffee-maker"), None);
        assert_eq!(strength("espresso-machine", "coffee-filter"), None);
        assert_eq!(strength("espresso-machine", "descaler"), Some(Strength::Good));
        assert_eq!(strength("pod-coffee-maker", "coffee-maker-water-filter"), Some(Strength::Good));
    }
}

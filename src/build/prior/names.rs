//! From a shop's category paths and titles to entries of the table. An unsure match is no match.

use std::collections::{BTreeSet, HashMap};

use super::table::{Table, above};
use super::whole;
use crate::build::taxonomy::levels;

/// Words without a say.
const STOP: [&str; 8] = ["and", "the", "of", "a", "an", "all", "other", "misc"];
/// Words before a noun of one word that leave it what it is.
const HARMLESS: &[&str] = &[
    "men",
    "women",
    "man",
    "woman",
    "boy",
    "girl",
    "kid",
    "children",
    "unisex",
    "adult",
    "new",
    "best",
    "classic",
    "wireless",
    "portable",
    "digital",
    "electric",
    "cordless",
    "premium",
    "large",
    "small",
    "mini",
    "compact",
    "basic",
    "black",
    "white",
    "red",
    "blue",
    "green",
    "grey",
    "gray",
    "pink",
    "silver",
    "brown",
    "gold",
    "cotton",
    "leather",
    "wool",
    "wooden",
    "steel",
    "stainless",
    "plastic",
    "glass",
    "ceramic",
    "plain",
    "fresh",
    "organic",
    "gaming",
    "home",
];
/// What may follow the noun of a title.
const AFTER: &[&str] = &[
    "pack", "count", "ct", "oz", "ml", "lb", "kg", "g", "l", "cm", "mm", "inch", "in", "ft", "gb", "tb",
    "pair", "black", "white", "red", "blue", "green", "grey", "gray", "pink", "silver", "brown", "gold",
    "navy", "beige", "small", "medium", "large", "xl", "xxl", "new", "assorted", "person", "cup", "piece",
    "pc",
];
/// Levels of a foreign path that must be Shopify's names before its deeper ones are taken for Shopify's too.
const LEVELS_SURE: usize = 3;

/// Finds entries by id, path and words.
#[derive(Debug)]
pub(super) struct Names<'a> {
    table: &'a Table,
    by_id: HashMap<&'a str, usize>,
    by_path: HashMap<Vec<String>, usize>,
    /// By last word: the whole phrase, and its entry.
    phrases: HashMap<String, Vec<(Vec<String>, usize)>>,
}

impl<'a> Names<'a> {
    pub(super) fn new(table: &'a Table) -> Self {
        let mut names =
            Self { table, by_id: HashMap::new(), by_path: HashMap::new(), phrases: HashMap::new() };
        for (at, entry) in table.entries.iter().enumerate() {
            let mut spoken: BTreeSet<Vec<String>> = entry.words.iter().map(|text| words(text)).collect();
            if whole(entry) {
                names.by_id.insert(&entry.id, at);
                names.by_path.insert(levels(&entry.path).map(str::to_lowercase).collect(), at);
                let own = words(levels(&entry.path).last().unwrap_or(""));
                if own.len() > 1 {
                    spoken.insert(own);
                }
            }
            for phrase in spoken {
                if let Some(last) = phrase.last().cloned() {
                    names.phrases.entry(last).or_default().push((phrase, at));
                }
            }
        }
        names
    }

    /// By an id of Shopify's, or a path of Shopify's or Google's, of which many begin alike.
    pub(super) fn of_standard(&self, text: &str) -> Option<usize> {
        self.by_own_id(text).or_else(|| self.by_prefix(text, 1))
    }

    /// By a shop's own path.
    pub(super) fn of_path(&self, path: &str) -> Option<usize> {
        if let Some(entry) = self.by_own_id(path) {
            return Some(entry);
        }
        let spoken = self.by_words(path);
        match (self.by_prefix(path, LEVELS_SURE), spoken) {
            (Some(sure), Some(spoken)) if self.table.is_below(spoken, sure) => Some(spoken),
            (Some(sure), _) => Some(sure),
            (None, spoken) => spoken,
        }
    }

    /// By the head words of a title: what stands before "for", "with" and commas, without the brand.
    pub(super) fn of_title(&self, title: &str, brand: &str) -> Option<usize> {
        let lower = title.to_lowercase();
        let mut head: &str = &lower;
        for cut in [" for ", " with ", " w/ ", " by ", ",", "(", "[", " - ", "|", ";", ":"] {
            head = head.split(cut).next().unwrap_or("");
        }
        let (mut own, brand) = (words(head), words(brand));
        while own
            .last()
            .is_some_and(|w| w.contains(|c: char| c.is_ascii_digit()) || AFTER.contains(&w.as_str()))
        {
            own.pop();
        }
        if !brand.is_empty() && own.starts_with(&brand) {
            own.drain(..brand.len());
        }
        self.best(self.ending(&own), &words(&lower))
    }

    fn by_own_id(&self, text: &str) -> Option<usize> {
        let id = text.trim().rsplit('/').next()?;
        let whole = std::iter::once(id).chain(above(id));
        if id.contains([' ', '>']) { None } else { whole.filter_map(|id| self.by_id.get(id).copied()).next() }
    }

    /// The longest beginning of a path that is an entry's path.
    fn by_prefix(&self, path: &str, least: usize) -> Option<usize> {
        let path: Vec<String> = levels(path).map(str::to_lowercase).collect();
        let deepest_first = (least.min(path.len() + 1)..=path.len()).rev();
        deepest_first.filter_map(|depth| self.by_path.get(&path[..depth]).copied()).next()
    }

    /// The last level alone, or with one of the two above it: the longest phrase wins.
    fn by_words(&self, path: &str) -> Option<usize> {
        let levels: Vec<&str> = levels(path).collect();
        let (last, above) = levels.split_last()?;
        let last = last.to_lowercase();
        let head = [" for ", " with ", "("]
            .iter()
            .fold(last.as_str(), |head, cut| head.split(cut).next().unwrap_or(""));
        let own = words(head);
        if own.len() < 2 && last.contains('(') {
            return None; // "Tea (canned)": the brackets may make it another thing
        }
        let mut found = if is_list(head) { self.listed(head) } else { self.ending(&own) };
        for upper in above.iter().rev().take(2) {
            let mut all = words(upper);
            all.extend(own.iter().cloned());
            let holds = |phrase: &Vec<String>| {
                phrase.len() > 1
                    && own.iter().all(|w| phrase.contains(w))
                    && phrase.iter().all(|w| all.contains(w))
            };
            // In any order: "Shoes > Running".
            let fit = self.phrases.values().flatten().filter(|(phrase, _)| holds(phrase));
            found.extend(fit.map(|(phrase, entry)| (phrase, *entry)));
        }
        let context: Vec<String> = levels.iter().flat_map(|level| words(level)).collect();
        self.best(found, &context)
    }

    /// Phrases that end a list of words. One word alone is sure only after words that leave it what it is.
    fn ending(&self, own: &[String]) -> Vec<(&Vec<String>, usize)> {
        let ending = own.last().and_then(|last| self.phrases.get(last));
        let sure = |phrase: &Vec<String>| {
            own.ends_with(phrase)
                && (phrase.len() > 1 || own[..own.len() - 1].iter().all(|w| HARMLESS.contains(&w.as_str())))
        };
        ending
            .into_iter()
            .flatten()
            .filter(|(phrase, _)| sure(phrase))
            .map(|(p, entry)| (p, *entry))
            .collect()
    }

    /// A list of things: all of them one phrase, or each of them of one entry.
    fn listed(&self, head: &str) -> Vec<(&Vec<String>, usize)> {
        let bag = words(head);
        let same =
            |phrase: &Vec<String>| phrase.len() == bag.len() && phrase.iter().all(|word| bag.contains(word));
        let all: Vec<_> =
            self.phrases.values().flatten().filter(|(p, _)| same(p)).map(|(p, entry)| (p, *entry)).collect();
        if !all.is_empty() {
            return all;
        }
        let parts = head.split(['&', ',', '/']).flat_map(|part| part.split(" and "));
        let mut found: Option<Vec<(&Vec<String>, usize)>> = None;
        for part in parts.filter(|part| !part.trim().is_empty()) {
            let here = self.ending(&words(part));
            found = Some(match found {
                None => here,
                Some(before) => before.into_iter().filter(|(_, e)| here.iter().any(|h| h.1 == *e)).collect(),
            });
        }
        found.unwrap_or_default()
    }

    /// The entry of the longest phrases, where they agree and no word of the context claims them for elsewhere.
    fn best(&self, found: Vec<(&Vec<String>, usize)>, context: &[String]) -> Option<usize> {
        let longest = found.iter().map(|(phrase, _)| phrase.len()).max()?;
        let mut entries = found.into_iter().filter(|(phrase, _)| phrase.len() == longest);
        let (phrase, mut entry) = entries.next()?;
        for (_, other) in entries {
            entry = match (self.table.is_below(entry, other), self.table.is_below(other, entry)) {
                (true, _) => other,
                (_, true) => entry,
                _ => return None,
            };
        }
        let claimed = context.iter().filter(|word| !phrase.contains(word));
        let free = |word: &String| self.table.claims.get(word).is_none_or(|by| self.belongs(entry, by));
        claimed.into_iter().all(free).then_some(entry)
    }

    fn belongs(&self, entry: usize, claimed_by: &[String]) -> bool {
        let own = &self.table.entries[entry];
        let below = |root: &String| own.id == *root || above(&own.id).any(|id| id == root);
        claimed_by.iter().any(|by| *by == own.name || below(by))
    }
}

fn is_list(text: &str) -> bool {
    text.contains(['&', ',', '/']) || text.contains(" and ")
}

/// Words in lower case and singular.
fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase().replace(['\'', '\u{2019}'], "");
    let parts = lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty() && !STOP.contains(w));
    parts.map(singular).collect()
}

/// Plain rules; both sides of a comparison go through them, so an odd singular does no harm.
fn singular(word: &str) -> String {
    let ends = |tail: &str| word.ends_with(tail);
    let cut = |tail: usize, new: &str| format!("{}{new}", &word[..word.len() - tail]);
    match word {
        "mens" | "men" => "men".into(),
        "womens" | "women" => "women".into(),
        "lens" | "lenses" => "lens".into(),
        "knives" => "knife".into(),
        "mice" => "mouse".into(),
        _ if word.len() > 4 && ends("ies") => cut(3, "y"),
        _ if ends("sses") || ends("shes") || ends("ches") || ends("xes") => cut(2, ""),
        _ if word.len() > 3 && ends("s") && !ends("ss") && !ends("us") && !ends("is") => cut(1, ""),
        _ => word.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Option<String> {
        let table = Table::shipped().expect("it reads");
        Names::new(&table).of_path(text).map(|entry| table.entries[entry].name.clone())
    }

    fn title(text: &str, brand: &str) -> Option<String> {
        let table = Table::shipped().expect("it reads");
        Names::new(&table).of_title(text, brand).map(|entry| table.entries[entry].name.clone())
    }

    #[test]
    fn paths_are_read_by_their_last_words() {
        for (text, want) in [
            ("Kitchen > Coffee > Filters", "coffee-filter"),
            ("Coffee Filters", "coffee-filter"),
            ("Footwear > Shoes > Running", "running-shoe"),
            ("Sport > Men's Running Shoes", "running-shoe"),
            ("Electronics > Printers > Inkjet Printers", "inkjet-printer"),
            ("inkjet printer ink", "inkjet-ink"),
            ("Office > Ink & Toner", "ink-cartridge"),
            ("Cell Phones > Cases", "phone-case"),
            ("Accessories > Watches > Watches", "wrist-watch"),
            ("Pet > Dog > Beds", "pet-bed"),
            ("Musical > Keyboards", "digital-piano"),
            ("gid://shopify/TaxonomyCategory/ap-2-3-3-1", "dog-food"),
            (
                "Home & Garden > Kitchen & Dining > Kitchen Appliances > Coffee Makers & Espresso Machines > Vacuum Coffee Makers",
                "coffee-maker",
            ),
        ] {
            assert_eq!(path(text).as_deref(), Some(want), "{text}");
        }
    }

    #[test]
    fn what_is_not_sure_is_nothing() {
        for text in [
            "Accessories",
            "Filters",
            "Cameras > Accessories",
            "Toys > Kitchen > Coffee Makers",
            "Air Conditioners",
            "Tents & Printers",
            "Books > Running Shoes",
            "Dog > Water Bottles",
            "Baby > Shoes",
            "Music > Keyboard Lessons",
            "Cases & Bags",
            "Timing Belts",
            "",
        ] {
            assert_eq!(path(text), None, "{text}");
        }
    }

    #[test]
    fn titles_are_read_by_their_head_words() {
        for (text, brand, want) in [
            ("Brewly 12-Cup Programmable Coffee Maker, Black", "Brewly", Some("coffee-maker")),
            ("Paper Coffee Filters for 12-Cup Coffee Makers, 200 ct", "", Some("coffee-filter")),
            ("Brewly Laptops 15", "Brewly", Some("laptop")),
            ("Descaler for coffee maker", "", Some("descaler")),
            ("Coffee Maker Cleaning Brush", "", None),
            ("Toy Coffee Maker", "", None),
            ("Trail 2 Sleeping Bag Blue", "", Some("sleeping-bag")),
        ] {
            assert_eq!(title(text, brand).as_deref(), want, "{text}");
        }
    }
}

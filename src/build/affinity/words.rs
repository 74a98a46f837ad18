//! What the words of titles say of products that the orders say little of: a charger that names a camera fits it.

use std::collections::HashMap;

use rayon::prelude::*;

use super::AffinityInput;
use super::associates::Associate;
use crate::build::feed::NONE;
use crate::limits::{ASSOCIATES_MAX, LISTED};

/// Products that words add to a list.
const EACH_MAX: usize = 24;
/// Entries that words add to all lists: with more products that nobody bought, lists get shorter.
const ENTRIES_MAX: usize = 8_000_000;
/// A word in a greater share of the titles says nothing.
const SHARE_MAX: usize = 10;
/// Products that are looked at for one, those with its rarest words first.
const SEEN_MAX: usize = 10_000;
/// What each level of the category that two products share adds to their likeness: measured on bundles that people made.
const OF_LEVEL: f32 = 0.05;

/// The words of the products' titles and brands, numbered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Words {
    /// Ascending words of each product, one after another.
    words: Vec<u32>,
    /// First word of each product, and the number of all at the end.
    start: Vec<usize>,
    /// Titles with each word.
    titles: Vec<u32>,
}

impl Words {
    /// Of each product's title and brand, in the products' order. Numbers are no words: most of them are sizes.
    pub fn new<'a>(texts: impl Iterator<Item = [&'a str; 2]>) -> Self {
        let mut number: HashMap<String, u32> = HashMap::new();
        let mut all = Self { start: vec![0], ..Self::default() };
        for text in texts {
            let numbered = text.iter().flat_map(|text| split(text)).map(|word| {
                let fresh = number.len() as u32;
                *number.entry(word).or_insert(fresh)
            });
            let mut own: Vec<u32> = numbered.collect();
            own.sort_unstable();
            own.dedup();
            all.words.extend(own);
            all.start.push(all.words.len());
        }
        all.titles = vec![0; number.len()];
        all.words.iter().for_each(|word| all.titles[*word as usize] += 1);
        all
    }

    /// Products.
    pub(super) fn len(&self) -> usize {
        self.start.len().saturating_sub(1)
    }

    fn of(&self, product: usize) -> &[u32] {
        &self.words[self.start[product]..self.start[product + 1]]
    }
}

/// Words of a text in lower case, in the singular.
fn split(text: &str) -> impl Iterator<Item = String> + '_ {
    let parts = text.split(|c: char| !c.is_alphanumeric());
    parts.filter(|part| part.chars().nth(1).is_some() && part.chars().any(char::is_alphabetic)).map(|part| {
        let mut word = part.to_lowercase();
        if word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") {
            word.pop();
        }
        word
    })
}

/// Adds to the list of each product that the orders say little of those products of other types that share its rarest words:
/// the cosine of their words, each weighed with its inverse document frequency (Spärck Jones 1972), and how much of their
/// category they share. A product without a category has no list: its title cannot tell what goes with it from what it is.
pub(super) fn add(lists: &mut [Vec<Associate>], input: &AffinityInput<'_>) {
    let Some(words) = input.words else { return };
    let has_category = |product: &usize| input.category_of[*product] != NONE;
    let asking: Vec<usize> =
        (0..lists.len()).filter(has_category).filter(|p| lists[*p].len() < LISTED).collect();
    let index = Index::new(words, input);
    let most = (ENTRIES_MAX / asking.len().max(1)).clamp(LISTED, EACH_MAX);
    // Titles that say the same of products of one type ask once.
    let mut first: HashMap<(u32, Vec<u32>), usize> = HashMap::new();
    let mut ask: Vec<usize> = Vec::new();
    let of: Vec<usize> = asking
        .iter()
        .map(|product| {
            *first.entry((input.type_of[*product], index.words_of(*product))).or_insert_with(|| {
                ask.push(*product);
                ask.len() - 1
            })
        })
        .collect();
    let found: Vec<Vec<(u32, f32)>> = ask
        .par_iter()
        .with_min_len(8192) // each part sets aside a number for every product
        .map_init(|| vec![0.0; words.len()], |sums, product| index.alike(*product, most, sums))
        .collect();
    for (product, of) in asking.into_iter().zip(of) {
        let list = &mut lists[product];
        for (other, strength) in &found[of] {
            match list.iter_mut().find(|entry| entry.product == *other) {
                Some(entry) => entry.words = *strength,
                None => list.push(Associate { product: *other, words: *strength, ..Associate::default() }),
            }
        }
        list.truncate(ASSOCIATES_MAX);
        list.shrink_to_fit();
    }
}

/// Which products have a word.
struct Index<'a> {
    words: &'a Words,
    input: &'a AffinityInput<'a>,
    /// Weight of each word; 0 where it is left out.
    weight: Vec<f32>,
    /// Length of each product's words.
    length: Vec<f32>,
    /// Products with each word, one after another.
    products: Vec<u32>,
    start: Vec<usize>,
}

impl<'a> Index<'a> {
    fn new(words: &'a Words, input: &'a AffinityInput<'a>) -> Self {
        let count = words.len();
        // What only products of one type say leads to no other.
        let mut kinds: Vec<Option<u32>> = vec![None; words.titles.len()];
        let mut crosses = vec![false; words.titles.len()];
        for product in (0..count).filter(|p| input.category_of[*p] != NONE) {
            for word in words.of(product) {
                let kind = kinds[*word as usize].get_or_insert(input.type_of[product]);
                crosses[*word as usize] |= *kind != input.type_of[product];
            }
        }
        let most = (count / SHARE_MAX).max(LISTED);
        let of_word = |(titles, crosses): (&u32, bool)| match *titles as usize {
            titles if crosses && titles <= most => (count as f32 / titles as f32).ln(),
            _ => 0.0,
        };
        let weight: Vec<f32> = words.titles.iter().zip(crosses).map(of_word).collect();
        let square = |word: &u32| weight[*word as usize].powi(2);
        let length = (0..count).map(|p| words.of(p).iter().map(square).sum::<f32>().sqrt()).collect();
        let mut start = vec![0; weight.len() + 1];
        for word in words.words.iter().filter(|word| weight[**word as usize] > 0.0) {
            start[*word as usize + 1] += 1;
        }
        for at in 1..start.len() {
            start[at] += start[at - 1];
        }
        let (mut next, mut products) = (start.clone(), vec![0; start[weight.len()]]);
        for product in 0..count {
            for word in words.of(product).iter().filter(|word| weight[**word as usize] > 0.0) {
                products[next[*word as usize]] = product as u32;
                next[*word as usize] += 1;
            }
        }
        Self { words, input, weight, length, products, start }
    }

    /// The words of a product that count, rarest first.
    fn words_of(&self, product: usize) -> Vec<u32> {
        let mut own: Vec<u32> = self.words.of(product).to_vec();
        own.retain(|word| self.weight[*word as usize] > 0.0);
        own.sort_by_key(|word| (self.words.titles[*word as usize], *word));
        own
    }

    /// The products of other types that are most like one, and how much, best first. Leaves `sums` as it found it: zeros.
    fn alike(&self, product: usize, most: usize, sums: &mut [f32]) -> Vec<(u32, f32)> {
        let mut touched = Vec::new();
        for word in self.words_of(product) {
            let with = &self.products[self.start[word as usize]..self.start[word as usize + 1]];
            if touched.len() + with.len() > SEEN_MAX {
                break;
            }
            for other in with {
                let sum = &mut sums[*other as usize];
                if *sum == 0.0 {
                    touched.push(*other);
                }
                *sum += self.weight[word as usize].powi(2);
            }
        }
        let mut found: Vec<(u32, f32)> = Vec::new();
        for other in touched {
            let (at, sum) = (other as usize, std::mem::take(&mut sums[other as usize]));
            let may_come =
                self.input.category_of[at] != NONE && self.input.type_of[at] != self.input.type_of[product];
            if may_come {
                found.push((other, sum / (self.length[at] * self.length[product]).max(f32::MIN_POSITIVE)));
            }
        }
        let by = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        // Twice as many, since the category has a say in the order.
        if found.len() > 2 * most {
            found.select_nth_unstable_by(2 * most, by);
            found.truncate(2 * most);
        }
        for (other, strength) in &mut found {
            let levels =
                self.levels_shared(self.input.category_of[product], self.input.category_of[*other as usize]);
            *strength = (*strength + OF_LEVEL * levels as f32).min(1.0);
        }
        found.sort_by(by);
        found.truncate(most);
        found.shrink_to_fit(); // many times more were looked at
        found
    }

    /// Levels that two categories have in common.
    fn levels_shared(&self, a: u32, b: u32) -> usize {
        let above = |at: &u32| Some(self.input.category_parent[*at as usize]).filter(|above| *above != NONE);
        let path = |from: u32| std::iter::successors(Some(from), above).collect::<Vec<u32>>();
        path(a).iter().rev().zip(path(b).iter().rev()).take_while(|(a, b)| a == b).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::feed::Orders;

    const TITLES: [&str; 8] = [
        "Nikon D600 digital camera",
        "Nikon D610 digital camera",
        "Charger for Nikon D600, 10 W",
        "Charger for Canon SX50, 10 W",
        "Case for Nikon D600 and 10 lenses",
        "D600 manual",
        "Canon SX50 camera",
        "Camp stove 10 W",
    ];

    /// 0 cameras, 1 chargers, 2 cases; the manual has no category. Photo (0) holds the first three, Camping (4) one.
    fn lists(mut lists: Vec<Vec<Associate>>) -> Vec<Vec<Associate>> {
        let words = Words::new(TITLES.iter().map(|title| [*title, ""]));
        let orders = Orders::default();
        let input = AffinityInput {
            products: TITLES.len(),
            type_of: &[0, 0, 1, 1, 2, 3, 0, 4],
            types: 5,
            category_parent: &[NONE, 0, 0, 0, NONE],
            category_of: &[1, 1, 2, 2, 3, NONE, 1, 4],
            brand_of: &[NONE; TITLES.len()],
            embeddings: None,
            words: Some(&words),
            orders: &orders,
            vectors_given: false,
            prior: &[],
        };
        add(&mut lists, &input);
        lists
    }

    fn products(list: &[Associate]) -> Vec<u32> {
        list.iter().map(|entry| entry.product).collect()
    }

    #[test]
    fn what_names_the_same_camera_fits_it_and_another_camera_does_not() {
        let lists = lists(vec![Vec::new(); TITLES.len()]);
        // Both share "Nikon D600" with the camera; the other charger shares no word. No other camera, and no manual.
        let mut first = products(&lists[0]);
        first.sort_unstable();
        assert_eq!(first, [2, 4]);
        assert_eq!(products(&lists[1]), [2, 4], "Nikon alone, the shorter title first");
        assert_eq!(products(&lists[6]), [3]);
        let strength = |list: &[Associate], product: u32| {
            list.iter().find(|entry| entry.product == product).map_or(0.0, |entry| entry.words)
        };
        assert!(strength(&lists[0], 2) > strength(&lists[1], 2) + 0.2);
        assert!(lists.iter().flatten().all(|entry| (0.0..=1.0).contains(&entry.words)));
        assert!(lists[5].is_empty(), "its title is all that is known of it");
        assert!(lists[7].is_empty(), "a number is no word");
    }

    #[test]
    fn orders_come_first_and_need_no_help_where_they_are_many() {
        let bought = |product| Associate { product, together: 0.5, ..Associate::default() };
        let mut given = vec![Vec::new(); TITLES.len()];
        given[0] = vec![bought(7), bought(4)];
        given[1] = vec![bought(7); LISTED];
        let lists = lists(given.clone());
        assert_eq!(products(&lists[0]), [7, 4, 2]);
        assert!(lists[0][1].words > 0.0 && lists[0][1].together == 0.5);
        assert_eq!(lists[1], given[1]);
    }

    #[test]
    fn titles_are_read_as_words() {
        let read = |text| split(text).collect::<Vec<_>>();
        assert_eq!(read("Lenses & caps (2-pack), 52mm"), ["lense", "cap", "pack", "52mm"]);
        assert_eq!(read("11.5 OZ a \u{c9}t\u{e9}"), ["oz", "\u{e9}t\u{e9}"]);
        let words = Words::new([["red red", "Red"], ["", ""]].into_iter());
        assert_eq!((words.of(0), words.of(1), words.len()), (&[0][..], &[][..], 2));
    }
}

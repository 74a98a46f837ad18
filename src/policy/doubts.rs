//! What a policy probably does not mean: for `aftercart policy check`. Control plane.

use std::collections::{BTreeMap, HashMap};

use super::{CompiledPolicy, FirstPartyValue, Names, Policy};
use crate::index::View;
use crate::index::format::NONE;
use crate::ranking;
use crate::vocabulary::SensitiveClass;

/// All of it, in words.
pub(super) fn doubts(policy: &Policy, compiled: &CompiledPolicy, view: &View<'_>) -> Vec<String> {
    let mut doubts = Vec::new();
    if policy.kill_switch {
        doubts.push("kill_switch is on: no offer appears at all".into());
    }
    doubts.extend(opposites(policy));
    doubts.extend(surplus(policy));
    doubts.extend(dear(policy, compiled, view));
    doubts.extend(unmarked(compiled, view));
    doubts
}

/// What one list allows alone and another takes away whole.
fn opposites(policy: &Policy) -> Vec<String> {
    let own = [(String::new(), &policy.suppress, &policy.allow_only)];
    let rules = policy.rules.iter();
    let rules = rules.map(|rule| (format!("rule \"{}\": ", rule.name), &rule.suppress, &rule.allow_only));
    let mut doubts = Vec::new();
    for (of, suppress, only) in own.into_iter().chain(rules) {
        let taken: Vec<_> = [suppress, &policy.suppress].into_iter().flat_map(all_names).collect();
        for (list, name) in all_names(only) {
            let by = taken.iter().find(|(other, above)| {
                let below = list == "categories" && is_below(above, &name);
                *other == list && (*above == name || below)
            });
            doubts.extend(by.map(|(_, above)| {
                format!("{of}allow_only.{list} names \"{name}\", but suppress.{list} \"{above}\" takes all of it away")
            }));
        }
    }
    doubts
}

/// Names by list, folded as rules compare them.
fn all_names(names: &Names) -> Vec<(&'static str, String)> {
    let lists = [
        ("categories", &names.categories),
        ("brands", &names.brands),
        ("partners", &names.partners),
        ("products", &names.products),
        ("offers", &names.offers),
    ];
    let named =
        lists.iter().flat_map(|(list, all)| all.iter().map(|name| (*list, name.trim().to_lowercase())));
    let kinds = names.kinds.iter().map(|kind| ("kinds", kind.name().to_owned()));
    named.chain(kinds).chain(names.parties.iter().map(|party| ("parties", party.name().to_owned()))).collect()
}

fn is_below(above: &str, path: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.starts_with(" > "))
}

/// Entries of lists by position that no slot ever reaches.
fn surplus(policy: &Policy) -> impl Iterator<Item = String> + '_ {
    policy.placements.iter().filter_map(|placement| {
        let slots = placement.slots.unwrap_or(policy.placement.slots);
        let lists = [
            ("min_relevance", placement.min_relevance.len()),
            ("reserve", placement.reserve.len()),
            ("kinds", placement.kinds.len()),
            ("parties", placement.parties.len()),
        ];
        let (list, length) = lists.into_iter().find(|(_, length)| *length > usize::from(slots))?;
        Some(format!(
            "placement \"{}\": {list} has {length} positions for {slots} slots; those after them are for requests that ask for more",
            placement.id
        ))
    })
}

/// Reserves that no product can bring. Only where products are valued alike: else each has its own.
fn dear(policy: &Policy, compiled: &CompiledPolicy, view: &View<'_>) -> Vec<String> {
    if policy.value.first_party != FirstPartyValue::Typical {
        return Vec::new();
    }
    let likeliest = view.calibration.iter().map(|ppm| ppm.get()).max().unwrap_or(0);
    let most = ranking::expected(likeliest.min(1_000_000), view.typical_contribution);
    let major = |micros: i64| micros as f64 / 1e8;
    let names = ["placement".to_owned()].into_iter();
    let names =
        names.chain(policy.placements.iter().map(|placement| format!("placement \"{}\"", placement.id)));
    let placed = compiled.placements.iter().zip(names);
    let dear = placed.filter_map(|(placed, name)| {
        let slots = placed.positions.iter().take(placed.slots.into());
        let reserve = slots.map(|slot| slot.reserve_micros).max().filter(|reserve| *reserve > most)?;
        Some(format!(
            "{name}: a reserve of {:.2} keeps every product away: the likeliest is expected to bring {:.2} (reserves are in major units)",
            major(reserve),
            major(most)
        ))
    });
    dear.collect()
}

/// Words of category names, and the class that they sound like.
const SOUNDS: [(SensitiveClass, &str); 8] = [
    (SensitiveClass::Alcohol, "alcohol alcoholic beer beers wine wines spirits liquor whiskey whisky vodka"),
    (SensitiveClass::Tobacco, "tobacco cigarette cigarettes cigar cigars vape vapes vaping nicotine"),
    (SensitiveClass::Health, "medicine medicines medication medications pharmacy pregnancy contraceptives"),
    (SensitiveClass::Adult, "erotic erotica pornography sexual"),
    (SensitiveClass::Weapons, "weapon weapons firearm firearms handguns rifles ammunition"),
    (SensitiveClass::Gambling, "gambling lottery lotteries casino betting"),
    (SensitiveClass::Credit, "credit loan loans"),
    (SensitiveClass::Insurance, "insurance insurances"),
];

fn sounds_like(name: &str) -> Option<SensitiveClass> {
    let lower = name.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric());
    words.find_map(|word| {
        SOUNDS.iter().find(|(_, all)| all.split(' ').any(|known| known == word)).map(|(class, _)| *class)
    })
}

/// Categories that sound sensitive, of which neither policy nor feed says anything: a line for each class, the topmost categories.
fn unmarked(compiled: &CompiledPolicy, view: &View<'_>) -> Vec<String> {
    let marked = |category: u32| view.ancestors(category).any(|above| is_marked(compiled, above));
    // Parents come first, so each finds its parent's answer there.
    let mut sounding: HashMap<u32, (u32, SensitiveClass)> = HashMap::new();
    for (ix, category) in (0..).zip(view.categories) {
        let path = view.str(category.path);
        let own = path.rsplit(" > ").next().and_then(sounds_like).map(|class| (ix, class));
        let found = sounding.get(&category.parent.get()).copied().or(own);
        if let Some(found) = found.filter(|_| !marked(ix)) {
            sounding.insert(ix, found);
        }
    }
    let mut bare: BTreeMap<u8, BTreeMap<u32, u32>> = BTreeMap::new();
    for record in view.products {
        let of = sounding.get(&record.category.get()).filter(|_| record.category.get() != NONE);
        let silent = SensitiveClass::from_code(record.sensitive) == Some(SensitiveClass::None);
        if let Some((top, class)) = of.filter(|_| silent) {
            *bare.entry(class.code()).or_default().entry(*top).or_default() += 1;
        }
    }
    let path = |row: u32| view.category(row).map_or("", |category| view.str(category.path));
    let words = |(class, categories): (u8, BTreeMap<u32, u32>)| {
        let class = SensitiveClass::from_code(class).map_or("", SensitiveClass::name);
        let all: Vec<String> =
            categories.iter().map(|(row, n)| format!("\"{}\" ({n})", path(*row))).collect();
        format!(
            "these categories sound like {class}, and products of theirs are of no sensitive class: {}; mark them ([[sensitive]] category = ..., class = \"{class}\"), or say class = \"none\"",
            all.join(", ")
        )
    };
    bare.into_iter().map(words).collect()
}

fn is_marked(compiled: &CompiledPolicy, category: u32) -> bool {
    compiled.marks.binary_search_by_key(&category, |mark| mark.0).is_ok()
}

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
        let taken = [suppress, &policy.suppress];
        for (list, name) in all_names(only) {
            let by = taken.iter().flat_map(|names| all_names(names)).find(|(other, above)| {
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
const SOUNDS: [(SensitiveClass, &[&str]); 8] = {
    use SensitiveClass as C;
    [
        (
            C::Alcohol,
            &[
                "alcohol",
                "alcoholic",
                "beer",
                "beers",
                "wine",
                "wines",
                "spirits",
                "liquor",
                "whiskey",
                "whisky",
                "vodka",
            ],
        ),
        (
            C::Tobacco,
            &["tobacco", "cigarette", "cigarettes", "cigar", "cigars", "vape", "vapes", "vaping", "nicotine"],
        ),
        (
            C::Health,
            &[
                "medicine",
                "medicines",
                "medication",
                "medications",
                "pharmacy",
                "pregnancy",
                "contraception",
                "contraceptives",
            ],
        ),
        (C::Adult, &["adult", "erotic", "erotica", "sexual"]),
        (C::Weapons, &["weapon", "weapons", "firearm", "firearms", "gun", "guns", "ammunition"]),
        (C::Gambling, &["gambling", "lottery", "lotteries", "casino", "betting"]),
        (C::Credit, &["credit", "loan", "loans"]),
        (C::Insurance, &["insurance", "insurances"]),
    ]
};

fn sounds_like(name: &str) -> Option<SensitiveClass> {
    let lower = name.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric());
    words.find_map(|word| SOUNDS.iter().find(|(_, all)| all.contains(&word)).map(|(class, _)| *class))
}

/// Categories that sound sensitive, of which neither policy nor feed says anything. Topmost ones only.
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
    let mut bare: BTreeMap<(u32, u8), (SensitiveClass, u32)> = BTreeMap::new();
    for record in view.products {
        let of = sounding.get(&record.category.get()).filter(|_| record.category.get() != NONE);
        let silent = SensitiveClass::from_code(record.sensitive) == Some(SensitiveClass::None);
        if let Some((top, class)) = of.filter(|_| silent) {
            bare.entry((*top, class.code())).or_insert((*class, 0)).1 += 1;
        }
    }
    let words = |((top, _), (class, count)): ((u32, u8), (SensitiveClass, u32))| {
        let path = view.category(top).map_or("", |category| view.str(category.path));
        let class = class.name();
        format!(
            "category \"{path}\" sounds like {class}, and {count} of its products are of no sensitive class: mark it ([[sensitive]] category = \"{path}\", class = \"{class}\"), or say class = \"none\""
        )
    };
    bare.into_iter().map(words).collect()
}

fn is_marked(compiled: &CompiledPolicy, category: u32) -> bool {
    compiled.marks.binary_search_by_key(&category, |mark| mark.0).is_ok()
}

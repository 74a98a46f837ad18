//! What `aftercart policy check` says before a policy does harm, and what stays in force whatever a policy leaves out.
#![cfg(feature = "build")]

mod common;

use aftercart::build::feed::{PartnerOffer, Partners, Product};
use aftercart::build::{BuildOptions, Inputs};
use aftercart::policy::{PolicyError, SensitiveRule};
use aftercart::vocabulary::{OfferKind, SensitiveClass};
use aftercart::{Decider, Engine, Policy};
use common::{Request, World};

fn product(id: &str, category: &str) -> Product {
    Product { id: id.into(), category_path: category.into(), brand: "Acme".into(), ..Product::default() }
}

/// A shop whose own policy says that snuff is tobacco.
fn shop() -> World {
    let products = vec![
        product("glass", "Home > Glasses"),
        product("vase", "Home > Vases"),
        product("red", "Drinks > Wine > Red"),
        product("snuff", "Snuff"),
    ];
    let mark = SensitiveRule { category: "Snuff".into(), class: SensitiveClass::Tobacco, age_min: 18 };
    let policy = Policy { taxonomy: Some("merchant".into()), sensitive: vec![mark], ..Policy::default() };
    let house = PartnerOffer {
        id: "app".into(),
        kind: OfferKind::AppPrompt,
        house: true,
        trigger_any: true,
        ..PartnerOffer::default()
    };
    let partners = Partners { offers: vec![house], ..Partners::default() };
    let inputs = Inputs { products, partners, policy: Some(policy), ..Inputs::default() };
    World::of(1, inputs, BuildOptions { calibrate: false, ..BuildOptions::default() })
}

fn policy(text: &str) -> Policy {
    toml::from_str(&format!("taxonomy = \"merchant\"\n{text}")).expect("a policy")
}

fn warnings(world: &World, text: &str) -> Vec<String> {
    let policy = policy(text);
    world.under(&policy).review(&policy).warnings
}

#[test]
fn what_is_probably_not_meant_is_said() {
    let world = shop();
    let wine = "[[sensitive]]\ncategory = \"Drinks\"\nclass = \"alcohol\"\n";
    assert_eq!(warnings(&world, wine), Vec::<String>::new(), "nothing to say");
    for (text, want) in [
        ("", "category \"Drinks > Wine\" sounds like alcohol, and 1 of its products"),
        ("kill_switch = true", "kill_switch is on"),
        (
            "[suppress]\ncategories = [\"Home\"]\n[allow_only]\ncategories = [\"home > vases\"]",
            "suppress.categories \"home\" takes all of it",
        ),
        (
            "[[rule]]\nname = \"r\"\nsuppress.brands = [\"Acme\"]\nallow_only.brands = [\"acme\"]",
            "rule \"r\": allow_only.brands names \"acme\"",
        ),
        ("[placement]\nreserve = 6000.0", "a reserve of 6000.00 keeps every product away"),
        (
            "[[placements]]\nid = \"p\"\nslots = 1\nmin_relevance = [0.1, 0.2]",
            "placement \"p\": min_relevance has 2 positions for 1 slots",
        ),
        (
            "[[rule]]\nname = \"n\"\nwhen = 'time.hour > 30'\nsuppress.brands = [\"Acme\"]\n",
            "rule \"n\" never holds",
        ),
        (
            "[[rule]]\nname = \"p\"\nwhen = 'placement.id == \"x\"'\nsuppress.brands = [\"Acme\"]\n",
            "asks for placement \"x\"",
        ),
        ("[suppress]\nkinds = [\"app_prompt\"]", "offer \"app\" can never appear"),
        ("[suppress]\nbrands = [\"Acme\"]", "no product may ever appear"),
    ] {
        let text =
            if text.contains("time.hour") { format!("time_zone = \"UTC\"\n{text}") } else { text.into() };
        let all = warnings(&world, &text);
        assert!(all.iter().any(|warning| warning.contains(want)), "{text}\nsays {all:#?}");
        if !text.is_empty() {
            let quiet = warnings(&world, &format!("{text}\n{wine}"));
            assert!(quiet.iter().all(|warning| !warning.contains("sounds like")), "{quiet:#?}");
        }
    }
}

#[test]
fn the_catalogs_sensitive_categories_stay_so_under_every_policy() {
    let world = shop();
    let plain = Request { age_band: aftercart::vocabulary::AgeBand::Adult, ..Request::of(&["glass"]) };
    let shows = |engine: std::sync::Arc<Engine>| {
        let mut decider = Decider::new(engine.clone());
        plain.with(|t, p| {
            let offers = decider.decide(t, p).expect("within the limits");
            offers.slate().iter().any(|offer| engine.id(offer.item) == "snuff")
        })
    };
    let open = "[placement]\nslots = 8\nmin_relevance = 0.0\n[slate]\nmax_per_type = 0\n";
    let lifted = "[[sensitive]]\ncategory = \"Snuff\"\nclass = \"none\"\n";
    let allowed = format!("allow_sensitive = [\"tobacco\"]\n{open}");
    assert!(!shows(world.under(&policy(open))), "it says nothing of tobacco");
    assert!(shows(world.under(&policy(&allowed))), "it allows tobacco");
    assert!(shows(world.under(&policy(&format!("{open}{lifted}")))), "it says that snuff is none");
}

#[test]
fn a_rule_tells_what_it_lets_in() {
    let world = shop();
    let by_day = policy(
        "time_zone = \"UTC\"\n[[rule]]\nname = \"day\"\nwhen = 'time.hour >= 6'\nallow_sensitive = [\"tobacco\"]",
    );
    let review = world.under(&by_day).review(&by_day);
    let reach = review.rules.iter().find(|rule| rule.name == "day").expect("the rule");
    assert_eq!((reach.products, reach.allows), (0, 1), "snuff by day");
}

#[test]
fn the_default_placement_has_a_ladder_of_its_own() {
    let world = shop();
    let count = |text: &str| {
        let mut decider = Decider::new(world.under(&policy(text)));
        Request::of(&["glass"]).with(|t, p| decider.decide(t, p).expect("within the limits").slate().len())
    };
    let strict = "[placement]\nmin_relevance = 1.0\n";
    assert_eq!(count(strict), 1, "the app prompt fills a slot");
    assert_eq!(count(&format!("{strict}fallback = [\"content\"]")), 0, "it is no content");
    assert_eq!(count(&format!("{strict}fallback = []")), 0);
    let twice = policy(&format!("{strict}fallback = [\"house\", \"house\"]"));
    let error = world.engine.with_policy(&twice).expect_err("twice");
    assert!(error.to_string().contains("placement.fallback"), "{error}");
}

#[test]
fn a_misspelt_name_comes_with_those_it_may_have_meant() {
    let world = shop();
    for (text, meant) in [
        ("[suppress]\ncategories = [\"Drinks > Wnie\"]", "did you mean \"Drinks > Wine\"?"),
        ("[suppress]\ncategories = [\"Glases\"]", "did you mean \"Home > Glasses\"?"),
        (
            "[[rule]]\nname = \"r\"\nsuppress.brands = [\"Zzz\"]",
            "\"r\": rule.suppress: the catalog has no brand \"Zzz\"; correct",
        ),
        ("[[rule]]\nname = \"r\"\nsuppress.brands = [\"Accme\"]", "did you mean \"Acme\"?"),
        ("[suppress]\nproducts = [\"glas\"]", "did you mean \"glass\"?"),
        ("[suppress]\noffers = [\"xyz\"]", "correct the name (the partners file has them)"),
        ("[suppress]\ncategories = [\"Quux\"]", "inspect FILE --categories"),
    ] {
        let error = world.engine.with_policy(&policy(text)).expect_err(text);
        assert!(matches!(error, PolicyError::UnknownName { .. }), "{error}");
        assert!(error.to_string().contains(meant), "{error}");
    }
}

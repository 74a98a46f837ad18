//! A shop without any orders: what the built-in prior makes of a small catalog, through build and decide.
#![cfg(feature = "build")]

use std::path::PathBuf;
use std::sync::Arc;

use aftercart::build::feed::{self, ColumnMap, Product};
use aftercart::build::progress::Silent;
use aftercart::build::{BuildOptions, Inputs, Provenance, build};
use aftercart::{
    Catalog, Decider, Engine, Item, LineItem, Placement, Profile, Relation, Transaction, Verify,
};

fn products() -> Vec<Product> {
    let feed = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/day_one/products.csv");
    feed::read_products(&[feed], &ColumnMap::default(), &Silent).expect("the feed reads").0
}

fn built(products: Vec<Product>, prior: bool) -> Engine {
    let inputs = Inputs { products, ..Inputs::default() };
    let options = BuildOptions { prior, ..BuildOptions::default() };
    let bytes = build(&inputs, &options, &Silent).expect("it builds");
    let catalog = Catalog::from_bytes(bytes, Verify::Full).expect("it opens");
    Engine::new(Arc::new(catalog)).expect("an engine")
}

/// What is offered beside some products: titles with their categories.
fn offered(engine: Engine, bought: &[&str], slots: u8) -> Vec<(String, String)> {
    let lines: Vec<LineItem<'_>> = bought.iter().map(|id| LineItem::of(id)).collect();
    let placement = Placement { slots, ..Placement::default() };
    let transaction = Transaction { lines: &lines, placement, ..Transaction::default() };
    let engine = Arc::new(engine);
    let offers =
        Decider::new(Arc::clone(&engine)).decide(&transaction, &Profile::default()).expect("a decision");
    let name = |item: Item| (engine.title(item).to_owned(), engine.category(item).to_owned());
    offers
        .slate()
        .iter()
        .inspect(|o| assert_eq!(o.because.relation, Relation::GoesWithType))
        .map(|o| name(o.item))
        .collect()
}

fn last(category: &str) -> &str {
    category.rsplit(" > ").next().unwrap_or("")
}

#[test]
fn four_scenes() {
    // Bought; categories of which three lead the slate; what may be in it at all.
    let scenes: [(&str, &[&str], &[&str]); 4] = [
        (
            "programmable-coffee-maker-12-cups",
            &["Coffee Filters", "Coffee Beans & Ground Coffee", "Descalers & Decalcifiers"],
            &["Coffee Grinders", "Coffee Maker Water Filters", "Coffee Decanters", "Mugs"],
        ),
        (
            "road-running-shoes-neutral",
            &["Athletic Socks", "Insoles & Inserts", "Water Bottles"],
            &[
                "Fanny Packs",
                "Shorts",
                "Shoelaces",
                "Smart Watches",
                "T-Shirts",
                "Foam Rollers",
                "Nutrition Gels & Chews",
                "Sport Safety Lights & Reflectors",
                "Shoe Care Kits",
            ],
        ),
        (
            "stainless-steel-cookware-set-10-pieces",
            &["Kitchen Utensil Sets", "Cutting Boards", "Cookbooks"],
            &[
                "Oven Mitts & Pot Holders",
                "Kitchen Knives",
                "Spatulas",
                "Pot & Pan Lids",
                "Trivets",
                "Aprons",
                "Tongs",
            ],
        ),
        (
            "two-person-dome-tent",
            &["Sleeping Bags", "Tent Footprints", "Tent Stakes"],
            &[
                "Sleeping Pads",
                "Camping Lights & Lanterns",
                "Portable Cooking Stoves",
                "Camping Chairs",
                "Headlamps",
            ],
        ),
    ];
    for (bought, leading, others) in scenes {
        let three = offered(built(products(), true), &[bought], 0);
        assert_eq!(three.len(), 3, "{bought}: {three:?}");
        for (title, category) in &three {
            assert!(leading.contains(&last(category)), "{bought}: {title} leads");
        }
        let ten = offered(built(products(), true), &[bought], 8);
        assert!(ten.len() >= 6, "{bought}: {ten:?}");
        for (title, category) in &ten {
            let kind = last(category);
            assert!(leading.contains(&kind) || others.contains(&kind), "{bought}: {title} in {category}");
        }
    }
}

#[test]
fn a_trip_gets_what_it_lacks() {
    let bought = ["two-person-dome-tent", "three-season-sleeping-bag", "canister-camping-stove"];
    let slate = offered(built(products(), true), &bought, 6);
    let kinds: Vec<&str> = slate.iter().map(|(_, category)| last(category)).collect();
    assert!(kinds.contains(&"Sleeping Pads") && kinds.contains(&"Camping Fuel"), "{kinds:?}");
    for look_alike in ["Tents", "Sleeping Bags", "Portable Cooking Stoves", "Play Tents & Tunnels"] {
        assert!(!kinds.contains(&look_alike), "{kinds:?}");
    }
}

#[test]
fn titles_say_what_fits() {
    // Forty batteries, each of another camera; the pair says "a battery", the words say which.
    const CAMERAS: &str = "Cameras & Optics > Cameras > Digital Cameras";
    const BATTERIES: &str =
        "Cameras & Optics > Camera & Optic Accessories > Camera Parts & Accessories > Camera Batteries";
    let product = |title: String, path: &str| Product {
        id: title.clone(),
        title,
        category_path: path.into(),
        ..Product::default()
    };
    let mut shop = products();
    for model in 0..40 {
        shop.push(product(format!("Kestrel DX{model}00 digital camera, black"), CAMERAS));
        shop.push(product(format!("Battery pack for Kestrel DX{model}00, 1200 mAh"), BATTERIES));
    }
    for model in [3, 17, 39] {
        let bought = format!("Kestrel DX{model}00 digital camera, black");
        let slate = offered(built(shop.clone(), true), &[&bought], 3);
        let batteries: Vec<&str> =
            slate.iter().filter(|(_, path)| path == BATTERIES).map(|(title, _)| title.as_str()).collect();
        assert_eq!(batteries, [format!("Battery pack for Kestrel DX{model}00, 1200 mAh")], "{slate:?}");
    }
}

#[test]
fn what_no_pair_speaks_of_gets_nothing() {
    for bought in ["the-lighthouse-ledger", "wooden-toy-coffee-maker", "princess-play-tent"] {
        assert_eq!(offered(built(products(), true), &[bought], 8), [], "{bought}");
    }
    let bought = "programmable-coffee-maker-12-cups";
    assert_eq!(offered(built(products(), false), &[bought], 8), [], "without the prior");
}

#[test]
fn titles_alone_do_where_they_are_plain() {
    let titles = [
        "Brewly Programmable Coffee Maker, 12 Cups",
        "Brewly Coffee Maker 5-Cup White",
        "Paper Coffee Filters, 100 Count",
        "Descaling Solution",
        "Ceramic Vase",
        "House Blend Coffee Pods 24 ct",
        "Toy Coffee Maker",
        "Coffee Maker Manual",
    ];
    let product =
        |title: &&str| Product { id: title.to_string(), title: title.to_string(), ..Product::default() };
    let slate = offered(built(titles.iter().map(product).collect(), true), &titles[..1], 8);
    let mut found: Vec<&str> = slate.iter().map(|(title, _)| title.as_str()).collect();
    found.sort_unstable();
    assert_eq!(found, [titles[3], titles[5], titles[2]], "{slate:?}");
}

#[test]
fn roles_come_from_the_prior_only_where_the_feed_is_silent() {
    use aftercart::vocabulary::Role;
    let mut products = products();
    let id = |id: &str| products.iter().position(|p| p.id == id).expect("it is there");
    let (stated, silent) = (id("descaling-solution-500-ml"), id("descaling-tablets-12-pack"));
    products[stated].role = Role::Durable;
    let names = [stated, silent].map(|at| products[at].id.clone());
    let engine = built(products, true);
    let role = |name: &str| {
        let ix = engine.find_product(name).expect("it is there");
        aftercart::testing::facts(&engine, ix).expect("facts").role
    };
    assert_eq!([role(&names[0]), role(&names[1])], [Role::Durable, Role::Consumable]);
    let provenance = Provenance::read(engine.catalog()).expect("it has one");
    assert!(provenance.prior_types > 30 && provenance.prior_types < provenance.types);
}

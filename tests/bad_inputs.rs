//! Inputs that do not fit together are refused by the build: a catalog that would not open, or whose rules would miss what
//! they name, must not come out of it. The feed readers check the same; this is for those who fill `Inputs` themselves.
#![cfg(feature = "build")]

use aftercart::build::feed::{OrderLine, Orders, Partner, PartnerOffer, Partners, Product};
use aftercart::build::progress::Silent;
use aftercart::build::{BuildOptions, Inputs, build};
use aftercart::policy::SensitiveRule;
use aftercart::vocabulary::SensitiveClass;
use aftercart::{Catalog, Policy, Verify};

fn shop() -> Inputs {
    let product =
        |id: &str| Product { id: id.into(), category_path: format!("Things > {id}"), ..Product::default() };
    Inputs { products: ["a", "b", "c"].map(product).to_vec(), ..Inputs::default() }
}

fn refused(inputs: &Inputs, what: &str) {
    match build(inputs, &BuildOptions::default(), &Silent) {
        Err(error) => assert!(error.to_string().contains("way out"), "{what}: {error}"),
        Ok(_) => panic!("{what} is accepted"),
    }
}

#[test]
fn the_shop_itself_is_fine() {
    let bytes = build(&shop(), &BuildOptions::default(), &Silent).expect("it builds");
    assert!(Catalog::from_bytes(bytes, Verify::Full).is_ok());
}

/// Only the first of two would be found by its id, so a suppression of that id would let the second through.
#[test]
fn ids_are_unique() {
    let mut inputs = shop();
    inputs.products[2].id = "a".into();
    refused(&inputs, "a product id that is there twice");
    let partner = |id: &str| Partner { id: id.into(), active: true, ..Partner::default() };
    let offer = |id: &str| PartnerOffer { id: id.into(), trigger_any: true, ..PartnerOffer::default() };
    let partners = Partners { partners: vec![partner("p"), partner("p")], offers: Vec::new() };
    refused(&Inputs { partners, ..shop() }, "a partner id that is there twice");
    let partners = Partners { partners: Vec::new(), offers: vec![offer("o"), offer("o")] };
    refused(&Inputs { partners, ..shop() }, "an offer id that is there twice");
}

#[test]
fn ids_have_one_to_64_bytes() {
    for id in ["".to_owned(), "x".repeat(65)] {
        let mut inputs = shop();
        inputs.products[1].id = id;
        refused(&inputs, "a product id of no or too many bytes");
    }
    let partners = Partners { partners: vec![Partner::default()], offers: Vec::new() };
    refused(&Inputs { partners, ..shop() }, "a partner id of no bytes");
}

#[test]
fn orders_speak_of_products_of_the_feed() {
    let line = OrderLine { basket: 0, customer: 0, at_ms: 1, product: 3, quantity: 1, unit_price: None };
    let orders = Orders { lines: vec![line], baskets: 1, customers: 1 };
    refused(&Inputs { orders, ..shop() }, "an order line of no product");
}

/// Of two marks of one category only one could hold, and nobody would know which.
#[test]
fn a_category_has_one_sensitive_mark() {
    let mark = |class| SensitiveRule { category: "Things".into(), class, age_min: 0 };
    let sensitive = vec![mark(SensitiveClass::Alcohol), mark(SensitiveClass::Health)];
    let policy = Some(Policy { sensitive, taxonomy: Some("merchant".into()), ..Policy::default() });
    let inputs = Inputs { policy, ..shop() };
    refused(&inputs, "a category with two marks");
    let error = build(&inputs, &BuildOptions::default(), &Silent).expect_err("two marks").to_string();
    assert!(error.contains("named once per category"), "{error}");
}

/// Pieces of policies put together at random, and bytes of them changed: reading and compiling them ends with a policy or with an
/// error that says something. (`fuzz/` does the same, for longer, led by coverage.)
#[test]
fn mangled_policies_are_policies_or_errors() {
    const PIECES: [&str; 25] = [
        "version = 1\n",
        "taxonomy = \"merchant\"\n",
        "time_zone = \"Europe/Berlin\"\n",
        "[suppress]\n",
        "[allow_only]\n",
        "[[rule]]\nname = \"a\"\n",
        "[[apart]]\nname = \"b\"\n",
        "[[sensitive]]\ncategory = \"Things\"\nclass = \"alcohol\"\n",
        "[[placements]]\nid = \"c\"\n",
        "[consent]\n",
        "[placement]\n",
        "when = 'order.value >= 5.0 && !(\"x\" in order.tags)'\n",
        "when = 'time.hour in [1, 2] || has(consent.marketing)'\n",
        "bought.products = [\"a\"]\n",
        "suppress.categories = [\"Things > a\"]\n",
        "categories = [\"Things\"]\n",
        "attributes = { color = [\"red\"] }\n",
        "these.brands = [\"B\"]\n",
        "these.partners = [\"p\"]\nbought = true\n",
        "parties = { third = [\"marketing\"] }\n",
        "kinds = [[\"product\"], []]\n",
        "min_relevance = [0.5, 2.0]\n",
        "reserve = -1.0\n",
        "slots = 16\n",
        "allow_sensitive = [\"alcohol\"]\n",
    ];
    let bytes = build(&shop(), &BuildOptions::default(), &Silent).expect("it builds");
    let catalog = Catalog::from_bytes(bytes, Verify::Full).expect("it opens");
    let engine = aftercart::Engine::new(std::sync::Arc::new(catalog)).expect("it compiles");
    let mut state = 1u64;
    let mut below = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    let (mut fine, mut wrong) = (0, 0);
    for _ in 0..20_000 {
        let mut text: String = (0..1 + below(6)).map(|_| PIECES[below(PIECES.len())]).collect();
        if below(2) == 0 {
            let at = below(text.len());
            text.replace_range(at..=at, ["", "\"", "[", "9", "=", "'", "(", "é"][below(8)]);
        }
        let policy = toml::from_str::<Policy>(&text).map_err(|error| error.to_string());
        match policy.and_then(|policy| engine.with_policy(&policy).map_err(|error| error.to_string())) {
            Ok(_) => fine += 1,
            Err(error) => {
                assert!(!error.trim().is_empty(), "{text}");
                wrong += 1;
            }
        }
    }
    assert!(fine > 500 && wrong > 500, "{fine} policies and {wrong} errors show too little");
}

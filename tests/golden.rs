//! A catalog of each format version is kept for ever: it must open in full and decide as on the day it was written.
//!
//! `AFTERCART_BLESS=1 cargo test --features build --test golden` builds the current version's file anew and records what it
//! decides. Look at the difference before you commit it: a changed record is a changed decision, a file that no longer opens
//! is a changed format.
#![cfg(feature = "build")]

mod common;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use aftercart::build::feed::{OrderLine, Orders, Partner, PartnerOffer, Partners, Product};
use aftercart::build::progress::Silent;
use aftercart::build::{BuildOptions, Inputs, Provenance, build};
use aftercart::index::format::{MAJOR, SECTIONS};
use aftercart::policy::SensitiveRule;
use aftercart::vocabulary::{
    AgeBand, Attribute, Availability, Country, Currency, CustomerKind, OfferKind, Role, SensitiveClass,
};
use aftercart::{Catalog, Decider, Engine, Offers, OpenMode, OpenOptions, Policy, Prefault, Verify};
use common::{DAY, NOW, OwnedLine, Request};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/v{MAJOR}")).join(name)
}

fn product(id: &str, category: &str, brand: &str, price: i64, role: Role) -> Product {
    Product {
        id: id.into(),
        title: id.replace('-', " "),
        category_path: category.into(),
        brand: brand.into(),
        price: Some(price),
        availability: Availability::InStock,
        role,
        ..Product::default()
    }
}

fn products() -> Vec<Product> {
    use Role::{Consumable, Durable, Unknown};
    let mut all = vec![
        product("espresso-machine", "Coffee > Machines > Espresso", "Brewly", 24_900, Durable),
        product("filter-machine", "Coffee > Machines > Filter", "Brewly", 7_900, Durable),
        product("grinder", "Coffee > Grinders", "Millstone", 12_900, Durable),
        product("beans-house", "Coffee > Beans", "Roastery", 1_490, Consumable),
        product("beans-decaf", "Coffee > Beans", "Roastery", 1_590, Consumable),
        product("pods", "Coffee > Pods", "Brewly", 890, Consumable),
        product("paper-filters", "Coffee > Filters", "Brewly", 390, Consumable),
        product("descaler", "Coffee > Care > Descaler", "Brewly", 990, Consumable),
        product("milk-jug", "Coffee > Barista > Jugs", "Millstone", 1_990, Unknown),
        product("tamper", "Coffee > Barista > Tampers", "Millstone", 2_490, Unknown),
        product("cups-white", "Home > Cups", "Tableside", 1_290, Unknown),
        product("cups-black", "Home > Cups", "Tableside", 1_290, Unknown),
        product("saucers", "Home > Saucers", "Tableside", 790, Unknown),
        product("biscotti", "Food > Biscuits", "Forno", 490, Consumable),
        product("coffee-liqueur", "Drinks > Liqueur", "Forno", 2_190, Consumable),
        product("mystery-box", "", "", 990, Unknown),
        product("thermos", "Home > Thermos", "Tableside", 3_490, Durable),
        product("tea-sampler", "Food > Tea", "Leafline", 1_190, Consumable),
    ];
    for cups in &mut all[10..12] {
        cups.item_group_id = "cups".into();
    }
    all[8].availability = Availability::Unknown;
    all[16].availability = Availability::OutOfStock;
    all[15].price = None;
    all[17].seller = "leafline".into();
    all[9].eligible_regions = vec![Country(*b"US"), Country(*b"CA")];
    for (row, color) in [(10, "white"), (11, "black"), (16, "black")] {
        all[row].attributes = vec![(Attribute::Color, color.into())];
    }
    all[14].age_min = 18;
    all[14].sensitive = SensitiveClass::Alcohol;
    all
}

/// Three baskets by turns, a new one every day, by twelve customers.
fn orders() -> Orders {
    let baskets: [&[u32]; 6] = [&[0, 3, 2], &[0, 8, 9], &[1, 6, 3], &[3, 13], &[10, 12, 17], &[0, 7, 5]];
    let mut lines = Vec::new();
    for day in 0..180u32 {
        for product in baskets[day as usize % baskets.len()] {
            lines.push(OrderLine {
                basket: day,
                customer: day % 12,
                at_ms: NOW - 200 * DAY + i64::from(day) * DAY,
                product: *product,
                quantity: 1,
                unit_price: None,
            });
        }
    }
    Orders { lines, baskets: 180, customers: 12 }
}

fn partners() -> Partners {
    let offer = |id: &str, kind, partner: &str, payout, accept_rate_ppm| PartnerOffer {
        id: id.into(),
        kind,
        partner: partner.into(),
        title: id.replace('-', " "),
        payout,
        accept_rate_ppm,
        ..PartnerOffer::default()
    };
    let coffee = || vec!["Coffee".to_owned()];
    Partners {
        partners: vec![
            Partner {
                id: "shieldwell".into(),
                active: true,
                regions: vec![Country(*b"US")],
                ..Partner::default()
            },
            Partner {
                id: "leafline".into(),
                active: true,
                blocked_categories: vec!["Coffee > Beans".into()],
                ..Partner::default()
            },
            Partner { id: "pausedpay".into(), ..Partner::default() },
        ],
        offers: vec![
            PartnerOffer {
                trigger_categories: vec!["Coffee > Machines".into()],
                order_value_min: Some(5_000),
                ..offer("machine-warranty", OfferKind::Warranty, "shieldwell", 900, 60_000)
            },
            PartnerOffer {
                trigger_brands: vec!["Roastery".into()],
                customers: CustomerKind::Returning,
                ..offer("bean-subscription", OfferKind::Subscription, "", 600, 40_000)
            },
            PartnerOffer {
                trigger_answers: vec!["gift".into()],
                ..offer("gift-wrap", OfferKind::AddOn, "", 250, 150_000)
            },
            PartnerOffer {
                trigger_any: true,
                ..offer("pay-later", OfferKind::PaymentIncentive, "pausedpay", 2_000, 50_000)
            },
            PartnerOffer {
                trigger_categories: coffee(),
                starts_at_ms: NOW - 10 * DAY,
                ends_at_ms: NOW + 10 * DAY,
                ..offer("barista-course", OfferKind::Service, "", 1_500, 20_000)
            },
            PartnerOffer {
                trigger_any: true,
                house: true,
                ..offer("club", OfferKind::Loyalty, "", 100, 80_000)
            },
            PartnerOffer {
                trigger_categories: coffee(),
                house: true,
                ..offer("brewing-guide", OfferKind::Content, "", 10, 120_000)
            },
        ],
    }
}

fn catalog() -> Vec<u8> {
    let mut policy = Policy { allow_sensitive: vec![SensitiveClass::Alcohol], ..Policy::default() };
    policy.suppress.categories = vec!["Home > Saucers".into()];
    policy.sensitive =
        vec![SensitiveRule { category: "Drinks".into(), class: SensitiveClass::Alcohol, age_min: 18 }];
    policy.taxonomy = Some("merchant".into());
    policy.placement.slots = 4;
    policy.placement.min_relevance = 0.05;
    let inputs = Inputs {
        products: products(),
        currency: Some(Currency(*b"USD")),
        orders: orders(),
        partners: partners(),
        policy: Some(policy),
        embeddings: None,
        vectors: None,
    };
    build(&inputs, &BuildOptions::default(), &Silent).expect("the coffee shop builds")
}

fn requests() -> Vec<(&'static str, Request)> {
    let machine = || Request::of(&["espresso-machine"]);
    let line = |item_id: &str, category: &str| OwnedLine {
        item_id: item_id.into(),
        category: category.into(),
        quantity: 1,
        ..OwnedLine::default()
    };
    let ago = |id: &str, days: i64| (id.to_owned(), NOW - days * DAY);
    vec![
        ("a machine", machine()),
        ("abroad", Request { country: Country::parse("DE"), ..machine() }),
        ("nowhere known", Request { country: None, value: None, ..machine() }),
        ("no time known", Request { created_at_ms: 0, ..machine() }),
        ("a gift", Request { answers: vec!["gift".into()], ..machine() }),
        ("a minor", Request { age_band: AgeBand::Minor, ..Request::of(&["biscotti"]) }),
        ("an adult", Request::of(&["biscotti"])),
        ("a regular", Request { customer: CustomerKind::Returning, ..Request::of(&["beans-house"]) }),
        ("a refill", Request { purchases: vec![ago("pods", 60), ago("descaler", 90)], ..machine() }),
        ("an owner", Request { purchases: vec![ago("grinder", 300)], ..machine() }),
        ("a member", Request { loyalty_member: Some(true), ..machine() }),
        ("declined", Request { declines: vec![ago("barista-course", 3)], ..machine() }),
        ("opted out", Request { opt_out_categories: vec!["Coffee".into()], ..machine() }),
        ("by category", Request { lines: vec![line("sku-77", "Coffee > Grinders")], ..machine() }),
        ("unknown", Request { lines: vec![line("sku-77", "Garden")], ..machine() }),
        (
            "a large basket",
            Request::of(&["filter-machine", "paper-filters", "beans-decaf", "cups-black", "biscotti"]),
        ),
        ("euros", Request { currency: Currency::parse("EUR"), ..machine() }),
        ("nothing", Request::of(&[])),
    ]
}

/// A decision as text.
fn record(engine: &Engine, name: &str, offers: &Offers) -> String {
    let mut text = format!("{name}: {:?} {:?}\n", offers.status, offers.counters);
    for offer in offers.slate() {
        let _ = writeln!(
            text,
            "  {} {} {:?} line {:?} relevance {} p {} value {} ev {}{}",
            offer.position,
            engine.id(offer.item),
            offer.because.relation,
            offer.because.line,
            offer.relevance,
            offer.p_accept_ppm,
            offer.value,
            offer.ev_micros,
            if offer.third_party { " third party" } else { "" },
        );
    }
    for rejected in offers.rejected() {
        let _ = writeln!(text, "  - {} {:?}", engine.id(rejected.item), rejected.reason);
    }
    text
}

fn decide_all(engine: &Arc<Engine>) -> String {
    let mut decider = Decider::new(Arc::clone(engine));
    let mut decide = |(name, request): (&str, Request)| {
        let offers = request.with(|t, p| decider.decide(t, p).expect("within the limits"));
        record(engine, name, &offers)
    };
    requests().into_iter().map(&mut decide).collect()
}

#[test]
fn the_golden_catalog_opens_and_decides_as_recorded() {
    let (file, recorded) = (path("coffee.aftercart"), path("decisions.txt"));
    if std::env::var_os("AFTERCART_BLESS").is_some() {
        fs::create_dir_all(path("")).expect("a folder");
        fs::write(&file, catalog()).expect("it writes");
    }
    let options = |mode| OpenOptions { mode, verify: Verify::Full, prefault: Prefault::Whole };
    for mode in [OpenMode::Map, OpenMode::Copy] {
        let engine = Arc::new(Engine::open(&file, options(mode)).expect("the golden file opens"));
        let decided = decide_all(&engine);
        if std::env::var_os("AFTERCART_BLESS").is_some() {
            fs::write(&recorded, &decided).expect("it writes");
        }
        let recorded = fs::read_to_string(&recorded).expect("the record is there");
        for (line, (now, then)) in decided.lines().zip(recorded.lines()).enumerate() {
            assert_eq!(now, then, "line {} of {}", line + 1, path("decisions.txt").display());
        }
        assert_eq!(decided, recorded);
        assert!(Provenance::read(engine.catalog()).is_some(), "who built it can still be read");
    }
}

/// What is built today has the layout of the golden file, whatever the numbers in it.
#[test]
fn the_writer_still_writes_the_golden_layout() {
    if std::env::var_os("AFTERCART_BLESS").is_some() {
        return; // the file is being written
    }
    let golden = Catalog::open(path("coffee.aftercart"), OpenOptions::default()).expect("it opens");
    let built = Catalog::from_bytes(catalog(), Verify::Full).expect("it opens");
    // Bytes of one element. How many there are may differ by a CPU's rounding.
    let layout = |catalog: &Catalog| {
        let rows = catalog.sections().filter(|(.., count)| *count > 0);
        rows.map(|(name, _, bytes, count)| (name, bytes / count)).collect::<Vec<_>>()
    };
    // All but the two of refills, which few orders cannot teach.
    assert_eq!(golden.sections().count(), SECTIONS - 2);
    assert_eq!(layout(&built), layout(&golden), "a change of the format needs another version");
}

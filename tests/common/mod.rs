//! Small random catalogs, policies and requests for the tests. One seed makes one world; failures print it.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "each test binary uses its own part"
)]

pub mod deal;
pub mod rules;

use std::collections::HashMap;
use std::sync::Arc;

use aftercart::build::feed::{
    HoldsFor, NotBeside, OrderLine, Orders, Partner, PartnerOffer, Partners, Product,
};
use aftercart::build::progress::Silent;
use aftercart::build::{BuildOptions, Inputs, build};
use aftercart::experiment::Explore;
use aftercart::live::{Change, LiveKind, Pacing};
use aftercart::policy::{Condition, FirstPartyValue, SensitiveRule, Unknown};
use aftercart::vocabulary::{
    AgeBand, Attribute, Availability, ContentKind, Country, Currency, CustomerKind, Exposure, OfferKind,
    PaymentType, Role, SensitiveClass, Stage,
};
use aftercart::{
    Answer, Catalog, Consent, Decline, Engine, Exposed, LineItem, Live, Placement, Policy, Profile, Purchase,
    Purposes, Repeat, Session, Transaction, Verify,
};

/// A day in milliseconds.
pub const DAY: i64 = 86_400_000;
/// The moment of most requests: after all orders.
pub const NOW: i64 = 1_767_225_600_000 + 400 * DAY;
/// "No customer" in an order line.
const NONE: u32 = u32::MAX;

/// SplitMix64: the same stream everywhere.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0xD1B5_4A32_D192_ED03))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    pub fn some<T: Clone>(&mut self, from: &[T], most: usize) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| self.pick(from).clone()).collect()
    }
}

/// A catalog with what it was made of.
#[derive(Debug)]
pub struct World {
    pub seed: u64,
    pub inputs: Inputs,
    pub options: BuildOptions,
    pub bytes: Vec<u8>,
    pub engine: Arc<Engine>,
    /// Every category path, inner nodes too.
    pub categories: Vec<String>,
    pub brands: Vec<String>,
}

impl World {
    pub fn new(seed: u64, products: usize) -> Self {
        let mut rng = Rng::new(seed);
        let inputs = inputs(&mut rng, products);
        let options = BuildOptions { calibrate: false, seed, ..BuildOptions::default() };
        Self::of(seed, inputs, options)
    }

    /// One whose decisions search wherever orders say little.
    pub fn without_near_lists(seed: u64, products: usize) -> Self {
        let inputs = inputs(&mut Rng::new(seed), products);
        let options = BuildOptions { calibrate: false, near_lists: false, seed, ..BuildOptions::default() };
        Self::of(seed, inputs, options)
    }

    pub fn of(seed: u64, inputs: Inputs, options: BuildOptions) -> Self {
        let bytes = build(&inputs, &options, &Silent).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        let catalog = Catalog::from_bytes(bytes.clone(), Verify::Full).expect("a built catalog verifies");
        let engine = Arc::new(Engine::new(Arc::new(catalog)).expect("its policy compiles"));
        let (mut categories, mut brands) = (Vec::new(), Vec::new());
        for product in &inputs.products {
            let levels: Vec<&str> =
                product.category_path.split('>').map(str::trim).filter(|l| !l.is_empty()).collect();
            categories.extend((1..=levels.len()).map(|depth| levels[..depth].join(" > ")));
            brands.extend(Some(product.brand.trim().to_owned()).filter(|b| !b.is_empty()));
        }
        for names in [&mut categories, &mut brands] {
            names.sort();
            names.dedup();
        }
        Self { seed, inputs, options, bytes, engine, categories, brands }
    }

    pub fn under(&self, policy: &Policy) -> Arc<Engine> {
        Arc::new(self.engine.with_policy(policy).unwrap_or_else(|e| panic!("seed {}: {e}", self.seed)))
    }
}

const COUNTRIES: [Country; 4] = [Country(*b"US"), Country(*b"CA"), Country(*b"DE"), Country(*b"ZZ")];
const TAGS: [&str; 4] = ["gift", "office", "pets", "travel"];

/// What products may have; every shop's first products have each of them once.
pub const ATTRIBUTES: [(Attribute, &str); 6] = [
    (Attribute::Color, "red"),
    (Attribute::Color, "blue"),
    (Attribute::Gender, "female"),
    (Attribute::Gender, "male"),
    (Attribute::CustomLabel0, "clearance"),
    (Attribute::CustomLabel4, "red"),
];

/// Feeds of a random shop with structure: what is bought of one type goes with the next.
pub fn inputs(rng: &mut Rng, count: usize) -> Inputs {
    let leaves = leaves(rng, (count / 8).clamp(4, 160));
    let brands: Vec<String> = (0..(count / 10).clamp(3, 40)).map(|b| format!("Brand {b}")).collect();
    let partners = partners(rng, &leaves, &brands);
    let mut products: Vec<Product> =
        (0..count).map(|row| product(rng, row, &leaves, &brands, &partners.partners)).collect();
    // Every name that partners and policies use must occur.
    for (product, leaf) in products.iter_mut().zip(&leaves) {
        product.category_path = leaf.clone();
    }
    for (product, brand) in products.iter_mut().rev().zip(&brands) {
        product.brand = brand.clone();
    }
    for (product, (attribute, value)) in products.iter_mut().zip(ATTRIBUTES) {
        product.attributes = vec![(attribute, value.to_owned())];
    }
    let offers = offers(rng, &products, &leaves, &brands, &partners.partners);
    let orders = orders(rng, &products, count * 6);
    // Some shops have marks of their own, which stay under every policy.
    let own = |sensitive| Policy { taxonomy: Some("merchant".into()), sensitive, ..Policy::default() };
    let policy = if rng.chance(30) { Some(own(sensitive_rules(rng, &leaves))) } else { None };
    Inputs {
        products,
        currency: Some(Currency::USD),
        orders,
        partners: Partners { offers, ..partners },
        policy,
        embeddings: None,
        vectors: None,
    }
}

/// Leaf paths of one to four levels, with names that are prefixes of each other.
fn leaves(rng: &mut Rng, count: usize) -> Vec<String> {
    let roots = ["Home", "Home - Garden", "Homeware", "Food", "Baby", "Drinks"];
    let mut leaves = Vec::new();
    for n in 0..count {
        let mut path = rng.pick(&roots).to_string();
        for level in 0..rng.below(3) {
            path = format!("{path} > L{level}{}", rng.below(3));
        }
        leaves.push(if rng.chance(80) { format!("{path} > Leaf {n}") } else { path });
    }
    leaves.sort();
    leaves.dedup();
    leaves
}

fn product(rng: &mut Rng, row: usize, leaves: &[String], brands: &[String], partners: &[Partner]) -> Product {
    let class = |rng: &mut Rng| *rng.pick(SensitiveClass::ALL);
    Product {
        id: format!("p{row}"),
        title: if rng.chance(95) { format!("Thing {}", row / 2) } else { String::new() },
        category_path: if rng.chance(90) { rng.pick(leaves).clone() } else { String::new() },
        standard_category: String::new(),
        brand: if rng.chance(85) { rng.pick(brands).clone() } else { String::new() },
        price: rng.chance(90).then(|| 100 + rng.below(9_900) as i64),
        margin_bps: rng.chance(40).then(|| rng.below(6_000) as u16),
        availability: match rng.below(20) {
            0 => Availability::OutOfStock,
            1 => Availability::Preorder,
            2 => Availability::Backorder,
            3 | 4 => Availability::Unknown,
            _ => Availability::InStock,
        },
        item_group_id: if rng.chance(30) { format!("g{}", rng.below(1 + row / 3)) } else { String::new() },
        gtin: if rng.chance(20) { format!("0{}", row / 3) } else { String::new() },
        age_min: if rng.chance(5) { 18 } else { 0 },
        sensitive: if rng.chance(8) { class(rng) } else { SensitiveClass::None },
        role: if rng.chance(50) { *rng.pick(Role::ALL) } else { Role::Unknown },
        seller: if rng.chance(15) { rng.pick(partners).id.clone() } else { String::new() },
        eligible_regions: if rng.chance(12) { vec![*rng.pick(&COUNTRIES)] } else { Vec::new() },
        attributes: if rng.chance(60) { rng.some(&ATTRIBUTES, 3) } else { Vec::new() }
            .into_iter()
            .map(|(attribute, value)| (attribute, value.to_owned()))
            .collect(),
    }
}

fn partners(rng: &mut Rng, leaves: &[String], brands: &[String]) -> Partners {
    let above = |leaf: &String| leaf.split(" > ").next().unwrap_or("").to_owned();
    let partners = (0..5).map(|n| Partner {
        id: format!("partner-{n}"),
        name: String::new(),
        active: n != 1,
        blocked_categories: match n {
            2 => vec![above(rng.pick(leaves))],
            3 => vec![rng.pick(leaves).clone()],
            _ => Vec::new(),
        },
        blocked_brands: if n == 3 || n == 4 { vec![rng.pick(brands).clone()] } else { Vec::new() },
        regions: if n == 0 && rng.chance(30) { vec![COUNTRIES[0], COUNTRIES[2]] } else { Vec::new() },
        max_per_slate: if n == 0 { 2 } else { 0 },
        min_share_bps: if n == 0 || n == 3 { *rng.pick(&[0, 500, 2_500, 10_000]) } else { 0 },
        max_share_bps: if n == 2 || n == 3 { *rng.pick(&[0, 10_000, 10_000, 20, 1_500]) } else { 0 },
        domains: vec![format!("shop.partner{n}.example")],
        not_beside: match n {
            0 => NotBeside { brands: vec![rng.pick(brands).clone()], ..NotBeside::default() },
            2 => NotBeside { categories: vec![rng.pick(leaves).clone()], ..NotBeside::default() },
            3 => NotBeside { other_partners: rng.chance(50), ..NotBeside::default() },
            4 => NotBeside {
                partners: vec!["partner-0".into()],
                domains: vec!["partner3.example".into()],
                ..NotBeside::default()
            },
            _ => NotBeside::default(),
        },
        when: if n == 3 { rules::condition(rng, 2) } else { Condition::Always },
        caps: rules::caps(rng, 25),
    });
    Partners { partners: partners.collect(), offers: Vec::new() }
}

fn offers(
    rng: &mut Rng,
    products: &[Product],
    leaves: &[String],
    brands: &[String],
    partners: &[Partner],
) -> Vec<PartnerOffer> {
    let count = 24 + rng.below(16);
    let maybe = |rng: &mut Rng, percent, names: &[String]| {
        if rng.chance(percent) { rng.some(names, 3) } else { Vec::new() }
    };
    let ids: Vec<String> = products.iter().map(|p| p.id.clone()).collect();
    let roots: Vec<String> =
        leaves.iter().map(|leaf| leaf.split(" > ").next().unwrap_or("").to_owned()).collect();
    let tags = TAGS.map(str::to_owned);
    let offer = |n: usize, rng: &mut Rng| PartnerOffer {
        id: format!("offer-{n}"),
        kind: *rng.pick(OfferKind::ALL),
        partner: if rng.chance(55) { rng.pick(partners).id.clone() } else { String::new() },
        title: format!("Offer {n}"),
        payout: rng.below(2_000) as i64 - 20,
        accept_rate_ppm: rng.below(200_000) as u32,
        price: rng.chance(50).then(|| rng.below(5_000) as i64),
        trigger_any: rng.chance(35),
        trigger_categories: [maybe(rng, 30, leaves), maybe(rng, 30, &roots)].concat(),
        trigger_products: maybe(rng, 25, &ids),
        trigger_brands: maybe(rng, 30, brands),
        trigger_answers: maybe(rng, 25, &tags),
        order_value_min: rng.chance(20).then(|| rng.below(20_000) as i64),
        order_value_max: rng.chance(15).then(|| rng.below(60_000) as i64),
        regions: if rng.chance(15) { rng.some(&COUNTRIES, 2) } else { Vec::new() },
        customers: if rng.chance(20) { *rng.pick(CustomerKind::ALL) } else { CustomerKind::Any },
        age_min: if rng.chance(8) { 18 } else { 0 },
        sensitive: if rng.chance(10) { *rng.pick(SensitiveClass::ALL) } else { SensitiveClass::None },
        starts_at_ms: if rng.chance(12) { NOW - 5 * DAY + rng.below(10) as i64 * DAY } else { 0 },
        ends_at_ms: if rng.chance(12) { NOW - 5 * DAY + rng.below(10) as i64 * DAY } else { 0 },
        house: rng.chance(20),
        exclusive_group: if rng.chance(20) { format!("group-{}", rng.below(2)) } else { String::new() },
        when: if rng.chance(12) { rules::condition(rng, 2) } else { Condition::Always },
        caps: rules::caps(rng, 15),
        content: None,
    };
    let mut offers: Vec<PartnerOffer> = (0..count).map(|n| offer(n, rng)).collect();
    // A stream of its own, so that the rest of a world is as it was before there was content.
    let mut rng = Rng::new(products.len() as u64);
    let groups: Vec<String> =
        products.iter().map(|p| p.item_group_id.clone()).filter(|g| !g.is_empty()).collect();
    for offer in &mut offers {
        if rng.chance(50) {
            continue;
        }
        let groups = if groups.is_empty() { Vec::new() } else { rng.some(&groups, 2) };
        offer.content = Some(HoldsFor {
            kind: *rng.pick(ContentKind::ALL),
            products: rng.some(&ids, 3),
            groups,
            categories: [rng.some(leaves, 2), rng.some(&roots, 1)].concat(),
        });
    }
    offers
}

/// Baskets of three around a theme, by customers who come back every few weeks.
fn orders(rng: &mut Rng, products: &[Product], count: usize) -> Orders {
    let start = 1_767_225_600_000;
    let (baskets, customers) = (count / 3, (count / 12).max(1));
    let mut baskets: Vec<(i64, u32)> =
        (0..baskets).map(|_| (start + rng.below(380) as i64 * DAY, rng.below(customers) as u32)).collect();
    baskets.sort_unstable();
    let mut lines = Vec::new();
    for (basket, (at_ms, customer)) in baskets.iter().enumerate() {
        let theme = if rng.chance(50) { *customer as usize * 7 } else { rng.below(products.len()) };
        for step in 0..3 {
            let row = if rng.chance(70) { theme + step * 11 } else { rng.below(products.len()) };
            let row = row * row.max(1) % products.len(); // some are bought far more than others
            lines.push(OrderLine {
                basket: basket as u32,
                customer: if rng.chance(80) { *customer } else { NONE },
                at_ms: *at_ms,
                product: row as u32,
                quantity: 1 + rng.below(2) as u32,
                unit_price: products[row].price.or_else(|| rng.chance(30).then_some(777)),
            });
        }
    }
    Orders { lines, baskets: baskets.len() as u32, customers: customers as u32 }
}

/// A policy that this catalog understands.
pub fn policy(rng: &mut Rng, world: &World) -> Policy {
    let mut policy = Policy::default();
    if world.categories.is_empty() {
        return policy;
    }
    let few = |rng: &mut Rng, percent, names: &[String]| {
        if rng.chance(percent) { rng.some(names, 2) } else { Vec::new() }
    };
    let offers: Vec<String> = world.inputs.partners.offers.iter().map(|o| o.id.clone()).collect();
    let products: Vec<String> = world.inputs.products.iter().map(|p| p.id.clone()).collect();
    let partners: Vec<String> = world.inputs.partners.partners.iter().map(|p| p.id.clone()).collect();
    policy.taxonomy = Some("merchant".into());
    policy.kill_switch = rng.chance(1);
    policy.suppress.categories = few(rng, 30, &world.categories);
    policy.suppress.brands = few(rng, 15, &world.brands);
    policy.suppress.partners = few(rng, 20, &partners);
    policy.suppress.products = if rng.chance(30) { rng.some(&products, 30) } else { Vec::new() };
    policy.suppress.offers = if rng.chance(40) { rng.some(&offers, 8) } else { Vec::new() };
    policy.suppress.kinds = if rng.chance(20) { rng.some(OfferKind::ALL, 2) } else { Vec::new() };
    policy.allow_only.categories = if rng.chance(8) { rng.some(&world.categories, 6) } else { Vec::new() };
    policy.sensitive = sensitive_rules(rng, &world.categories);
    policy.allow_sensitive = if rng.chance(60) { rng.some(SensitiveClass::ALL, 6) } else { Vec::new() };
    policy.placement.slots = 1 + rng.below(16) as u8;
    policy.placement.min_relevance = *rng.pick(&[0.0, 0.0, 0.1, 0.3, 0.6]);
    policy.placement.min_p_accept = *rng.pick(&[0.0, 0.0, 0.0, 0.002, 0.02]);
    policy.placement.reserve = *rng.pick(&[0.0, 0.0, 0.0, 0.05, 1.0]);
    policy.placement.fallback = rng.chance(20).then(|| rules::ladder(rng));
    let limit = |rng: &mut Rng| *rng.pick(&[0u8, 0, 1, 1, 2]);
    policy.slate.max_per_type = if rng.chance(25) { u8::MAX } else { limit(rng) };
    policy.slate.max_per_brand = limit(rng);
    policy.slate.max_per_partner = limit(rng);
    policy.slate.max_third_party = limit(rng);
    policy.slate.max_refill_percent = *rng.pick(&[0u8, 20, 50, 100]);
    policy.value.first_party = *rng.pick(&[FirstPartyValue::Typical, FirstPartyValue::Margin]);
    policy.value.max_price_percent = *rng.pick(&[0u32, 0, 0, 50, 200]);
    policy.unknown.availability = *rng.pick(&[Unknown::Allow, Unknown::Deny]);
    policy.unknown.price = *rng.pick(&[Unknown::Allow, Unknown::Deny]);
    if rng.chance(25) {
        policy.consent = rules::consent(rng);
    }
    rules::add(rng, world, &mut policy);
    policy
}

/// Lets chance have a say in what a policy shows.
pub fn explored(rng: &mut Rng, policy: &mut Policy) {
    policy.explore = Explore {
        best: *rng.pick(&[0, 2, 5, 32]),
        temperature: *rng.pick(&[0.0, 0.3, 1.0, 5.0]),
        epsilon: *rng.pick(&[0.0, 0.1, 1.0]),
        seed: rng.next(),
    };
}

/// At most one mark per category: a second one for the same would be a contradiction.
fn sensitive_rules(rng: &mut Rng, categories: &[String]) -> Vec<SensitiveRule> {
    let mut marked = if rng.chance(35) { rng.some(categories, 4) } else { Vec::new() };
    marked.sort();
    marked.dedup();
    let rule = |category| SensitiveRule {
        category,
        class: *rng.pick(SensitiveClass::ALL),
        age_min: if rng.chance(30) { 18 } else { 0 },
    };
    marked.into_iter().map(rule).collect()
}

/// A bought line that owns its text.
#[derive(Debug, Clone, Default)]
pub struct OwnedLine {
    pub item_id: String,
    pub category: String,
    pub brand: String,
    pub quantity: u32,
    pub unit_price: Option<i64>,
    pub role: Role,
    pub sensitive: SensitiveClass,
}

/// A transaction and a profile that own their text.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub order_id: String,
    pub created_at_ms: i64,
    pub value: Option<i64>,
    pub currency: Option<Currency>,
    pub country: Option<Country>,
    pub is_gift: bool,
    pub lines: Vec<OwnedLine>,
    pub payment: PaymentType,
    pub rechargeable: Option<bool>,
    pub tags: Vec<String>,
    pub placement: Placement<'static>,
    /// In place of the placement's own id, where not empty.
    pub placement_id: String,
    pub loyalty_tier: String,
    pub orders: Option<u32>,
    pub segments: Vec<String>,
    pub customer: CustomerKind,
    pub loyalty_member: Option<bool>,
    pub has_app: Option<bool>,
    pub age_band: AgeBand,
    pub consent: Consent,
    pub opt_out_third_party: bool,
    pub opt_out_categories: Vec<String>,
    pub purchases: Vec<(String, i64)>,
    pub declines: Vec<(String, i64)>,
    pub exposures: Vec<(String, Exposure, i64)>,
    pub answers: Vec<String>,
}

impl Request {
    /// An order of one unit of each product, now, in the US, by an adult.
    pub fn of(ids: &[&str]) -> Self {
        let line = |id: &&str| OwnedLine { item_id: id.to_string(), quantity: 1, ..OwnedLine::default() };
        Self {
            order_id: "order".into(),
            created_at_ms: NOW,
            value: Some(5_000),
            country: Some(COUNTRIES[0]),
            lines: ids.iter().map(line).collect(),
            age_band: AgeBand::Adult,
            ..Self::default()
        }
    }

    /// Borrows it in the form that a decision takes.
    pub fn with<R>(&self, then: impl FnOnce(&Transaction<'_>, &Profile<'_>) -> R) -> R {
        let line = |l| -> LineItem<'_> {
            let l: &OwnedLine = l;
            LineItem {
                item_id: &l.item_id,
                category: &l.category,
                brand: &l.brand,
                quantity: l.quantity,
                unit_price: l.unit_price,
                role: l.role,
                sensitive: l.sensitive,
            }
        };
        let lines: Vec<LineItem<'_>> = self.lines.iter().map(line).collect();
        let opt_outs: Vec<&str> = self.opt_out_categories.iter().map(String::as_str).collect();
        let tags: Vec<&str> = self.tags.iter().map(String::as_str).collect();
        let segments: Vec<&str> = self.segments.iter().map(String::as_str).collect();
        // Words that are no products: only conditions look at them.
        let cart_removed: Vec<&str> = segments.iter().skip(1).copied().collect();
        let purchases: Vec<Purchase<'_>> =
            self.purchases.iter().map(|(id, at_ms)| Purchase { item_id: id, at_ms: *at_ms }).collect();
        let declines: Vec<Decline<'_>> =
            self.declines.iter().map(|(id, at_ms)| Decline { id, at_ms: *at_ms }).collect();
        let exposures: Vec<Exposed<'_>> = self
            .exposures
            .iter()
            .map(|(id, event, at_ms)| Exposed { id, event: *event, at_ms: *at_ms })
            .collect();
        let answers: Vec<Answer<'_>> =
            self.answers.iter().map(|tag| Answer { question: "why", tag }).collect();
        let transaction = Transaction {
            order_id: &self.order_id,
            created_at_ms: self.created_at_ms,
            value: self.value,
            currency: self.currency,
            country: self.country,
            is_gift: self.is_gift,
            is_test: false,
            payment: self.payment,
            rechargeable: self.rechargeable,
            tags: &tags,
            lines: &lines,
            placement: Placement {
                id: if self.placement_id.is_empty() { self.placement.id } else { &self.placement_id },
                ..self.placement
            },
        };
        let profile = Profile {
            customer: self.customer,
            loyalty_tier: &self.loyalty_tier,
            orders: self.orders,
            segments: &segments,
            loyalty_member: self.loyalty_member,
            has_app: self.has_app,
            age_band: self.age_band,
            opt_out_third_party: self.opt_out_third_party,
            opt_out_categories: &opt_outs,
            consent: self.consent,
            purchases: &purchases,
            declines: &declines,
            exposures: &exposures,
            answers: &answers,
            session: Session { cart_removed: &cart_removed, ..Session::default() },
            ..Profile::default()
        };
        then(&transaction, &profile)
    }
}

/// A request to this catalog: mostly what shops send, sometimes odd, sometimes as large as is allowed.
pub fn request(rng: &mut Rng, world: &World) -> Request {
    let lines = match rng.below(40) {
        0 => 0,
        1 => 40,
        2 => 512,
        n if n < 20 => 1,
        n => 1 + n % 6,
    };
    let some_time = |rng: &mut Rng| match rng.below(6) {
        0 => 0,
        1 => NOW + DAY,
        _ => NOW - rng.below(300) as i64 * DAY,
    };
    let past = match rng.below(20) {
        0 => 1024,
        1 => 1100,
        n if n < 10 => 0,
        n => n - 5,
    };
    let id = |rng: &mut Rng| rng.pick(&world.inputs.products).id.clone();
    let tags = TAGS.map(str::to_owned);
    let unheard = "Not > In > The > Feed".to_owned();
    Request {
        order_id: format!("order-{}", rng.next() % 1000),
        created_at_ms: if rng.chance(90) { NOW } else { 0 },
        value: rng.chance(50).then(|| rng.below(60_000) as i64),
        currency: match rng.below(30) {
            0 => Some(Currency(*b"EUR")),
            n if n < 10 => Some(Currency::USD),
            _ => None,
        },
        country: rng.chance(80).then(|| *rng.pick(&COUNTRIES)),
        is_gift: rng.chance(12),
        payment: *rng.pick(PaymentType::ALL),
        rechargeable: *rng.pick(&[None, Some(true), Some(false)]),
        tags: words(rng),
        placement_id: String::new(),
        loyalty_tier: (*rng.pick(&rules::TIERS)).into(),
        orders: rng.chance(60).then(|| rng.below(8) as u32),
        segments: words(rng),
        lines: (0..lines).map(|_| line(rng, world)).collect(),
        placement: Placement {
            id: if rng.chance(20) { rules::PLACEMENTS[rng.below(3)] } else { "" },
            stage: if rng.chance(70) { Stage::Confirmation } else { *rng.pick(Stage::ALL) },
            slots: if rng.chance(30) { 1 + rng.below(16) as u8 } else { 0 },
            min_relevance: if rng.chance(15) { Some(rng.below(500) as u16) } else { None },
            repeat: if rng.chance(20) { Repeat::Never } else { Repeat::Allowed },
        },
        customer: *rng.pick(CustomerKind::ALL),
        loyalty_member: *rng.pick(&[None, Some(true), Some(false)]),
        has_app: *rng.pick(&[None, Some(true), Some(false)]),
        age_band: *rng.pick(&[AgeBand::Adult, AgeBand::Adult, AgeBand::Unknown, AgeBand::Minor]),
        consent: consent(rng),
        opt_out_third_party: rng.chance(12),
        opt_out_categories: if rng.chance(12) {
            if rng.chance(15) { vec![unheard] } else { rng.some(&world.categories, 3) }
        } else {
            Vec::new()
        },
        purchases: (0..past).map(|_| (id(rng), some_time(rng))).collect(),
        declines: (0..if rng.chance(40) { rng.below(40) } else { 0 })
            .map(|_| {
                let offer = rng.pick(&world.inputs.partners.offers).id.clone();
                (if rng.chance(50) { id(rng) } else { offer }, some_time(rng))
            })
            .collect(),
        exposures: (0..if rng.chance(30) { rng.below(300) } else { 0 })
            .map(|_| {
                let offer = rng.pick(&world.inputs.partners.offers).id.clone();
                let id = if rng.chance(20) { id(rng) } else { offer };
                (id, *rng.pick(Exposure::ALL), some_time(rng))
            })
            .collect(),
        answers: if rng.chance(30) { rng.some(&tags, 3) } else { Vec::new() },
    }
}

/// As banners leave it; now and then a purpose is granted that nobody asked about.
fn consent(rng: &mut Rng) -> Consent {
    let set = |rng: &mut Rng| Purposes::from_bits(rng.below(16) as u32).expect("four purposes");
    let (asked, granted) = if rng.chance(70) { (Purposes::ALL, set(rng)) } else { (set(rng), set(rng)) };
    Consent { asked, granted, gpc: rng.chance(15) }
}

/// Now and then more words than are read.
fn words(rng: &mut Rng) -> Vec<String> {
    let count = if rng.chance(3) { 70 } else { rng.below(4) };
    (0..count).map(|_| (*rng.pick(&rules::WORDS[..3])).to_owned()).collect()
}

fn line(rng: &mut Rng, world: &World) -> OwnedLine {
    let known = rng.chance(90);
    let product = rng.pick(&world.inputs.products);
    OwnedLine {
        item_id: if known { product.id.clone() } else { format!("unknown-{}", rng.below(5)) },
        category: match rng.below(10) {
            0 => "Not > In > The > Feed".into(),
            n if n < 6 => rng.pick(&world.categories).clone(),
            _ => String::new(),
        },
        brand: if rng.chance(40) { rng.pick(&world.brands).clone() } else { String::new() },
        quantity: rng.below(4) as u32,
        unit_price: rng.chance(85).then(|| product.price.unwrap_or(500)),
        role: if rng.chance(15) { *rng.pick(Role::ALL) } else { Role::Unknown },
        sensitive: if rng.chance(4) { *rng.pick(SensitiveClass::ALL) } else { SensitiveClass::None },
    }
}

/// What an overlay was told, by name.
#[derive(Debug, Default)]
pub struct Told {
    pub products: HashMap<String, ToldProduct>,
    pub offers: HashMap<String, ToldAccount>,
    pub partners: HashMap<String, ToldAccount>,
}

#[derive(Debug, Default, Clone)]
pub struct ToldProduct {
    pub stock: Option<u32>,
    pub price: Option<i64>,
    pub priced_at_ms: i64,
    pub paused: bool,
    pub killed: bool,
}

#[derive(Debug, Default, Clone)]
pub struct ToldAccount {
    pub bid: Option<i64>,
    pub paused: bool,
    pub killed: bool,
    pub daily: Option<u64>,
}

/// Writes something random into an overlay: about some products, and all offers and partners.
pub fn scramble(rng: &mut Rng, world: &World, live: &Live, told: &mut Told) {
    let mut edit = live.edit().expect("a lock");
    let maybe = |rng: &mut Rng, percent| Some(rng.chance(percent));
    for _ in 0..world.inputs.products.len() / 3 {
        let id = &rng.pick(&world.inputs.products).id;
        let change = Change {
            stock: rng.chance(50).then(|| rng.chance(80).then(|| rng.below(4) as u32)),
            price: rng.chance(50).then(|| rng.chance(80).then(|| rng.below(9_000) as i64)),
            priced_at_ms: NOW - rng.below(5) as i64 * 3_600_000,
            paused: maybe(rng, 10),
            killed: maybe(rng, 3),
            ..Change::default()
        };
        edit.set(Some(LiveKind::Product), id, &change, NOW).expect("known");
        let product = told.products.entry(id.clone()).or_default();
        product.stock = change.stock.unwrap_or(product.stock);
        if let Some(price) = change.price {
            (product.price, product.priced_at_ms) = (price, change.priced_at_ms);
        }
        (product.paused, product.killed) = (change.paused == Some(true), change.killed == Some(true));
    }
    let offers = world.inputs.partners.offers.iter().map(|o| (LiveKind::Offer, &o.id));
    let partners = world.inputs.partners.partners.iter().map(|p| (LiveKind::Partner, &p.id));
    for (kind, id) in offers.chain(partners) {
        let daily = rng.chance(20).then(|| rng.below(3) as u64);
        let change = Change {
            bid: (kind == LiveKind::Offer && rng.chance(40)).then(|| Some(rng.below(3_000) as i64)),
            paused: maybe(rng, 8),
            killed: maybe(rng, 3),
            daily: Some(daily),
            pacing: Some(daily.is_some().then(Pacing::even).filter(|_| rng.chance(40))),
            ..Change::default()
        };
        edit.set(Some(kind), id, &change, NOW).expect("known");
        let accounts = if kind == LiveKind::Offer { &mut told.offers } else { &mut told.partners };
        let account = accounts.entry(id.clone()).or_default();
        account.bid = change.bid.unwrap_or(account.bid);
        (account.paused, account.killed) = (change.paused == Some(true), change.killed == Some(true));
        account.daily = daily;
    }
}

/// A world's engine under a policy, with an overlay that was told something random.
pub fn told(
    rng: &mut Rng,
    world: &World,
    policy: &Policy,
    folder: &tempfile::TempDir,
) -> (Arc<Engine>, Told) {
    let path = folder.path().join(format!("{}-{:016x}.live", world.seed, rng.next()));
    let live = Live::create(path, world.engine.catalog(), None).expect("it is made");
    let mut told = Told::default();
    scramble(rng, world, &live, &mut told);
    let engine = world.under(policy).with_live(Arc::new(live)).expect("it is bound");
    (Arc::new(engine), told)
}

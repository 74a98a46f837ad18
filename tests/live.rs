//! The live overlay: what it says is seen by the next decision, carries over to the next catalog, and is never ignored.
#![cfg(feature = "build")]

mod common;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use aftercart::live::{Change, LiveCapacity, LiveKind, Pacing};
use aftercart::{
    Catalog, Decider, Degraded, Engine, Item, Live, LiveError, Offers, OpenOptions, Policy, Reason, Status,
    Verify,
};
use common::{NOW, Request, Rng, World};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn overlay(folder: &tempfile::TempDir, world: &World) -> Arc<Live> {
    let path = folder.path().join(format!("{}.live", world.seed));
    Arc::new(Live::create(path, world.engine.catalog(), None).expect("it is made"))
}

fn set(live: &Live, kind: LiveKind, id: &str, change: &Change) {
    live.edit().expect("a lock").set(Some(kind), id, change, NOW).expect("it is taken");
}

fn pause() -> Change {
    Change { paused: Some(true), ..Change::default() }
}

fn decide(decider: &mut Decider, request: &Request) -> Offers {
    request.with(|transaction, profile| decider.decide(transaction, profile).expect("within the limits"))
}

/// A policy that lets much through, and a request of a few known products.
fn lax(world: &World, rng: &mut Rng) -> (Policy, Request) {
    let mut policy = Policy::default();
    policy.placement.min_relevance = 0.0;
    policy.slate.max_third_party = 16;
    policy.slate.max_per_partner = 0;
    let mut ids: Vec<&str> = world.inputs.products.iter().map(|p| p.id.as_str()).collect();
    ids.rotate_left(rng.below(world.inputs.products.len()));
    let mut request = Request::of(&ids[..3]);
    request.created_at_ms = NOW;
    request.age_band = aftercart::vocabulary::AgeBand::Adult;
    request.placement.slots = 16;
    (policy, request)
}

fn reason_of(offers: &Offers, item: Item) -> Option<Reason> {
    offers.rejected().iter().find(|r| r.item == item).map(|r| r.reason)
}

/// Each rule by itself, on whatever is shown: it is shown, the overlay speaks, it is refused for that, the overlay takes it
/// back, it is shown again.
#[test]
fn what_the_overlay_says_is_seen_by_the_next_decision() {
    let (mut products, mut offers_seen, mut partners) = (0, 0, 0);
    for seed in 0..24 {
        let (world, folder) = (World::new(seed, 120), folder());
        let mut rng = Rng::new(seed);
        let live = overlay(&folder, &world);
        let (policy, request) = lax(&world, &mut rng);
        let engine = world.under(&policy).with_live(Arc::clone(&live)).expect("it is bound");
        let mut decider = Decider::new(Arc::new(engine));
        let before = decide(&mut decider, &request);
        for shown in before.slate().to_vec() {
            let engine = Arc::clone(decider.engine());
            let (id, partner) = (engine.id(shown.item), engine.partner(shown.item));
            let none_left = Change { daily: Some(Some(0)), ..Change::default() };
            let unlimited = Change { daily: Some(None), ..Change::default() };
            let resumed = Change { paused: Some(false), killed: Some(false), ..Change::default() };
            let mut cases = match shown.item {
                Item::Product(_) => {
                    products += 1;
                    let sold_out = Change { stock: Some(Some(0)), ..Change::default() };
                    let in_stock = Change { stock: Some(Some(9)), ..Change::default() };
                    vec![
                        (LiveKind::Product, id, pause(), resumed.clone(), Reason::Paused),
                        (LiveKind::Product, id, sold_out, in_stock, Reason::OutOfStock),
                    ]
                }
                Item::Offer(_) => {
                    offers_seen += 1;
                    let kill = Change { killed: Some(true), ..Change::default() };
                    vec![
                        (LiveKind::Offer, id, kill, resumed.clone(), Reason::Paused),
                        (LiveKind::Offer, id, none_left.clone(), unlimited.clone(), Reason::LeaseEmpty),
                    ]
                }
            };
            if !partner.is_empty() {
                partners += 1;
                cases.push((LiveKind::Partner, partner, pause(), resumed, Reason::PartnerExcluded));
                cases.push((LiveKind::Partner, partner, none_left, unlimited, Reason::LeaseEmpty));
            }
            for (kind, of, wrong, right, reason) in cases {
                set(&live, kind, of, &wrong);
                let refused = decide(&mut decider, &request);
                assert_eq!(reason_of(&refused, shown.item), Some(reason), "seed {seed}, {id}: {wrong:?}");
                assert!(refused.generations.overlay > before.generations.overlay);
                let why = request.with(|t, p| decider.explain(t, p, shown.item).expect("within the limits"));
                assert_eq!(why.reasons, [reason], "seed {seed}, {id}");
                set(&live, kind, of, &right);
                let again = decide(&mut decider, &request);
                assert_eq!(again.slate(), before.slate(), "seed {seed}, {id}: {right:?}");
            }
        }
    }
    assert!(products > 60 && offers_seen > 10 && partners > 5, "{products} {offers_seen} {partners}");
}

#[test]
fn a_live_price_counts_and_a_stale_one_refuses() {
    let (world, folder) = (World::new(3, 120), folder());
    let live = overlay(&folder, &world);
    let (mut policy, mut request) = lax(&world, &mut Rng::new(3));
    request.value = Some(10_000);
    policy.value.first_party = aftercart::policy::FirstPartyValue::Margin;
    policy.value.max_price_percent = 80;
    let engine = world.under(&policy).with_live(Arc::clone(&live)).expect("it is bound");
    let mut decider = Decider::new(Arc::new(engine));
    let before = decide(&mut decider, &request);
    let shown = *before.slate().iter().find(|o| matches!(o.item, Item::Product(_))).expect("a product");
    let id = decider.engine().id(shown.item).to_owned();
    let price =
        |price: i64, priced_at_ms| Change { price: Some(Some(price)), priced_at_ms, ..Change::default() };
    set(&live, LiveKind::Product, &id, &price(8_000, NOW));
    let dearer = decide(&mut decider, &request);
    let offer = dearer.slate().iter().find(|o| o.item == shown.item).expect("it is still shown");
    assert_eq!(offer.price, Some(8_000));
    assert!(offer.value > shown.value, "{} from {}", offer.value, shown.value);
    set(&live, LiveKind::Product, &id, &price(8_001, NOW));
    let too_dear = decide(&mut decider, &request);
    assert_eq!(reason_of(&too_dear, shown.item), Some(Reason::PriceTooHigh));
    // With a rule on the age of prices, what has no live price is not shown, and what has one only for so long.
    policy.live.price_max_age_minutes = 60;
    let strict = decider.engine().with_policy(&policy).expect("it compiles");
    decider.swap_engine(Arc::new(strict));
    for (at, fresh) in [(NOW, true), (NOW - 60 * 60_000, true), (NOW - 61 * 60_000, false)] {
        set(&live, LiveKind::Product, &id, &price(8_000, at));
        let offers = decide(&mut decider, &request);
        let products = offers.slate().iter().filter(|o| matches!(o.item, Item::Product(_)));
        assert_eq!(products.count(), usize::from(fresh), "only it has a live price");
        let reason = reason_of(&offers, shown.item);
        assert_eq!(reason, (!fresh).then_some(Reason::PriceUnknown), "{at}");
    }
}

#[test]
fn a_bid_takes_the_place_of_the_payout() {
    let mut seen = 0;
    for seed in 20..32 {
        let (world, folder) = (World::new(seed, 80), folder());
        let live = overlay(&folder, &world);
        let (policy, request) = lax(&world, &mut Rng::new(seed));
        let engine = world.under(&policy).with_live(Arc::clone(&live)).expect("it is bound");
        let mut decider = Decider::new(Arc::new(engine));
        let before = decide(&mut decider, &request);
        let Some(shown) = before.slate().iter().find(|o| matches!(o.item, Item::Offer(_))) else { continue };
        let id = decider.engine().id(shown.item).to_owned();
        set(&live, LiveKind::Offer, &id, &Change { bid: Some(Some(7_777)), ..Change::default() });
        let bidding = decide(&mut decider, &request);
        let offer = bidding.slate().iter().find(|o| o.item == shown.item).expect("it is worth more");
        assert_eq!((offer.value, offer.ev_micros), (7_777, 7_777 * i64::from(shown.p_accept_ppm)));
        seen += 1;
    }
    assert!(seen > 4, "{seen}");
}

/// Rows differ from catalog to catalog; what is known belongs to ids.
#[test]
fn tonights_catalog_knows_what_todays_knew_and_both_are_served_at_once() {
    let (today, folder) = (World::new(1, 150), folder());
    let live = overlay(&folder, &today);
    let paused: Vec<String> = today.inputs.products.iter().step_by(7).map(|p| p.id.clone()).collect();
    for id in &paused {
        set(&live, LiveKind::Product, id, &pause());
    }
    set(&live, LiveKind::Offer, "offer-3", &Change { bid: Some(Some(5)), ..Change::default() });
    let later = |n: usize| {
        let mut inputs = today.inputs.clone();
        inputs.products.rotate_left(n);
        inputs.products.truncate(140);
        let kept: HashSet<String> = inputs.products.iter().map(|p| p.id.clone()).collect();
        inputs.orders = Default::default();
        for offer in &mut inputs.partners.offers {
            offer.trigger_products.retain(|id| kept.contains(id));
            // So that it may be built: a rule names what is there.
            offer.trigger_categories.clear();
            offer.trigger_brands.clear();
        }
        for partner in &mut inputs.partners.partners {
            partner.blocked_categories.clear();
            partner.blocked_brands.clear();
        }
        World::of(100 + n as u64, inputs, today.options.clone())
    };
    let tonight = later(3);
    assert!(matches!(tonight.engine.with_live(Arc::clone(&live)), Err(LiveError::OtherCatalog { .. })));
    live.bind(tonight.engine.catalog()).expect("it fits");
    live.bind(tonight.engine.catalog()).expect("twice is once");
    assert_eq!(live.bindings().len(), 2);
    for id in tonight.inputs.products.iter().map(|p| &p.id) {
        assert_eq!(live.product(id).expect("known").paused, paused.contains(id), "{id}");
    }
    // A pause now is seen under both.
    let mut request = Request::of(&["p20", "p31"]);
    request.created_at_ms = NOW;
    let policy = lax(&today, &mut Rng::new(1)).0;
    let both =
        [&today, &tonight].map(|world| world.under(&policy).with_live(Arc::clone(&live)).expect("bound"));
    let mut deciders = both.map(|engine| Decider::new(Arc::new(engine)));
    for decider in &mut deciders {
        let mut paused_now = 0;
        while let Some(offer) = decide(decider, &request).slate().first().copied() {
            let id = decider.engine().id(offer.item).to_owned();
            assert!(!paused.contains(&id), "{id} is paused");
            let kind =
                if matches!(offer.item, Item::Product(_)) { LiveKind::Product } else { LiveKind::Offer };
            set(&live, kind, &id, &pause());
            paused_now += 1;
        }
        assert!(paused_now > 0 || !live.bindings().is_empty());
    }
    for decider in &mut deciders {
        assert!(decide(decider, &request).slate().is_empty(), "what one catalog paused the other one shows");
    }
    // Of four catalogs the first one is given up, and refuses everything rather than read another one's words.
    for n in [5, 9] {
        live.bind(later(n).engine.catalog()).expect("it fits");
    }
    assert_eq!(live.bindings().len(), 3);
    assert_eq!(decide(&mut deciders[0], &request).status, Status::NoOffer(Reason::NoLive));
    assert_ne!(decide(&mut deciders[1], &request).status, Status::NoOffer(Reason::NoLive));
    assert!(matches!(today.engine.with_live(live), Err(LiveError::OtherCatalog { .. })));
}

/// A pause that comes while tonight's catalog is bound is in both: two openings of the file, as two processes have them.
#[test]
fn no_change_is_lost_while_a_catalog_is_bound() {
    let (today, tonight, folder) = (World::new(1, 400), World::new(2, 400), folder());
    let live = overlay(&folder, &today);
    let ids: Vec<&str> = today.inputs.products.iter().map(|p| p.id.as_str()).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| ids.iter().for_each(|id| set(&live, LiveKind::Product, id, &pause())));
        let other = Live::open(live.path()).expect("it opens");
        other.bind(tonight.engine.catalog()).expect("it fits");
    });
    let newest = live.bindings()[0].catalog;
    assert_eq!(newest, tonight.engine.catalog().build_id());
    for id in ids {
        assert!(live.product(id).expect("both have it").paused, "{id} lost its pause");
    }
}

#[test]
fn a_policy_that_demands_an_overlay_gets_one_or_nothing() {
    let (world, folder) = (World::new(4, 60), folder());
    let (mut policy, request) = lax(&world, &mut Rng::new(4));
    policy.live.required = true;
    let mut decider = Decider::new(world.under(&policy));
    assert_eq!(decide(&mut decider, &request).status, Status::NoOffer(Reason::NoLive));
    let live = overlay(&folder, &world);
    let engine = decider.engine().with_live(live).expect("it is bound");
    decider.swap_engine(Arc::new(engine));
    assert_eq!(decide(&mut decider, &request).status, Status::Ok);
}

/// With what was read, a decision is made again to the byte, whatever the overlay says meanwhile.
#[test]
fn a_decision_is_made_again_from_what_it_read() {
    let (mut told, mut changed) = (0, 0);
    for seed in 50..70 {
        let (world, folder) = (World::new(seed, 200), folder());
        let mut rng = Rng::new(seed);
        let live = overlay(&folder, &world);
        let mut policy = common::policy(&mut rng, &world);
        policy.kill_switch = false;
        let engine = Arc::new(world.under(&policy).with_live(Arc::clone(&live)).expect("it is bound"));
        let (mut decider, mut other) = (Decider::new(Arc::clone(&engine)), Decider::new(engine));
        for _ in 0..20 {
            common::scramble(&mut rng, &world, &live, &mut common::Told::default());
            let request = common::request(&mut rng, &world);
            let first = decide(&mut decider, &request);
            let facts = decider.live_facts().to_vec();
            told += facts.len();
            common::scramble(&mut rng, &world, &live, &mut common::Told::default());
            changed += usize::from(decide(&mut decider, &request).slate() != first.slate());
            let again = request.with(|t, p| other.replay(t, p, Degraded::default(), &facts).expect("within"));
            assert_eq!((again.slate(), again.rejected()), (first.slate(), first.rejected()), "seed {seed}");
            assert_eq!(again.decision_id, first.decision_id);
        }
    }
    assert!(told > 2_000 && changed > 40, "{told} facts, {changed} decisions that would differ");
}

/// Pacing turns away the share that it says, and the share is in `p_select`.
#[test]
fn a_throttle_is_chance_and_repeatable() {
    let mut seen = 0;
    for seed in 20..40 {
        let (world, folder) = (World::new(seed, 80), folder());
        let live = overlay(&folder, &world);
        let (policy, mut request) = lax(&world, &mut Rng::new(seed));
        let engine = world.under(&policy).with_live(Arc::clone(&live)).expect("it is bound");
        let mut decider = Decider::new(Arc::new(engine));
        let before = decide(&mut decider, &request);
        let Some(shown) = before.slate().iter().find(|o| matches!(o.item, Item::Offer(_))) else { continue };
        // All of the day's traffic is still to come, and 16 of 1,024 are spent: half of a 32nd.
        let mut weights = vec![0; 24];
        weights[23] = 1;
        let paced =
            Change { daily: Some(Some(1024)), pacing: Some(Some(Pacing { weights })), ..Change::default() };
        let id = decider.engine().id(shown.item).to_owned();
        set(&live, LiveKind::Offer, &id, &paced);
        for _ in 0..16 {
            let lease = decider.engine().reserve(shown, NOW, 60_000).expect("there is room");
            live.activate(&lease, NOW).expect("it holds");
        }
        let (mut shown_times, mut paced_times) = (0, 0);
        for order in 0..1_000 {
            request.order_id = format!("order {order}");
            let offers = decide(&mut decider, &request);
            assert_eq!(offers, decide(&mut decider, &request));
            match offers.slate().iter().find(|o| o.item == shown.item) {
                Some(offer) => {
                    assert_eq!(offer.p_select_ppm, 500_000);
                    shown_times += 1;
                }
                None => {
                    assert_eq!(reason_of(&offers, shown.item), Some(Reason::Paced));
                    paced_times += 1;
                }
            }
        }
        assert!((440..560).contains(&shown_times), "{shown_times} shown, {paced_times} paced");
        seen += 1;
        if seen == 4 {
            return;
        }
    }
    panic!("only {seen} offers");
}

/// Two overlays that forbid opposite halves take turns under load: no slate ever mixes them, and the one that nobody uses is
/// no longer mapped. With them the policy changes and the catalog is opened anew. `AFTERCART_SWAPS=60000` goes on for minutes.
#[test]
fn catalog_policy_and_overlay_are_swapped_under_load_and_let_go() {
    let (world, folder) = (World::new(7, 300), folder());
    let halves = ["even", "odd"].map(|name| {
        let path = folder.path().join(name);
        let live = Live::create(&path, world.engine.catalog(), None).expect("it is made");
        let mut edit = live.edit().expect("a lock");
        for (row, product) in world.inputs.products.iter().enumerate() {
            if (row % 2 == 0) == (name == "even") {
                edit.set(Some(LiveKind::Product), &product.id, &pause(), NOW).expect("known");
            }
        }
        drop(edit);
        path
    });
    let (policy, mut request) = lax(&world, &mut Rng::new(7));
    let catalog_path = folder.path().join("shop.aftercart");
    std::fs::write(&catalog_path, &world.bytes).expect("written");
    // The slots tell which policy decided: 5 with the even overlay, 7 with the odd one.
    let policies = [5, 7].map(|slots| {
        let mut policy = policy.clone();
        (policy.placement.slots, policy.slate.max_per_type) = (slots, 16);
        policy
    });
    request.placement.slots = 0;
    let open = |n: usize| {
        let live = Live::open(&halves[n % 2]).expect("it opens");
        let engine = Engine::open(&catalog_path, OpenOptions::default()).expect("it opens");
        let engine = engine.with_policy(&policies[n % 2]).expect("it compiles");
        Arc::new(engine.with_live(Arc::new(live)).expect("it is bound"))
    };
    let swaps: usize = std::env::var("AFTERCART_SWAPS").map_or(200, |n| n.parse().expect("a number"));
    let row_of: std::collections::HashMap<Item, usize> = world
        .inputs
        .products
        .iter()
        .enumerate()
        .map(|(row, p)| (Item::Product(world.engine.find_product(&p.id).expect("known")), row))
        .collect();
    let current = std::sync::Mutex::new(open(0));
    let (stop, decided, fullest) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut decider = Decider::new(Arc::clone(&current.lock().expect("held briefly")));
                while !stop.load(Ordering::Relaxed) {
                    drop(decider.swap_engine(Arc::clone(&current.lock().expect("held briefly"))));
                    for _ in 0..20 {
                        let offers = decide(&mut decider, &request);
                        let rows: HashSet<usize> = offers
                            .slate()
                            .iter()
                            .filter_map(|o| row_of.get(&o.item))
                            .map(|row| row % 2)
                            .collect();
                        assert!(rows.len() < 2, "a slate of two overlays: {:?}", offers.slate());
                        let most = if rows.contains(&0) { 7 } else { 5 }; // the even overlay leaves the odd rows
                        assert!(offers.slate().len() <= most, "another policy than the overlay's");
                        decided.fetch_add(rows.len() as u64, Ordering::Relaxed);
                        fullest.fetch_max(offers.slate().len() as u64, Ordering::Relaxed);
                    }
                }
            });
        }
        for swap in 1..=swaps {
            *current.lock().expect("held briefly") = open(swap);
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        stop.store(true, Ordering::Relaxed);
    });
    println!("{swaps} swaps, {} decisions with an offer", decided.load(Ordering::Relaxed));
    assert!(decided.load(Ordering::Relaxed) > 1_000);
    assert_eq!(fullest.load(Ordering::Relaxed), 7);
    #[cfg(target_os = "linux")]
    {
        let mapped = |path: &PathBuf| {
            let maps = std::fs::read_to_string("/proc/self/maps").expect("it reads");
            maps.lines().filter(|line| line.ends_with(path.to_str().expect("UTF-8"))).count()
        };
        assert!(mapped(&halves[swaps % 2]) == 1 && mapped(&halves[1 - swaps % 2]) == 0, "the last one alone");
        assert!(mapped(&catalog_path) >= 1);
        drop(current);
        assert_eq!(mapped(&halves[swaps % 2]) + mapped(&catalog_path), 0, "still mapped");
    }
}

#[test]
fn what_does_not_fit_is_said() {
    let (world, folder) = (World::new(8, 40), folder());
    let live = overlay(&folder, &world);
    let mut edit = live.edit().expect("a lock");
    let mut fails = |kind, id: &str, change: Change| {
        edit.set(kind, id, &change, NOW).expect_err("it must not be taken").to_string()
    };
    assert!(fails(None, "nobody", pause()).contains("\"nobody\""));
    let bid = Change { bid: Some(Some(1)), ..Change::default() };
    assert!(fails(None, "p1", bid.clone()).contains("bid"));
    assert!(fails(None, "partner-0", bid).contains("bid"));
    let daily = Change { daily: Some(Some(1)), ..Change::default() };
    assert!(fails(None, "p1", daily).contains("budgets"));
    let stock = Change { stock: Some(Some(1)), ..Change::default() };
    assert!(fails(None, "offer-1", stock).contains("stock"));
    let dear = Change { price: Some(Some(1 << 40)), ..Change::default() };
    assert!(fails(None, "p1", dear).contains("price"));
    let pacing = |weights: Vec<u32>| Change { pacing: Some(Some(Pacing { weights })), ..Change::default() };
    assert!(fails(None, "offer-1", pacing(vec![1; 24])).contains("daily"));
    assert!(fails(None, "offer-1", pacing(vec![1; 7])).contains("24 or 96"));
    drop(edit);
    assert_eq!(live.status(NOW).iter().filter(|a| !a.is_silent()).count(), 0, "nothing was half-applied");
    let small = LiveCapacity { products: 1, accounts: 1, budgets: 1, leases: 1 };
    let small =
        Live::create(folder.path().join("small"), world.engine.catalog(), Some(small)).expect("512 rows");
    let large = World::new(9, 700);
    let error = small.bind(large.engine.catalog()).expect_err("700 products").to_string();
    assert!(error.contains("room for 512 products"), "{error}");
    let first = Change { daily: Some(Some(1)), ..Change::default() };
    set(&small, LiveKind::Offer, "offer-1", &first);
    let second = small.edit().expect("a lock").set(None, "offer-2", &first, NOW).expect_err("one budget");
    assert!(second.to_string().contains("room for 1 budgets"), "{second}");
    let again = Live::create(folder.path().join("small"), world.engine.catalog(), None);
    assert!(matches!(again, Err(LiveError::Io { .. })), "an overlay is never replaced");
}

/// The engine of another process's catalog: the same bytes opened twice are one catalog.
#[test]
fn the_same_catalog_opened_twice_is_one() {
    let (world, folder) = (World::new(10, 40), folder());
    let live = overlay(&folder, &world);
    let again = Catalog::from_bytes(world.bytes.clone(), Verify::Full).expect("it opens");
    let again = Engine::new(Arc::new(again)).expect("it opens");
    assert!(again.with_live(live).is_ok());
}

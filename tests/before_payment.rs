//! Before payment: what the host permits is put in order, and nothing else happens to it.
#![cfg(feature = "build")]

mod common;
#[path = "common/counting.rs"]
mod counting;

use aftercart::before_payment::{
    Because, Device, MethodCount, PaymentFacts, PaymentOption, Ranking, ShippingOption, StoredField,
    TooManyOptions, Use, prefill,
};
use aftercart::experiment::{Holdout, Shows};
use aftercart::vocabulary::Country;
use aftercart::{LineItem, Policy, Profile, Transaction};
use common::World;
use counting::counted;
use proptest::prelude::*;

const NOW: i64 = 1_790_000_000_000;
const DAY: i64 = 86_400_000;
const IDS: [&str; 6] = ["card", "wallet", "bnpl", "invoice", "debit", "voucher"];
const US: Country = Country(*b"US");

fn order(value: i64) -> Transaction<'static> {
    static LINES: [LineItem<'static>; 0] = [];
    Transaction {
        created_at_ms: NOW,
        value: Some(value),
        country: Some(US),
        order_id: "A",
        lines: &LINES,
        ..Transaction::default()
    }
}

fn uses() -> impl Strategy<Value = Vec<Use<'static>>> {
    let one = (0..IDS.len(), 0i64..900, any::<bool>());
    let of = |(id, days, failed): (usize, i64, bool)| Use { id: IDS[id], at_ms: NOW - days * DAY, failed };
    proptest::collection::vec(one.prop_map(of), 0..300)
}

fn counts() -> impl Strategy<Value = Vec<MethodCount<'static>>> {
    let one = (0..IDS.len(), any::<bool>(), 0..4u8, 0..3i64, 0..5000u32);
    let of = |(id, here, device, band, orders): (usize, bool, u8, i64, u32)| MethodCount {
        id: IDS[id],
        country: if here { US } else { Country(*b"DE") },
        device: Device::from_code(device).expect("a code"),
        amount_from: band * 5_000,
        orders,
    };
    proptest::collection::vec(one.prop_map(of), 0..60)
}

fn options() -> impl Strategy<Value = Vec<PaymentOption<'static>>> {
    let one = (0..IDS.len(), any::<bool>()).prop_map(|(id, ready)| PaymentOption { id: IDS[id], ready });
    proptest::collection::vec(one, 0..=32)
}

fn shipping() -> impl Strategy<Value = Vec<ShippingOption<'static>>> {
    let one = (0..IDS.len(), 0..5i64, 0..5i64).prop_map(|(id, price, days)| ShippingOption {
        id: IDS[id],
        price: price * 100,
        arrives_by_ms: if days == 0 { 0 } else { NOW + days * DAY },
    });
    proptest::collection::vec(one, 0..=32)
}

fn places(ranking: &Ranking) -> Vec<usize> {
    ranking.iter().map(|ranked| usize::from(ranked.option)).collect()
}

fn is_permutation(ranking: &Ranking, of: usize) -> bool {
    let mut sorted = places(ranking);
    sorted.sort_unstable();
    sorted == (0..of).collect::<Vec<_>>()
}

proptest! {
    #[test]
    fn every_option_is_there_once_and_more_use_never_harms(
        uses in uses(), counts in counts(), options in options(), value in 0..20_000i64, extra in 0..IDS.len(),
    ) {
        let world = world();
        let facts = PaymentFacts { uses: &uses, counts: &counts, device: Device::Phone };
        let rank = |facts: &PaymentFacts<'_>| {
            let (ranking, taken, given) =
                counted(|| world.rank_payment_methods(&order(value), &Profile::default(), facts, &options));
            assert_eq!((taken, given), (0, 0));
            ranking.expect("few enough")
        };
        let before = rank(&facts);
        prop_assert!(is_permutation(&before, options.len()));
        prop_assert_eq!(&before, &rank(&facts), "the same order for the same input");
        let mut more = uses[uses.len().saturating_sub(255)..].to_vec();
        let before = rank(&PaymentFacts { uses: &more, ..facts });
        more.push(Use { id: IDS[extra], at_ms: NOW, failed: false });
        let after = rank(&PaymentFacts { uses: &more, ..facts });
        if let Some(option) = options.iter().position(|option| option.id == IDS[extra]) {
            let place = |of: &Ranking| places(of).iter().position(|at| *at == option);
            prop_assert!(place(&after) <= place(&before));
            prop_assert_eq!(after[place(&after).expect("it is there")].because, Because::LastUsed);
        }
    }

    #[test]
    fn a_dearer_way_never_stands_above_a_cheaper_one_that_is_as_fast(uses in uses(), options in shipping()) {
        let world = world();
        let (ranking, taken, given) =
            counted(|| world.rank_shipping_options(&order(1), &Profile::default(), &uses, &options));
        prop_assert_eq!((taken, given), (0, 0));
        let ranking = ranking.expect("few enough");
        prop_assert!(is_permutation(&ranking, options.len()));
        let places = places(&ranking);
        for (above, a) in places.iter().enumerate() {
            for b in &places[above + 1..] {
                let (a, b) = (&options[*a], &options[*b]);
                let promised = a.arrives_by_ms > 0 && b.arrives_by_ms > 0;
                let steers = promised && b.price < a.price && b.arrives_by_ms <= a.arrives_by_ms;
                prop_assert!(!steers, "{a:?} above {b:?}");
            }
        }
    }

    #[test]
    fn in_a_holdout_all_stays_as_the_host_has_it(uses in uses(), counts in counts(), options in options(), ways in shipping()) {
        let held = world_held();
        let facts = PaymentFacts { uses: &uses, counts: &counts, device: Device::Phone };
        let paid = held.rank_payment_methods(&order(100), &Profile::default(), &facts, &options).expect("few enough");
        let shipped = held.rank_shipping_options(&order(100), &Profile::default(), &uses, &ways).expect("few enough");
        for ranking in [&paid, &shipped] {
            prop_assert!(places(ranking).iter().enumerate().all(|(at, option)| at == *option));
            prop_assert!(ranking.iter().all(|ranked| ranked.because == Because::Holdout));
        }
    }

    #[test]
    fn what_is_filled_in_is_likely_and_of_the_right_country(
        stored in proptest::collection::vec((0..3u8, 0..9u16, 0..3u8, 0i64..900, 0..20u32), 0..40), gift in any::<bool>(),
    ) {
        let stored: Vec<StoredField> = stored.into_iter().map(|(field, slot, country, days, uses)| StoredField {
            field,
            slot,
            country: [None, Some(US), Some(Country(*b"DE"))][usize::from(country)],
            last_used_ms: NOW - days * DAY,
            uses,
        }).collect();
        let transaction = Transaction { is_gift: gift, ..order(1) };
        let (filled, taken, given) = counted(|| prefill(&transaction, &stored));
        prop_assert_eq!((taken, given), (0, 0));
        for of in &filled {
            prop_assert!((500_001..1_000_000).contains(&of.confidence_ppm));
            prop_assert_eq!(filled.iter().filter(|other| other.field == of.field).count(), 1);
            let fits = |s: &&StoredField| s.field == of.field && s.slot == of.slot && (s.country.is_none() || (s.country == Some(US) && !gift));
            prop_assert!(stored.iter().any(|s| fits(&s)), "{of:?}");
        }
    }
}

fn world() -> std::sync::Arc<aftercart::Engine> {
    static WORLD: std::sync::OnceLock<World> = std::sync::OnceLock::new();
    WORLD.get_or_init(|| World::new(1, 60)).under(&Policy::default())
}

fn world_held() -> std::sync::Arc<aftercart::Engine> {
    static WORLD: std::sync::OnceLock<World> = std::sync::OnceLock::new();
    let holdout = Holdout { buckets: 10_000, shows: Shows::Nothing, ..Holdout::default() };
    WORLD.get_or_init(|| World::new(1, 60)).under(&Policy { holdout, ..Policy::default() })
}

fn paid(facts: &PaymentFacts<'_>, value: i64) -> Vec<(&'static str, Because)> {
    let options = IDS.map(|id| PaymentOption { id, ready: id == "wallet" });
    let ranking = world()
        .rank_payment_methods(&order(value), &Profile::default(), facts, &options)
        .expect("few enough");
    ranking.iter().map(|ranked| (IDS[usize::from(ranked.option)], ranked.because)).collect()
}

#[test]
fn own_use_leads_then_the_device_then_what_is_usual() {
    let used = |id, days, failed| Use { id, at_ms: NOW - days * DAY, failed };
    let nothing = paid(&PaymentFacts::default(), 100);
    assert_eq!(nothing[0], ("wallet", Because::ReadyOnDevice));
    assert_eq!(
        nothing[1..],
        ["card", "bnpl", "invoice", "debit", "voucher"].map(|id| (id, Because::HostOrder))
    );
    let own = [
        used("invoice", 200, false),
        used("invoice", 190, false),
        used("debit", 3, false),
        used("debit", 1, true),
    ];
    let own = paid(&PaymentFacts { uses: &own, ..PaymentFacts::default() }, 100);
    assert_eq!(
        own[..3],
        [("wallet", Because::ReadyOnDevice), ("debit", Because::LastUsed), ("invoice", Because::OftenUsed)]
    );
    let twice = [used("debit", 3, false), used("debit", 2, false)];
    assert_eq!(
        paid(&PaymentFacts { uses: &twice, ..PaymentFacts::default() }, 100)[0],
        ("debit", Because::LastUsed)
    );
}

#[test]
fn a_narrow_group_speaks_as_far_as_it_has_orders() {
    let count =
        |id, country, device, amount_from, orders| MethodCount { id, country, device, amount_from, orders };
    let de = Country(*b"DE");
    let mut counts = vec![
        count("invoice", de, Device::Phone, 0, 9_000),
        count("card", US, Device::Desktop, 0, 600),
        count("voucher", US, Device::Phone, 0, 2),
    ];
    let first = |counts: &[MethodCount<'_>], value| {
        let facts = PaymentFacts { counts, device: Device::Phone, ..PaymentFacts::default() };
        let first = paid(&facts, value).into_iter().find(|(id, _)| *id != "wallet");
        first.expect("more than a wallet")
    };
    assert_eq!(first(&counts, 100), ("card", Because::UsualHere), "the country's, for two vouchers are few");
    counts.push(count("bnpl", US, Device::Phone, 10_000, 400));
    assert_eq!(first(&counts, 20_000), ("bnpl", Because::UsualHere), "of large amounts on a phone");
}

#[test]
fn more_than_can_be_ranked_is_refused() {
    let (ways, methods) = ([ShippingOption::default(); 33], [PaymentOption::default(); 33]);
    let profile = Profile::default();
    assert_eq!(world().rank_shipping_options(&order(1), &profile, &[], &ways), Err(TooManyOptions));
    assert_eq!(
        world().rank_payment_methods(&order(1), &profile, &PaymentFacts::default(), &methods),
        Err(TooManyOptions)
    );
}

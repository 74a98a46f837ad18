//! A shop with one deal and an overlay: for tests of budgets.

use std::sync::Arc;

use aftercart::build::feed::{Partner, PartnerOffer, Partners, Product};
use aftercart::live::{AccountStatus, Change, LiveCapacity, LiveKind};
use aftercart::vocabulary::{Currency, OfferKind};
use aftercart::{Decider, Engine, Live, Offer};

use super::{NOW, Request, World};

/// A shop of one partner with one offer that every basket triggers.
pub fn world() -> World {
    let product = |n: usize| Product {
        id: format!("p{n}"),
        category_path: format!("Food > Kind {n}"),
        ..Product::default()
    };
    let offer = PartnerOffer {
        id: "deal".into(),
        kind: OfferKind::Service,
        partner: "acme".into(),
        title: "A deal".into(),
        payout: 500,
        accept_rate_ppm: 50_000,
        trigger_any: true,
        ..PartnerOffer::default()
    };
    let partner = Partner { id: "acme".into(), active: true, ..Partner::default() };
    let inputs = aftercart::build::Inputs {
        products: (0..8).map(product).collect(),
        currency: Some(Currency::USD),
        partners: Partners { partners: vec![partner], offers: vec![offer] },
        ..aftercart::build::Inputs::default()
    };
    let options = aftercart::build::BuildOptions { calibrate: false, ..Default::default() };
    World::of(1, inputs, options)
}

pub struct Shop {
    pub world: World,
    pub engine: Arc<Engine>,
    pub live: Arc<Live>,
    pub deal: Offer,
    pub folder: tempfile::TempDir,
}

pub fn shop(leases: u32) -> Shop {
    let (world, folder) = (world(), tempfile::tempdir().expect("a folder"));
    let capacity = LiveCapacity { products: 8, accounts: 8, budgets: 4, leases };
    let live = Live::create(folder.path().join("shop.live"), world.engine.catalog(), Some(capacity));
    let live = Arc::new(live.expect("it is made"));
    let policy = aftercart::Policy::default();
    let engine = Arc::new(world.under(&policy).with_live(Arc::clone(&live)).expect("it is bound"));
    let deal = shown(&engine, NOW, "first").expect("the deal");
    Shop { world, engine, live, deal, folder }
}

/// The deal, where a decision at this time shows it.
pub fn shown(engine: &Arc<Engine>, now_ms: i64, order: &str) -> Option<Offer> {
    let mut decider = Decider::new(Arc::clone(engine));
    let mut request = Request::of(&["p1"]);
    (request.created_at_ms, request.order_id) = (now_ms, order.into());
    let offers = request.with(|t, p| decider.decide(t, p).expect("within the limits"));
    offers.slate().iter().find(|offer| engine.id(offer.item) == "deal").copied()
}

pub fn set(live: &Live, kind: LiveKind, id: &str, change: &Change) {
    live.edit().expect("a lock").set(Some(kind), id, change, NOW).expect("it is taken");
}

pub fn daily(limit: u64) -> Change {
    Change { daily: Some(Some(limit)), ..Change::default() }
}

pub fn status(live: &Live, kind: LiveKind, now_ms: i64) -> AccountStatus {
    live.status(now_ms).into_iter().find(|a| a.kind == kind).expect("it has an account")
}

//! Opens a catalog and decides for one basket.
//!
//!     cargo run --release --features cli -- demo        # writes demo.aftercart
//!     cargo run --example checkout -- demo.aftercart PRODUCT_ID [PRODUCT_ID ...]
//!
//! Where AFTERCART_LOG names a folder, it keeps there what it decided, and that it was shown: then
//! `aftercart log --log FOLDER --catalog demo.aftercart`, also while it runs.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use aftercart::event::{self, Event, EventKind};
use aftercart::record::ring;
use aftercart::{Decider, Engine, LineItem, OpenOptions, Profile, Status, Transaction};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("usage: checkout CATALOG PRODUCT_ID...")?;
    let bought: Vec<String> = arguments.collect();

    // Once per process: mapped and shared.
    let engine = Arc::new(Engine::open(file, OpenOptions::default())?);
    // Once per worker: owns all memory that decisions need.
    let mut decider = Decider::new(Arc::clone(&engine));
    let log = std::env::var_os("AFTERCART_LOG");
    let log = log.as_ref().map(Path::new);
    if let Some(log) = log {
        let name = ring::name(SystemTime::UNIX_EPOCH.elapsed()?); // its own
        decider.record_to(Some(ring::create_in(log, &name, 4096)?));
    }

    let lines: Vec<LineItem<'_>> = bought.iter().map(|id| LineItem::of(id)).collect();
    let transaction = Transaction { order_id: "A-1", lines: &lines, ..Transaction::default() };
    let offers = decider.decide(&transaction, &Profile::default())?;

    if let Status::NoOffer(reason) = offers.status {
        println!("nothing belongs on this page: {reason}");
    }
    for offer in offers.slate() {
        let because = offer.because.line.and_then(|line| bought.get(usize::from(line)));
        println!(
            "{}  {}  ({} {})",
            engine.id(offer.item),
            engine.title(offer.item),
            offer.because.relation.name(),
            because.map_or("", String::as_str)
        );
    }
    if let Some(log) = log {
        seen(log, offers.decision_id)?;
    }
    Ok(())
}

/// Says that the page was seen: without it nothing counts as shown. By its id it counts once, however often it is said.
fn seen(log: &Path, decision_id: u128) -> Result<(), Box<dyn std::error::Error>> {
    let event = Event {
        event_id: format!("seen {decision_id:032x}"),
        decision_id,
        at_ms: SystemTime::UNIX_EPOCH.elapsed()?.as_millis() as i64,
        kind: EventKind::Activated,
        item_id: String::new(),
        value: None,
        margin: None,
        payout: None,
        code: String::new(),
        question: String::new(),
        answer: String::new(),
    };
    Ok(event::append(log, &event)?)
}

//! Opens a catalog and decides for one basket.
//!
//!     cargo run --release --features cli -- demo        # writes demo.aftercart
//!     cargo run --example checkout -- demo.aftercart PRODUCT_ID [PRODUCT_ID ...]

use std::sync::Arc;

use aftercart::{Decider, Engine, LineItem, OpenOptions, Profile, Status, Transaction};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("usage: checkout CATALOG PRODUCT_ID...")?;
    let bought: Vec<String> = arguments.collect();

    // Once per process: mapped and shared.
    let engine = Arc::new(Engine::open(file, OpenOptions::default())?);
    // Once per worker: owns all memory that decisions need.
    let mut decider = Decider::new(Arc::clone(&engine));

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
    Ok(())
}

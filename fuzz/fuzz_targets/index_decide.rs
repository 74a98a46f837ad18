//! A mutated catalog whose checksums are set right again: decisions on it end without a panic.
#![no_main]

use std::sync::Arc;

use aftercart::{Catalog, Decider, Engine, LineItem, Profile, Purchase, Transaction, Verify};
use libfuzzer_sys::fuzz_target;

#[path = "../../tests/common/damage.rs"]
mod damage;

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = bytes.to_vec();
    damage::repair(&mut bytes);
    let Ok(catalog) = Catalog::from_bytes(bytes, Verify::Structure) else { return };
    let Ok(engine) = Engine::new(Arc::new(catalog)) else { return };
    let mut decider = Decider::new(Arc::new(engine));
    let lines = ["espresso-machine", "beans-house", "unknown"].map(LineItem::of);
    let purchases = [Purchase { item_id: "beans-house", at_ms: 1_700_000_000_000 }];
    for count in 0..=lines.len() {
        let transaction = Transaction {
            created_at_ms: 1_767_225_600_000,
            lines: &lines[..count],
            ..Transaction::default()
        };
        let profile = Profile { purchases: &purchases, ..Profile::default() };
        let offers = decider.decide(&transaction, &profile).expect("within the limits");
        assert!(offers.slate().len() <= aftercart::limits::SLOTS_MAX);
    }
});

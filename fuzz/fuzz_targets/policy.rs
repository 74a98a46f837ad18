//! Any text as a policy: reading it, and compiling it for a catalog, ends without a panic; and where it compiles, a decision under it
//! does, too.
#![no_main]

use std::sync::{Arc, OnceLock};

use aftercart::{Catalog, Decider, Engine, LineItem, Policy, Profile, Transaction, Verify};
use libfuzzer_sys::fuzz_target;

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let bytes = include_bytes!("../../tests/golden/v3/coffee.aftercart").to_vec();
        let catalog = Catalog::from_bytes(bytes, Verify::Full).expect("the golden catalog opens");
        Engine::new(Arc::new(catalog)).expect("its policy compiles")
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(policy) = toml::from_str::<Policy>(text) else { return };
    let Ok(engine) = engine().with_policy(&policy) else { return };
    let _ = engine.review(&policy);
    let mut decider = Decider::new(Arc::new(engine));
    let lines = ["espresso-machine", "beans-house", "unknown"].map(LineItem::of);
    for created_at_ms in [0, 1_767_225_600_000, i64::MAX] {
        let transaction = Transaction { created_at_ms, lines: &lines, ..Transaction::default() };
        let offers = decider.decide(&transaction, &Profile::default()).expect("within the limits");
        assert!(offers.slate().len() <= aftercart::limits::SLOTS_MAX);
    }
});

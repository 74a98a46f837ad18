//! Logs of decisions whose offers are accepted with known chances.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test binary uses its own part")]

use std::sync::Arc;

use aftercart::log::{Event, EventKind, Log};
use aftercart::{Decider, Engine, Offer, Offers};

use crate::common::{Request, Rng};

pub fn uniform(rng: &mut Rng) -> f64 {
    (rng.next() >> 11) as f64 / (1u64 << 53) as f64
}

/// Requests that bring offers, each many times under orders of its own, decided and logged; what was accepted is drawn.
pub fn log_of(
    log: &Log,
    name: &str,
    engine: &Arc<Engine>,
    requests: &[Request],
    times: usize,
    chance: impl FnMut(&Offer) -> f64,
) {
    let mut all = Vec::new();
    each_time(requests, times, name, |request| all.push(request.clone()));
    log_each(log, name, engine, &all, chance);
}

/// The same for requests as they are, once each, of which nothing is accepted.
pub fn seen(log: &Log, engine: &Arc<Engine>, requests: &[Request]) {
    log_each(log, "seen", engine, requests, |_| 0.0);
}

fn log_each(
    log: &Log,
    name: &str,
    engine: &Arc<Engine>,
    requests: &[Request],
    mut chance: impl FnMut(&Offer) -> f64,
) {
    let (writer, mut drain) = log.ring(name, 4096).expect("a new name");
    let mut decider = Decider::new(Arc::clone(engine));
    decider.record_to(Some(writer));
    let (mut rng, mut events) = (Rng::new(name.bytes().map(u64::from).sum()), Vec::new());
    let mut happens = |offers: &Offers, kind: EventKind, item: &str| {
        let event_id = format!("{:032x}-{}-{item}", offers.decision_id, kind.name());
        let text = format!(
            r#"{{"event_id":"{event_id}","decision_id":"{:032x}","at":1,"event":"{}","item_id":"{item}"}}"#,
            offers.decision_id,
            kind.name()
        );
        events.push(Event::parse(&text).expect("an event"));
    };
    for request in requests {
        let offers = request.with(|t, p| decider.decide(t, p).expect("within the limits"));
        happens(&offers, EventKind::Activated, "");
        for offer in offers.slate() {
            if uniform(&mut rng) < chance(offer) {
                happens(&offers, EventKind::Accepted, engine.id(offer.item));
            }
        }
        if drain.is_due() {
            drain.empty(std::slice::from_ref(engine)).expect("drained");
        }
    }
    drop(decider);
    drain.empty(std::slice::from_ref(engine)).expect("drained");
    drain.finish().expect("put away");
    log.add_events(&events).expect("added");
}

pub fn each_time(requests: &[Request], times: usize, name: &str, mut each: impl FnMut(&Request)) {
    for time in 0..times {
        for (number, request) in requests.iter().enumerate() {
            each(&Request { order_id: format!("{name}-{time}-{number}"), ..request.clone() });
        }
    }
}

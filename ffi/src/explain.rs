//! Why a given product or offer is, or is not, on the page.
#![allow(unsafe_code, reason = "exported functions: each is one `call`, whose SAFETY line is the header")]

use std::ffi::c_char;
use std::fmt::Write as _;

use engine::{Engine, Explanation, Item};
use zerocopy::FromZeros;

use crate::boundary::{Caller, call};
use crate::decider::{begin, plain_item};
use crate::status::Status;
use crate::types::*;

/// Says why a product or offer is, or is not, on the page of a request: decides, and then asks every rule about it. For people:
/// it allocates, and takes some times as long as a decision.
///
/// The request is that of `aftercart_decide`. `kind` and `id`, which has `id_length` bytes, say of what: a product, or another
/// offer. Set `explanation->struct_size` before. Names are written into `buffer`, which has `capacity` bytes, as lines of UTF-8
/// whose fields are separated by tabs, ended by a zero byte: `rule NAME` for each rule of the policy that refuses it, and for
/// products `feature NAME VALUE WEIGHT` for each feature of the score, where the weight is in thousandths of a nat.
/// `*length`, where not null, is the number of bytes without the zero byte, even where not all of them fitted
/// (`AFTERCART_TRUNCATED`).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_explain(
    decider: *mut aftercart_decider,
    transaction: *const aftercart_transaction,
    profile: *const aftercart_profile,
    lines: *const aftercart_line,
    line_size: usize,
    line_count: usize,
    facts: *const aftercart_fact,
    fact_size: usize,
    fact_count: usize,
    strings: *const c_char,
    strings_length: usize,
    kind: u32,
    id: *const c_char,
    id_length: usize,
    explanation: *mut aftercart_explanation,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> i32 {
    let explain = |caller: &Caller| {
        let room = caller.room(explanation)?;
        let (lines, facts) = ((lines, line_size, line_count), (facts, fact_size, fact_count));
        let strings = (strings, strings_length);
        let (mut state, given) = begin(caller, decider, transaction, profile, lines, facts, strings)?;
        let id = std::str::from_utf8(caller.bytes(id.cast(), id_length)?).map_err(|_| Status::BadUtf8)?;
        let item = find(state.engine(), kind, id)?;
        let explained = state.run(&given, |decider, transaction, profile, _| {
            Ok(decider.explain(transaction, profile, item)?)
        })?;
        let text = names(&explained);
        if !length.is_null() {
            caller.set(length, text.len())?;
        }
        let whole = caller.set_text(buffer.cast(), capacity, &text)?;
        room.fill(&plain(item, &explained));
        Ok(if whole { Status::Ok } else { Status::Truncated })
    };
    // SAFETY: the contract of the header.
    unsafe { call(explain) }
}

fn find(engine: &Engine, kind: u32, id: &str) -> Result<Item, Status> {
    let product = || engine.find_product(id).map(Item::Product);
    let offer = || engine.find_offer(id).map(Item::Offer);
    let found = match kind {
        AFTERCART_ITEM_ANY => match (product(), offer()) {
            (Some(_), Some(_)) => return Err(Status::BadValue),
            (product, offer) => product.or(offer),
        },
        AFTERCART_ITEM_PRODUCT => product(),
        AFTERCART_ITEM_OFFER => offer(),
        _ => return Err(Status::BadValue),
    };
    found.ok_or(Status::UnknownId)
}

/// What has a name. A name of a rule is the merchant's: what separates fields and lines here is a space in it.
fn names(explained: &Explanation) -> String {
    let mut text = String::new();
    for rule in &explained.rules {
        let _ = writeln!(text, "rule\t{}", rule.replace(['\t', '\n', '\0'], " "));
    }
    for each in &explained.contributions {
        let _ = writeln!(text, "feature\t{}\t{}\t{}", each.feature, each.value, each.weight);
    }
    text
}

fn plain(item: Item, explained: &Explanation) -> aftercart_explanation {
    let mut plain = aftercart_explanation::new_zeroed();
    (plain.item_kind, plain.item_row) = plain_item(item);
    plain.position = explained.position.map_or(-1, i32::from);
    plain.relation = explained.because.map_or(0, |because| u32::from(because.relation as u8));
    plain.line = explained.because.and_then(|because| because.line).map_or(-1, i32::from);
    plain.relevance = explained.relevance.into();
    plain.p_accept_ppm = explained.p_accept_ppm;
    plain.ev_micros = explained.ev_micros;
    plain.reason_count = explained.reasons.len() as u32;
    for (to, reason) in plain.reasons.iter_mut().zip(&explained.reasons) {
        *to = reason.code().into();
    }
    plain
}

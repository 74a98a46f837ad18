//! The days after an order: what to send, when, and why.
#![allow(unsafe_code, reason = "exported functions: each is one `call`, whose SAFETY line is the header")]
#![allow(non_camel_case_types, reason = "these are the names that C sees")]

use std::ffi::c_char;
use std::path::Path;

use engine::follow_up::{FollowUp, FollowUpError, Outlook, ProgrammeTable, Programmes, Withheld};
use engine::limits::{FOLLOW_UPS_MAX, RULE_NAME_MAX};
use engine::{Engine, Item};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes};

use crate::boundary::{Caller, call};
use crate::decider::{Refused, begin};
use crate::engine::{Failure, chars, construct, path_of};
use crate::handle::{self, Opaque};
use crate::status::Status;
use crate::types::*;

/// Most messages of a plan, those withheld among them: a capacity that always suffices.
pub const AFTERCART_FOLLOW_UPS_MAX: u32 = 32;
const _: () = assert!(AFTERCART_FOLLOW_UPS_MAX as usize == 2 * FOLLOW_UPS_MAX && RULE_NAME_MAX < 72);

/// What follows a purchase, by category, made ready for a catalog. Immutable: any number of threads may use it at the same time.
#[derive(Debug)]
pub struct aftercart_programmes {
    _opaque: (),
}

impl Opaque for aftercart_programmes {
    const TAG: u64 = u64::from_le_bytes(*b"ac-progr");
    type Inside = Programmes;
}

/// A message that is planned, or withheld.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_follow_up {
    /// What it is for: `AFTERCART_MESSAGE_...`. Offers in advertising are decided when it is sent, for stage
    /// `AFTERCART_STAGE_EMAIL`.
    pub kind: u32,
    /// Through what: `AFTERCART_CHANNEL_...`.
    pub channel: u32,
    /// 0 = planned; else why it is withheld: `AFTERCART_WITHHELD_...`.
    pub withheld: u32,
    /// Index of the bought line that it is about.
    pub line: u32,
    /// When to send it, Unix milliseconds.
    pub at_ms: i64,
    /// When it no longer makes sense.
    pub expires_at_ms: i64,
    /// `AFTERCART_ITEM_PRODUCT` where the catalog knows the line's product; else 0.
    pub item_kind: u32,
    /// Row in the catalog, for `aftercart_item_text`.
    pub item_row: u32,
    /// Of a refill: days from the order to the next purchase that is expected; else -1.
    pub due_days: i32,
    /// Intervals of the customer's own behind that; 0 = the usual days alone.
    pub own_intervals: u32,
    /// Id of its programme, at most 64 bytes, ended by a zero byte.
    pub programme: [c_char; 72],
    /// Your mail service's name for it, likewise.
    pub template_id: [c_char; 72],
    /// Id of the offer of kind content that it carries, likewise: what the programme names, else for guidance what the catalog has
    /// for the very product; empty = none.
    pub content_id: [c_char; 72],
}

/// Reads what follows a purchase from a file of TOML, and makes it ready for the catalog of an engine: once, when the process
/// starts, and again for every new catalog.
///
/// `path` has `path_length` bytes and needs no zero byte. `*programmes` is a new handle, or null where the function fails. `error`
/// may be null. `AFTERCART_BAD_PROGRAMMES`: the message says where and why.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_programmes_open(
    engine: *const aftercart_engine,
    path: *const c_char,
    path_length: usize,
    programmes: *mut *mut aftercart_programmes,
    error: *mut aftercart_error,
) -> i32 {
    let open = |caller: &Caller| {
        let engine = handle::borrow(caller, engine)?;
        let path = path_of(caller.bytes(path.cast(), path_length)?)?;
        Ok(handle::create::<aftercart_programmes>(read(path, engine)?)?)
    };
    // SAFETY: the contract of the header.
    unsafe { call(|caller| construct(caller, programmes, error, open)) }
}

/// Reads programmes from a file and makes them ready for the catalog of an engine.
pub(crate) fn read(path: &Path, engine: &Engine) -> Result<Programmes, Failure> {
    let bad =
        |problem: String| Failure::new(Status::BadProgrammes, 0, format!("{}: {problem}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData => bad(error.to_string()),
        _ => Failure::system(path, &error),
    })?;
    let table = ProgrammeTable::from_toml(&text).map_err(|error| bad(error.to_string()))?;
    Programmes::new(&table, engine).map_err(|error| bad(error.to_string()))
}

/// Gives programmes back, when no other thread is using them. Null is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_programmes_free(programmes: *mut aftercart_programmes) -> i32 {
    // SAFETY: the contract of the header.
    unsafe {
        call(|caller| {
            if !programmes.is_null() {
                handle::destroy(caller, programmes)?;
            }
            Ok(Status::Ok)
        })
    }
}

/// Plans what to send in the days after an order. A plan, not a sender. Guidance and what is owed is never kept back; advertising
/// needs consent to marketing, keeps its distance to all other messages, and a gift has neither guidance nor refills. Later events
/// cancel messages at your side: a return all about its line, a purchase of the product its refill, an opt-out all advertising.
///
/// The request is that of `aftercart_decide`, of a paid order with its time, and with the customer's earlier purchases; other messages
/// that the customer gets are facts (`AFTERCART_FACT_CONTACTED`). `delivery_at_ms`: the promised delivery; 0 = as the programmes
/// say. `follow_ups`: room for `capacity` elements of `follow_up_size` bytes, `sizeof(aftercart_follow_up)`: what is planned,
/// earliest first, then what is withheld. `count`: the number that there are; `AFTERCART_TRUNCATED` where `capacity` is less; 0 where
/// the function fails. `AFTERCART_BAD_PROGRAMMES`: they were made ready for another catalog. No allocation, no waiting, no system call;
/// the same input gives the same plan on every machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_plan_follow_ups(
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
    programmes: *const aftercart_programmes,
    delivery_at_ms: i64,
    follow_ups: *mut aftercart_follow_up,
    follow_up_size: usize,
    capacity: usize,
    count: *mut usize,
) -> i32 {
    let plan = |caller: &Caller| {
        caller.set(count, 0)?;
        let room = caller.room_array(follow_ups, follow_up_size, capacity)?;
        let programmes = handle::borrow(caller, programmes)?;
        let (lines, facts) = ((lines, line_size, line_count), (facts, fact_size, fact_count));
        let strings = (strings, strings_length);
        let (mut state, given) = begin(caller, decider, transaction, profile, lines, facts, strings)?;
        let planned = state.run(&given, |decider, transaction, profile, lists| {
            let outlook = Outlook { delivery_at_ms, contacts: &lists.contacts };
            Ok(decider.plan_follow_ups(programmes, transaction, profile, &outlook)?)
        })?;
        let withheld = planned.withheld().iter().map(|(of, why)| (of, Some(*why)));
        let all = planned.planned().iter().map(|of| (of, None)).chain(withheld);
        let mut available = 0;
        for (of, why) in all {
            room.fill(available, &plain(programmes, state.engine(), of, why));
            available += 1;
        }
        caller.set(count, available)?;
        Ok(if available > room.capacity() { Status::Truncated } else { Status::Ok })
    };
    // SAFETY: the contract of the header.
    unsafe { call(plan) }
}

impl From<FollowUpError> for Refused {
    fn from(error: FollowUpError) -> Self {
        match error {
            FollowUpError::Decide(error) => error.into(),
            FollowUpError::OtherCatalog => Self(Status::BadProgrammes),
        }
    }
}

fn plain(
    programmes: &Programmes,
    engine: &Engine,
    of: &FollowUp,
    why: Option<Withheld>,
) -> aftercart_follow_up {
    let mut plain = aftercart_follow_up::new_zeroed();
    if let Some((programme, step)) = programmes.step_of(of) {
        (plain.kind, plain.channel) = (step.kind.code().into(), step.channel.code().into());
        plain.programme = chars(programme, 72);
        plain.template_id = chars(&step.template, 72);
    }
    if let Some(content) = programmes.content_of(of, engine) {
        plain.content_id = chars(engine.id(Item::Offer(content)), 72);
    }
    plain.withheld = why.map_or(0, |why| why.code().into());
    plain.line = of.line.into();
    (plain.at_ms, plain.expires_at_ms) = (of.at_ms, of.expires_at_ms);
    if let Some(product) = of.product {
        (plain.item_kind, plain.item_row) = (AFTERCART_ITEM_PRODUCT, product.0);
    }
    plain.due_days = of.due_days.map_or(-1, i32::from);
    plain.own_intervals = of.own_intervals.into();
    plain
}

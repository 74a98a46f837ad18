//! The functions of the live overlay: an engine that decides with it, and leases on budgets.
#![allow(unsafe_code, reason = "exported functions: each is one `call`, whose SAFETY line is the header")]

use std::ffi::c_char;
use std::sync::Arc;

use engine::{Engine, Item, Lease, LeaseError, Live, LiveError, LiveFact, OfferIx, ProductIx};
use zerocopy::{FromBytes, FromZeros, IntoBytes};

use crate::boundary::{Caller, call};
use crate::decider::{lock, plain_item};
use crate::engine::{Failure, construct, path_of};
use crate::handle;
use crate::status::Status;
use crate::types::*;

/// Makes an engine that decides with a live overlay, a file that `aftercart_live_bind` or the command `aftercart live bind`
/// made for the same catalog. The engine that was given stays as it is; both share the catalog.
///
/// `path` has `path_length` bytes and needs no zero byte. `*with_live` is a new handle, or null where the function fails.
/// `error` may be null. The overlay is mapped, writable, and shared with all processes of the machine; it must never be
/// truncated or replaced (see SIGBUS).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_engine_with_live(
    engine: *const aftercart_engine,
    path: *const c_char,
    path_length: usize,
    with_live: *mut *mut aftercart_engine,
    error: *mut aftercart_error,
) -> i32 {
    let make = |caller: &Caller| {
        let engine = handle::borrow(caller, engine)?;
        let live = Live::open(path_of(caller.bytes(path.cast(), path_length)?)?)?;
        Ok(handle::create::<aftercart_engine>(Arc::new(engine.with_live(Arc::new(live))?))?)
    };
    // SAFETY: the contract of the header.
    unsafe { call(|caller| construct(caller, with_live, error, make)) }
}

/// Lets a decider go on with another engine: another catalog, or another overlay. Allocates nothing; gives up what only the
/// decider still had of the old engine, so call it between two pages.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_decider_use(
    decider: *mut aftercart_decider,
    engine: *const aftercart_engine,
) -> i32 {
    // SAFETY: the contract of the header.
    unsafe {
        call(|caller| {
            let engine = Arc::clone(handle::borrow(caller, engine)?);
            lock(handle::borrow(caller, decider.cast_const())?)?.swap_engine(engine);
            Ok(Status::Ok)
        })
    }
}

/// What the last decision of a decider read of the live overlay: with the request, enough to make it again.
///
/// `facts`: room for `capacity` elements of `fact_size` bytes, `sizeof(aftercart_live_fact)`. `count`: the number of facts that
/// there are; `AFTERCART_TRUNCATED` where `capacity` is less.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_live_facts(
    decider: *mut aftercart_decider,
    facts: *mut aftercart_live_fact,
    fact_size: usize,
    capacity: usize,
    count: *mut usize,
) -> i32 {
    // SAFETY: the contract of the header.
    unsafe {
        call(|caller| {
            caller.set(count, 0)?;
            let room = caller.room_array(facts, fact_size, capacity)?;
            let state = lock(handle::borrow(caller, decider.cast_const())?)?;
            for (at, fact) in state.live_facts().iter().enumerate().take(capacity) {
                room.fill(at, &plain(fact));
            }
            let there = state.live_facts().len();
            caller.set(count, there)?;
            Ok(if there > capacity { Status::Truncated } else { Status::Ok })
        })
    }
}

fn plain(fact: &LiveFact) -> aftercart_live_fact {
    let (item_kind, item_row) = plain_item(fact.item);
    aftercart_live_fact { item_kind, item_row, own: fact.own, partner: fact.partner, bid: fact.bid }
}

/// Takes a lease on the budgets of an offer and its partner, before it is shown: one accepted offer of each, or `value` where
/// the limit counts money.
///
/// `item_kind`, `item_row` and `value` come from an offer of a decider of this engine. `now_ms` is the time; the lease expires
/// `for_ms` later (at most a day) and comes back by itself, also where this process died. Set `lease->struct_size` before.
/// Without a limit, or an overlay, the lease holds nothing. `AFTERCART_BUDGET_EMPTY`, `AFTERCART_PAUSED`: do not show the offer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_lease_reserve(
    engine: *const aftercart_engine,
    item_kind: u32,
    item_row: u32,
    value: i64,
    now_ms: i64,
    for_ms: i64,
    lease: *mut aftercart_lease,
) -> i32 {
    let reserve = |caller: &Caller| {
        let engine = handle::borrow(caller, engine)?;
        let room = caller.room(lease)?;
        if room.size() < size_of::<aftercart_lease>() {
            return Err(Status::BadSize); // part of a lease is none
        }
        let item = match item_kind {
            AFTERCART_ITEM_PRODUCT => Item::Product(ProductIx(item_row)),
            AFTERCART_ITEM_OFFER => Item::Offer(OfferIx(item_row)),
            _ => return Err(Status::BadValue),
        };
        let reserved = engine.reserve_item(item, value, now_ms, for_ms).map_err(status_of)?;
        let mut plain = aftercart_lease::new_zeroed();
        plain.expires_at_ms = reserved.expires_at_ms();
        plain.words = <[u64; 4]>::read_from_bytes(&reserved.to_bytes()).map_err(|_| Status::Internal)?;
        room.fill(&plain);
        Ok(Status::Ok)
    };
    // SAFETY: the contract of the header.
    unsafe { call(reserve) }
}

/// Counts what a lease holds as spent. Call it where your contract counts: when the offer was shown, or accepted.
///
/// `AFTERCART_LEASE_GONE`: it expired, or was used before, and nothing is counted; do not honour the offer on it, or reserve
/// anew.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_lease_activate(
    engine: *const aftercart_engine,
    lease: *const aftercart_lease,
    now_ms: i64,
) -> i32 {
    // SAFETY: the contract of the header.
    unsafe { call(|caller| settle(caller, engine, lease, |live, lease| live.activate(lease, now_ms))) }
}

/// Gives back what a lease holds: the customer declined, or left.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_lease_release(
    engine: *const aftercart_engine,
    lease: *const aftercart_lease,
    now_ms: i64,
) -> i32 {
    // SAFETY: the contract of the header.
    unsafe { call(|caller| settle(caller, engine, lease, |live, lease| live.release(lease, now_ms))) }
}

fn settle(
    caller: &Caller,
    engine: *const aftercart_engine,
    lease: *const aftercart_lease,
    act: impl FnOnce(&Live, &Lease) -> Result<(), LeaseError>,
) -> Result<Status, Status> {
    let engine: &Engine = handle::borrow(caller, engine)?;
    let lease = caller.read(lease)?;
    let bytes = <[u8; 32]>::read_from_bytes(lease.words.as_bytes()).map_err(|_| Status::Internal)?;
    let lease = Lease::from_bytes(bytes);
    match engine.live() {
        Some(live) => act(live, &lease).map_err(status_of)?,
        None if lease.expires_at_ms() == 0 => {}
        None => return Err(Status::LeaseForeign),
    }
    Ok(Status::Ok)
}

fn status_of(error: LeaseError) -> Status {
    match error {
        LeaseError::Empty => Status::BudgetEmpty,
        LeaseError::AllOut => Status::LeasesOut,
        LeaseError::Paused => Status::Paused,
        LeaseError::Gone => Status::LeaseGone,
        LeaseError::Foreign => Status::LeaseForeign,
        LeaseError::TooLarge | LeaseError::NoTime => Status::BadValue,
        _ => Status::Internal,
    }
}

impl From<LiveError> for Failure {
    fn from(error: LiveError) -> Self {
        let (status, os_error) = match &error {
            LiveError::Io { source, .. } => (Status::SystemError, source.raw_os_error().unwrap_or(0)),
            LiveError::TooSmall { .. } => (Status::LiveFull, 0),
            LiveError::UnknownId { .. } => (Status::UnknownId, 0),
            LiveError::Ambiguous { .. } | LiveError::Value { .. } => (Status::BadValue, 0),
            _ => (Status::BadLive, 0),
        };
        Self::new(status, os_error, error.to_string())
    }
}

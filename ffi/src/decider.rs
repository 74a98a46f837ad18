//! The functions of a decider: the data plane. `aftercart_decide` allocates nothing and takes no lock that it could wait for.
#![allow(unsafe_code, reason = "exported functions: each is one `call`, whose SAFETY line is the header")]

use std::ffi::c_char;
use std::mem;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use engine::{
    AcceptPlan, DecideError, Decider, Engine, Item, LiveFact, Offer, OfferIx, Offers, ProductIx, Profile,
    Transaction,
};
use zerocopy::FromZeros;

use crate::boundary::{Caller, RoomArray, call};
use crate::engine::{Failure, chars, construct};
use crate::handle::{self, Opaque};
use crate::log::{Logging, aftercart_logged};
use crate::request::{Given, Lists, Rows};
use crate::status::Status;
use crate::types::*;

/// A decider with the memory that requests are unpacked into.
#[derive(Debug)]
pub(crate) struct State {
    decider: Decider,
    lists: Lists<'static>,
    logging: Logging,
}

impl Opaque for aftercart_decider {
    const TAG: u64 = u64::from_le_bytes(*b"ac-decid");
    /// Only ever tried, never waited for: held elsewhere is `BUSY`. A panic while it is held poisons it.
    type Inside = Mutex<State>;
}

/// The decider, unless another thread has it or a defect has left it half-way.
pub(crate) fn lock(decider: &Mutex<State>) -> Result<MutexGuard<'_, State>, Status> {
    decider.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => Status::Busy,
        TryLockError::Poisoned(_) => Status::Poisoned,
    })
}

/// Makes a decider, which sets aside all memory that its decisions need.
///
/// The decider keeps what it needs of the engine, which may be closed at any time. `*decider` is a new handle, or null
/// where the function fails. `error` may be null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_decider_new(
    engine: *const aftercart_engine,
    decider: *mut *mut aftercart_decider,
    error: *mut aftercart_error,
) -> i32 {
    let make = |caller: &Caller| Ok(create(Arc::clone(handle::borrow(caller, engine)?))?);
    // SAFETY: the contract of the header.
    unsafe { call(|caller| construct(caller, decider, error, make)) }
}

/// Gives a decider back. `AFTERCART_BUSY`, and it lives on, where a call on it is still running. Null is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_decider_free(decider: *mut aftercart_decider) -> i32 {
    // SAFETY: the contract of the header.
    unsafe {
        call(|caller| {
            if !decider.is_null() {
                if let Err(Status::Busy) = lock(handle::borrow(caller, decider.cast_const())?) {
                    return Err(Status::Busy);
                }
                handle::destroy(caller, decider)?;
            }
            Ok(Status::Ok)
        })
    }
}

/// Decides what belongs on the page. No heap allocation, no waiting, no system call; the same input gives the same offers on
/// every machine.
///
/// - `transaction`: the order. `profile`: the customer; may be null.
/// - `lines`, `facts`: arrays of `..._count` elements of `..._size` bytes each: `sizeof(aftercart_line)`,
///   `sizeof(aftercart_fact)`.
/// - `strings`: `strings_length` bytes, where the texts of all of these lie. They may share bytes.
/// - `offers`: room for `capacity` elements of `offer_size` bytes, `sizeof(aftercart_offer)`, best first.
/// - `count`: the number of offers that there are; `AFTERCART_TRUNCATED` where `capacity` is less. 0 where the function fails.
/// - `summary`: may be null. Set `summary->struct_size` before.
///
/// Returns `AFTERCART_OK`, `AFTERCART_NO_OFFERS` or `AFTERCART_TRUNCATED`; negative where the request cannot be answered:
/// then there is nothing to show, and nothing else was written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_decide(
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
    offers: *mut aftercart_offer,
    offer_size: usize,
    capacity: usize,
    count: *mut usize,
    summary: *mut aftercart_summary,
) -> i32 {
    let decide = |caller: &Caller| {
        caller.set(count, 0)?;
        let room = caller.room_array(offers, offer_size, capacity)?;
        let summary = caller.room_optional(summary)?;
        let (lines, facts) = ((lines, line_size, line_count), (facts, fact_size, fact_count));
        let strings = (strings, strings_length);
        let (mut state, given) = begin(caller, decider, transaction, profile, lines, facts, strings)?;
        let decided = state.run(&given, |decider, transaction, profile, _| {
            let decided = decider.decide(transaction, profile)?;
            write_offers(decider.engine(), decided.slate(), transaction, &room);
            Ok(decided)
        })?;
        caller.set(count, decided.slate().len())?;
        if let Some(room) = summary {
            room.fill(&summarize(&decided));
        }
        Ok(match decided.slate().len() {
            0 => Status::NoOffers,
            available if available > room.capacity() => Status::Truncated,
            _ => Status::Ok,
        })
    };
    // SAFETY: the contract of the header.
    unsafe { call(decide) }
}

/// What every call about a request begins with: the decider, for the time of the call, and the request.
pub(crate) fn begin<'c>(
    caller: &'c Caller,
    decider: *mut aftercart_decider,
    transaction: *const aftercart_transaction,
    profile: *const aftercart_profile,
    lines: Rows<aftercart_line>,
    facts: Rows<aftercart_fact>,
    strings: (*const c_char, usize),
) -> Result<(MutexGuard<'c, State>, Given<'c>), Status> {
    let mut state = lock(handle::borrow(caller, decider.cast_const())?)?;
    let State { decider, logging, .. } = &mut *state;
    logging.check(decider);
    let given = Given::read(caller, transaction, profile, lines, facts, strings)?;
    Ok((state, given))
}

/// Makes a decider for C.
pub(crate) fn create(engine: Arc<Engine>) -> Result<*mut aftercart_decider, Status> {
    let (lists, decider) = (Lists::new()?, Decider::new(engine));
    let state = Mutex::new(State { lists, decider, logging: Logging::default() });
    drop(lock(&state)?); // some systems set a mutex up at its first use
    handle::create::<aftercart_decider>(state)
}

impl State {
    pub(crate) fn swap_engine(&mut self, engine: Arc<Engine>) {
        drop(self.decider.swap_engine(engine));
    }

    pub(crate) fn live_facts(&self) -> &[LiveFact] {
        self.decider.live_facts()
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        self.decider.engine()
    }

    pub(crate) fn log_to(&mut self, folder: &Path, capacity: usize, timed: bool) -> Result<(), Failure> {
        self.logging.go_to(&mut self.decider, folder, capacity, timed)
    }

    pub(crate) fn logged(&mut self) -> aftercart_logged {
        self.logging.check(&mut self.decider);
        self.logging.counts(&self.decider)
    }

    /// Unpacks a request into the memory set aside for it, and runs something on it.
    pub(crate) fn run<R>(
        &mut self,
        given: &Given<'_>,
        work: impl FnOnce(&mut Decider, &Transaction<'_>, &Profile<'_>, &Lists<'_>) -> Result<R, Refused>,
    ) -> Result<R, Status> {
        let mut lists = mem::take(&mut self.lists).recycle();
        let done = run_with(&mut self.decider, given, &mut lists, work);
        self.lists = lists.recycle();
        done
    }
}

fn run_with<'c, R>(
    decider: &mut Decider,
    given: &Given<'c>,
    lists: &mut Lists<'c>,
    work: impl FnOnce(&mut Decider, &Transaction<'_>, &Profile<'_>, &Lists<'_>) -> Result<R, Refused>,
) -> Result<R, Status> {
    lists.fill(given)?;
    let (transaction, profile) = (given.transaction(lists)?, given.profile(lists)?);
    work(decider, &transaction, &profile, lists).map_err(|Refused(status)| status)
}

/// Why the engine did not answer a request.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) Status);

impl From<DecideError> for Refused {
    fn from(error: DecideError) -> Self {
        Self(match error {
            DecideError::TooManyLines => Status::TooManyLines,
            DecideError::TooManySlots => Status::TooManySlots,
            _ => Status::Internal,
        })
    }
}

fn write_offers(
    engine: &Engine,
    slate: &[Offer],
    transaction: &Transaction<'_>,
    room: &RoomArray<'_, aftercart_offer>,
) {
    for (index, offer) in slate.iter().enumerate().take(room.capacity()) {
        let (item_kind, item_row) = plain_item(offer.item);
        let plan = AcceptPlan::of(offer, transaction);
        let id = engine.id(offer.item);
        // Longer ids are only in damaged files. Part of an id is another id, so better none.
        let id = if id.len() <= engine::limits::ID_BYTES_MAX { id } else { "" };
        room.fill(
            index,
            &aftercart_offer {
                item_kind,
                item_row,
                kind: offer.kind.code().into(),
                position: offer.position.into(),
                third_party: offer.third_party.into(),
                relation: u32::from(offer.because.relation as u8),
                line: offer.because.line.map_or(-1, i32::from),
                relevance: offer.relevance.into(),
                p_accept_ppm: offer.p_accept_ppm,
                p_select_ppm: offer.p_select_ppm,
                value: offer.value,
                ev_micros: offer.ev_micros,
                price: offer.price.unwrap_or(-1),
                id_length: id.len() as u32,
                accept: plan.mode.code().into(),
                id: chars(id, 72),
                accept_reason: plan.reason.code().into(),
                may_need_confirmation: plan.may_need_confirmation.into(),
            },
        );
    }
}

pub(crate) fn plain_item(item: Item) -> (u32, u32) {
    match item {
        Item::Product(ProductIx(row)) => (AFTERCART_ITEM_PRODUCT, row),
        Item::Offer(OfferIx(row)) => (AFTERCART_ITEM_OFFER, row),
    }
}

fn summarize(decided: &Offers) -> aftercart_summary {
    let mut summary = aftercart_summary::new_zeroed();
    summary.reason = decided.status.reason().map_or(0, |reason| reason.code().into());
    summary.decision_id_low = decided.decision_id as u64;
    summary.decision_id_high = (decided.decision_id >> 64) as u64;
    summary.index_generation = decided.generations.index;
    summary.policy_generation = decided.generations.policy;
    summary.overlay_generation = decided.generations.overlay;
    summary.model_generation = decided.generations.model;
    summary.group_id_low = decided.group_id as u64;
    summary.group_id_high = (decided.group_id >> 64) as u64;
    let counters = &decided.counters;
    summary.retrieved = counters.retrieved;
    summary.eligible = counters.eligible;
    summary.rejected = counters.rejected;
    summary.centroids = counters.search.centroids;
    summary.cells = counters.search.cells;
    summary.compared = counters.search.products;
    summary
}

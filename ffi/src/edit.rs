//! The functions that change a live overlay, and tell what it holds.
#![allow(unsafe_code, reason = "exported functions: each is one `call`, whose SAFETY line is the header")]

use std::ffi::c_char;
use std::sync::Arc;

use engine::Live;
use engine::live::{AccountStatus, Change, LiveKind, Pacing, ProductState, Set};
use zerocopy::FromZeros;

use crate::boundary::{Caller, call};
use crate::engine::{Failure, path_of, reported};
use crate::handle;
use crate::request::{answer, flags, text_in, zero};
use crate::status::Status;
use crate::types::*;

/// Makes a live overlay for the catalog of an engine, or makes one that is there fit this catalog too: what it knows carries
/// over by id. Do so before the first `aftercart_engine_with_live` of a new catalog. Takes some 0.2 s for a million products.
///
/// `path` has `path_length` bytes and needs no zero byte. `error` may be null. A new overlay has room for a quarter more
/// products than there are, and 64 limits with 1024 leases each; the command `aftercart live bind` makes others.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_live_bind(
    engine: *const aftercart_engine,
    path: *const c_char,
    path_length: usize,
    error: *mut aftercart_error,
) -> i32 {
    let bind = |caller: &Caller| {
        let catalog = Arc::clone(handle::borrow(caller, engine)?.catalog());
        let path = path_of(caller.bytes(path.cast(), path_length)?)?;
        if !path.exists() {
            match Live::create(path, &catalog, None) {
                Ok(_) => return Ok(()),
                // Another process was faster.
                Err(_) if path.exists() => {}
                Err(refused) => return Err(refused.into()),
            }
        }
        Ok(Live::open(path)?.bind(&catalog)?)
    };
    // SAFETY: the contract of the header.
    unsafe { call(|caller| reported(caller, error, bind)) }
}

/// Changes the live overlay of an engine: every process of the machine that uses it sees a change with its next decision.
///
/// `changes`: an array of `change_count` elements of `change_size` bytes, `sizeof(aftercart_change)`; `strings`: where their
/// texts lie. `now_ms` is the time. `*done`, where not null, is the number of changes that were made: each is made as a whole
/// or not at all, in order, and the first that cannot be made ends the call. `error` may be null.
///
/// Waits for other processes that change the overlay. The first call of an engine reads the ids of the catalog: some 0.1 s for
/// a million products. Not for the thread that decides.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_live_edit(
    engine: *const aftercart_engine,
    changes: *const aftercart_change,
    change_size: usize,
    change_count: usize,
    strings: *const c_char,
    strings_length: usize,
    now_ms: i64,
    done: *mut usize,
    error: *mut aftercart_error,
) -> i32 {
    let edit = |caller: &Caller| {
        if !done.is_null() {
            caller.set(done, 0)?;
        }
        let live = overlay(caller, engine)?;
        let changes = caller.read_array(changes, change_size, change_count)?;
        let strings = caller.bytes(strings.cast(), strings_length)?;
        let mut edit = live.edit()?;
        for (at, given) in changes.iter().enumerate() {
            let given: aftercart_change = given?;
            let (id, change) = (text_in(strings, given.id)?, change_of(&given, strings)?);
            edit.set(kind_of(given.kind)?, id, &change, now_ms)?;
            if !done.is_null() {
                caller.set(done, at + 1)?;
            }
        }
        Ok(())
    };
    // SAFETY: the contract of the header.
    unsafe { call(|caller| reported(caller, error, edit)) }
}

/// Says what the live overlay of an engine knows of one product, offer or partner. Gives expired leases back first.
///
/// `kind` is `AFTERCART_ITEM_...`; `id` has `id_length` bytes. `now_ms` is the time. Set `state->struct_size` before. `error`
/// may be null. Not for the thread that decides: it waits for processes that change the overlay.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_live_look(
    engine: *const aftercart_engine,
    kind: u32,
    id: *const c_char,
    id_length: usize,
    now_ms: i64,
    state: *mut aftercart_live_state,
    error: *mut aftercart_error,
) -> i32 {
    let look = |caller: &Caller| {
        let room = caller.room(state)?;
        let live = overlay(caller, engine)?;
        let id = std::str::from_utf8(caller.bytes(id.cast(), id_length)?).map_err(|_| Status::BadUtf8)?;
        let state = match live.kind_of(kind_of(kind)?, id)? {
            LiveKind::Product => of_product(&live.product(id)?),
            kind => of_account(&live.account_of(kind, id, now_ms)?),
        };
        room.fill(&state);
        Ok(())
    };
    // SAFETY: the contract of the header.
    unsafe { call(|caller| reported(caller, error, look)) }
}

fn overlay(caller: &Caller, engine: *const aftercart_engine) -> Result<&Live, Failure> {
    let none = || Failure::new(Status::BadLive, 0, "this engine has no live overlay".into());
    Ok(handle::borrow(caller, engine)?.live().ok_or_else(none)?)
}

fn kind_of(kind: u32) -> Result<Option<LiveKind>, Status> {
    match kind {
        AFTERCART_ITEM_ANY => Ok(None),
        AFTERCART_ITEM_PRODUCT => Ok(Some(LiveKind::Product)),
        AFTERCART_ITEM_OFFER => Ok(Some(LiveKind::Offer)),
        AFTERCART_ITEM_PARTNER => Ok(Some(LiveKind::Partner)),
        _ => Err(Status::BadValue),
    }
}

/// A field is set, or taken out, or stays; a number of one that is not set must be zero, so that a forgotten flag is found.
struct Fields<'g> {
    given: &'g aftercart_change,
}

impl Fields<'_> {
    fn take<T>(&self, bit: u32, number: i64, value: impl FnOnce(i64) -> Option<T>) -> Result<Set<T>, Status> {
        match (self.given.set & bit != 0, self.given.clear & bit != 0) {
            (true, false) => value(number).map(|value| Some(Some(value))).ok_or(Status::BadValue),
            (false, clear) if number == 0 => Ok(clear.then_some(None)),
            _ => Err(Status::BadValue),
        }
    }
}

fn change_of(given: &aftercart_change, strings: &[u8]) -> Result<Change, Status> {
    let clearable = [
        AFTERCART_CHANGE_STOCK,
        AFTERCART_CHANGE_PRICE,
        AFTERCART_CHANGE_BID,
        AFTERCART_CHANGE_DAILY,
        AFTERCART_CHANGE_TOTAL,
        AFTERCART_CHANGE_PACING,
    ];
    flags(given.clear, clearable)?;
    let all = clearable.iter().fold(AFTERCART_CHANGE_UTC_OFFSET, |all, flag| all | flag);
    zero(given.set & !all)?;
    let fields = Fields { given };
    let offset = fields.take(AFTERCART_CHANGE_UTC_OFFSET, given.utc_offset_minutes.into(), |minutes| {
        i16::try_from(minutes).ok()
    })?;
    if given.priced_at_ms != 0 && given.set & AFTERCART_CHANGE_PRICE == 0 {
        return Err(Status::BadValue);
    }
    let pacing = text_in(strings, given.pacing)?;
    Ok(Change {
        stock: fields.take(AFTERCART_CHANGE_STOCK, given.stock.into(), |units| u32::try_from(units).ok())?,
        price: fields.take(AFTERCART_CHANGE_PRICE, given.price, Some)?,
        priced_at_ms: given.priced_at_ms,
        bid: fields.take(AFTERCART_CHANGE_BID, given.bid, Some)?,
        paused: answer(given.paused)?,
        killed: answer(given.killed)?,
        daily: fields.take(AFTERCART_CHANGE_DAILY, given.daily, |limit| u64::try_from(limit).ok())?,
        total: fields.take(AFTERCART_CHANGE_TOTAL, given.total, |limit| u64::try_from(limit).ok())?,
        money: answer(given.money)?,
        pacing: fields.take(AFTERCART_CHANGE_PACING, pacing.len() as i64, |_| pacing_of(pacing))?,
        utc_offset_minutes: offset.flatten(),
    })
}

fn pacing_of(text: &str) -> Option<Pacing> {
    if text == "even" {
        return Some(Pacing::even());
    }
    let weights = text.split(',').map(|weight| weight.trim().parse().ok());
    Some(Pacing { weights: weights.collect::<Option<Vec<u32>>>()? })
}

fn of_product(known: &ProductState) -> aftercart_live_state {
    let mut state =
        aftercart_live_state { bid: -1, daily: -1, total: -1, ..aftercart_live_state::new_zeroed() };
    state.kind = AFTERCART_ITEM_PRODUCT;
    (state.paused, state.killed) = (known.paused.into(), known.killed.into());
    state.stock = known.stock.map_or(-1, u32::cast_signed);
    state.price = known.price.unwrap_or(-1);
    state.priced_at_ms = known.priced_at_ms;
    state
}

fn of_account(known: &AccountStatus) -> aftercart_live_state {
    let limit = |limit: Option<u64>| limit.map_or(-1, u64::cast_signed);
    let mut state = aftercart_live_state { stock: -1, price: -1, ..aftercart_live_state::new_zeroed() };
    state.kind = if known.kind == LiveKind::Partner { AFTERCART_ITEM_PARTNER } else { AFTERCART_ITEM_OFFER };
    (state.paused, state.killed) = (known.paused.into(), known.killed.into());
    (state.money, state.paced) = (known.money.into(), known.paced.into());
    state.utc_offset_minutes = known.utc_offset_minutes.into();
    (state.throttle_ppm, state.leases) = (known.throttle_ppm, known.outstanding);
    state.bid = known.bid.unwrap_or(-1);
    (state.daily, state.total) = (limit(known.daily), limit(known.total));
    state.spent_today = known.spent_today.cast_signed();
    (state.spent, state.held) = (known.spent.cast_signed(), known.reserved.cast_signed());
    state
}

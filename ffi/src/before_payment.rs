//! Before payment: in which order to show what the host permits, and what to fill in.
#![allow(unsafe_code, reason = "exported functions: each is one `call`, whose SAFETY line is the header")]
#![allow(non_camel_case_types, reason = "these are the names that C sees")]

use std::ffi::c_char;

use engine::Transaction;
use engine::before_payment::{
    Device, MethodCount, PaymentFacts, PaymentOption, Ranking, ShippingOption, StoredField, prefill,
};
use engine::limits::OPTIONS_MAX;
use engine::vocabulary::Country;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes};

use crate::boundary::{Array, Caller, RoomArray, call};
use crate::decider::{Refused, begin};
use crate::request::{Given, code, flags, value, zero};
use crate::status::Status;
use crate::types::*;

/// Most options that are put in order.
pub const AFTERCART_OPTIONS_MAX: u32 = 32;
/// `aftercart_option.flags`: a way to pay is set up on the device, as wallets are.
pub const AFTERCART_OPTION_READY: u32 = 1;
const _: () = assert!(AFTERCART_OPTIONS_MAX as usize == OPTIONS_MAX);

/// A way to pay or to ship that you permit for this order.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_option {
    /// Your name for it, as in `AFTERCART_FACT_USED`.
    pub id: aftercart_text,
    /// A way to ship: minor units. Else 0.
    pub price: i64,
    /// A way to ship: the last moment of the promised window, Unix milliseconds; 0 = none was promised. Else 0.
    pub arrives_by_ms: i64,
    /// A way to pay: `AFTERCART_OPTION_READY` or 0. Else 0.
    pub flags: u32,
    /// Zero.
    pub reserved: u32,
}

/// How often your customers use a way to pay, in one group of orders.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_method_count {
    /// Your name for it.
    pub id: aftercart_text,
    /// Orders of this country, ISO 3166-1.
    pub country: [c_char; 4],
    /// On such devices: `AFTERCART_DEVICE_...`.
    pub device: u32,
    /// Of at least this amount, minor units, and below the next greater one that occurs.
    pub amount_from: i64,
    /// So many.
    pub orders: u32,
    /// Zero.
    pub reserved: u32,
}

/// Where an option goes.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_ranked {
    /// Index into the options.
    pub option: u32,
    /// Why: `AFTERCART_BECAUSE_...`.
    pub because: u32,
    /// Zero.
    pub reserved: u64,
}

/// Something in your store that may be filled in. Its value stays with you.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_stored {
    /// What it is, by a number of yours, 0 to 255: an address, a phone number. At most one of each is suggested.
    pub field: u32,
    /// Its place in your store, 0 to 65535.
    pub slot: u32,
    /// Country of an address, ISO 3166-1; empty where it has none.
    pub country: [c_char; 4],
    /// How often it was used.
    pub uses: u32,
    /// When it was used last, Unix milliseconds; 0 = not known.
    pub last_used_ms: i64,
}

/// What to fill in.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_prefilled {
    /// Of what.
    pub field: u32,
    /// From where.
    pub slot: u32,
    /// The latest, or the commonest: `AFTERCART_BECAUSE_...`.
    pub because: u32,
    /// Zero.
    pub reserved: u32,
    /// How sure, parts per million.
    pub confidence_ppm: i64,
}

/// Puts the ways to pay that you permit in order, best first: by the customer's own use, fading over months, drawn to what your customers
/// of the country, on such a device and with such an amount use. None is added or taken away; ties stay as you have them, and
/// so does everything for a customer in the policy's holdout.
///
/// The request is that of `aftercart_decide`, of a basket before payment, with the customer's uses as facts (`AFTERCART_FACT_USED`,
/// `AFTERCART_FACT_FAILED`). `device`: `AFTERCART_DEVICE_...`. `options` and `counts` are arrays as the others; of `counts` the first
/// 1024 are read. `ranking`: room for `capacity` elements of `ranked_size` bytes, `sizeof(aftercart_ranked)`; `count`: as many as there
/// are options, `AFTERCART_TRUNCATED` where `capacity` is less. `AFTERCART_TOO_MANY_OPTIONS`. No allocation.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_rank_payment_methods(
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
    device: u32,
    options: *const aftercart_option,
    option_size: usize,
    option_count: usize,
    counts: *const aftercart_method_count,
    count_size: usize,
    count_count: usize,
    ranking: *mut aftercart_ranked,
    ranked_size: usize,
    capacity: usize,
    count: *mut usize,
) -> i32 {
    let rank = |caller: &Caller| {
        caller.set(count, 0)?;
        let room = caller.room_array(ranking, ranked_size, capacity)?;
        let (lines, facts) = ((lines, line_size, line_count), (facts, fact_size, fact_count));
        let strings = (strings, strings_length);
        let (mut state, mut given) = begin(caller, decider, transaction, profile, lines, facts, strings)?;
        let (options, offered) = read_options(caller.read_array(options, option_size, option_count)?)?;
        given.counts = Some(caller.read_array(counts, count_size, count_count)?);
        let device = value(device, Device::from_code)?;
        let mut methods = [PaymentOption::default(); OPTIONS_MAX];
        for (method, option) in methods.iter_mut().zip(&options) {
            let [ready] = flags(option.flags, [AFTERCART_OPTION_READY])?;
            if (option.price, option.arrives_by_ms) != (0, 0) {
                return Err(Status::BadValue);
            }
            *method = PaymentOption { id: given.text(option.id)?, ready };
        }
        let methods = methods.get(..offered).unwrap_or(&[]);
        let ranked = state.run(&given, |decider, transaction, profile, lists| {
            let known = PaymentFacts { uses: &lists.uses, counts: &lists.counts, device };
            let ranked = decider.engine().rank_payment_methods(transaction, profile, &known, methods);
            ranked.map_err(|_| Refused(Status::TooManyOptions))
        })?;
        caller.set(count, ranked.len())?;
        Ok(write(&ranked, &room))
    };
    // SAFETY: the contract of the header.
    unsafe { call(rank) }
}

/// Puts the ways to ship that you permit in order, best first: by the customer's own use. A dearer one never stands above one that is
/// cheaper and promised as early or earlier. Otherwise as `aftercart_rank_payment_methods`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_rank_shipping_options(
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
    options: *const aftercart_option,
    option_size: usize,
    option_count: usize,
    ranking: *mut aftercart_ranked,
    ranked_size: usize,
    capacity: usize,
    count: *mut usize,
) -> i32 {
    let rank = |caller: &Caller| {
        caller.set(count, 0)?;
        let room = caller.room_array(ranking, ranked_size, capacity)?;
        let (lines, facts) = ((lines, line_size, line_count), (facts, fact_size, fact_count));
        let strings = (strings, strings_length);
        let (mut state, given) = begin(caller, decider, transaction, profile, lines, facts, strings)?;
        let (options, offered) = read_options(caller.read_array(options, option_size, option_count)?)?;
        let mut ways = [ShippingOption::default(); OPTIONS_MAX];
        for (way, option) in ways.iter_mut().zip(&options) {
            zero(option.flags)?;
            let id = given.text(option.id)?;
            *way = ShippingOption { id, price: option.price, arrives_by_ms: option.arrives_by_ms };
        }
        let ways = ways.get(..offered).unwrap_or(&[]);
        let ranked = state.run(&given, |decider, transaction, profile, lists| {
            let ranked = decider.engine().rank_shipping_options(transaction, profile, &lists.uses, ways);
            ranked.map_err(|_| Refused(Status::TooManyOptions))
        })?;
        caller.set(count, ranked.len())?;
        Ok(write(&ranked, &room))
    };
    // SAFETY: the contract of the header.
    unsafe { call(rank) }
}

/// Says which stored thing to fill in for each field, where more than half of its uses, fading over months, are one slot's. An address of
/// another country than the order's is left out, and for a gift every address is.
///
/// Of `transaction` only `created_at_ms`, `country` and `AFTERCART_TRANSACTION_IS_GIFT` are read. `stored`: an array of `stored_count`
/// elements of `stored_size` bytes, of which the first 256 are read. `prefilled`: room for `capacity` elements of
/// `prefilled_size` bytes; `count`: as many as there are, `AFTERCART_TRUNCATED` where `capacity` is less; `AFTERCART_OPTIONS_MAX` always
/// suffice. Needs no handle; no allocation.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_prefill(
    transaction: *const aftercart_transaction,
    stored: *const aftercart_stored,
    stored_size: usize,
    stored_count: usize,
    prefilled: *mut aftercart_prefilled,
    prefilled_size: usize,
    capacity: usize,
    count: *mut usize,
) -> i32 {
    let fill = |caller: &Caller| {
        caller.set(count, 0)?;
        let room = caller.room_array(prefilled, prefilled_size, capacity)?;
        let given = caller.read(transaction)?;
        let transaction = Transaction {
            created_at_ms: given.created_at_ms,
            country: code(&given.country, Country::parse)?,
            is_gift: given.flags & AFTERCART_TRANSACTION_IS_GIFT != 0,
            ..Transaction::default()
        };
        let array = caller.read_array(stored, stored_size, stored_count)?;
        let mut fields = [StoredField::default(); engine::limits::USES_MAX];
        for (field, of) in fields.iter_mut().zip(array.iter()) {
            *field = stored_field(&of?)?;
        }
        let fields = fields.get(..array.len().min(fields.len())).unwrap_or(&[]);
        let filled = prefill(&transaction, fields);
        for (at, of) in filled.iter().enumerate() {
            room.fill(
                at,
                &aftercart_prefilled {
                    field: of.field.into(),
                    slot: of.slot.into(),
                    because: of.because.code().into(),
                    reserved: 0,
                    confidence_ppm: of.confidence_ppm.into(),
                },
            );
        }
        caller.set(count, filled.len())?;
        Ok(if filled.len() > capacity { Status::Truncated } else { Status::Ok })
    };
    // SAFETY: the contract of the header.
    unsafe { call(fill) }
}

fn stored_field(of: &aftercart_stored) -> Result<StoredField, Status> {
    Ok(StoredField {
        field: u8::try_from(of.field).map_err(|_| Status::BadValue)?,
        slot: u16::try_from(of.slot).map_err(|_| Status::BadValue)?,
        country: code(&of.country, Country::parse)?,
        last_used_ms: of.last_used_ms,
        uses: of.uses,
    })
}

/// A count of ways to pay.
pub(crate) fn method_count<'c>(
    given: &Given<'c>,
    of: &aftercart_method_count,
) -> Result<MethodCount<'c>, Status> {
    zero(of.reserved)?;
    Ok(MethodCount {
        id: given.text(of.id)?,
        country: code(&of.country, Country::parse)?.ok_or(Status::BadValue)?,
        device: value(of.device, Device::from_code)?,
        amount_from: of.amount_from,
        orders: of.orders,
    })
}

/// Options, and how many of them there are.
fn read_options(
    array: Array<'_, aftercart_option>,
) -> Result<([aftercart_option; OPTIONS_MAX], usize), Status> {
    if array.len() > OPTIONS_MAX {
        return Err(Status::TooManyOptions);
    }
    let mut options = [aftercart_option::new_zeroed(); OPTIONS_MAX];
    for (to, option) in options.iter_mut().zip(array.iter()) {
        *to = option?;
        zero(to.reserved)?;
    }
    Ok((options, array.len()))
}

fn write(ranking: &Ranking, room: &RoomArray<'_, aftercart_ranked>) -> Status {
    for (at, ranked) in ranking.iter().enumerate() {
        let because = ranked.because.code().into();
        room.fill(at, &aftercart_ranked { option: ranked.option.into(), because, reserved: 0 });
    }
    if ranking.len() > room.capacity() { Status::Truncated } else { Status::Ok }
}

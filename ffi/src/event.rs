//! What came of decisions, from any language: checked, and as the line of JSON that a log takes in.
#![allow(unsafe_code, reason = "exported functions: each is one `call`, whose SAFETY line is the header")]
#![allow(non_camel_case_types, reason = "these are the names that C sees")]

use std::ffi::c_char;

use engine::event::{EVENT_LINE_BYTES_MAX, Event, EventKind, EventProblem, append};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::boundary::{Caller, call};
use crate::engine::{Failure, path_of, reported};
use crate::request::{flags, optional, text_in, value, zero};
use crate::status::Status;
use crate::types::*;

/// Room for the longest event as JSON and a zero byte.
pub const AFTERCART_JSON_BYTES: u32 = 8193;
const _: () = assert!(AFTERCART_JSON_BYTES as usize == EVENT_LINE_BYTES_MAX + 1);

/// `aftercart_event.flags`: `value` is given.
pub const AFTERCART_AMOUNT_VALUE: u32 = 1;
/// `aftercart_event.flags`: `margin` is given.
pub const AFTERCART_AMOUNT_MARGIN: u32 = 2;
/// `aftercart_event.flags`: `payout` is given.
pub const AFTERCART_AMOUNT_PAYOUT: u32 = 4;

/// What came of a decision: one thing that happened. Amounts are minor units of the currency of the decision.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_event {
    /// `sizeof(aftercart_event)`.
    pub struct_size: u32,
    /// What happened: `AFTERCART_EVENT_...`.
    pub kind: u32,
    /// `AFTERCART_AMOUNT_...`, or-ed.
    pub flags: u32,
    /// Zero.
    pub reserved: u32,
    /// Of which decision: low half.
    pub decision_id_low: u64,
    /// High half.
    pub decision_id_high: u64,
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// With `AFTERCART_AMOUNT_VALUE`: 0 or more. Converted, returned and ordered have one.
    pub value: i64,
    /// With `AFTERCART_AMOUNT_MARGIN`: may be negative.
    pub margin: i64,
    /// With `AFTERCART_AMOUNT_PAYOUT`: from the partner, 0 or more.
    pub payout: i64,
    /// Its own, 1 to 128 bytes: of several with the same id only one counts, so repeat what you are not sure of.
    pub event_id: aftercart_text,
    /// Id of the product or offer, at most 256 bytes; empty = the whole page.
    pub item_id: aftercart_text,
    /// Your own word, at most 256 bytes: why it failed, was declined or came back.
    pub code: aftercart_text,
    /// Of a survey: the question's id, at most 256 bytes.
    pub question: aftercart_text,
    /// And the answer's tag, likewise.
    pub answer: aftercart_text,
}

/// Appends an event to a log, for the command `aftercart log` to take in: the folder that `aftercart_log_to` writes to, here or on
/// another machine. Any process and thread may at any time; one write of the system, some 10 microseconds.
///
/// `folder` has `folder_length` bytes and needs no zero byte; it is made where it is not there. `strings`: where the texts of the
/// event lie. `error` may be null. `AFTERCART_BAD_VALUE`: it cannot be what happened. `AFTERCART_SYSTEM_ERROR`: it is not in the log;
/// try again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_event_append(
    folder: *const c_char,
    folder_length: usize,
    event: *const aftercart_event,
    strings: *const c_char,
    strings_length: usize,
    error: *mut aftercart_error,
) -> i32 {
    let add = |caller: &Caller| {
        let folder = path_of(caller.bytes(folder.cast(), folder_length)?)?;
        if folder.as_os_str().is_empty() {
            return Err(Status::BadValue.into());
        }
        let event = read(caller, event, (strings, strings_length))?;
        event.check().map_err(wrong)?;
        append(folder, &event).map_err(|error| Failure::system(folder, &error))
    };
    // SAFETY: the contract of the header.
    unsafe { call(|caller| reported(caller, error, add)) }
}

/// Writes an event as one object of JSON, the form that `aftercart events import` reads, where you carry events to the log yourself.
///
/// It goes into `buffer`, which has `capacity` bytes, ended by a zero byte: `AFTERCART_JSON_BYTES` always suffice; with fewer than it
/// needs you get `AFTERCART_BAD_SIZE`. `*length`, where not null, is the number of bytes without the zero byte. Otherwise as
/// `aftercart_event_append`. No allocation, unless it fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_event_json(
    event: *const aftercart_event,
    strings: *const c_char,
    strings_length: usize,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
    error: *mut aftercart_error,
) -> i32 {
    let write = |caller: &Caller| {
        let event = read(caller, event, (strings, strings_length))?;
        let line = event.line().map_err(wrong)?;
        let json = line.as_str();
        if json.len() >= capacity {
            return Err(Status::BadSize.into()); // part of an event is none
        }
        caller.set_text(buffer.cast(), capacity, json)?;
        if !length.is_null() {
            caller.set(length, json.len())?;
        }
        Ok(())
    };
    // SAFETY: the contract of the header.
    unsafe { call(|caller| reported(caller, error, write)) }
}

fn wrong(problem: EventProblem) -> Failure {
    Failure::new(Status::BadValue, 0, problem.to_string())
}

fn read(
    caller: &Caller,
    event: *const aftercart_event,
    (strings, strings_length): (*const c_char, usize),
) -> Result<Event<&str>, Status> {
    let given = caller.read(event)?;
    let strings = caller.bytes(strings.cast(), strings_length)?;
    let [has_value, has_margin, has_payout] =
        flags(given.flags, [AFTERCART_AMOUNT_VALUE, AFTERCART_AMOUNT_MARGIN, AFTERCART_AMOUNT_PAYOUT])?;
    zero(given.reserved)?;
    Ok(Event {
        event_id: text_in(strings, given.event_id)?,
        decision_id: u128::from(given.decision_id_high) << 64 | u128::from(given.decision_id_low),
        at_ms: given.at_ms,
        kind: value(given.kind, EventKind::from_code)?,
        item_id: text_in(strings, given.item_id)?,
        value: optional(has_value, given.value)?,
        margin: optional(has_margin, given.margin)?,
        payout: optional(has_payout, given.payout)?,
        code: text_in(strings, given.code)?,
        question: text_in(strings, given.question)?,
        answer: text_in(strings, given.answer)?,
    })
}

//! What was offered, signed, so that the price shown is the price charged, once.
#![allow(unsafe_code, reason = "exported functions: each is one `call`, whose SAFETY line is the header")]
#![allow(non_camel_case_types, reason = "these are the names that C sees")]

use std::ffi::c_char;

use engine::token::{self, Claim, Redeemed, Redeeming, TokenError, TokenKey};
use engine::vocabulary::Currency;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes};

use crate::boundary::{Caller, call};
use crate::engine::{Failure, chars, construct};
use crate::handle::{self, Opaque};
use crate::request::code;
use crate::status::Status;
use crate::types::*;

/// Room for the longest token and a zero byte.
pub const AFTERCART_TOKEN_BYTES: u32 = 192;
const _: () = assert!(AFTERCART_TOKEN_BYTES as usize > token::TOKEN_CHARS_MAX);

/// A secret of your servers, with which they sign offers. Immutable: any number of threads may use one at the same time.
#[derive(Debug)]
pub struct aftercart_key {
    _opaque: (),
}

impl Opaque for aftercart_key {
    const TAG: u64 = u64::from_le_bytes(*b"ac-token");
    type Inside = TokenKey;
}

/// What was offered, at what price, until when.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_claim {
    /// `sizeof(aftercart_claim)`.
    pub struct_size: u32,
    /// Units, at least 1.
    pub quantity: u32,
    /// Of the decision: low half.
    pub decision_id_low: u64,
    /// High half.
    pub decision_id_high: u64,
    /// Of one unit, minor units, at least 0.
    pub price: i64,
    /// Until when, Unix milliseconds, above 0.
    pub expires_at_ms: i64,
    /// Of the price, ISO 4217.
    pub currency: [c_char; 4],
    /// Bytes of `id`.
    pub id_length: u32,
    /// Of the product or offer, at most 64 bytes of UTF-8.
    pub id: [c_char; 72],
    /// Of a token that was verified: the same for every token of one offer of one decision, whichever key signed it. Low half.
    /// Zero where you sign.
    pub idempotency_key_low: u64,
    /// High half.
    pub idempotency_key_high: u64,
}

/// Takes a secret, of at least 32 random bytes (`AFTERCART_BAD_VALUE`: fewer). `*key` is a new handle, or null where the function
/// fails. `error` may be null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_key_new(
    secret: *const u8,
    secret_length: usize,
    key: *mut *mut aftercart_key,
    error: *mut aftercart_error,
) -> i32 {
    let make = |caller: &Caller| {
        let made = TokenKey::new(caller.bytes(secret, secret_length)?);
        let made = made.map_err(|weak| Failure::new(Status::BadValue, 0, weak.to_string()))?;
        Ok(handle::create::<aftercart_key>(made)?)
    };
    // SAFETY: the contract of the header.
    unsafe { call(|caller| construct(caller, key, error, make)) }
}

/// Gives a key back, when no other thread is using it. Null is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_key_free(key: *mut aftercart_key) -> i32 {
    // SAFETY: the contract of the header.
    unsafe {
        call(|caller| {
            if !key.is_null() {
                handle::destroy(caller, key)?;
            }
            Ok(Status::Ok)
        })
    }
}

/// Signs what was offered. The page carries the token to your server, which verifies it and charges: charging is yours. Sign offers
/// that have a price and that you charge: `AFTERCART_ACCEPT_ONE_CLICK_STORED_CREDENTIAL`, `_CONFIRM_CONSENT` and `_REENTER_PAYMENT`.
///
/// The token, characters of `A-Z a-z 0-9 - _` and a zero byte, goes into `buffer`, which has `capacity` bytes:
/// `AFTERCART_TOKEN_BYTES` always suffice; with fewer than it needs you get `AFTERCART_BAD_SIZE`. `*length`, where not null, is the
/// number of its characters. `AFTERCART_BAD_VALUE`: an id, price, quantity or expiry that cannot be signed. No allocation.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_token_sign(
    key: *const aftercart_key,
    claim: *const aftercart_claim,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> i32 {
    let sign = |caller: &Caller| {
        let key = handle::borrow(caller, key)?;
        let given = caller.read(claim)?;
        if (given.idempotency_key_low, given.idempotency_key_high) != (0, 0) {
            return Err(Status::BadValue);
        }
        let id = given.id.map(|c| c as u8);
        let id = id.get(..given.id_length as usize).ok_or(Status::BadValue)?;
        let currency = code(&given.currency, Currency::parse)?;
        let token = key.issue(&Claim {
            decision_id: u128::from(given.decision_id_high) << 64 | u128::from(given.decision_id_low),
            item_id: std::str::from_utf8(id).map_err(|_| Status::BadUtf8)?,
            price: given.price,
            currency: currency.ok_or(Status::BadValue)?,
            quantity: given.quantity,
            expires_at_ms: given.expires_at_ms,
        });
        let token = token.map_err(status_of)?;
        if token.as_str().len() >= capacity {
            return Err(Status::BadSize); // part of a token is none
        }
        caller.set_text(buffer.cast(), capacity, token.as_str())?;
        if !length.is_null() {
            caller.set(length, token.as_str().len())?;
        }
        Ok(Status::Ok)
    };
    // SAFETY: the contract of the header.
    unsafe { call(sign) }
}

/// Verifies a token of `token_length` characters for an order, and says what was offered. Then charge `price * quantity`, once: enter
/// the idempotency key into a table where it is unique, in the transaction that charges. The library remembers nothing.
///
/// `currency` has the three letters of the order's currency. `now_ms` is the time; clocks may differ by `skew_ms`. Set
/// `claim->struct_size` before. `AFTERCART_BAD_TOKEN`, `AFTERCART_BAD_SIGNATURE` (try the key that you had before),
/// `AFTERCART_TOKEN_EXPIRED`, `AFTERCART_WRONG_CURRENCY`: do not charge. The signature is compared in constant time. No allocation.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_token_verify(
    key: *const aftercart_key,
    token: *const c_char,
    token_length: usize,
    currency: *const c_char,
    now_ms: i64,
    skew_ms: i64,
    claim: *mut aftercart_claim,
) -> i32 {
    let verify = |caller: &Caller| {
        let key = handle::borrow(caller, key)?;
        let room = caller.room(claim)?;
        let token =
            std::str::from_utf8(caller.bytes(token.cast(), token_length)?).map_err(|_| Status::BadToken)?;
        let currency =
            std::str::from_utf8(caller.bytes(currency.cast(), 3)?).map_err(|_| Status::BadValue)?;
        let currency = Currency::parse(currency).ok_or(Status::BadValue)?;
        let read = token::check(token, std::slice::from_ref(key), Redeeming { currency, now_ms, skew_ms });
        room.fill(&plain(&read.map_err(status_of)?));
        Ok(Status::Ok)
    };
    // SAFETY: the contract of the header.
    unsafe { call(verify) }
}

fn plain(read: &Redeemed) -> aftercart_claim {
    let mut plain = aftercart_claim::new_zeroed();
    plain.quantity = read.quantity;
    plain.decision_id_low = read.decision_id as u64;
    plain.decision_id_high = (read.decision_id >> 64) as u64;
    plain.price = read.price;
    plain.expires_at_ms = read.expires_at_ms;
    plain.currency = chars(read.currency.as_str(), 4);
    plain.id_length = read.item_id().len() as u32;
    plain.id = chars(read.item_id(), 72);
    let once = read.idempotency_key();
    plain.idempotency_key_low = once as u64;
    plain.idempotency_key_high = (once >> 64) as u64;
    plain
}

fn status_of(error: TokenError) -> Status {
    match error {
        TokenError::WeakKey | TokenError::BadClaim => Status::BadValue,
        TokenError::Malformed => Status::BadToken,
        TokenError::BadSignature => Status::BadSignature,
        TokenError::Expired => Status::TokenExpired,
        TokenError::WrongCurrency => Status::WrongCurrency,
        _ => Status::Internal,
    }
}

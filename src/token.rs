//! What was offered, signed, so that the price shown is the price charged, once. The page carries a [`Token`] from the decision
//! to the merchant's server, which [`redeem`]s it and then charges: charging is the host's.
//!
//! A token is base64url, without padding, of
//!
//! ```text
//! 1 | version, 1        8 | price, minor units     8 | expiry, Unix milliseconds    32 | HMAC-SHA256
//! 16 | decision id      3 | currency, ISO 4217     1 | bytes of the item's id
//!                       4 | quantity               n | the item's id
//! ```
//!
//! numbers little-endian, in the order: version, decision id, price, currency, quantity, expiry, length, id, code. The code is over
//! `"aftercart accept 1"`, then decision id, item id, price, currency, quantity and expiry, each with its length in bytes before it
//! as 32 bits, little-endian, so that no two offers have the same bytes. It is compared in constant time. A token is no secret and
//! hides nothing; whoever has it can show it, which is why it is redeemed once.
//!
//! No function here reads a clock; only [`MemoryGuard`] allocates.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::engine::Engine;
use crate::limits::ID_BYTES_MAX;
use crate::offer::{Offer, Offers};
use crate::vocabulary::{AcceptMode, Currency};

const VERSION: u8 = 1;
/// Bytes before the id.
const HEAD: usize = 1 + 16 + 8 + 3 + 4 + 8 + 1;
const MAC: usize = 32;
const BYTES_MAX: usize = HEAD + ID_BYTES_MAX + MAC;
/// Longest token, in characters.
pub const TOKEN_CHARS_MAX: usize = BYTES_MAX.div_ceil(3) * 4;

/// Why a token is not made, or not redeemed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// A key that is too short to be safe.
    #[error("a key has at least 32 bytes, drawn at random")]
    WeakKey,
    /// An empty or too long id, a price below 0, no units, or no expiry.
    #[error("an offer of this id, price, quantity or expiry cannot be signed")]
    BadClaim,
    /// Not a token, or not one of this version.
    #[error("not a token")]
    Malformed,
    /// Signed with none of the keys, or changed afterwards.
    #[error("not signed with any of these keys")]
    BadSignature,
    /// Too late.
    #[error("the offer has expired")]
    Expired,
    /// In another currency than the order.
    #[error("the offer is in another currency than the order")]
    WrongCurrency,
    /// It was redeemed before: answer as the first time, and do not charge again.
    #[error("the offer was taken before")]
    Replayed,
}

/// What was offered, at what price, until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim<'a> {
    /// [`Offers::decision_id`].
    pub decision_id: u128,
    /// Product id or offer id, 1 to 64 bytes.
    pub item_id: &'a str,
    /// Of one unit, minor units, at least 0.
    pub price: i64,
    /// Of the price.
    pub currency: Currency,
    /// Units, at least 1.
    pub quantity: u32,
    /// Unix milliseconds, above 0.
    pub expires_at_ms: i64,
}

impl<'a> Claim<'a> {
    /// One unit of an offer as it was decided. `None` where there is nothing to charge: its price is not known, or it is
    /// accepted without the merchant's charging anything.
    #[must_use]
    pub fn of(engine: &'a Engine, offers: &Offers, offer: &Offer, expires_at_ms: i64) -> Option<Self> {
        use AcceptMode::{ConfirmConsent, OneClickStoredCredential, ReenterPayment};
        let charged = matches!(offer.accept, OneClickStoredCredential | ConfirmConsent | ReenterPayment);
        Some(Self {
            decision_id: offers.decision_id,
            item_id: engine.id(offer.item),
            price: offer.price.filter(|_| charged)?,
            currency: engine.currency(),
            quantity: 1,
            expires_at_ms,
        })
    }

    fn is_sound(&self) -> bool {
        (1..=ID_BYTES_MAX).contains(&self.item_id.len())
            && self.price >= 0
            && self.quantity > 0
            && self.expires_at_ms > 0
    }
}

/// A secret of the merchant's servers, 32 bytes or more from a random source.
#[derive(Clone)]
pub struct TokenKey(Hmac<Sha256>);

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKey(secret)")
    }
}

impl TokenKey {
    /// Takes a secret.
    ///
    /// # Errors
    /// [`TokenError::WeakKey`] below 32 bytes.
    pub fn new(secret: &[u8]) -> Result<Self, TokenError> {
        if secret.len() < 32 {
            return Err(TokenError::WeakKey);
        }
        Hmac::new_from_slice(secret).map(Self).map_err(|_| TokenError::WeakKey)
    }

    /// Signs a claim.
    ///
    /// # Errors
    /// [`TokenError::BadClaim`].
    pub fn issue(&self, claim: &Claim<'_>) -> Result<Token, TokenError> {
        if !claim.is_sound() {
            return Err(TokenError::BadClaim);
        }
        let mut bytes = Bytes { list: [0; BYTES_MAX], length: 0 };
        bytes.put(&[VERSION]);
        bytes.put(&claim.decision_id.to_le_bytes());
        bytes.put(&claim.price.to_le_bytes());
        bytes.put(&claim.currency.0);
        bytes.put(&claim.quantity.to_le_bytes());
        bytes.put(&claim.expires_at_ms.to_le_bytes());
        bytes.put(&[claim.item_id.len() as u8]);
        bytes.put(claim.item_id.as_bytes());
        bytes.put(&self.code(claim).finalize().into_bytes());
        let mut token = Token { text: [0; TOKEN_CHARS_MAX], length: 0 };
        let written = Base64UrlUnpadded::encode(bytes.all(), &mut token.text);
        token.length = written.map_err(|_| TokenError::BadClaim)?.len();
        Ok(token)
    }

    fn code(&self, claim: &Claim<'_>) -> Hmac<Sha256> {
        let mut code = self.0.clone();
        code.update(b"aftercart accept 1");
        for part in [
            &claim.decision_id.to_le_bytes()[..],
            claim.item_id.as_bytes(),
            &claim.price.to_le_bytes(),
            &claim.currency.0,
            &claim.quantity.to_le_bytes(),
            &claim.expires_at_ms.to_le_bytes(),
        ] {
            code.update(&(part.len() as u32).to_le_bytes());
            code.update(part);
        }
        code
    }
}

/// Bytes that are being put together. What does not fit is left out, and a sound claim fits.
struct Bytes {
    list: [u8; BYTES_MAX],
    length: usize,
}

impl Bytes {
    fn put(&mut self, part: &[u8]) {
        if let Some(room) = self.list.get_mut(self.length..self.length + part.len()) {
            room.copy_from_slice(part);
            self.length += part.len();
        }
    }

    fn all(&self) -> &[u8] {
        self.list.get(..self.length).unwrap_or(&[])
    }
}

/// A signed offer, as text for a page or a URL.
#[derive(Clone, Copy)]
pub struct Token {
    text: [u8; TOKEN_CHARS_MAX],
    length: usize,
}

impl Token {
    /// The text, at most [`TOKEN_CHARS_MAX`] characters of `A-Z a-z 0-9 - _`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text.get(..self.length).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or("")
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Token").field(&self.as_str()).finish()
    }
}

/// The order that an offer is to be charged with, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redeeming {
    /// The order's currency.
    pub currency: Currency,
    /// The server's clock, Unix milliseconds.
    pub now_ms: i64,
    /// By how much the clocks of who issues and who redeems may differ, milliseconds; below 0 counts as 0.
    pub skew_ms: i64,
}

/// An offer whose signature holds. Charge `price * quantity`, with [`Redeemed::idempotency_key`] for your payment provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redeemed {
    /// The decision.
    pub decision_id: u128,
    /// Of one unit, minor units.
    pub price: i64,
    /// Of the price.
    pub currency: Currency,
    /// Units.
    pub quantity: u32,
    /// Until when, Unix milliseconds.
    pub expires_at_ms: i64,
    id: [u8; ID_BYTES_MAX],
    id_length: u8,
}

impl Redeemed {
    /// Product id or offer id.
    #[must_use]
    pub fn item_id(&self) -> &str {
        let id = self.id.get(..usize::from(self.id_length));
        id.and_then(|id| std::str::from_utf8(id).ok()).unwrap_or("")
    }

    /// Price times quantity; `None` where it does not fit.
    #[must_use]
    pub fn amount(&self) -> Option<i64> {
        self.price.checked_mul(self.quantity.into())
    }

    /// The same for every token of one offer of one decision, whichever key signed it: the first 16 bytes of SHA-256 over
    /// `"aftercart once 1"`, decision id and item id.
    #[must_use]
    pub fn idempotency_key(&self) -> u128 {
        let mut hash = Sha256::new();
        hash.update(b"aftercart once 1");
        hash.update(self.decision_id.to_le_bytes());
        hash.update(self.item_id().as_bytes());
        hash.finalize().first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes))
    }

    fn claim(&self) -> Claim<'_> {
        Claim {
            decision_id: self.decision_id,
            item_id: self.item_id(),
            price: self.price,
            currency: self.currency,
            quantity: self.quantity,
            expires_at_ms: self.expires_at_ms,
        }
    }
}

/// Remembers what was redeemed. In a shop of several servers it is a table with a unique key, in the transaction that charges.
pub trait ReplayGuard {
    /// Takes a key for good, at least until a moment in Unix milliseconds; says whether it was free.
    fn take(&self, idempotency_key: u128, until_ms: i64, now_ms: i64) -> bool;
}

/// A guard within one process: forgets at its end, and what has expired.
#[derive(Debug, Default)]
pub struct MemoryGuard(Mutex<HashMap<u128, i64>>);

impl ReplayGuard for MemoryGuard {
    fn take(&self, idempotency_key: u128, until_ms: i64, now_ms: i64) -> bool {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.retain(|_, until_ms| *until_ms >= now_ms);
        taken.insert(idempotency_key, until_ms).is_none()
    }
}

/// Checks a token without taking it. Several keys, so that a new one can come before the old one goes.
///
/// # Errors
/// [`TokenError`]; the signature is checked before anything that the token says.
pub fn check(token: &str, keys: &[TokenKey], of: Redeeming) -> Result<Redeemed, TokenError> {
    let mut room = [0; BYTES_MAX];
    let bytes = Base64UrlUnpadded::decode(token, &mut room).map_err(|_| TokenError::Malformed)?;
    let (read, code) = parse(bytes).ok_or(TokenError::Malformed)?;
    let claim = read.claim();
    let signed = keys.iter().fold(false, |signed, key| signed | key.code(&claim).verify_slice(code).is_ok());
    if !signed {
        return Err(TokenError::BadSignature);
    }
    if !claim.is_sound() {
        return Err(TokenError::BadClaim);
    }
    if of.now_ms.saturating_sub(of.skew_ms.max(0)) > read.expires_at_ms {
        return Err(TokenError::Expired);
    }
    if of.currency != read.currency {
        return Err(TokenError::WrongCurrency);
    }
    Ok(read)
}

/// Checks a token and takes it: of several calls with tokens of one offer of one decision, one succeeds.
///
/// # Errors
/// As [`check`], and [`TokenError::Replayed`].
pub fn redeem(
    token: &str,
    keys: &[TokenKey],
    of: Redeeming,
    guard: &impl ReplayGuard,
) -> Result<Redeemed, TokenError> {
    let redeemed = check(token, keys, of)?;
    let until_ms = redeemed.expires_at_ms.saturating_add(of.skew_ms.max(0));
    let free = guard.take(redeemed.idempotency_key(), until_ms, of.now_ms);
    if free { Ok(redeemed) } else { Err(TokenError::Replayed) }
}

/// A token's fields and its code.
fn parse(bytes: &[u8]) -> Option<(Redeemed, &[u8])> {
    let (version, rest) = bytes.split_first()?;
    let (decision_id, rest) = rest.split_first_chunk()?;
    let (price, rest) = rest.split_first_chunk()?;
    let (currency, rest) = rest.split_first_chunk()?;
    let (quantity, rest) = rest.split_first_chunk()?;
    let (expires_at_ms, rest) = rest.split_first_chunk()?;
    let (id_length, rest) = rest.split_first()?;
    let (own_id, code) = rest.split_at_checked(usize::from(*id_length))?;
    let mut id = [0; ID_BYTES_MAX];
    id.get_mut(..own_id.len())?.copy_from_slice(own_id);
    std::str::from_utf8(own_id).ok()?;
    let read = Redeemed {
        decision_id: u128::from_le_bytes(*decision_id),
        price: i64::from_le_bytes(*price),
        currency: Currency(*currency),
        quantity: u32::from_le_bytes(*quantity),
        expires_at_ms: i64::from_le_bytes(*expires_at_ms),
        id,
        id_length: *id_length,
    };
    (*version == VERSION && code.len() == MAC).then_some((read, code))
}

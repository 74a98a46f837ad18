//! Signed offers: what was signed holds, anything else does not, and each offer is taken once.
#![cfg(feature = "token")]

use std::sync::atomic::{AtomicUsize, Ordering};

use aftercart::token::{
    Claim, MemoryGuard, Redeemed, Redeeming, ReplayGuard, TOKEN_CHARS_MAX, TokenError, TokenKey, check,
    redeem,
};
use aftercart::vocabulary::Currency;

const EXPIRES: i64 = 1_790_000_000_000;
const CLAIM: Claim<'_> = Claim {
    decision_id: 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef,
    item_id: "gift-wrap",
    price: 350,
    currency: Currency::USD,
    quantity: 2,
    expires_at_ms: EXPIRES,
};
const NOW: Redeeming = Redeeming { currency: Currency::USD, now_ms: EXPIRES - 60_000, skew_ms: 0 };
/// Made by Python's `hmac`, `hashlib` and `base64` from the module's description.
const PUBLISHED: &str = "Ae_Nq4lnRSMB782riWdFIwFeAQAAAAAAAFVTRAIAAAAAbFDEoAEAAAlnaWZ0LXdyYXDQjzR14OGIhHwoTC_locyTlQ1hRaaP_-EdCOv5ZmnUyg";
const PUBLISHED_ONCE: u128 = 0xd86cad1f9d3e0de255cea30ec8eb9dc2;

fn key(first: u8) -> TokenKey {
    let secret: Vec<u8> = (first..first + 32).collect();
    TokenKey::new(&secret).expect("long enough")
}

fn issue(claim: &Claim<'_>) -> String {
    key(0).issue(claim).expect("sound").as_str().to_owned()
}

fn outcome(token: &str, of: Redeeming) -> Result<Redeemed, TokenError> {
    check(token, &[key(0)], of)
}

#[test]
fn a_token_is_the_published_one_and_says_what_was_signed() {
    assert_eq!(issue(&CLAIM), PUBLISHED);
    let redeemed = outcome(PUBLISHED, NOW).expect("it holds");
    assert_eq!(redeemed.item_id(), "gift-wrap");
    assert_eq!((redeemed.price, redeemed.quantity, redeemed.amount()), (350, 2, Some(700)));
    assert_eq!((redeemed.currency, redeemed.expires_at_ms), (Currency::USD, EXPIRES));
    assert_eq!(redeemed.decision_id, CLAIM.decision_id);
    assert_eq!(redeemed.idempotency_key(), PUBLISHED_ONCE);
}

#[test]
fn no_change_of_any_character_holds() {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut tried = 0;
    for at in 0..PUBLISHED.len() {
        for letter in letters.chars().filter(|letter| !PUBLISHED[at..].starts_with(*letter)) {
            let changed = format!("{}{letter}{}", &PUBLISHED[..at], &PUBLISHED[at + 1..]);
            let error = outcome(&changed, NOW).expect_err("it was changed");
            assert!(matches!(error, TokenError::BadSignature | TokenError::Malformed), "{at}: {error}");
            tried += 1;
        }
        outcome(&PUBLISHED[..at], NOW).expect_err("it was cut");
        outcome(&PUBLISHED[at + 1..], NOW).expect_err("it was cut");
    }
    // Six bits a letter: every bit of the token was turned, alone and with others.
    assert_eq!(tried, PUBLISHED.len() * 63);
    for foreign in
        ["", "=", "gift-wrap", "Ä", &"A".repeat(10_000), &format!("{PUBLISHED}="), &format!("{PUBLISHED}A")]
    {
        outcome(foreign, NOW).expect_err("no token");
    }
}

#[test]
fn no_two_claims_share_a_signature() {
    let changes = [
        Claim { decision_id: CLAIM.decision_id + 1, ..CLAIM },
        Claim { item_id: "gift-wra", ..CLAIM },
        Claim { item_id: "gift-wrap2", ..CLAIM },
        Claim { price: 349, ..CLAIM },
        Claim { currency: Currency(*b"EUR"), ..CLAIM },
        Claim { quantity: 1, ..CLAIM },
        Claim { expires_at_ms: EXPIRES + 1, ..CLAIM },
    ];
    let mut tokens: Vec<String> = changes.iter().map(issue).collect();
    tokens.push(issue(&CLAIM));
    // The last 42 characters are of the code alone.
    let mut codes: Vec<&str> = tokens.iter().map(|token| &token[token.len() - 42..]).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), changes.len() + 1);
}

#[test]
fn an_offer_expires_and_clocks_may_differ_a_little() {
    let at = |now_ms, skew_ms| outcome(PUBLISHED, Redeeming { now_ms, skew_ms, ..NOW }).err();
    assert_eq!(at(EXPIRES, 0), None);
    assert_eq!(at(EXPIRES + 1, 0), Some(TokenError::Expired));
    assert_eq!(at(EXPIRES + 30_000, 30_000), None, "a server half a minute ahead");
    assert_eq!(at(EXPIRES + 30_001, 30_000), Some(TokenError::Expired));
    assert_eq!(at(EXPIRES - 30_000, 30_000), None, "and one behind");
    assert_eq!(at(EXPIRES + 1, -5), Some(TokenError::Expired), "a skew below 0 is none");
    assert_eq!(at(i64::MAX, i64::MAX), None);
    assert_eq!(at(i64::MIN, i64::MAX), None, "nothing overflows");
}

#[test]
fn another_currency_or_key_does_not_do() {
    let euros = Redeeming { currency: Currency(*b"EUR"), ..NOW };
    assert_eq!(outcome(PUBLISHED, euros).err(), Some(TokenError::WrongCurrency));
    assert_eq!(check(PUBLISHED, &[key(1)], NOW).err(), Some(TokenError::BadSignature));
    assert_eq!(check(PUBLISHED, &[], NOW).err(), Some(TokenError::BadSignature));
    assert!(check(PUBLISHED, &[key(1), key(0)], NOW).is_ok(), "the old key still counts");
    assert_eq!(TokenKey::new(&[7; 31]).err(), Some(TokenError::WeakKey));
    assert!(!format!("{:?}", key(0)).contains("0, 1"), "a secret is not printed");
}

#[test]
fn only_sound_claims_are_signed() {
    let long = "x".repeat(65);
    for claim in [
        Claim { item_id: "", ..CLAIM },
        Claim { item_id: &long, ..CLAIM },
        Claim { price: -1, ..CLAIM },
        Claim { quantity: 0, ..CLAIM },
        Claim { expires_at_ms: 0, ..CLAIM },
    ] {
        assert_eq!(key(0).issue(&claim).err(), Some(TokenError::BadClaim), "{claim:?}");
    }
    let longest = Claim { item_id: &long[1..], price: i64::MAX, quantity: u32::MAX, ..CLAIM };
    let token = issue(&longest);
    assert!(token.len() <= TOKEN_CHARS_MAX);
    let redeemed = outcome(&token, NOW).expect("it holds");
    assert_eq!((redeemed.item_id(), redeemed.amount()), (&long[1..], None));
}

#[test]
fn an_offer_is_taken_once_however_many_try() {
    let guard = MemoryGuard::default();
    let later = issue(&Claim { expires_at_ms: EXPIRES + 5, ..CLAIM });
    let (taken, replayed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (guard, later, taken, replayed) = (&guard, &later, &taken, &replayed);
            scope.spawn(move || {
                for _ in 0..50 {
                    let token = if thread % 2 == 0 { PUBLISHED } else { later };
                    match redeem(token, &[key(0)], NOW, guard) {
                        Ok(_) => taken.fetch_add(1, Ordering::Relaxed),
                        Err(error) => {
                            assert_eq!(error, TokenError::Replayed);
                            replayed.fetch_add(1, Ordering::Relaxed)
                        }
                    };
                }
            });
        }
    });
    assert_eq!((taken.into_inner(), replayed.into_inner()), (1, 399));
    let other = issue(&Claim { decision_id: 1, ..CLAIM });
    assert!(redeem(&other, &[key(0)], NOW, &guard).is_ok(), "another decision is another offer");
    let changed = format!("{}A", &other[..other.len() - 1]);
    assert!(redeem(&changed, &[key(0)], NOW, &guard).is_err(), "and what does not hold takes nothing");
}

#[test]
fn a_guard_forgets_what_has_expired() {
    let guard = MemoryGuard::default();
    assert!(guard.take(1, 100, 50) && !guard.take(1, 100, 100));
    assert!(guard.take(1, 300, 101), "nobody can redeem it any more");
}

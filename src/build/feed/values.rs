//! Prices and moments, as text.

use crate::vocabulary::Currency;

/// Largest price in major units.
const PRICE_MAX: i64 = 1_000_000_000_000;

/// Why a text is not a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// Not digits with at most one decimal point.
    #[error("is not a decimal number")]
    NotANumber,
    /// Below zero.
    #[error("is negative")]
    Negative,
    /// Above 10^12 major units.
    #[error("is above 1000000000000")]
    TooLarge,
    /// Something other than a currency code follows the number.
    #[error("does not end in a currency code of three letters")]
    NotACurrency,
}

/// Reads `12.99` or `12.99 USD` as hundredths and the currency, if it is stated.
///
/// Two decimals are exact; further ones are rounded half away from zero. Hundredths are used for every
/// currency, also for one whose own minor unit is another.
///
/// # Errors
/// [`PriceError`] for anything else: a comma, a currency sign, an exponent, a negative or absurd amount.
pub fn parse_price(text: &str) -> Result<(i64, Option<Currency>), PriceError> {
    let text = text.trim();
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let suffix = suffix.trim();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return Err(PriceError::NotANumber);
    }
    let currency = match suffix {
        "" => None,
        // An exponent is no currency.
        _ if suffix.starts_with(|c: char| c.is_ascii_alphabetic())
            && !suffix.ends_with(|c: char| c.is_ascii_digit()) =>
        {
            Some(Currency::parse(suffix).ok_or(PriceError::NotACurrency)?)
        }
        _ => return Err(PriceError::NotANumber),
    };
    let mut major = 0_i64;
    for digit in whole.bytes() {
        major = major * 10 + i64::from(digit - b'0');
        if major > PRICE_MAX {
            return Err(PriceError::TooLarge);
        }
    }
    let decimal = |place: usize| fraction.as_bytes().get(place).map_or(0, |d| i64::from(d - b'0'));
    let minor = major * 100 + decimal(0) * 10 + decimal(1) + i64::from(decimal(2) >= 5);
    match (minor > PRICE_MAX * 100, negative && minor > 0) {
        (true, _) => Err(PriceError::TooLarge),
        (_, true) => Err(PriceError::Negative),
        _ => Ok((minor, currency)),
    }
}

/// Why a text is not a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// None of the known shapes.
    #[error("is not a date or time")]
    Shape,
    /// The right shape, but no such day or hour.
    #[error("names a day or time that does not exist")]
    Range,
    /// Before 1970.
    #[error("is before 1970")]
    Early,
}

/// Reads a moment as Unix milliseconds.
///
/// Known shapes: `2017-01-01`, `2017-01-01T12:26`, `2017-01-01 12:26:30.5`, each time optionally with
/// `Z`, ` UTC`, `+02:00`, `+0200` or `+02`; and Unix seconds (9 or 10 digits), milliseconds (12 or 13) or
/// microseconds (15 or 16). Without zone it is UTC; digits below the millisecond are cut.
///
/// # Errors
/// [`TimeError`] for anything else.
pub fn parse_timestamp(text: &str) -> Result<i64, TimeError> {
    let text = text.trim();
    if text.bytes().all(|b| b.is_ascii_digit()) {
        let number = || text.parse::<i64>().map_err(|_| TimeError::Shape);
        return match text.len() {
            9 | 10 => Ok(number()? * 1000),
            12 | 13 => number(),
            15 | 16 => Ok(number()? / 1000),
            _ => Err(TimeError::Shape),
        };
    }
    let mut scan = Scan(text.as_bytes());
    let year = scan.digits(4)?;
    scan.expect(b'-')?;
    let month = scan.digits(2)?;
    scan.expect(b'-')?;
    let day = scan.digits(2)?;
    let mut ms = days_from_civil(year, month, day)? * 86_400_000;
    if !scan.0.is_empty() {
        if !scan.accept(b"Tt ") {
            return Err(TimeError::Shape);
        }
        ms += scan.time_of_day()?;
        ms -= scan.zone()?;
    }
    if ms < 0 { Err(TimeError::Early) } else { Ok(ms) }
}

/// Days since 1970-01-01 of a Gregorian date.
fn days_from_civil(year: i64, month: i64, day: i64) -> Result<i64, TimeError> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return Err(TimeError::Range),
    };
    if day < 1 || day > days {
        return Err(TimeError::Range);
    }
    // Years start in March here, so that the leap day is the last one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Ok(year * 365 + leaps + (153 * month + 2) / 5 + day - 719_469)
}

/// The rest of a timestamp.
struct Scan<'a>(&'a [u8]);

impl Scan<'_> {
    fn accept(&mut self, any_of: &[u8]) -> bool {
        let hit = self.0.first().is_some_and(|b| any_of.contains(b));
        if hit {
            self.0 = &self.0[1..];
        }
        hit
    }

    fn expect(&mut self, byte: u8) -> Result<(), TimeError> {
        if self.accept(&[byte]) { Ok(()) } else { Err(TimeError::Shape) }
    }

    /// Exactly `count` digits.
    fn digits(&mut self, count: usize) -> Result<i64, TimeError> {
        let (digits, rest) = self.0.split_at_checked(count).ok_or(TimeError::Shape)?;
        self.0 = rest;
        digits.iter().try_fold(0, |value, b| match b {
            b'0'..=b'9' => Ok(value * 10 + i64::from(b - b'0')),
            _ => Err(TimeError::Shape),
        })
    }

    /// `12:26`, `12:26:30`, `12:26:30.979311` in milliseconds.
    fn time_of_day(&mut self) -> Result<i64, TimeError> {
        let hour = self.digits(2)?;
        self.expect(b':')?;
        let minute = self.digits(2)?;
        let (mut second, mut ms) = (0, 0);
        if self.accept(b":") {
            second = self.digits(2)?;
            if self.accept(b".,") {
                let count = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
                if count == 0 {
                    return Err(TimeError::Shape);
                }
                for (place, digit) in self.0[..count].iter().take(3).enumerate() {
                    ms += i64::from(digit - b'0') * [100, 10, 1][place];
                }
                self.0 = &self.0[count..];
            }
        }
        // 60 is a leap second; it reads as the next one.
        if hour > 23 || minute > 59 || second > 60 {
            return Err(TimeError::Range);
        }
        Ok((hour * 3600 + minute * 60 + second) * 1000 + ms)
    }

    /// The offset from UTC in milliseconds; nothing may follow it.
    fn zone(&mut self) -> Result<i64, TimeError> {
        self.accept(b" ");
        let sign = match self.0 {
            b"" | b"Z" | b"z" | b"UTC" => return Ok(0),
            [b'+', ..] => 1,
            [b'-', ..] => -1,
            _ => return Err(TimeError::Shape),
        };
        self.0 = &self.0[1..];
        let hours = self.digits(2)?;
        let mut minutes = 0;
        if !self.0.is_empty() {
            self.accept(b":");
            minutes = self.digits(2)?;
        }
        match (self.0.is_empty(), hours <= 23 && minutes <= 59) {
            (false, _) => Err(TimeError::Shape),
            (_, false) => Err(TimeError::Range),
            _ => Ok(sign * (hours * 60 + minutes) * 60_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prices() {
        let usd = Some(Currency::USD);
        for (text, want) in [
            ("12.99", Ok((1299, None))),
            ("12.99 USD", Ok((1299, usd))),
            ("12.99usd", Ok((1299, usd))),
            (" 12 ", Ok((1200, None))),
            ("12.", Ok((1200, None))),
            (".5", Ok((50, None))),
            ("0", Ok((0, None))),
            ("-0.00", Ok((0, None))),
            ("1.004", Ok((100, None))),
            ("1.005", Ok((101, None))),
            ("1.999", Ok((200, None))),
            ("0.29", Ok((29, None))),
            ("1000000000000", Ok((100_000_000_000_000, None))),
            ("1000000000000.01", Err(PriceError::TooLarge)),
            ("99999999999999999999999999", Err(PriceError::TooLarge)),
            ("-1", Err(PriceError::Negative)),
            ("-1.00 USD", Err(PriceError::Negative)),
            ("", Err(PriceError::NotANumber)),
            (".", Err(PriceError::NotANumber)),
            ("1.2.3", Err(PriceError::NotANumber)),
            ("12,99", Err(PriceError::NotANumber)),
            ("$12.99", Err(PriceError::NotANumber)),
            ("+1", Err(PriceError::NotANumber)),
            ("nan", Err(PriceError::NotANumber)),
            ("1e3", Err(PriceError::NotANumber)),
            ("12.99 US", Err(PriceError::NotACurrency)),
            ("12.99 dollars", Err(PriceError::NotACurrency)),
        ] {
            assert_eq!(parse_price(text), want, "{text}");
        }
    }

    #[test]
    fn timestamps() {
        const NOON: i64 = 1_483_273_590_000;
        for (text, want) in [
            ("2017-01-01T12:26:30", Ok(NOON)),
            ("2017-01-01 12:26:30", Ok(NOON)),
            ("2017-01-01T12:26:30Z", Ok(NOON)),
            ("2017-01-01T12:26:30 UTC", Ok(NOON)),
            ("2017-01-01T14:26:30+02:00", Ok(NOON)),
            ("2017-01-01T14:26:30+0200", Ok(NOON)),
            ("2017-01-01T06:56:30.25-05:30", Ok(NOON + 250)),
            ("2017-01-01 14:26:30.979311+02", Ok(NOON + 979)),
            ("2017-01-01T12:26", Ok(NOON - 30_000)),
            ("2017-01-01", Ok(1_483_228_800_000)),
            ("1483273590", Ok(NOON)),
            ("1483273590123", Ok(NOON + 123)),
            ("1483273590123456", Ok(NOON + 123)),
            ("1970-01-01", Ok(0)),
            ("2000-02-29", Ok(951_782_400_000)),
            ("2016-12-31T23:59:60Z", Ok(1_483_228_800_000)),
            ("9999-12-31T23:59:59.999", Ok(253_402_300_799_999)),
            ("1969-12-31", Err(TimeError::Early)),
            ("1970-01-01T00:00:00+01:00", Err(TimeError::Early)),
            ("2017-02-29", Err(TimeError::Range)),
            ("1900-02-29", Err(TimeError::Range)),
            ("2017-13-01", Err(TimeError::Range)),
            ("2017-01-00", Err(TimeError::Range)),
            ("2017-01-01T24:00:00", Err(TimeError::Range)),
            ("2017-01-01T12:00:00+24:00", Err(TimeError::Range)),
            ("20170101", Err(TimeError::Shape)),
            ("01/02/2017", Err(TimeError::Shape)),
            ("2017-1-1", Err(TimeError::Shape)),
            ("2017-01-01T", Err(TimeError::Shape)),
            ("2017-01-01T12", Err(TimeError::Shape)),
            ("2017-01-01T12:26:30.", Err(TimeError::Shape)),
            ("2017-01-01T12:26:30+2", Err(TimeError::Shape)),
            ("2017-01-01T12:26:30Zulu", Err(TimeError::Shape)),
            ("", Err(TimeError::Shape)),
        ] {
            assert_eq!(parse_timestamp(text), want, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,40}") {
            let _ = parse_price(&text);
            let _ = parse_timestamp(&text);
        }

        #[test]
        fn hundredths_are_exact(minor in 0_i64..100_000_000_000_000) {
            let text = format!("{}.{:02}", minor / 100, minor % 100);
            prop_assert_eq!(parse_price(&text), Ok((minor, None)));
        }

        #[test]
        fn days_follow_each_other(day in 0_i64..2_000_000) {
            // Civil date of a day number, by walking the years.
            let (mut year, mut left) = (1970, day);
            let length = |y: i64| if y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) { 366 } else { 365 };
            while left >= length(year) { left -= length(year); year += 1; }
            prop_assert_eq!(days_from_civil(year, 1, 1).map(|d| d + left), Ok(day));
        }
    }
}

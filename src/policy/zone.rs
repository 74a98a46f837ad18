//! Local time in the policy's zone, from a table: a decision reads no zone database.

use super::PolicyError;

const DAY_S: i64 = 86_400;
/// Days of the week.
pub(super) const WEEKDAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
/// Day 0 of Unix time was a Thursday.
const THURSDAY: i64 = 3;

/// From when on the clock differs from UTC by how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shift {
    /// Unix seconds.
    pub(crate) from_s: i64,
    /// Seconds ahead of UTC.
    pub(crate) offset_s: i32,
}

/// A time zone; `Default` = none is named, so local time is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Zone {
    /// Ascending; the last one ends what is known.
    pub(crate) shifts: Vec<Shift>,
}

/// A moment on the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Local {
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) weekday: &'static str,
}

impl Zone {
    /// `None` outside the years that the table covers.
    pub(crate) fn local(&self, at_ms: i64) -> Option<Local> {
        let at_s = at_ms.div_euclid(1000);
        let after = self.shifts.partition_point(|shift| shift.from_s <= at_s);
        if after == self.shifts.len() {
            return None;
        }
        let shift = self.shifts.get(after.checked_sub(1)?)?;
        let local = at_s.checked_add(i64::from(shift.offset_s))?;
        let second = local.rem_euclid(DAY_S);
        let weekday = WEEKDAYS.get((local.div_euclid(DAY_S) + THURSDAY).rem_euclid(7) as usize).copied()?;
        Some(Local { hour: second / 3600, minute: second / 60 % 60, weekday })
    }

    /// The zone of this name in the IANA database, from 2000 to 2100.
    #[cfg(feature = "policy")]
    pub(crate) fn named(name: &str) -> Result<Self, PolicyError> {
        let known =
            |year: i16| jiff::civil::date(year, 1, 1).at(0, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC);
        let unknown = || PolicyError::Zone { name: name.to_owned() };
        let zone = jiff::tz::TimeZone::get(name).map_err(|_| unknown())?;
        let start = known(2000).map_err(|_| unknown())?.timestamp();
        let end = known(2100).map_err(|_| unknown())?.timestamp();
        let shift = |at: jiff::Timestamp, offset: jiff::tz::Offset| Shift {
            from_s: at.as_second(),
            offset_s: offset.seconds(),
        };
        let mut shifts = vec![shift(start, zone.to_offset(start))];
        let later = zone.following(start).take_while(|next| next.timestamp() < end);
        shifts.extend(later.map(|next| shift(next.timestamp(), next.offset())));
        shifts.push(shift(end, jiff::tz::Offset::UTC));
        Ok(Self { shifts })
    }

    /// Zones have names only where the feature `policy` is on.
    #[cfg(not(feature = "policy"))]
    pub(crate) fn named(name: &str) -> Result<Self, PolicyError> {
        Err(PolicyError::Zone { name: name.to_owned() })
    }
}

#[cfg(feature = "policy")]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_time_follows_the_zone_through_its_shifts() {
        let berlin = Zone::named("Europe/Berlin").expect("a zone");
        let at = |text: &str| text.parse::<jiff::Timestamp>().expect("a moment").as_millisecond();
        for (moment, hour, minute, weekday) in [
            ("2026-03-29T00:59:59Z", 1, 59, "sunday"),
            ("2026-03-29T01:00:00Z", 3, 0, "sunday"),
            ("2026-10-25T01:30:00Z", 2, 30, "sunday"),
            ("2026-12-31T23:30:00Z", 0, 30, "friday"),
            ("2099-07-01T12:00:00Z", 14, 0, "wednesday"),
        ] {
            assert_eq!(berlin.local(at(moment)), Some(Local { hour, minute, weekday }), "{moment}");
        }
        assert_eq!(berlin.local(at("1999-12-31T23:59:59Z")), None);
        assert_eq!(berlin.local(at("2100-01-01T00:00:00Z")), None);
        assert_eq!(Zone::default().local(0), None);
        assert!(Zone::named("Mars/Olympus").is_err());
    }
}

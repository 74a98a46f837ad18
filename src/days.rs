//! How long ago something was, and how much less it counts for that.

/// Milliseconds of a day.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// What counts whole.
pub(crate) const WHOLE: u32 = 1000;

/// [`WHOLE`] x 2^(-days / half-life), linear between the halvings; `None` where either time is not known.
pub(crate) fn faded(at_ms: i64, now_ms: i64, half_life: u32) -> Option<u32> {
    if now_ms <= 0 || at_ms <= 0 {
        return None;
    }
    let days = (now_ms.saturating_sub(at_ms) / DAY_MS).clamp(0, 10_000) as u32;
    let halved = days.checked_div(half_life)?;
    Some((WHOLE - WHOLE / 2 * (days % half_life) / half_life) >> halved.min(31))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_one_half_life_old_counts_half() {
        let now = 20_000 * DAY_MS;
        let after = |days: i64| faded(now - days * DAY_MS, now, 30).unwrap();
        assert_eq!([0, 15, 30, 60, 300, 901, 19_000].map(after), [1000, 750, 500, 250, 0, 0, 0]);
        assert_eq!(after(-5), 1000, "a clock that runs ahead");
        assert_eq!((faded(0, now, 30), faded(now, 0, 30)), (None, None));
    }
}

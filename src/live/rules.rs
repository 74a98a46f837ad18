//! What a policy asks of the overlay.

/// What a policy asks of the live overlay. Where anything is asked and no overlay fits the catalog, nothing is offered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "policy", derive(serde::Deserialize))]
#[cfg_attr(feature = "policy", serde(deny_unknown_fields, default))]
pub struct LivePolicy {
    /// Nothing is offered without an overlay that fits the catalog.
    pub required: bool,
    /// Products need a live price that is no older at the time of the transaction, in minutes; 0 = no such rule.
    pub price_max_age_minutes: u32,
}

/// Numbers of the settings in a stored policy. Never reused.
const REQUIRED: u32 = 64;
const PRICE_MAX_AGE: u32 = 65;

impl LivePolicy {
    /// What is asked, as stored. Nothing where nothing is asked, so that such a policy stays the policy that it was.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (u32, i64)> {
        let all = [(REQUIRED, i64::from(self.required)), (PRICE_MAX_AGE, self.price_max_age_minutes.into())];
        all.into_iter().filter(|(_, value)| *value != 0)
    }
}

/// The same, ready for decisions.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LiveRules {
    pub(crate) required: bool,
    /// 0 = no such rule.
    pub(crate) price_max_age_ms: i64,
}

impl LiveRules {
    /// Takes a stored setting; `None` where it is none of these.
    pub(crate) fn set(&mut self, key: u32, value: i64) -> Option<()> {
        match key {
            REQUIRED => {}
            PRICE_MAX_AGE => self.price_max_age_ms = i64::from(u32::try_from(value).ok()?) * 60_000,
            _ => return None,
        }
        self.required |= value != 0;
        Some(())
    }
}

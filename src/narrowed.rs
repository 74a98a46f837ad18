//! Counts by cell of what is left under the rules that hold: kept for the next request under the same rules.

use crate::engine::Engine;
use crate::index::{AllowList, RefusedClasses, View};
use crate::limits::RULE_CLASSES_MAX;
use crate::policy::CompiledPolicy;

/// The last few of them.
#[derive(Debug)]
pub(crate) struct NarrowedLists {
    /// Refused classes and the counts, used last comes first. Empty where no rule needs them.
    lists: Vec<(Vec<u64>, AllowList)>,
}

/// Counts are made where rules leave less than one in so many products.
pub(crate) const MUCH: u64 = 4;
/// Sets of rules whose counts are kept.
const NARROWED_KEPT: usize = 4;

impl NarrowedLists {
    pub(crate) fn new(engine: &Engine) -> Self {
        let mut lists = Self { lists: Vec::new() };
        lists.fit(engine);
        lists
    }

    /// Forgets what it counted, and makes room for what another engine may ask to be counted.
    pub(crate) fn fit(&mut self, engine: &Engine) {
        let view = engine.view();
        let kept = if engine.policy().classes.is_empty() { 0 } else { NARROWED_KEPT };
        self.lists.truncate(kept);
        for (key, list) in &mut self.lists {
            key.clear();
            list.make_room(&view);
        }
        while self.lists.len() < kept {
            let mut list = AllowList::default();
            list.make_room(&view);
            self.lists.push((Vec::with_capacity(RULE_CLASSES_MAX.div_ceil(64)), list));
        }
    }

    /// `None` where much is left: then a search looks at a little more instead, which costs less than counting.
    pub(crate) fn of(
        &mut self,
        policy: &CompiledPolicy,
        view: &View<'_>,
        classes: RefusedClasses<'_>,
        left: u32,
    ) -> Option<&AllowList> {
        if u64::from(left) * MUCH >= u64::from(policy.allowed.total()) {
            return None;
        }
        let known = self.lists.iter().position(|(key, _)| key == classes.refused);
        let at = known.unwrap_or(self.lists.len().checked_sub(1)?);
        self.lists.get_mut(..=at)?.rotate_right(1);
        let (key, list) = self.lists.first_mut()?;
        if known.is_none() {
            key.clear();
            key.extend_from_slice(classes.refused);
            policy.allowed.narrow(classes, view, list);
        }
        Some(list)
    }
}

//! The merchant's switches on the page: each goes the way that a host goes, a new policy or a change of the live overlay.

use std::sync::Arc;

use aftercart::Live;
use aftercart::live::{Change, LiveKind};
use serde::Deserialize;
use serde_json::{Value, json};

use super::shop::Shop;
use crate::Failure;
use crate::live::now_ms;

/// One turn of a switch.
#[derive(Debug, Deserialize)]
pub(super) struct Switch {
    what: What,
    /// Category path, or id.
    id: String,
    on: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    /// Nothing of a category subtree appears.
    BlockCategory,
    /// Nothing of a partner.
    PausePartner,
    /// Nothing is left of the budget of an offer or partner.
    EmptyBudget,
    /// A product is out of stock.
    OutOfStock,
}

impl Shop {
    /// Turns a switch; what was before stays where it cannot be turned.
    pub(super) fn switch(&mut self, switch: &Switch) -> Result<(), Failure> {
        let on = switch.on;
        match switch.what {
            What::BlockCategory => self.block(&switch.id, on),
            What::PausePartner => {
                self.change(LiveKind::Partner, &switch.id, &Change { paused: Some(on), ..Change::default() })
            }
            What::EmptyBudget => {
                let change = Change { total: Some(on.then_some(0)), ..Change::default() };
                self.change(LiveKind::Offer, &switch.id, &change)
            }
            What::OutOfStock => {
                let change = Change { stock: Some(on.then_some(0)), ..Change::default() };
                self.change(LiveKind::Product, &switch.id, &change)?;
                self.out_of_stock.retain(|id| *id != switch.id);
                self.out_of_stock.extend(on.then(|| switch.id.clone()));
                Ok(())
            }
        }
    }

    /// A policy with one category more or less, compiled and swapped in: the next decision is made under it.
    fn block(&mut self, category: &str, on: bool) -> Result<(), Failure> {
        let own = self.policy.as_ref().ok_or(
            "this shop runs on the policy in its catalog, which is compiled: start it with --policy to add to it",
        )?;
        let mut blocked = self.blocked.clone();
        blocked.retain(|path| path != category);
        blocked.extend(on.then(|| category.to_owned()));
        let mut policy = own.clone();
        policy.taxonomy.get_or_insert_with(|| self.engine().catalog().taxonomy().to_owned());
        policy.suppress.categories.extend(blocked.iter().cloned());
        let engine = self.engine().with_policy(&policy)?;
        self.decider.swap_engine(Arc::new(engine));
        self.blocked = blocked;
        Ok(())
    }

    fn change(&self, kind: LiveKind, id: &str, change: &Change) -> Result<(), Failure> {
        self.live()?.edit()?.set(Some(kind), id, change, now_ms())?;
        Ok(())
    }

    fn live(&self) -> Result<&Arc<Live>, Failure> {
        Ok(self.engine().live().ok_or("no overlay")?)
    }

    /// How the switches stand.
    pub(super) fn switches(&self) -> Value {
        let accounts = self.engine().live().map_or_else(Vec::new, |live| live.status(now_ms()));
        // Content costs nothing and has no budget.
        let is_content = |id: &str| {
            let offer = self.engine().find_offer(id).map(aftercart::Item::Offer);
            offer.is_some_and(|item| self.engine().content_kind(item).is_some())
        };
        let of = |kind| accounts.iter().filter(move |account| account.kind == kind);
        let title = |id: &str| {
            let offer = self.engine().find_offer(id).map(aftercart::Item::Offer);
            offer.map_or("", |item| self.engine().title(item))
        };
        json!({
            "can_block": self.policy.is_some(),
            "blocked": self.blocked,
            "partners": of(LiveKind::Partner).map(|p| json!({ "id": p.id, "on": p.paused })).collect::<Vec<_>>(),
            "budgets": of(LiveKind::Offer)
                .filter(|o| !is_content(&o.id))
                .map(|o| json!({ "id": o.id, "title": title(&o.id), "on": o.total == Some(0) }))
                .collect::<Vec<_>>(),
            "out_of_stock": self.out_of_stock.iter().map(|id| {
                let item = self.engine().find_product(id).map(aftercart::Item::Product);
                json!({ "id": id, "title": item.map_or("", |item| self.engine().title(item)) })
            }).collect::<Vec<_>>(),
        })
    }
}

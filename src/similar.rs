//! What earlier baskets say that are most like the one at hand: nearest neighbours among sessions (Jannach and Ludewig,
//! RecSys 2017), with rarer products counting more, and newer and smaller baskets too.

use std::cmp::Reverse;

use crate::context::Context;
use crate::index::search::{key, key_ix, key_score};
use crate::limits::{ASKING_LINES_MAX, POSTINGS_READ_MAX, SIMILAR_MAX};
use crate::scratch::Work;

/// Adds to `work.links` the share of the most similar baskets that held each product.
pub(crate) fn add(context: &Context<'_>, work: &mut Work) {
    find(context, work);
    let Work { similar_order, links, .. } = work;
    let view = &context.view;
    let most = similar_order.first().map_or(1, |best| key_score(*best)).max(1);
    // Twice as alike counts eight times. Below 2^30.
    let weight = |near: i64| (u64::from(key_score(near).max(0) as u32) * 1023 / most as u64).pow(3);
    let all: u64 = similar_order.iter().map(|near| weight(*near)).sum::<u64>().max(1);
    for near in similar_order.iter() {
        view.foresee(view.basket(key_ix(*near)));
    }
    for near in similar_order.iter() {
        let share = (weight(*near) << 16) / all;
        for product in view.basket(key_ix(*near)) {
            let Some(link) = links.entry(product.get()) else { return };
            link.similar = (link.similar.0 + share as u32, link.similar.1 + 1);
        }
    }
}

/// Fills `work.similar_order` with the baskets that share most with what was bought, best first.
fn find(context: &Context<'_>, work: &mut Work) {
    let Work { similar, similar_order: order, .. } = work;
    let view = &context.view;
    similar.clear();
    order.clear();
    let mut lines = [(Reverse(0), 0); ASKING_LINES_MAX];
    let mut count = 0;
    for (at, line) in context.asking.iter().enumerate() {
        let earlier = context.asking.get(..at).unwrap_or(&[]);
        if let Some(slot) = lines.get_mut(count).filter(|_| earlier.iter().all(|e| e.asks_as != line.asks_as))
        {
            *slot = (Reverse(view.baskets_of(line.asks_as).1), line.asks_as);
            count += 1;
        }
    }
    let lines = lines.get_mut(..count).unwrap_or(&mut []);
    lines.sort_unstable();
    let mut left = POSTINGS_READ_MAX;
    for (rarity, product) in lines.iter() {
        let (postings, _) = view.baskets_of(*product);
        for posting in postings.iter().take(left) {
            let (weight, basket) = (posting.get() >> 24, posting.get() & 0x00FF_FFFF);
            let Some(similar) = similar.entry(basket) else { break };
            similar.likeness += rarity.0 * weight;
        }
        left = left.saturating_sub(postings.len());
    }
    order.extend(similar.list.iter().map(|basket| key(basket.likeness as i32, basket.number)));
    if order.len() > SIMILAR_MAX {
        order.select_nth_unstable_by(SIMILAR_MAX, |a, b| b.cmp(a));
        order.truncate(SIMILAR_MAX);
    }
    order.sort_unstable_by(|a, b| b.cmp(a));
    for near in order.iter() {
        view.foresee_at(view.basket_starts, key_ix(*near) as usize);
    }
}

//! Stage 2: where candidates come from. A union with a fixed quota per source.

use std::cmp::Reverse;

use zerocopy::little_endian::U32;

use crate::bought::Line;
use crate::context::{Context, Past, is_due};
use crate::distance::{Kernel, prefetch, prefetch_at};
use crate::features;
use crate::index::format::{NONE, NameKind, answer_key, trigger};
use crate::index::search::{self, Best, Effort, Query, key_ix};
use crate::limits::{
    ANSWERS_MAX, ASKING_LINES_MAX, BEST_SELLERS_MAX, CART_REMOVED_MAX, COMPLEMENT_HITS_MAX, DIM_MAX,
    LINK_HITS_MAX, NEAR_HITS_MAX, OFFER_HITS_MAX, PAST_ASKED_MAX, PAST_ASSOCIATES_MAX, PAST_TYPES_MAX,
    QUERIES_MAX, REFILL_HITS_MAX, TASTE_HITS_MAX, TRIGGER_OFFERS_MAX, TYPE_HITS_MAX,
};
use crate::live::Reading;
use crate::offer::{Counters, Item, OfferIx, ProductIx, Relation};
use crate::ranking;
use crate::scratch::{Candidate, Link, LinkBest, NO_LINE, Work};
use crate::similar;

/// Types that may add products.
const TYPES_ASKED: usize = 24;
/// Products that one type may add.
const PRODUCTS_PER_TYPE: usize = 4;
/// Products of a type that are looked at for those.
const PRODUCTS_SEEN_PER_TYPE: usize = 32;
const _: () = assert!(TYPES_ASKED * PRODUCTS_PER_TYPE <= TYPE_HITS_MAX);

/// Fills `work.candidates` from lists: what is cheap to find.
pub(crate) fn from_lists(context: &Context<'_>, effort: Effort, work: &mut Work) {
    work.candidates.clear();
    triggered_offers(context, work);
    refills(context, work);
    put_back(context, work);
    learn(context, work);
    linked_products(context, work);
    best_sellers(context, work);
    near_products(context, effort, work);
    products_of_types(context, work);
}

/// What the request as a whole says, before any product is looked at.
pub(crate) fn learn(context: &Context<'_>, work: &mut Work) {
    for kind in context.asking.iter().filter_map(|line| context.view.types.get(line.kind as usize)) {
        context.view.foresee(context.view.transitions_of(kind));
    }
    work.has_taste = ranking::taste_row(context, &mut work.taste);
    ask_rows(context, work);
    work.price = features::median_price(context);
    work.fresh = features::freshness(context);
    pool_types(context, work);
    work.links.clear();
    // Lists first: of what finds no room, it is to be what only large baskets held.
    add_links(context, work);
    similar::add(context, work);
    pool_past_types(context, work);
}

/// Puts the rows side by side that all candidates are compared with.
fn ask_rows(context: &Context<'_>, work: &mut Work) {
    let (view, rows) = (&context.view, &mut work.asked);
    rows.clear(view.dim);
    for line in context.asking {
        rows.push(view.in_vector(line.asks_as).unwrap_or(&[]));
    }
    if let Some(taste) = work.taste.get(..view.dim).filter(|_| work.has_taste) {
        rows.push(taste);
    }
}

/// What the types of the earlier purchases say of other types.
fn pool_past_types(context: &Context<'_>, work: &mut Work) {
    let kinds = &mut work.past_kinds;
    kinds.clear();
    let asked = context.past_types.iter().filter(|group| group.times > 0).take(PAST_TYPES_MAX);
    let length = (asked.clone().count() as u64 * 256).isqrt().max(16);
    for record in asked.filter_map(|group| context.view.types.get(group.key as usize)) {
        for transition in context.view.transitions_of(record) {
            let direct = u64::from(transition.direct_q16.get()) * 16 / length;
            if let Some(kind) = kinds.entry(transition.to.get()) {
                kind.direct += direct as u32;
            }
        }
    }
}

/// Adds up what the item-item lists of the lines and of the earlier purchases say.
fn add_links(context: &Context<'_>, work: &mut Work) {
    let (view, links) = (&context.view, &mut work.links);
    for line in context.asking {
        for associate in view.associates_of(line.asks_as) {
            let Some(link) = links.entry(associate.product.get()) else { break };
            let together = square(associate.together);
            if together > link.together_most || link.line == NO_LINE {
                (link.together_most, link.line) = (together, line.number);
            }
            link.together += together;
            link.direct += square(associate.direct);
            link.customers += square(associate.customers);
            link.words += square(associate.words);
        }
    }
    let order = &mut work.past_order;
    order.clear();
    let asked = context.past.iter().zip(0..).filter(|(past, _)| !past.sensitive);
    order.extend(asked.map(|(past, at)| (Reverse(past_weight(context, past)), at)));
    if order.len() > PAST_ASKED_MAX {
        order.select_nth_unstable(PAST_ASKED_MAX);
        order.truncate(PAST_ASKED_MAX);
        order.sort_unstable();
    }
    let length = order.iter().map(|(weight, _)| u64::from(weight.0).pow(2)).sum::<u64>().isqrt().max(1);
    let past_of = |at: u16| context.past.get(usize::from(at));
    for (turn, (weight, at)) in order.iter().enumerate() {
        if let Some(next) = order.get(turn + 2).and_then(|(_, at)| past_of(*at)) {
            view.foresee(view.associates_of(next.product));
        }
        let Some(past) = past_of(*at) else { continue };
        let weight = u64::from(weight.0) * 256 / length;
        let weighed = |code: u8| (u64::from(square(code)) * weight / 256) as u32;
        let bought = view.associates_of(past.product).iter().take_while(|with| !with.of_words_alone());
        for associate in bought.take(PAST_ASSOCIATES_MAX) {
            let Some(link) = links.entry(associate.product.get()) else { break };
            link.past_together += weighed(associate.together);
            link.past_direct += weighed(associate.direct);
            link.past_customers += weighed(associate.customers);
        }
    }
}

fn square(code: u8) -> u32 {
    u32::from(code).pow(2)
}

/// How much an earlier purchase is asked: the logarithm of how often, half as much two months later. Below 2^16.
fn past_weight(context: &Context<'_>, past: &Past) -> u32 {
    let often = features::often(past) as u32;
    let days = context.tenths_since(past.last_at_ms).map_or(60, |tenths| tenths as u32 / 10).min(900);
    (often * 16 * (120 - days % 60) / 120) >> (days / 60)
}

/// b) Products that were bought with what was bought, now or earlier.
fn linked_products(context: &Context<'_>, work: &mut Work) {
    work.link_best = LinkBest::default();
    for side in [0, 1] {
        let Work { links, link_best, search, .. } = work;
        let hits = &mut search.hits;
        hits.clear_to(LINK_HITS_MAX);
        let wanted = |link: &Link, hits: &Best| {
            let worth = link_worth(link).get(side).copied().unwrap_or(0);
            let key = search::key(worth, link.product);
            (worth > 0 && hits.bar().is_none_or(|bar| key > bar)).then_some(key)
        };
        for (at, link) in links.list.iter().enumerate() {
            // Whether a product may be shown is read from far away: only of those that are good enough, and asked for ahead.
            if let Some(ahead) = links.list.get(at + AHEAD).filter(|ahead| wanted(ahead, hits).is_some()) {
                foresee(context, ahead.product);
            }
            if let Some(key) = wanted(link, hits).filter(|_| may_come(context, link.product)) {
                hits.offer(key);
                link_best.see(link);
            }
        }
        add_hits(work, Relation::BoughtTogether, LINK_HITS_MAX);
    }
}

/// Products that are asked for before it is their turn.
const AHEAD: usize = 16;

/// Asks for what [`may_come`] will read.
fn foresee(context: &Context<'_>, product: u32) {
    context.foresee_allowed(product);
    context.view.foresee_at(context.view.type_of, product as usize);
}

/// What most customers buy may be new to one whose history says little else.
fn best_sellers(context: &Context<'_>, work: &mut Work) {
    if context.past.is_empty() {
        return;
    }
    let allowed = context.view.best_sellers.iter().map(|ix| ix.get()).filter(|ix| may_come(context, *ix));
    for product in allowed.take(BEST_SELLERS_MAX) {
        let item = Item::Product(ProductIx(product));
        work.candidates.add(Candidate::new(item, Relation::BoughtTogether, NO_LINE));
    }
}

fn may_come(context: &Context<'_>, product: u32) -> bool {
    context.is_allowed(product) && !context.types.contains(context.view.type_of(product))
}

/// What makes a product of the lists worth a place among the candidates: by the basket, by the earlier purchases.
pub(crate) fn link_worth(link: &Link) -> [i32; 2] {
    let basket = 2 * link.together + 2 * link.direct + link.customers + 2 * link.similar() + link.words / 8;
    let past = link.past_together + link.past_direct + link.past_customers;
    [basket, past].map(|worth| worth.min(i32::MAX as u32) as i32)
}

/// Adds what vector searches find.
pub(crate) fn by_search(
    context: &Context<'_>,
    kernel: Kernel,
    effort: Effort,
    work: &mut Work,
    counters: &mut Counters,
) {
    let effort = context.effort(effort);
    complements(context, kernel, effort, work, counters);
    // A taste is no more than a hint: not worth what a line is.
    tastes(context, kernel, effort.share(1, 4), work, counters);
}

/// a) Products whose OUT vectors lie near the IN vectors of what was bought.
pub(crate) fn complements(
    context: &Context<'_>,
    kernel: Kernel,
    effort: Effort,
    work: &mut Work,
    counters: &mut Counters,
) {
    let count = write_queries(context, (work.wide, work.answered), &mut work.queries);
    let queries = work.queries.get(..count).unwrap_or(&[]);
    let effort = effort.share(count, context.asking.len().min(QUERIES_MAX));
    counters.search =
        search::search(&context.view, kernel, queries, context.filter(), effort, &mut work.search);
    add_hits(work, Relation::BoughtTogether, COMPLEMENT_HITS_MAX);
}

/// g) Products near what this customer likes, where there is a history.
fn tastes(context: &Context<'_>, kernel: Kernel, effort: Effort, work: &mut Work, counters: &mut Counters) {
    let dim = context.view.dim;
    let (Some(row), Some(query)) =
        (work.taste.get(..dim).filter(|_| work.has_taste), work.queries.first_mut())
    else {
        return;
    };
    query.set_row(row);
    let queries = work.queries.get(..1).unwrap_or(&[]);
    let done = search::search(&context.view, kernel, queries, context.filter(), effort, &mut work.search);
    counters.search.add(done);
    add_hits(work, Relation::BoughtTogether, TASTE_HITS_MAX);
}

/// Adds the best of what `search` holds, best first.
fn add_hits(work: &mut Work, relation: Relation, most: usize) {
    let Work { search, hits, candidates, .. } = work;
    hits.clear();
    hits.extend(search.hits.keys());
    hits.sort_unstable_by_key(|key| Reverse(*key));
    for key in hits.iter().take(most) {
        let item = Item::Product(ProductIx(key_ix(*key)));
        candidates.add(Candidate::new(item, relation, NO_LINE));
    }
}

/// A line's list of what lies near speaks for it where so many of it may come.
const NEAR_ENOUGH: usize = 12;

/// h) What lies near lines of which orders say little: of each list in turn as much as there is room for.
pub(crate) fn near_products(context: &Context<'_>, effort: Effort, work: &mut Work) {
    work.answered = 0;
    if work.wide || effort == Effort::EXACT {
        return; // who asks for more than decisions do
    }
    let asking = || (0..ASKING_LINES_MAX).zip(context.asking);
    let list_of =
        |line: &Line| context.view.near_to(line.asks_as).filter(|_| context.view.is_unlisted(line.asks_as));
    for (list, _) in asking().filter_map(|(_, line)| list_of(line)) {
        list.iter().for_each(|product| foresee(context, product.get()));
    }
    let mut lists: [std::slice::Iter<'_, U32>; ASKING_LINES_MAX] = std::array::from_fn(|_| [].iter());
    for (at, line) in asking() {
        let Some((list, is_all)) = list_of(line) else { continue };
        let allowed = list.iter().filter(|product| may_come(context, product.get()));
        if is_all || allowed.take(NEAR_ENOUGH).count() == NEAR_ENOUGH {
            work.answered |= 1 << at;
            lists[at] = list.iter();
        }
    }
    let mut room = NEAR_HITS_MAX;
    while room > 0 {
        let before = room;
        for list in lists.iter_mut().take(context.asking.len()) {
            let next = list.map(|product| product.get()).find(|product| may_come(context, *product));
            let Some(product) = next.filter(|_| room > 0) else { continue };
            let item = Item::Product(ProductIx(product));
            work.candidates.add(Candidate::new(item, Relation::BoughtTogether, NO_LINE));
            room -= 1;
        }
        if room == before {
            break;
        }
    }
}

/// One query per line that no list speaks for; for many of them the dearest ones and the mean of all.
fn write_queries(context: &Context<'_>, (wide, answered): (bool, u32), queries: &mut [Query]) -> usize {
    let view = &context.view;
    let asks = |at: usize, line: &Line| wide || (view.is_unlisted(line.asks_as) && answered >> at & 1 == 0);
    let lines = || (0..ASKING_LINES_MAX).zip(context.asking);
    let asking = || lines().filter(|(at, line)| asks(*at, line)).map(|(_, line)| line);
    let asked = asking().count();
    let mut rows = queries.iter_mut();
    let mut count = 0;
    let single = if asked <= QUERIES_MAX { asked } else { QUERIES_MAX - 1 };
    let mut after: Option<(i64, u16)> = None;
    for _ in 0..single {
        // The next dearest line; equal values go by line number.
        let ahead = asking().filter(|line| {
            after.is_none_or(|(value, number)| (line.value, Reverse(line.number)) < (value, Reverse(number)))
        });
        let next = ahead.max_by_key(|line| (line.value, Reverse(line.number)));
        let (Some(line), Some(row)) = (next, rows.next()) else {
            break;
        };
        after = Some((line.value, line.number));
        row.set_row(view.in_vector(line.asks_as).unwrap_or(&[]));
        count += 1;
    }
    if let Some(row) = rows.next().filter(|_| asked > QUERIES_MAX) {
        let mut mean = [0; DIM_MAX];
        ranking::mean_row(view, asking(), &mut mean);
        row.set_row(mean.get(..view.dim).unwrap_or(&mean));
        count += 1;
    }
    count
}

/// c) What kinds of thing go with the bought kinds, pooled over the lines.
pub(crate) fn pool_types(context: &Context<'_>, work: &mut Work) {
    let (view, pooled) = (&context.view, &mut work.pooled);
    pooled.clear();
    for (at, line) in context.asking.iter().enumerate() {
        let earlier = context.asking.get(..at).unwrap_or(&[]);
        if earlier.iter().any(|other| other.kind == line.kind) {
            continue; // two lines of one type say it once
        }
        let Some(kind) = view.types.get(line.kind as usize) else {
            continue;
        };
        for transition in view.transitions_of(kind) {
            if context.types.contains(transition.to.get()) {
                continue;
            }
            let Some(pooled) = pooled.entry(transition.to.get()) else { break };
            let lift_q8 = transition.lift_q8.get();
            if lift_q8 > pooled.lift_q8 || pooled.line == NO_LINE {
                (pooled.lift_q8, pooled.line) = (lift_q8, line.number);
            }
            pooled.probability_ppm = either(pooled.probability_ppm, transition.probability_ppm.get());
            pooled.direct_q16 = pooled.direct_q16.saturating_add(transition.direct_q16.get().into());
        }
    }
}

/// Probability of one or the other, parts per million.
fn either(a: u32, b: u32) -> u32 {
    let (a, b) = (u64::from(a.min(1_000_000)), u64::from(b.min(1_000_000)));
    (a + b - a * b / 1_000_000) as u32
}

fn products_of_types<'a>(context: &Context<'a>, work: &mut Work) {
    let view = &context.view;
    let Work { pooled, pooled_order, candidates, .. } = work;
    pooled_order.clear();
    pooled_order.extend(pooled.list.iter().map(|kind| (Reverse(ranking::type_worth(kind)), kind.to)));
    if pooled_order.len() > TYPES_ASKED {
        pooled_order.select_nth_unstable(TYPES_ASKED);
        pooled_order.truncate(TYPES_ASKED);
    }
    pooled_order.sort_unstable();
    let asked = pooled_order.iter().filter_map(|(_, to)| pooled.find(*to));
    let types =
        asked.filter_map(|kind| Some((kind, view.products_of_type(view.types.get(kind.to as usize)?))));
    // Three steps, each asking for what the next one reads.
    let first = |own: &'a [U32]| own.get(..PRODUCTS_PER_TYPE).unwrap_or(own);
    for (_, own) in types.clone() {
        view.foresee(first(own));
    }
    for (_, own) in types.clone() {
        first(own).iter().for_each(|product| context.foresee_allowed(product.get()));
    }
    for (kind, own) in types {
        let seen = own.iter().take(PRODUCTS_SEEN_PER_TYPE).map(|p| p.get());
        for product in seen.filter(|p| context.is_allowed(*p)).take(PRODUCTS_PER_TYPE) {
            let item = Item::Product(ProductIx(product));
            candidates.add(Candidate::new(item, Relation::GoesWithType, kind.line));
        }
    }
}

/// d) Offers that a bought line, an answer or the purchase as such triggers.
fn triggered_offers(context: &Context<'_>, work: &mut Work) {
    let view = &context.view;
    let mut room = OFFER_HITS_MAX;
    let mut add = |kind: u32, key: u32, line: u16| {
        let triggered = view.triggered(kind, key);
        for entry in triggered.iter().take(TRIGGER_OFFERS_MAX) {
            let offer = entry.offer.get();
            let Some(record) = view.offer(offer).filter(|_| room > 0) else {
                continue;
            };
            let relation = if record.house == 1 { Relation::House } else { Relation::Triggered };
            let mut candidate = Candidate::new(Item::Offer(OfferIx(offer)), relation, line);
            ranking::score_offer(record, kind, &mut candidate);
            // Only a fresh offer takes a place: else the lines of a large basket, all triggering the same few, crowd
            // out everything after them, house offers first.
            room -= usize::from(work.candidates.add(candidate));
        }
        !triggered.is_empty()
    };
    // The closest trigger first: an offer keeps the first relation that found it.
    for line in context.asking.iter().filter(|line| line.product != NONE) {
        add(trigger::PRODUCT, line.product, line.number);
    }
    // Content triggers have the greatest numbers.
    if view.triggers.last().is_some_and(|last| last.kind.get() >= trigger::CONTENT_OWN) {
        for line in context.asking {
            let own = add(trigger::CONTENT_OWN, line.product, line.number);
            if !(add(trigger::CONTENT_KEPT, line.product, line.number) | own) {
                add(trigger::CONTENT_CATEGORY, line.category, line.number);
            }
        }
    }
    for answer in context.profile.answers.iter().take(ANSWERS_MAX) {
        add(trigger::ANSWER, answer_key(answer.tag.as_bytes()), NO_LINE);
    }
    for line in context.asking {
        for category in view.ancestors(line.category) {
            add(trigger::CATEGORY, category, line.number);
        }
    }
    let branded = context.lines.iter().filter(|line| !line.sensitive && line.brand != NONE);
    for line in branded.take(ASKING_LINES_MAX) {
        add(trigger::BRAND, line.brand, line.number);
    }
    add(trigger::ANY, 0, NO_LINE);
}

/// e) What the customer uses up and bought before, where it is due again: most often bought first.
fn refills(context: &Context<'_>, work: &mut Work) {
    let view = &context.view;
    work.search.hits.clear_to(REFILL_HITS_MAX);
    for past in context.past {
        let used_up = view.product(past.product).is_some_and(|record| {
            context.used_up(record, past) && !(past.sensitive && record.partner.get() != NONE)
        });
        let wanted = used_up
            && !context.types.contains(past.kind)
            && context.is_allowed(past.product)
            && is_due(context, past);
        if wanted {
            work.search.hits.offer(search::key(features::bought_before(past), past.product));
        }
    }
    add_hits(work, Relation::Refill, REFILL_HITS_MAX);
}

/// f) What the customer put back from the cart in this session.
fn put_back(context: &Context<'_>, work: &mut Work) {
    for id in context.profile.session.cart_removed.iter().take(CART_REMOVED_MAX) {
        if let Some(product) = context.view.find(NameKind::Product, id.as_bytes()) {
            let item = Item::Product(ProductIx(product));
            work.candidates.add(Candidate::new(item, Relation::BoughtTogether, NO_LINE));
        }
    }
}

/// Asks for what the partners of candidates say, which lies two steps away from them.
pub(crate) fn fetch_partners(context: &Context<'_>, candidates: &[Candidate]) {
    let (view, contracts) = (&context.view, &context.policy.contracts);
    if view.partners.is_empty() {
        return;
    }
    let partners = candidates.iter().filter_map(|candidate| match candidate.item {
        Item::Product(ProductIx(ix)) => Some(view.product(ix)?.partner.get()),
        Item::Offer(OfferIx(ix)) => Some(view.offer(ix)?.partner.get()),
    });
    for partner in partners.clone() {
        prefetch_at(view.partners, partner as usize);
        contracts.prefetch(partner);
    }
    for record in partners.filter_map(|partner| view.partners.get(partner as usize)) {
        prefetch(view.blocks_of(record));
    }
}

/// Asks for what judging candidates will read: from memory, and where the file may still be there, from disk.
pub(crate) fn fetch(context: &Context<'_>, overlay: &Reading<'_>, candidates: &[Candidate]) {
    let view = &context.view;
    for candidate in candidates {
        if let Item::Product(ProductIx(ix)) = candidate.item {
            view.foresee_at(view.products, ix as usize);
            view.foresee(view.out_vector(ix).unwrap_or(&[]));
            if let Some(bound) = overlay.bound() {
                prefetch(bound.state(ix));
            }
        }
    }
}

//! Held-out orders as questions with known answers.

use std::collections::{HashMap, HashSet};

use super::additive::Rows;
use crate::build::catalogue::Inputs;
use crate::build::feed::{NONE, OrderLine, Orders};
use crate::build::progress::{Progress, Unit};
use crate::days::DAY_MS;
use crate::index::format::Head;
use crate::offer::{Item, ProductIx};
use crate::scratch::Scratch;
use crate::{Decider, LineItem, Placement, Profile, Purchase, Transaction, features};
use crate::{context, ranking};

/// Held-out baskets that are asked.
const CASES_MAX: usize = 8000;
/// Fewer than this teach nothing worth having.
const CASES_MIN: usize = 200;
/// Lines of a basket that are hidden, one at a time.
const HIDDEN: usize = 3;
/// Earlier lines of a customer that a case knows.
const HISTORY_MAX: usize = 500;
/// Time within which a purchase is the answer.
const ANSWER_MS: i64 = 14 * DAY_MS;
/// Bought rows count (customers / 100)^-power: else a model learns little but what everybody buys. Not so what is bought for the
/// first time, which is common by nature.
const RARITY_POWER: f32 = 0.15;
/// What a product is worth that was not bought where another new one of its type was: which type a customer will try can be learnt
/// better than which product. Measured from 0 to 0.3; for the other heads anything above 0 finds less.
const OF_KIND: f32 = 0.055;
/// Of the candidates that were not bought, one in so many is kept, and counts for all.
const SAMPLED: usize = 8;

/// The newest tenth of the baskets, and the orders before it.
pub(super) struct Cases {
    pub(super) earlier: Orders,
    /// Baskets to ask about.
    asked: Vec<Vec<OrderLine>>,
    /// All held-out lines of each customer of a case, oldest first.
    later: HashMap<u32, Vec<OrderLine>>,
    /// The newest earlier lines of each of them, oldest first.
    histories: HashMap<u32, Vec<OrderLine>>,
    /// Every product of the earlier lines of each of them.
    owned: HashMap<u32, HashSet<u32>>,
    /// End of the orders.
    end_ms: i64,
    /// Earlier lines of each product.
    sold: Vec<u32>,
    /// Type of each product.
    type_of: Vec<u32>,
}

impl Cases {
    pub(super) fn new(inputs: &Inputs, type_of: &[u32]) -> Self {
        let orders = &inputs.orders;
        let mut first_at: Vec<i64> = vec![i64::MAX; orders.baskets as usize];
        for line in &orders.lines {
            let at = &mut first_at[line.basket as usize];
            *at = line.at_ms.min(*at);
        }
        let mut times = first_at.clone();
        times.sort_unstable();
        let cut = times.get(times.len() * 9 / 10).copied().unwrap_or(i64::MAX);
        let old = |line: &&OrderLine| first_at[line.basket as usize] < cut;
        let earlier = Orders { lines: orders.lines.iter().filter(old).copied().collect(), ..orders.clone() };
        let mut held_out: Vec<OrderLine> = orders.lines.iter().filter(|line| !old(line)).copied().collect();
        held_out.sort_by_key(|line| (line.basket, line.product));
        let mut sold = vec![0; inputs.products.len()];
        earlier.lines.iter().for_each(|line| sold[line.product as usize] += 1);
        let baskets: Vec<&[OrderLine]> =
            held_out.chunk_by(|a, b| a.basket == b.basket).filter(|b| b.len() >= 2).collect();
        let every = baskets.len().div_ceil(CASES_MAX).max(1);
        let asked: Vec<Vec<OrderLine>> =
            baskets.into_iter().step_by(every).map(<[OrderLine]>::to_vec).collect();
        // Of the others nothing is asked, and a large shop has millions of them.
        let customers: HashSet<u32> =
            asked.iter().map(|case| case[0].customer).filter(|customer| *customer != NONE).collect();
        let mut owned: HashMap<u32, HashSet<u32>> = HashMap::new();
        for line in earlier.lines.iter().filter(|line| customers.contains(&line.customer)) {
            owned.entry(line.customer).or_default().insert(line.product);
        }
        Self {
            asked,
            later: by_customer(&held_out, &customers, usize::MAX),
            histories: by_customer(&earlier.lines, &customers, HISTORY_MAX),
            owned,
            end_ms: orders.lines.iter().map(|line| line.at_ms).max().unwrap_or(0),
            earlier,
            sold,
            type_of: type_of.to_vec(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.asked.len() < CASES_MIN
    }

    /// Asks all cases; the rows of each head.
    pub(super) fn ask(&self, decider: &mut Decider, inputs: &Inputs, progress: &dyn Progress) -> [Rows; 3] {
        let mut rows = [Rows::default(), Rows::default(), Rows::default()];
        let ix: Vec<Option<ProductIx>> =
            inputs.products.iter().map(|product| decider.engine().find_product(&product.id)).collect();
        let mut row_of = vec![NONE; ix.len()];
        for (row, ProductIx(ix)) in (0..).zip(&ix).filter_map(|(row, ix)| ix.map(|ix| (row, ix))) {
            row_of[ix as usize] = row;
        }
        let (sold, type_of) = (&self.sold[..], &self.type_of[..]);
        let mut asking = Asking { inputs, sold, type_of, row_of: &row_of, decider, seen: 0 };
        progress.start("ask about held-out orders", self.asked.len() as u64, Unit::Items);
        for (number, case) in (0..).zip(&self.asked) {
            let [anonymous, known, first_time] = &mut rows;
            let customer = case[0].customer;
            let half = (if customer == NONE { number } else { customer }) as u8 % 2;
            for hidden in self.hidden(number, case) {
                let shown: Vec<OrderLine> = case.iter().filter(|l| l.product != hidden).copied().collect();
                asking.ask(half, &shown, &[], &[hidden], Head::Anonymous, anonymous);
            }
            let (history, bought) = self.around(case);
            if !history.is_empty() && !bought.is_empty() {
                asking.ask(half, case, history, &bought, Head::Known, known);
                let new = self.new_to_customer(case, bought);
                asking.ask(half, case, history, &new, Head::FirstTime, first_time);
            }
            progress.at(u64::from(number) + 1);
        }
        progress.finish(&format!("{} baskets", self.asked.len()));
        rows
    }

    /// Products of a case that are hidden, one at a time: those that no rule forbids beside the others.
    fn hidden(&self, number: u32, case: &[OrderLine]) -> Vec<u32> {
        let kind = |line: &OrderLine| self.type_of[line.product as usize];
        let alone = |line: &&OrderLine| case.iter().filter(|other| kind(other) == kind(line)).count() == 1;
        let mut products: Vec<u32> = case.iter().filter(alone).map(|line| line.product).collect();
        let first = number as usize % products.len().max(1);
        products.rotate_left(first);
        products.truncate(HIDDEN);
        products
    }

    /// What the customer of a case bought before it, and in the fourteen days after it: nothing where those are not over.
    fn around(&self, case: &[OrderLine]) -> (&[OrderLine], Vec<u32>) {
        let (customer, at) = (case[0].customer, case[0].at_ms);
        let history = self.histories.get(&customer).map_or(&[][..], Vec::as_slice);
        let later = self.later.get(&customer).map_or(&[][..], Vec::as_slice);
        let within = |line: &&OrderLine| line.at_ms > at && line.at_ms <= at + ANSWER_MS;
        // The last cases have seen part of their fourteen days: that ranks as well, and keeps the newest orders in.
        if at >= self.end_ms {
            return (history, Vec::new());
        }
        (history, later.iter().filter(within).map(|line| line.product).collect())
    }

    /// Of these products, the ones that the customer of a case had never bought before it: neither in the orders that the
    /// catalog knows, nor in those that are put aside, nor longer ago than a case's history reaches.
    fn new_to_customer(&self, case: &[OrderLine], mut products: Vec<u32>) -> Vec<u32> {
        let (customer, at) = (case[0].customer, case[0].at_ms);
        let later = self.later.get(&customer).map_or(&[][..], Vec::as_slice);
        let lately = later.iter().filter(|line| line.at_ms <= at).map(|line| line.product);
        let owned: HashSet<u32> =
            self.owned.get(&customer).into_iter().flatten().copied().chain(lately).collect();
        products.retain(|product| !owned.contains(product));
        products
    }
}

/// The newest lines of each of these customers, oldest first.
fn by_customer(lines: &[OrderLine], customers: &HashSet<u32>, most: usize) -> HashMap<u32, Vec<OrderLine>> {
    let mut of: HashMap<u32, Vec<OrderLine>> = HashMap::new();
    for line in lines.iter().filter(|line| customers.contains(&line.customer)) {
        of.entry(line.customer).or_default().push(*line);
    }
    for lines in of.values_mut() {
        lines.sort_by_key(|line| line.at_ms);
        lines.drain(..lines.len().saturating_sub(most));
    }
    of
}

/// What asking needs beside the case.
struct Asking<'a> {
    inputs: &'a Inputs,
    sold: &'a [u32],
    type_of: &'a [u32],
    /// Feed row of each product of the catalog.
    row_of: &'a [u32],
    decider: &'a mut Decider,
    /// Candidates so far.
    seen: usize,
}

impl Asking<'_> {
    /// Decides, and keeps the features of every candidate that no rule refuses.
    fn ask(
        &mut self,
        half: u8,
        shown: &[OrderLine],
        history: &[OrderLine],
        bought: &[u32],
        head: Head,
        rows: &mut Rows,
    ) {
        let id = |product: u32| self.inputs.products[product as usize].id.as_str();
        let shown = shown.iter().take(crate::limits::LINES_MAX);
        let lines: Vec<LineItem<'_>> = shown
            .clone()
            .map(|l| LineItem {
                quantity: l.quantity,
                unit_price: l.unit_price,
                ..LineItem::of(id(l.product))
            })
            .collect();
        let purchases: Vec<Purchase<'_>> =
            history.iter().map(|l| Purchase { item_id: id(l.product), at_ms: l.at_ms }).collect();
        let repeat = if head == Head::FirstTime { crate::Repeat::Never } else { crate::Repeat::Allowed };
        let transaction = Transaction {
            created_at_ms: shown.clone().map(|line| line.at_ms).max().unwrap_or(0),
            lines: &lines,
            placement: Placement { min_relevance: Some(0), repeat, ..Placement::default() },
            ..Transaction::default()
        };
        let profile = Profile { purchases: &purchases, ..Profile::default() };
        if self.decider.decide(&transaction, &profile).is_err() {
            return;
        }
        let (engine, Scratch { context, work }) = self.decider.parts();
        let context = context::resolve(engine.view(), engine.policy(), &transaction, &profile, context);
        debug_assert_eq!(ranking::head(&context), head);
        let learnt = work.learnt();
        for candidate in &work.candidates.list {
            let Item::Product(ProductIx(ix)) = candidate.item else { continue };
            let Some(record) = context.view.product(ix) else { continue };
            let (of, ..) = features::of_product(&context, engine.kernel(), learnt, ix, record);
            let row = self.row_of[ix as usize];
            let sold = self.sold[row as usize] as f32;
            let is_bought = bought.contains(&row);
            self.seen += 1;
            if !is_bought && !self.seen.is_multiple_of(SAMPLED) {
                continue;
            }
            let kind = self.type_of[row as usize];
            let (power, of_kind) = match head {
                Head::FirstTime if bought.iter().any(|b| self.type_of[*b as usize] == kind) => (0.0, OF_KIND),
                Head::FirstTime => (0.0, 0.0),
                Head::Anonymous | Head::Known => (RARITY_POWER, 0.0),
            };
            rows.features.push(*of.values());
            rows.bought.push(is_bought);
            rows.worth.push(if is_bought { 1.0 } else { of_kind });
            rows.weight.push(if is_bought { ((sold + 1.0) / 100.0).powf(-power) } else { SAMPLED as f32 });
            rows.half.push(half);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_customer_ever_bought_before_is_not_new() {
        let line = |day: i64, product: u32| OrderLine {
            basket: day as u32,
            customer: 7,
            at_ms: day * DAY_MS,
            product,
            quantity: 1,
            unit_price: None,
        };
        let case = [line(20, 0)];
        let later = vec![line(19, 1), case[0], line(21, 1), line(22, 2), line(23, 3), line(40, 4)];
        let cases = Cases {
            earlier: Orders::default(),
            asked: vec![case.to_vec()],
            later: HashMap::from([(7, later)]),
            histories: HashMap::from([(7, vec![line(3, 5)])]),
            owned: HashMap::from([(7, HashSet::from([5, 2]))]),
            end_ms: 60 * DAY_MS,
            sold: vec![1; 6],
            type_of: (0..6).collect(),
        };
        let (history, bought) = cases.around(&case);
        assert_eq!((history.len(), &bought[..]), (1, &[1, 2, 3][..]));
        // 1 was bought the day before, 2 longer ago than the history reaches.
        assert_eq!(cases.new_to_customer(&case, bought), [3]);
    }
}

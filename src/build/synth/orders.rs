//! The order rows.

use std::collections::HashSet;

use super::layout::{Layout, variant_id};
use super::{BuildError, Output, SynthReport, SynthSource, draw, money};
use crate::build::feed::{NONE, OrderLine, Orders};
use crate::build::progress::{Progress, Unit};

const COLUMNS: [&str; 6] = ["basket_id", "customer_id", "timestamp", "product_id", "quantity", "unit_price"];
const MINUTE: i64 = 60_000;
const WEEK: i64 = 7 * 24 * 60 * MINUTE;

/// One real basket as one made-up customer repeats it.
struct Replay {
    at_ms: i64,
    basket: u32,
    round: u32,
    shop: u32,
    /// Lines to write: all that the shop carries, but for the very last basket.
    lines: u32,
}

/// Writes every order line, by time.
pub(super) fn write(
    source: &SynthSource<'_>,
    layout: &Layout,
    prices: &[i64],
    out: &mut Output,
    progress: &dyn Progress,
    report: &mut SynthReport,
) -> Result<(), BuildError> {
    progress.start("making orders", layout.options.order_lines as u64, Unit::Items);
    let baskets = Baskets::new(source.orders);
    let replays = plan(&baskets, layout)?;
    let mut sold = vec![false; prices.len()];
    let mut customers = HashSet::new();
    out.row(COLUMNS)?;
    for (number, replay) in replays.iter().enumerate() {
        let lines = baskets.lines(replay.basket as usize);
        let customer = lines[0].customer;
        let basket_id = format!("syn-b{number}");
        let mut customer_id = String::new();
        if customer != NONE {
            customer_id = format!("syn-c{customer}-{}", replay.round);
            customers.insert((customer, replay.round));
        }
        let at = timestamp(replay.at_ms);
        let carried = lines.iter().filter(|l| layout.carried(l.product as usize, replay.shop as usize) > 0);
        for line in carried.take(replay.lines as usize) {
            let row = choose(line, replay, layout);
            let product = line.product as usize;
            let paid = price(line, source.products[product].price, prices[row]);
            let id = variant_id(product, row - layout.first_row(product));
            let paid = paid.map(money).unwrap_or_default();
            out.row([&basket_id, &customer_id, &at, &id, &line.quantity.to_string(), &paid])?;
            sold[row] = true;
            report.order_lines += 1;
        }
        if number.is_multiple_of(1024) {
            progress.at(report.order_lines as u64);
        }
    }
    report.baskets = replays.len();
    report.customers = customers.len();
    report.sold = sold.iter().filter(|&&s| s).count();
    progress.finish(&format!("{} lines in {} baskets", report.order_lines, report.baskets));
    Ok(())
}

/// Round after round, every customer's whole history, until there are enough lines; then sorted by time.
fn plan(baskets: &Baskets<'_>, layout: &Layout) -> Result<Vec<Replay>, BuildError> {
    let mut left = layout.options.order_lines;
    // Otherwise no round would ever give a line.
    if left > 0 && baskets.lines.iter().all(|l| layout.variants(l.product as usize) == 0) {
        return Err(BuildError::Input {
            problem: "none of the products in the orders got a variant".to_owned(),
            way_out: "ask for more products".to_owned(),
        });
    }
    let mut replays = Vec::new();
    let mut round = 0;
    while left > 0 {
        for &basket in &baskets.by_customer {
            let lines = baskets.lines(basket as usize);
            let who = who(lines[0]);
            let seed = layout.options.seed;
            let shop = layout.zipf(layout.options.shops, draw(seed, [5, who, round]));
            let carried =
                lines.iter().filter(|l| layout.carried(l.product as usize, shop) > 0).count().min(left);
            if carried == 0 {
                continue;
            }
            // Whole weeks keep the day of the week, and with it what is bought on it.
            let moved = draw(seed, [6, who, round]);
            let at_ms = lines[0].at_ms + ((moved % 3) as i64 - 1) * WEEK + (moved / 3 % 120) as i64 * MINUTE;
            replays.push(Replay {
                at_ms,
                basket,
                round: round as u32,
                shop: shop as u32,
                lines: carried as u32,
            });
            left -= carried;
        }
        round += 1;
    }
    replays.sort_by_key(|r| (r.at_ms, r.basket, r.round));
    Ok(replays)
}

/// Who buys: the customer, or where there is none the basket itself.
fn who(line: &OrderLine) -> u64 {
    match line.customer {
        NONE => u64::from(line.basket) | 1 << 32,
        customer => u64::from(customer),
    }
}

/// The row bought for a real line. Customers are loyal: four times in five they take the variant they always take.
fn choose(line: &OrderLine, replay: &Replay, layout: &Layout) -> usize {
    let product = line.product as usize;
    let seed = layout.options.seed;
    let habit = u64::from(replay.round) << 32 | u64::from(line.product);
    let today = draw(seed, [7 | u64::from(replay.basket) << 8, who(line), habit]);
    let drawn =
        if today.is_multiple_of(5) { draw(seed, [8, today, 0]) } else { draw(seed, [9, who(line), habit]) };
    layout.pick(product, replay.shop as usize, drawn)
}

/// Price paid: that of the variant, with the discount the real customer had.
fn price(line: &OrderLine, real: Option<i64>, variant: i64) -> Option<i64> {
    match (line.unit_price, real) {
        _ if variant == 0 => line.unit_price,
        (Some(paid), Some(real)) if paid < real => {
            i64::try_from(i128::from(variant) * i128::from(paid) / i128::from(real)).ok()
        }
        _ => Some(variant),
    }
}

/// The real lines, basket by basket.
struct Baskets<'a> {
    lines: Vec<&'a OrderLine>,
    /// `starts[b]..starts[b + 1]` are the lines of the b-th basket.
    starts: Vec<usize>,
    /// The baskets, customer by customer.
    by_customer: Vec<u32>,
}

impl<'a> Baskets<'a> {
    fn new(orders: &'a Orders) -> Self {
        let mut lines: Vec<_> = orders.lines.iter().collect();
        lines.sort_by_key(|l| l.basket);
        let mut starts: Vec<_> =
            (0..lines.len()).filter(|&i| i == 0 || lines[i].basket != lines[i - 1].basket).collect();
        let mut by_customer: Vec<_> = (0..starts.len() as u32).collect();
        by_customer.sort_by_key(|&b| who(lines[starts[b as usize]]));
        starts.push(lines.len());
        Self { lines, starts, by_customer }
    }

    fn lines(&self, basket: usize) -> &[&'a OrderLine] {
        &self.lines[self.starts[basket]..self.starts[basket + 1]]
    }
}

/// Unix milliseconds as `2017-01-31T12:26:30`, UTC.
fn timestamp(at_ms: i64) -> String {
    let seconds = at_ms.div_euclid(1000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Years from March on, in eras of 400 years: then leap days come last and need no table.
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) =
        if month < 10 { (era * 400 + year, month + 3) } else { (era * 400 + year + 1, month - 9) };
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::timestamp;

    #[test]
    fn timestamps_are_dates() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00");
        assert_eq!(timestamp(-1), "1969-12-31T23:59:59");
        assert_eq!(timestamp(951_826_210_000), "2000-02-29T12:10:10");
        assert_eq!(timestamp(1_483_273_590_000), "2017-01-01T12:26:30");
        assert_eq!(timestamp(1_735_689_599_999), "2024-12-31T23:59:59");
    }
}

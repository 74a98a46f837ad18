//! `aftercart follow-ups --judge`: are planned dates nearer to when things were bought again than fixed intervals are?

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use aftercart::build::feed::{self, ColumnMap, OrderLine, Product, parse_timestamp};
use aftercart::build::progress::Silent;
use aftercart::follow_up::{
    Anchor, Channel, ContactPolicy, MessageKind, Outlook, Programme, ProgrammeTable, Programmes, Step,
};
use aftercart::policy::Unknown;
use aftercart::{Decider, Engine, LineItem, Profile, Purchase, Transaction};

use crate::Failure;

const DAY_MS: i64 = 86_400_000;
/// A fixed interval where a category has fewer of its own.
const INTERVALS_MIN: usize = 5;

/// Days on which a customer bought a product, by product row and customer.
type Days = HashMap<(u32, u32), Vec<i64>>;

/// Held-out repurchases: bought at a moment not before `from`, and again within so many days.
pub(crate) fn judge(
    decider: &mut Decider,
    orders: &Path,
    from: &str,
    within_days: u16,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let engine = decider.engine().clone();
    let from = parse_timestamp(from).map_err(|error| format!("--from \"{from}\": {error}"))? / DAY_MS;
    let ids = engine.catalog().product_ids().map(|id| Product { id: id.to_owned(), ..Product::default() });
    let products: Vec<Product> = ids.collect();
    let (orders, _) = feed::read_orders(&[orders.to_owned()], &ColumnMap::default(), &products, &Silent)?;
    let days = days(&orders.lines);
    let last = orders.lines.last().map_or(0, |line| line.at_ms / DAY_MS);
    let fixed = Fixed::new(&engine, &products, &days, from);
    let programmes = refills(&engine)?;
    let mut errors: [Vec<f64>; 3] = Default::default();
    let (mut all, mut own) = (0usize, 0usize);
    let mut pairs: Vec<_> = days.iter().collect();
    pairs.sort_unstable();
    for ((product, _), days) in pairs {
        let id = &products[*product as usize].id;
        for (number, pair) in days.windows(2).enumerate() {
            let (bought, again) = (pair[0], pair[1]);
            // Only where a return within the window would have been seen.
            if bought < from
                || bought + i64::from(within_days) > last
                || again - bought > i64::from(within_days)
            {
                continue;
            }
            all += 1;
            let Some(planned) = planned(decider, &programmes, id, bought, &days[..number])? else { continue };
            own += usize::from(number > 0);
            let came = (again - bought) as f64;
            let said = [30.0, fixed.of(&engine, id), planned];
            errors.iter_mut().zip(said).for_each(|(errors, days)| errors.push((days - came).abs()));
        }
    }
    if errors[0].is_empty() {
        return Err(format!(
            "nothing to judge by: {all} repurchases of customers since --from that {within_days} days could show, and no date planned for any\n  way out: give orders that name customers and end {within_days} days after --from at the earliest, an earlier --from, or a smaller --within"
        )
        .into());
    }
    writeln!(
        out,
        "{all} repurchases within {within_days} days; a date is planned for {} of them, {own} with the customer's own intervals\n",
        errors[0].len()
    )?;
    writeln!(
        out,
        "{:<34} {:>10} {:>12} {:>14}",
        "days between date and purchase", "mean", "median", "within a week"
    )?;
    for (name, errors) in
        ["fixed, 30 days", "fixed, the category's median", "planned"].iter().zip(&mut errors)
    {
        errors.sort_by(f64::total_cmp);
        let n = errors.len().max(1);
        let mean = errors.iter().sum::<f64>() / n as f64;
        let near = 100.0 * errors.partition_point(|days| *days <= 7.0) as f64 / n as f64;
        let median = errors.get(n / 2).copied().unwrap_or(0.0);
        writeln!(out, "{name:<34} {mean:>10.2} {median:>12.1} {near:>12.1} %")?;
    }
    Ok(())
}

/// Of customers that the orders name.
fn days(lines: &[OrderLine]) -> Days {
    let mut days = Days::new();
    for line in lines.iter().filter(|line| line.customer != u32::MAX) {
        let own = days.entry((line.product, line.customer)).or_default();
        let day = line.at_ms / DAY_MS;
        if own.last() != Some(&day) {
            own.push(day);
        }
    }
    days
}

/// The median interval of each category before the cut, as a calendar that a shop would set up has it.
struct Fixed {
    medians: HashMap<String, f64>,
    all: f64,
}

impl Fixed {
    fn new(engine: &Engine, products: &[Product], days: &Days, from: i64) -> Self {
        let (mut of, mut all): (HashMap<String, Vec<i64>>, Vec<i64>) = Default::default();
        for ((product, _), days) in days {
            let before = &days[..days.partition_point(|day| *day < from)];
            let gaps = before.windows(2).map(|pair| pair[1] - pair[0]);
            all.extend(gaps.clone());
            of.entry(category(engine, &products[*product as usize].id)).or_default().extend(gaps);
        }
        let median = |mut gaps: Vec<i64>| {
            gaps.sort_unstable();
            gaps.get(gaps.len() / 2).map_or(30.0, |days| *days as f64)
        };
        let medians = of.into_iter().filter(|(_, gaps)| gaps.len() >= INTERVALS_MIN);
        Self { medians: medians.map(|(name, gaps)| (name, median(gaps))).collect(), all: median(all) }
    }

    fn of(&self, engine: &Engine, id: &str) -> f64 {
        self.medians.get(&category(engine, id)).copied().unwrap_or(self.all)
    }
}

fn category(engine: &Engine, id: &str) -> String {
    let product = engine.find_product(id).map(aftercart::Item::Product);
    product.map_or_else(String::new, |item| engine.category(item).to_owned())
}

/// One message when something is due again, for every category.
fn refills(engine: &Engine) -> Result<Programmes, Failure> {
    let roots = engine.catalog().categories().map(|(path, _)| path).filter(|path| !path.contains(" > "));
    let step = Step {
        template: "due".into(),
        kind: MessageKind::Refill,
        channel: Channel::Email,
        after: Anchor::Due,
        days: 0.0,
        expires_days: 1.0,
        content: String::new(),
    };
    let programme = Programme {
        id: "due".into(),
        categories: roots.map(str::to_owned).collect(),
        steps: vec![step],
        ..Programme::default()
    };
    let contact = ContactPolicy { not_asked: Unknown::Allow, ..ContactPolicy::default() };
    let table = ProgrammeTable { contact, programmes: vec![programme], ..ProgrammeTable::default() };
    Ok(Programmes::new(&table, engine)?)
}

/// Days until the product is expected to be bought again.
fn planned(
    decider: &mut Decider,
    programmes: &Programmes,
    id: &str,
    bought: i64,
    earlier: &[i64],
) -> Result<Option<f64>, Failure> {
    let lines = [LineItem::of(id)];
    let purchases: Vec<Purchase<'_>> =
        earlier.iter().map(|day| Purchase { item_id: id, at_ms: day * DAY_MS }).collect();
    let transaction = Transaction { created_at_ms: bought * DAY_MS, lines: &lines, ..Transaction::default() };
    let profile = Profile { purchases: &purchases, ..Profile::default() };
    let plan = decider.plan_follow_ups(programmes, &transaction, &profile, &Outlook::default())?;
    Ok(plan.planned().first().and_then(|message| message.due_days).map(f64::from))
}

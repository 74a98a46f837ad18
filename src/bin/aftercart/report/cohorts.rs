//! Customers some days after their first order, arm beside arm.

use std::fmt::Write;

use super::page::{count, counted, percent, table};
use super::stats::{self, Estimate, RATIO_P_MIN, Sums};
use super::{Arm, Comparison, Report, stated};

/// What is asked of a customer: name in the CSV, in words.
const MEASURES: [(&str, &str); 2] = [("ordered_later", "ordered later"), ("customer_value", "brought each")];

const DASH: &str = "\u{2013}";

/// The customers of a comparison after so many days.
pub(super) struct Cohort {
    days: String,
    /// In the order of the comparison's arms.
    arms: Vec<Own>,
    /// Why their lift is not stated.
    refused: Option<String>,
}

/// Of one arm.
struct Own {
    customers: f64,
    /// Transactions in the log, of those whose days are over.
    transactions: f64,
    /// Of those whose days are over, as [`MEASURES`]; amounts in major units.
    sums: [Sums; MEASURES.len()],
}

/// Reads `cohorts.sql` into the comparisons.
pub(super) fn add(report: &mut Report) {
    let answer = report.answer("cohorts");
    let own = |comparison: &Comparison, arm: &Arm, days: &str| {
        let row = (0..answer.rows.len()).find(|row| {
            let is = |column: &str, name: &str| answer.text(*row, column) == name;
            is("comparison", &comparison.name) && is("arm", &arm.name) && is("days", days)
        });
        let of = |name: &str| row.map_or(0.0, |row| answer.number(row, name));
        let units = of("units");
        let sums = |y: f64, yy: f64| Sums { units, n: units, nn: units, y, yy, yn: y };
        let value = sums(of("amount") / 1e2, of("amount2") / 1e4);
        Own {
            customers: of("customers"),
            transactions: of("transactions"),
            sums: [sums(of("later"), of("later")), value],
        }
    };
    let cohorts = report.comparisons.iter().map(|comparison| {
        let of_days = |days: &str| {
            let arms: Vec<Own> = comparison.arms.iter().map(|arm| own(comparison, arm, days)).collect();
            let units: Vec<f64> = arms.iter().map(|arm| arm.sums[0].units).collect();
            let shares: Vec<f64> = comparison.arms.iter().map(|arm| arm.share[0]).collect();
            let uneven = stats::sample_ratio(&units, &shares).is_some_and(|p| p < RATIO_P_MIN);
            let refused =
                uneven.then(|| "the arms do not have the customers that their shares say".to_owned());
            Cohort { days: days.to_owned(), arms, refused: comparison.refused.clone().or(refused) }
        };
        ["30", "90"].map(of_days).into_iter().filter(|cohort| cohort.customers() > 0.0).collect()
    });
    let cohorts: Vec<Vec<Cohort>> = cohorts.collect();
    for (comparison, own) in report.comparisons.iter_mut().zip(cohorts) {
        comparison.cohorts = own;
    }
}

impl Cohort {
    fn customers(&self) -> f64 {
        self.arms.iter().map(|arm| arm.customers).sum()
    }

    fn lift(&self, arm: usize, measure: usize) -> Option<Estimate> {
        let own = self.arms.get(arm).filter(|_| arm > 0 && self.refused.is_none())?;
        own.sums[measure].lift_over(&self.arms.first()?.sums[measure])
    }

    /// Rows of `lift.csv`.
    pub(super) fn stated(&self, comparison: &Comparison) -> Vec<Vec<String>> {
        let (mut rows, control) = (Vec::new(), comparison.arms[0].name.as_str());
        for (at, (arm, own)) in comparison.arms.iter().zip(&self.arms).enumerate().skip(1) {
            for (measure, (name, _)) in MEASURES.iter().enumerate() {
                let means = [own, &self.arms[0]].map(|own| own.sums[measure].ratio());
                let name = format!("{name}_{}_days", self.days);
                if own.sums[0].units > 0.0 && self.arms[0].sums[0].units > 0.0 {
                    rows.push(stated(comparison, [&arm.name, control], &name, means, self.lift(at, measure)));
                }
            }
        }
        rows
    }
}

/// The part of the page.
pub(super) fn write(out: &mut String, comparison: &Comparison, money: &str) -> std::fmt::Result {
    for cohort in &comparison.cohorts {
        let over: f64 = cohort.arms.iter().map(|arm| arm.sums[0].units).sum();
        let days = &cohort.days;
        if over == 0.0 {
            writeln!(
                out,
                "<p class=\"note\">After {days} days: of {} customers none has been known for so long yet.</p>",
                count(cohort.customers())
            )?;
            continue;
        }
        let mut rows = Vec::new();
        for (at, (arm, own)) in comparison.arms.iter().zip(&cohort.arms).enumerate() {
            let [later, value] = own.sums.map(|sums| sums.ratio());
            let lift = |measure: usize, text: &dyn Fn(f64) -> String| match cohort.lift(at, measure) {
                Some(l) => format!("{} ({} to {})", text(l.value), text(l.low), text(l.high)),
                None => DASH.to_owned(),
            };
            let of_mean = |mean: f64, text: String| if mean.is_finite() { text } else { DASH.to_owned() };
            let each = own.transactions / own.sums[0].units;
            rows.push(vec![
                arm.name.clone(),
                of_mean(value, format!("{value:.2}")),
                lift(1, &|amount| format!("{amount:+.2}")),
                of_mean(later, percent(later)),
                lift(0, &|share| format!("{:+.1}", 100.0 * share)),
                of_mean(each, format!("{each:.2}")),
                count(own.sums[0].units),
            ]);
        }
        let [brought, more] = [format!("brought, {money}"), format!("more, {money} (95 %)")];
        let head = [
            "arm",
            brought.as_str(),
            more.as_str(),
            MEASURES[0].1,
            "more, points (95 %)",
            "transactions each",
            "customers",
        ];
        table(out, &format!("Customers after {days} days"), &head, &rows)?;
        if let Some(why) = cohort.refused.as_ref().filter(|_| comparison.refused.is_none()) {
            writeln!(out, "<p class=\"note\">No lift is stated after {days} days: {why}.</p>")?;
        }
        let waiting = counted(cohort.customers() - over, "customer");
        writeln!(out, "<p class=\"note\">Without {waiting} whose {days} days are not over yet.</p>")?;
    }
    if comparison.cohorts.is_empty() {
        return Ok(());
    }
    out.push_str(
        "<p class=\"note\">From each customer\u{2019}s first order in this log on; orders without a customer are not in it. Brought: through pages and \
         in later orders, as <code>ordered</code> events report them, less returns; not the orders before a page. Ordered later: of whom at \
         least one such event came. Transactions each: their orders in this log within these days, however they came about.</p>\n",
    );
    Ok(())
}

//! `aftercart report`: what the page brought, out of the log.

mod charts;
mod cohorts;
mod page;
mod query;
mod stats;

use std::path::PathBuf;

use aftercart::log::Log;

use crate::Failure;
use cohorts::Cohort;
use query::{Answer, QUERIES, Tables};
use stats::{Estimate, RATIO_P_MIN, Sums};

#[derive(clap::Args)]
#[command(
    after_help = "Several logs are read as one: --log shop-1 --log shop-2. The SQL is in the source, under src/bin/aftercart/report/sql, and runs on DuckDB as it is."
)]
pub(crate) struct Args {
    /// Folder of a log; may be given several times
    #[arg(long, value_name = "DIR", required = true)]
    log: Vec<PathBuf>,
    /// The page to write
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    out: PathBuf,
    /// A folder for all numbers as CSV
    #[arg(long, value_name = "DIR")]
    csv: Option<PathBuf>,
}

/// What is compared, per transaction.
const MEASURES: [(&str, &str); 5] = [
    ("gross", "revenue"),
    ("net", "revenue net of returns"),
    ("contribution", "margin and payouts, less returns"),
    ("added", "added to the order on the page"),
    ("ordered", "share with a later order"),
];

/// One arm of a comparison.
struct Arm {
    name: String,
    shows: String,
    share: [f64; 2],
    /// Of an order as it was paid, before the page; major units.
    order_value: Option<f64>,
    /// As [`MEASURES`]; amounts in major units.
    sums: [Sums; MEASURES.len()],
}

/// A holdout or an experiment.
struct Comparison {
    name: String,
    /// What the others are measured against comes first.
    arms: Vec<Arm>,
    /// Customers of these arms after some days.
    cohorts: Vec<Cohort>,
    /// Probability of the sample ratio, where it can be tested.
    ratio_p: Option<f64>,
    /// Why no lift may be stated.
    refused: Option<String>,
}

/// All that the page says.
struct Report {
    comparisons: Vec<Comparison>,
    /// By the names of [`QUERIES`].
    answers: Vec<(&'static str, Answer)>,
    skipped: Vec<String>,
    /// Made, waiting in rings, dropped.
    counts: [u64; 3],
}

impl Report {
    fn answer(&self, name: &str) -> &Answer {
        static NONE: Answer = Answer { columns: Vec::new(), rows: Vec::new() };
        self.answers.iter().find(|(own, _)| *own == name).map_or(&NONE, |(_, answer)| answer)
    }
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let logs = args.log.iter().map(|folder| {
        if folder.join("decisions").is_dir() {
            Ok(Log::open(folder)?)
        } else {
            Err(Failure::from(format!(
                "{}: there is no log; `aftercart decide --log` makes one",
                folder.display()
            )))
        }
    });
    let logs = logs.collect::<Result<Vec<_>, _>>()?;
    let tables = Tables::open(&logs)?;
    let mut answers = Vec::new();
    for (name, sql) in QUERIES {
        answers.push((name, tables.ask(sql).map_err(|error| format!("{name}.sql: {error}"))?));
    }
    let mut counts = [0; 3];
    for log in &logs {
        let ring = log.counts()?;
        let own = [ring.made(), ring.written - ring.drained, ring.dropped];
        counts.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
    }
    let comparisons = comparisons(&answers[0].1);
    let mut report = Report { comparisons, answers, skipped: tables.skipped, counts };
    cohorts::add(&mut report);
    std::fs::write(&args.out, page::page(&report)?).map_err(|e| format!("{}: {e}", args.out.display()))?;
    if let Some(folder) = &args.csv {
        std::fs::create_dir_all(folder)?;
        for (name, answer) in &report.answers {
            std::fs::write(folder.join(format!("{name}.csv")), answer.csv()?)?;
        }
        std::fs::write(folder.join("lift.csv"), lifts(&report).csv()?)?;
    }
    for file in &report.skipped {
        eprintln!("left out: {file}");
    }
    print(&report);
    Ok(())
}

/// The comparisons out of the rows of `arms.sql`.
fn comparisons(arms: &Answer) -> Vec<Comparison> {
    let mut found: Vec<Comparison> = Vec::new();
    for row in 0..arms.rows.len() {
        let sums = MEASURES.map(|(measure, _)| {
            let scale = if measure == "ordered" { 1.0 } else { 100.0 };
            let of = |name: &str| arms.number(row, name);
            Sums {
                units: of("units"),
                n: of("n"),
                nn: of("nn"),
                y: of(measure) / scale,
                yy: of(&format!("{measure}2")) / (scale * scale),
                yn: of(&format!("{measure}_n")) / scale,
            }
        });
        let known = arms.number(row, "known");
        let arm = Arm {
            order_value: (known > 0.0).then(|| arms.number(row, "order_value") / 100.0 / known),
            name: arms.text(row, "arm").to_owned(),
            shows: arms.text(row, "shows").to_owned(),
            share: ["least_share", "most_share"].map(|name| arms.number(row, name)),
            sums,
        };
        let name = arms.text(row, "comparison");
        match found.iter_mut().find(|comparison| comparison.name == name) {
            Some(comparison) => comparison.arms.push(arm),
            None => {
                let name = name.to_owned();
                found.push(Comparison {
                    name,
                    arms: vec![arm],
                    cohorts: Vec::new(),
                    ratio_p: None,
                    refused: None,
                });
            }
        }
    }
    found.iter_mut().for_each(judge);
    found
}

/// Puts the control first, and says whether the arms may be compared at all.
fn judge(comparison: &mut Comparison) {
    // Nothing is the plainest control, then the page as it was, then what is so named.
    let rank = |arm: &Arm| match (arm.shows.as_str(), arm.name.as_str()) {
        ("nothing", _) => 0,
        ("earlier", _) => 1,
        (_, "control") => 2,
        _ => 3,
    };
    comparison.arms.sort_by_key(rank);
    let arms = &comparison.arms;
    let units: Vec<f64> = arms.iter().map(|arm| arm.sums[0].units).collect();
    let shares: Vec<f64> = arms.iter().map(|arm| arm.share[0]).collect();
    comparison.ratio_p = stats::sample_ratio(&units, &shares);
    let changed = arms.iter().any(|arm| (arm.share[0] - arm.share[1]).abs() > 1e-9);
    let missing = (shares.iter().sum::<f64>() - 1.0).abs() > 1e-6;
    comparison.refused = if arms.len() < 2 {
        Some("only one arm was seen".to_owned())
    } else if changed {
        Some(
            "the arms' shares changed on the way: early and late customers would be mixed unevenly"
                .to_owned(),
        )
    } else if comparison.ratio_p.is_none() {
        Some("the arms' shares are not known: the log was drained without the policy".to_owned())
    } else if comparison.ratio_p < Some(RATIO_P_MIN) {
        Some("the arms do not have the customers that their shares say: some were lost or counted twice on one side".to_owned())
    } else {
        missing.then(|| "an arm of the policy was not seen at all".to_owned())
    };
}

/// Every lift that may be stated.
fn lifts(report: &Report) -> Answer {
    let columns = [
        "comparison",
        "arm",
        "control",
        "measure",
        "arm_mean",
        "control_mean",
        "lift",
        "standard_error",
        "low",
        "high",
        "ratio_p",
        "refused",
    ];
    let mut rows = Vec::new();
    for comparison in &report.comparisons {
        let control = &comparison.arms[0];
        for arm in comparison.arms.iter().skip(1) {
            for (at, (measure, _)) in MEASURES.iter().enumerate() {
                let means = [&arm.sums[at], &control.sums[at]].map(Sums::ratio);
                rows.push(stated(comparison, &arm.name, measure, means, lift(comparison, arm, at)));
            }
        }
        rows.extend(comparison.cohorts.iter().flat_map(|cohort| cohort.stated(comparison)));
    }
    Answer { columns: columns.map(str::to_owned).to_vec(), rows }
}

/// A row of [`lifts`].
fn stated(
    comparison: &Comparison,
    arm: &str,
    measure: &str,
    means: [f64; 2],
    lift: Option<Estimate>,
) -> Vec<String> {
    let number = |of: Option<f64>| of.map_or_else(String::new, |number| number.to_string());
    let figure = |of: fn(&Estimate) -> f64| number(lift.as_ref().map(of));
    vec![
        comparison.name.clone(),
        arm.to_owned(),
        comparison.arms[0].name.clone(),
        measure.to_owned(),
        means[0].to_string(),
        means[1].to_string(),
        figure(|l| l.value),
        figure(|l| l.error),
        figure(|l| l.low),
        figure(|l| l.high),
        number(comparison.ratio_p),
        comparison.refused.clone().unwrap_or_default(),
    ]
}

/// The lift of an arm, where it may be stated and there are units enough.
fn lift(comparison: &Comparison, arm: &Arm, measure: usize) -> Option<Estimate> {
    let control = comparison.arms.first().filter(|_| comparison.refused.is_none())?;
    arm.sums[measure].lift_over(&control.sums[measure])
}

fn print(report: &Report) {
    for comparison in &report.comparisons {
        if let Some(why) = &comparison.refused {
            println!("{}: no lift is stated: {why}", comparison.name);
            continue;
        }
        for arm in comparison.arms.iter().skip(1) {
            let against = &comparison.arms[0].name;
            match lift(comparison, arm, 1) {
                Some(l) => println!(
                    "{}: \"{}\" against \"{against}\": {:+.3} net a transaction (95 %: {:+.3} to {:+.3})",
                    comparison.name, arm.name, l.value, l.low, l.high
                ),
                None => {
                    println!("{}: \"{}\" has too few customers to say anything", comparison.name, arm.name)
                }
            }
        }
    }
    let [made, waiting, dropped] = report.counts;
    println!("{made} decisions made, {waiting} not drained yet, {dropped} dropped");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Arms of an experiment: name, shows, share, units.
    fn compared(arms: &[(&str, &str, [f64; 2], f64)]) -> Comparison {
        let columns = ["comparison", "arm", "shows", "least_share", "most_share", "units", "n", "nn"];
        let row = |(name, shows, share, units): &(&str, &str, [f64; 2], f64)| {
            let numbers = [share[0], share[1], *units, *units, *units].map(|number| number.to_string());
            [vec!["e".to_owned(), (*name).to_owned(), (*shows).to_owned()], numbers.to_vec()].concat()
        };
        let answer =
            Answer { columns: columns.map(str::to_owned).to_vec(), rows: arms.iter().map(row).collect() };
        comparisons(&answer).remove(0)
    }

    #[test]
    fn lift_is_refused_where_arms_cannot_be_compared() {
        let even = [0.5; 2];
        let good = compared(&[("new", "offers", even, 5_000.0), ("old", "earlier", even, 5_030.0)]);
        assert_eq!(
            (good.arms[0].name.as_str(), good.refused.as_deref()),
            ("old", None),
            "the control comes first"
        );
        assert!(lift(&good, &good.arms[1], 0).is_some());
        for (arms, why) in [
            (
                vec![("new", "offers", even, 5_000.0), ("old", "nothing", even, 5_400.0)],
                "do not have the customers",
            ),
            (
                vec![("new", "offers", [0.5, 0.9], 5_000.0), ("old", "nothing", [0.1, 0.5], 5_000.0)],
                "changed",
            ),
            (vec![("new", "offers", even, 5_000.0)], "only one arm"),
            (vec![("a", "offers", [0.3; 2], 3_000.0), ("b", "offers", [0.3; 2], 3_000.0)], "not seen at all"),
            (vec![("a", "offers", [0.0; 2], 3_000.0), ("b", "offers", [0.0; 2], 3_000.0)], "not known"),
        ] {
            let comparison = compared(&arms);
            assert!(
                comparison.refused.as_deref().is_some_and(|refused| refused.contains(why)),
                "{:?}",
                comparison.refused
            );
            assert!(lift(&comparison, &comparison.arms[0], 0).is_none());
        }
    }
}

//! `aftercart report`: what the page brought, out of the log.

mod charts;
mod cohorts;
mod compared;
mod page;
mod parts;
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

/// What is compared, per transaction: name in the CSV, in words.
const MEASURES: [(&str, &str); 7] = [
    ("gross", "revenue"),
    ("net", "net of returns"),
    ("added_net", "of it added by the page"),
    ("later", "of it in later orders"),
    ("contribution", "margin and payouts"),
    ("added", "added to the order, before returns"),
    ("ordered", "share ordered later"),
];
/// Of [`MEASURES`]: the whole, and its two parts.
const NET: usize = 1;
const ADDED_NET: usize = 2;
const LATER: usize = 3;
const CONTRIBUTION: usize = 4;
const ADDED: usize = 5;
const ORDERED: usize = 6;
/// The comparison that is no experiment.
const HOLDOUT: &str = "global holdout";

/// One arm of a comparison.
#[derive(Clone)]
struct Arm {
    name: String,
    shows: String,
    share: [f64; 2],
    /// Of an order as it was paid, before the page; major units.
    order_value: Option<f64>,
    /// Transactions that were shown no offers.
    unshown: f64,
    /// As [`MEASURES`]; amounts in major units.
    sums: [Sums; MEASURES.len()],
    /// Place in [`charts::ink`]: the same in every chart.
    ink: usize,
}

/// A holdout or an experiment.
struct Comparison {
    name: String,
    /// What the others are measured against comes first.
    arms: Vec<Arm>,
    /// Of the holdout: arms of experiments that all others are in. Chance decides of each apart, so they compare with who is held out.
    beside: Vec<Arm>,
    /// Of such an experiment: who is held out.
    held_out: Option<Arm>,
    /// Customers of these arms after some days.
    cohorts: Vec<Cohort>,
    /// Probability of the sample ratio, where it can be tested.
    ratio_p: Option<f64>,
    /// Why no lift may be stated.
    refused: Option<String>,
}

impl Comparison {
    fn transactions(&self) -> f64 {
        self.arms.iter().map(|arm| arm.sums[NET].n).sum()
    }

    /// All that are measured against the control.
    fn measured(&self) -> impl Iterator<Item = &Arm> {
        self.arms.iter().skip(1).chain(&self.beside)
    }

    /// Each two arms that show offers, beside the control.
    fn pairs(&self) -> Vec<(&Arm, &Arm)> {
        let offers: Vec<&Arm> = self.arms.iter().skip(1).filter(|arm| arm.shows == "offers").collect();
        let others = |at: usize| offers[at + 1..].iter().map(move |other| (at, *other));
        (0..offers.len()).flat_map(others).map(|(at, other)| (offers[at], other)).collect()
    }
}

/// All that the page says.
struct Report {
    comparisons: Vec<Comparison>,
    /// By the names of [`QUERIES`].
    answers: Vec<(&'static str, Answer)>,
    skipped: Vec<String>,
    /// Names of the logs' folders.
    logs: Vec<String>,
    /// Made, waiting in rings, dropped.
    counts: [u64; 3],
}

impl Report {
    /// Whether every event was made up.
    fn all_simulated(&self) -> bool {
        let of = |name: &str| self.answer("totals").number(0, name);
        of("simulated") > 0.0 && of("simulated") == of("events")
    }

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
    let name = |folder: &PathBuf| folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let names = args.log.iter().filter_map(name).collect();
    let mut report = Report { comparisons, answers, skipped: tables.skipped, logs: names, counts };
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
            unshown: arms.number(row, "unshown"),
            ink: 0,
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
                    beside: Vec::new(),
                    held_out: None,
                    cohorts: Vec::new(),
                    ratio_p: None,
                    refused: None,
                });
            }
        }
    }
    found.iter_mut().for_each(judge);
    relate(&mut found);
    found
}

/// Gives each arm its ink, and puts arms beside the holdout that may be compared with it.
fn relate(found: &mut [Comparison]) {
    found
        .iter_mut()
        .flat_map(|comparison| &mut comparison.arms)
        .enumerate()
        .for_each(|(at, arm)| arm.ink = at);
    let Some(at) = found.iter().position(|own| own.name == HOLDOUT && own.refused.is_none()) else { return };
    let held_out = found[at].arms[0].clone();
    let others = found[at].transactions() - held_out.sums[NET].n;
    let mut beside = Vec::new();
    for own in found.iter_mut().filter(|own| own.name != HOLDOUT && own.refused.is_none()) {
        // Who came before an experiment began, or is not in it, would be on one side only.
        if own.transactions() == others {
            own.held_out = Some(held_out.clone());
            let name = |arm: &Arm| format!("{}: {}", own.name, arm.name);
            beside.extend(own.arms.iter().map(|arm| Arm { name: name(arm), ..arm.clone() }));
        }
    }
    found[at].beside = beside;
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
        let against = comparison.measured().map(|arm| (arm, control));
        for (arm, control) in against.chain(comparison.pairs()) {
            for (at, (measure, _)) in MEASURES.iter().enumerate() {
                let means = [&arm.sums[at], &control.sums[at]].map(Sums::ratio);
                let lift = more(comparison, arm, control, at);
                rows.push(stated(comparison, [&arm.name, &control.name], measure, means, lift));
            }
        }
        rows.extend(comparison.cohorts.iter().flat_map(|cohort| cohort.stated(comparison)));
    }
    Answer { columns: columns.map(str::to_owned).to_vec(), rows }
}

/// A row of [`lifts`].
fn stated(
    comparison: &Comparison,
    [arm, control]: [&str; 2],
    measure: &str,
    means: [f64; 2],
    lift: Option<Estimate>,
) -> Vec<String> {
    let number = |of: Option<f64>| of.map_or_else(String::new, |number| number.to_string());
    let figure = |of: fn(&Estimate) -> f64| number(lift.as_ref().map(of));
    vec![
        comparison.name.clone(),
        arm.to_owned(),
        control.to_owned(),
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

/// By how much an arm is above another, where it may be stated and there are units enough.
fn more(comparison: &Comparison, arm: &Arm, control: &Arm, measure: usize) -> Option<Estimate> {
    comparison.refused.is_none().then(|| arm.sums[measure].lift_over(&control.sums[measure]))?
}

/// The lift of an arm over the control.
fn lift(comparison: &Comparison, arm: &Arm, measure: usize) -> Option<Estimate> {
    more(comparison, arm, comparison.arms.first()?, measure)
}

fn print(report: &Report) {
    for comparison in &report.comparisons {
        if let Some(why) = &comparison.refused {
            println!("{}: no lift is stated: {why}", comparison.name);
            continue;
        }
        for arm in comparison.arms.iter().skip(1) {
            let against = &comparison.arms[0].name;
            match lift(comparison, arm, NET) {
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

    /// Name, shows, share, units.
    type Given<'a> = (&'a str, &'a str, [f64; 2], f64);

    /// Comparisons of such arms.
    fn several(given: &[(&str, &[Given<'_>])]) -> Vec<Comparison> {
        let columns = ["comparison", "arm", "shows", "least_share", "most_share", "units", "n", "nn"];
        let row = |of: &str, (name, shows, share, units): &Given<'_>| {
            let numbers = [share[0], share[1], *units, *units, *units].map(|number| number.to_string());
            [vec![of.to_owned(), (*name).to_owned(), (*shows).to_owned()], numbers.to_vec()].concat()
        };
        let rows = given.iter().flat_map(|(of, arms)| arms.iter().map(|arm| row(of, arm))).collect();
        comparisons(&Answer { columns: columns.map(str::to_owned).to_vec(), rows })
    }

    fn compared(arms: &[Given<'_>]) -> Comparison {
        several(&[("e", arms)]).remove(0)
    }

    #[test]
    fn arms_stand_beside_the_holdout_only_where_all_others_are_in_the_experiment() {
        let holdout =
            [("all others", "offers", [0.9; 2], 9_000.0), ("held out", "nothing", [0.1; 2], 1_000.0)];
        let arms = |n: f64| {
            [
                ("a", "offers", [0.4; 2], 0.4 * n),
                ("b", "offers", [0.4; 2], 0.4 * n),
                ("z", "earlier", [0.2; 2], 0.2 * n),
            ]
        };
        let whole = several(&[("e", &arms(9_000.0)), (HOLDOUT, &holdout)]);
        let names: Vec<&str> = whole[1].beside.iter().map(|arm| arm.name.as_str()).collect();
        assert_eq!(names, ["e: z", "e: a", "e: b"]);
        assert!(whole[0].held_out.as_ref().is_some_and(|arm| arm.name == "held out"));
        assert_eq!(whole[1].measured().count(), 4);
        let pairs: Vec<_> = whole[0].pairs().iter().map(|(a, b)| (a.name.clone(), b.name.clone())).collect();
        assert_eq!(pairs, [("a".to_owned(), "b".to_owned())]);
        let part = several(&[("e", &arms(8_000.0)), (HOLDOUT, &holdout)]);
        assert!(part[1].beside.is_empty() && part[0].held_out.is_none());
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

//! `aftercart evaluate`: what another policy would have earned on the pages of a log, or why nobody can tell.

mod bandit;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use aftercart::evaluate::{
    self, Estimate, Estimator, Mismatch, Page, Replayer, Support, beyond_the_log, page_of,
};
use aftercart::log::{LogData, Logged, LoggedSlot};
use serde_json::json;

use crate::{Failure, open};

/// Below so many pages' worth nothing is stated.
const ESS_MIN: f64 = 100.0;
/// Below this share of the target's pages nothing is stated.
const COVERED_MIN: f64 = 0.95;
/// Where more of the explored pages than this cannot be worked out again, the log was made otherwise than was said.
const UNCLEAR_MAX: f64 = 0.01;

#[derive(clap::Args)]
#[command(
    after_help = "The target may differ from the policy that decided in what the log can answer for: exploration and experiments, limits of the slate, higher floors. Another catalog, other rules or lower floors show what was never shown: for these, give the new policy an arm of an experiment.\n\nExamples:\n  aftercart evaluate --log month --catalog demo.aftercart --policy policy.toml --target new.toml\n  aftercart evaluate --bandit random.csv.gz --target-log thompson.csv.gz"
)]
pub(crate) struct Args {
    /// Folder of the log
    #[arg(long, value_name = "DIR", required_unless_present = "bandit")]
    log: Option<PathBuf>,
    /// Catalog that decided
    #[arg(long, value_name = "FILE", required_unless_present = "bandit")]
    catalog: Option<PathBuf>,
    /// Policy that decided
    #[arg(long, value_name = "FILE", required_unless_present = "bandit")]
    policy: Option<PathBuf>,
    /// Policy to evaluate
    #[arg(long, value_name = "FILE", required_unless_present = "bandit")]
    target: Option<PathBuf>,
    /// What counts
    #[arg(long, value_enum, default_value_t = Reward::Revenue)]
    reward: Reward,
    /// Cut weights to this: less variance, some bias. None = none is cut
    #[arg(long, value_name = "WEIGHT")]
    clip: Option<f64>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Instead of a log: rows as the Open Bandit Pipeline has them (item_id, position, click, propensity_score), CSV
    #[arg(long, value_name = "FILE", conflicts_with_all = ["log", "catalog", "policy", "target"])]
    bandit: Option<PathBuf>,
    /// Evaluate the policy that made these rows, by how often it showed each item at each position; without: uniform choice
    #[arg(long, value_name = "FILE", requires = "bandit")]
    target_log: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Reward {
    /// Offers that were accepted
    Accepted,
    /// What they converted to, less returns, in major units
    Revenue,
    /// The merchant's margin of that and what partners paid
    Margin,
}

impl Reward {
    fn of(self, slot: &LoggedSlot) -> f64 {
        match self {
            Self::Accepted => f64::from(u8::from(slot.accepted)),
            Self::Revenue => slot.revenue as f64 / 100.0,
            Self::Margin => slot.margin as f64 / 100.0,
        }
    }

    const fn per_page(self) -> &'static str {
        match self {
            Self::Accepted => "accepted offers per page",
            Self::Revenue => "net revenue per page",
            Self::Margin => "margin per page",
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let clip = args.clip.unwrap_or(f64::INFINITY);
    if clip.is_nan() || clip < 1.0 {
        return Err("--clip: 1 or more".into());
    }
    if let Some(path) = &args.bandit {
        let rows = bandit::read(path)?;
        let other = args.target_log.as_deref().map(bandit::read).transpose()?;
        let pages = bandit::pages(&rows, other.as_deref())?;
        if let Some(other) = &other {
            let clicks = other.iter().map(|row| row.reward).sum::<f64>() / other.len() as f64;
            eprintln!("what that policy earned in its own log: {clicks:.6} per row, of {}", other.len());
        }
        return state(args, "reward per row", &pages, clip);
    }
    let (Some(log), Some(catalog), Some(policy), Some(target)) =
        (&args.log, &args.catalog, &args.policy, &args.target)
    else {
        return Err("--log, --catalog, --policy and --target go together".into());
    };
    let pages = of_log(args, log, catalog, policy, target)?;
    state(args, args.reward.per_page(), &pages, clip)
}

fn of_log(
    args: &Args,
    log: &Path,
    catalog: &Path,
    policy: &Path,
    target: &Path,
) -> Result<Vec<Page>, Failure> {
    let engine = open::engine(catalog, open::structure())?;
    let ((old, by), (new, to)) = (open::under(&engine, policy)?, open::under(&engine, target)?);
    if let Some(problem) = beyond_the_log(&old, &new) {
        let out = "give the new policy an arm of an experiment, and compare the arms with `aftercart report`";
        return Err(format!("{}: the log cannot tell: {problem}; {out}", target.display()).into());
    }
    let data = open::log(log)?;
    let (mut by, mut to) = (Replayer::new(&by), Replayer::new(&to));
    let model = Model::fit(&data, args.reward);
    let (mut pages, mut without) = (Vec::new(), BTreeMap::<Mismatch, usize>::new());
    for decision in &data.decisions {
        let expected = |at: usize, position: usize| model.expects(decision, at, position);
        match page_of(decision, &data.names, &mut by, &mut to, |slot| args.reward.of(slot), expected) {
            Ok(page) => pages.push(page),
            Err(mismatch) => *without.entry(mismatch).or_default() += 1,
        }
    }
    eprintln!("{} decisions, {} pages that can be used", data.decisions.len(), pages.len());
    for (mismatch, count) in &without {
        eprintln!("  left out {count:>8}: {}", words(*mismatch));
    }
    refuse_unclear(&without, pages.len(), data.decisions.len())?;
    Ok(pages)
}

const fn words(mismatch: Mismatch) -> &'static str {
    match mismatch {
        Mismatch::Catalog => "decided with another catalog, so among other candidates",
        Mismatch::Policy => "decided under another policy than --policy",
        Mismatch::NotShown => "held out: the offers were not shown",
        Mismatch::NotActivated => "the page was not seen",
        Mismatch::DecidedAgain => "replaced another page after an answer; what came of the first one counts",
        Mismatch::NotExplored => "nothing was left to chance",
        Mismatch::Incomplete => "a file of its offers is missing",
        Mismatch::Chances => {
            "its probabilities do not come out as logged (pacing, shares of partners, limits of the request)"
        }
    }
}

/// Where there is no page, or too many are unclear, says why and what to do instead.
fn refuse_unclear(without: &BTreeMap<Mismatch, usize>, used: usize, of: usize) -> Result<(), Failure> {
    let count = |mismatch| without.get(&mismatch).copied().unwrap_or(0);
    let unclear = count(Mismatch::Chances) + count(Mismatch::Incomplete);
    if unclear as f64 > UNCLEAR_MAX * (used + unclear) as f64 {
        return Err(format!(
            "no estimate: {unclear} of {} explored pages cannot be worked out again, and to leave out so many would be a choice; compare arms of an experiment instead",
            used + unclear
        )
        .into());
    }
    if used > 0 {
        return Ok(());
    }
    let most = without.iter().max_by_key(|(_, count)| **count).map(|(mismatch, _)| *mismatch);
    let way_out = match most {
        _ if of == 0 => "the log has no decisions",
        Some(Mismatch::Catalog) => {
            "name the catalog that decided; a new catalog retrieves what the old one did not, so compare the two as arms of an experiment"
        }
        Some(Mismatch::Policy) => "name the policy that decided (--policy)",
        Some(Mismatch::NotActivated) => "import `activated` events: without them nothing counts as shown",
        Some(Mismatch::NotExplored) => {
            "without chance there is nothing to weigh; add [explore] to the policy (best = 6, temperature = 1.0, epsilon = 0.05) and log again"
        }
        _ => "no page of it was shown",
    };
    Err(format!("no estimate: {way_out}").into())
}

/// What the log's own p_accept says of rewards, brought to the level of each position. Fitted on one half of the units and asked of
/// the other, so that no page says what is expected of itself.
struct Model {
    reward: Reward,
    /// Reward per expected one, by half and position.
    levels: [Vec<f64>; 2],
}

impl Model {
    fn fit(data: &LogData, reward: Reward) -> Self {
        let mut sums = [[(0.0, 0.0); 16]; 2];
        for decision in data.decisions.iter().filter(|decision| decision.shown && decision.activated) {
            for (at, slot) in decision.slate.iter().enumerate() {
                if let Some(sum) = sums[Self::half(decision)].get_mut(usize::from(slot.position)) {
                    sum.0 += reward.of(slot);
                    sum.1 += Self::raw(reward, decision, at);
                }
            }
        }
        let level = |(got, expected): &(f64, f64)| if *expected > 0.0 { got / expected } else { 0.0 };
        Self { reward, levels: sums.map(|half| half.iter().map(level).collect()) }
    }

    fn half(decision: &Logged) -> usize {
        (decision.unit_hash.count_ones() % 2) as usize
    }

    fn raw(reward: Reward, decision: &Logged, at: usize) -> f64 {
        decision.candidates.get(at).map_or(0.0, |candidate| {
            let value = if reward == Reward::Accepted { 1.0 } else { f64::from(candidate.value) };
            f64::from(candidate.p_accept_ppm) / 1e6 * value
        })
    }

    fn expects(&self, decision: &Logged, at: usize, position: usize) -> f64 {
        let level = self.levels[1 - Self::half(decision)].get(position).copied().unwrap_or(0.0);
        level * Self::raw(self.reward, decision, at)
    }
}

/// Prints estimates and what they rest on, or refuses.
fn state(args: &Args, what: &str, pages: &[Page], clip: f64) -> Result<(), Failure> {
    let support = evaluate::support(pages, clip);
    let logged = pages.iter().flat_map(|page| &page.choices).map(|choice| choice.reward).sum::<f64>()
        / (pages.len() as f64).max(1.0);
    let forms = [
        ("standard IPS", Estimator::Standard),
        ("RIPS (cascade)", Estimator::Cascade),
        ("IIPS (positions alone)", Estimator::Independent),
    ];
    // With one choice a page all forms are the same.
    let different = if pages.iter().all(|page| page.choices.len() == 1) { 1 } else { forms.len() };
    let mut estimates: Vec<(String, Option<Estimate>)> = Vec::new();
    for (name, estimator) in forms.into_iter().take(different) {
        estimates.push((name.to_owned(), evaluate::estimate(pages, estimator, clip)));
        let normal = evaluate::self_normalised(pages, estimator, clip);
        estimates.push((format!("{name}, self-normalised"), normal));
    }
    let robust = evaluate::estimate(pages, Estimator::DoublyRobust, clip);
    estimates.push(("DR (cascade)".to_owned(), robust));
    let refusal = refusal(&support);
    let mut out = std::io::stdout().lock();
    if args.json {
        let of = |(name, estimate): &(String, Option<Estimate>)| {
            let known = estimate.filter(|_| refusal.is_none());
            (name.clone(), known.map_or(json!(null), |e| json!([e.value, e.low, e.high])))
        };
        let estimates: serde_json::Map<String, serde_json::Value> = estimates.iter().map(of).collect();
        let Support { pages, units, explored, covered, ess, mean_weight, max_weight, clipped } = support;
        let answer = json!({
            "measure": what, "logged": logged, "estimates": estimates, "refused": refusal,
            "support": { "pages": pages, "units": units, "explored": explored, "covered": covered, "ess": ess,
                "mean_weight": mean_weight, "max_weight": max_weight, "clipped": clipped },
        });
        return Ok(writeln!(out, "{answer}")?);
    }
    writeln!(
        out,
        "pages {}, units {}, left to chance {:.1} %",
        support.pages,
        support.units,
        100.0 * support.explored
    )?;
    writeln!(
        out,
        "support: the log could have shown {:.1} % of the target's pages",
        100.0 * support.covered
    )?;
    writeln!(
        out,
        "weights: effective sample size {:.0}, mean {:.3} (1 where all is well), greatest {:.1}, clipped {}",
        support.ess, support.mean_weight, support.max_weight, support.clipped
    )?;
    if let Some(refusal) = refusal {
        return Err(format!("no estimate: {refusal}").into());
    }
    writeln!(out, "\n{what:<40} {:>10}    95 %", "")?;
    writeln!(out, "{:<40} {logged:>10.5}", "as logged")?;
    for (name, estimate) in estimates {
        match estimate {
            Some(e) => writeln!(out, "{name:<40} {:>10.5}    {:.5} to {:.5}", e.value, e.low, e.high)?,
            None => writeln!(
                out,
                "{name:<40} {:>10}    pages have too many orders or not all as many slots",
                "-"
            )?,
        }
    }
    Ok(())
}

/// Why nothing is stated, and what to do instead.
fn refusal(support: &Support) -> Option<String> {
    if support.pages == 0 {
        return Some("there is no page".to_owned());
    }
    if support.covered < COVERED_MIN {
        return Some(format!(
            "{:.1} % of the target's pages could never have been shown; explore more (explore.best, explore.epsilon) and log again, or give the target an arm of an experiment",
            100.0 * (1.0 - support.covered)
        ));
    }
    (support.ess < ESS_MIN).then(|| {
        format!(
            "all pages together are worth {:.0} of the target's, and {ESS_MIN} is the least; log longer, explore more, or choose a target nearer to what decided",
            support.ess
        )
    })
}

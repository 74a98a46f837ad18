//! `aftercart relevance`: judges a catalog on held-out cases, beside others.

mod ask;
mod cases;
pub(crate) mod charts;
mod cut;
pub(crate) mod metrics;
pub(crate) mod report;
mod table;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aftercart::build::feed::ColumnMap;
use aftercart::{Decider, Engine, Item, OpenOptions};

use self::ask::{Asked, Pages};
use self::cases::{Case, Peer};
use self::metrics::{Bin, Known, Row, SIZES};
use crate::bars::Bars;
use crate::{Failure, open};

/// Name of the row of the catalog that is judged.
const OURS: &str = "this catalog";
/// Groups of predictions in a reliability table.
const BINS: usize = 10;

#[derive(clap::Args)]
#[command(
    after_help = "A case is a request as `decide --jsonl` reads it, with case_id and task; its truth is {\"case_id\", \"relevant\": [product ids]}. \
A peer is {\"case_id\", \"offers\": [product ids, best first]}; answers of `decide --jsonl` are one too.\n\n\
Columns, the first ten offers counting:\n  \
hit@10    share of the cases with a relevant product; +- is 1.96 standard errors\n  \
ndcg@10   hits, later ones counting less, over the best that was possible\n  \
upop@10   share of all relevant products found, popular ones counting little: 1 / sqrt(training lines)\n  \
type@10   share of the cases with a product of a relevant type (category path, else title)\n  \
same%     offers of the type of a bought line: look-alikes, should be 0\n  \
fill      offers per case\n  \
distinct  distinct products offered\n\n\
Examples: cut cases from your own orders, build from the older ones, judge on the later ones\n  \
aftercart relevance --products feed.csv.gz --orders orders.csv.gz --cut 2026-09-01 --write-cases judge\n  \
aftercart build --products feed.csv.gz --orders judge/train.csv.gz --out judge/shop.aftercart\n  \
aftercart relevance --catalog judge/shop.aftercart --cases judge/cases.jsonl --truth judge/truth.jsonl --train judge/train.csv.gz --out report.html"
)]
pub(crate) struct Args {
    /// Catalog file, built from the training orders only
    #[arg(long, value_name = "FILE", required_unless_present = "write_cases")]
    catalog: Option<PathBuf>,
    /// Cases (JSON Lines): requests with case_id and task
    #[arg(long, value_name = "FILE", required_unless_present = "write_cases")]
    cases: Option<PathBuf>,
    /// What was wanted in each case (JSON Lines)
    #[arg(long, value_name = "FILE", required_unless_present = "write_cases")]
    truth: Option<PathBuf>,
    /// The orders that the catalog was built from; they say how popular a product is
    #[arg(long, value_name = "FILE", required_unless_present = "write_cases")]
    train: Option<PathBuf>,
    /// Offers of other methods for the same cases (JSON Lines)
    #[arg(long, value_name = "FILE", num_args = 1..)]
    peers: Vec<PathBuf>,
    /// Write a page with tables, curves and examples (HTML in one file)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write the table as CSV
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Example baskets on the page
    #[arg(long, default_value_t = 50, value_name = "N")]
    examples: usize,
    /// Names of columns in your files (TOML), as for `build`
    #[arg(long, value_name = "FILE")]
    columns: Option<PathBuf>,
    /// No progress
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    cut: cut::Cut,
}

/// A task with all that was found out.
struct Task {
    name: String,
    rows: Vec<Row>,
    pages: Pages,
    /// Whether the customers have a history, and predictions beside what came of them.
    reliability: Vec<(bool, Vec<Bin>)>,
    sizes: Vec<BySize>,
}

/// How a method does at each basket size.
struct BySize {
    /// 0 for the catalog, then the peers as given: equal in all tasks.
    place: usize,
    method: String,
    /// Cases, and cases with a hit.
    counts: [(usize, usize); SIZES.len()],
}

/// A method's offers to the cases of a task.
struct Method<'a> {
    place: usize,
    name: &'a str,
    cases: Vec<(&'a Case, &'a [String])>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let bars = Bars::new(args.quiet);
    let columns = args.columns.as_deref().map_or_else(|| Ok(ColumnMap::default()), ColumnMap::read)?;
    let (Some(catalog), Some(cases), Some(truth), Some(train)) =
        (&args.catalog, &args.cases, &args.truth, &args.train)
    else {
        return cut::run(&args.cut, &columns, &bars);
    };
    let inputs = || [catalog, cases, truth, train].into_iter().chain(&args.peers);
    [&args.out, &args.csv].into_iter().flatten().try_for_each(|path| check_out(path, inputs()))?;
    let engine = Arc::new(open::engine(catalog, OpenOptions::default())?);
    let truth = cases::read_truth(truth)?;
    let peers: Vec<Peer> = args.peers.iter().map(|path| cases::read_peer(path)).collect::<Result<_, _>>()?;
    let bought = cases::read_bought(train, &columns, &truth, &engine, &bars)?;
    let mut decider = Decider::new(Arc::clone(&engine));
    let (asked, pages) = ask::ask_all(cases, &truth, &mut decider, &bars)?;
    let type_of = |id: &str| type_of(&engine, id);
    let known = Known { type_of: &type_of, bought: &bought };
    let tasks: Vec<Task> = pages.into_iter().map(|pages| judge(pages, &asked, &peers, &known)).collect();
    table::print(&tasks)?;
    if let Some(path) = &args.csv {
        table::write_csv(&tasks, path)?;
    }
    if let Some(path) = &args.out {
        let page = report::page(&engine, catalog, &tasks, &asked, args.examples)?;
        std::fs::write(path, page).map_err(|e| format!("{}: write failed: {e}", path.display()))?;
    }
    Ok(())
}

/// Finds out before the work whether its result can be put where it should go.
fn check_out<'a>(path: &Path, mut inputs: impl Iterator<Item = &'a PathBuf>) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.is_dir() {
        return Err(format!("{} is a folder\n  way out: name a file in it", path.display()).into());
    }
    if !folder.is_dir() {
        let (path, folder) = (path.display(), folder.display());
        return Err(format!("{path}: there is no folder {folder}\n  way out: make it first").into());
    }
    let same =
        |other: &PathBuf| path.canonicalize().is_ok_and(|p| other.canonicalize().is_ok_and(|o| o == p));
    if inputs.any(same) {
        return Err(format!("{} is one of the inputs\n  way out: name another file", path.display()).into());
    }
    Ok(())
}

/// The type of a product as the catalog knows it: category path, else title.
fn type_of<'a>(engine: &'a Engine, id: &str) -> Option<&'a str> {
    let item = Item::Product(engine.find_product(id)?);
    [engine.category(item), engine.title(item)].into_iter().find(|kind| !kind.is_empty())
}

fn judge(pages: Pages, asked: &[Asked], peers: &[Peer], known: &Known<'_>) -> Task {
    let own: Vec<&Asked> = asked.iter().filter(|asked| asked.case.task == pages.task).collect();
    let ours = own.iter().map(|a| (&a.case, a.ids.as_slice())).collect();
    let mut methods = vec![Method { place: 0, name: OURS, cases: ours }];
    for (place, peer) in (1..).zip(peers) {
        let answer = |a: &&Asked| peer.offers.get(&a.case.id).map_or(&[][..], Vec::as_slice);
        // A peer that says nothing to a task did not take part in it.
        if own.iter().any(|a| peer.offers.contains_key(&a.case.id)) {
            let cases = own.iter().map(|a| (&a.case, answer(a))).collect();
            methods.push(Method { place, name: &peer.name, cases });
        }
    }
    let row = |method: &Method<'_>| Row {
        task: pages.task.clone(),
        method: method.name.to_owned(),
        ..metrics::judge(&method.cases, known)
    };
    let by_size = |method: &Method<'_>| BySize {
        place: method.place,
        method: method.name.to_owned(),
        counts: metrics::by_size(&method.cases),
    };
    let told = |is_known: bool| {
        let of = own.iter().filter(|asked| asked.case.is_known == is_known);
        let offers = of.flat_map(|asked| {
            let is_hit = |id: &String| asked.case.relevant.contains(id);
            // Whether other offers were accepted, no order tells.
            let products = asked
                .offers
                .iter()
                .zip(&asked.ids)
                .filter(|(offer, _)| matches!(offer.item, Item::Product(_)));
            products.map(move |(offer, id)| (offer.p_accept, is_hit(id)))
        });
        (is_known, metrics::reliability(offers.collect(), BINS))
    };
    Task {
        name: pages.task.clone(),
        rows: methods.iter().map(row).collect(),
        reliability: [false, true].map(told).into_iter().filter(|(_, bins)| !bins.is_empty()).collect(),
        sizes: methods.iter().map(by_size).collect(),
        pages,
    }
}

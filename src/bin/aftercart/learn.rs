//! `aftercart learn`: a model of what people accept when shown, from a log, where it is better than what decided.

use std::io::Write;
use std::path::PathBuf;

use aftercart::Model;
use aftercart::learn::{Fit, Options, learn};

use crate::{Failure, open};

#[derive(clap::Args)]
#[command(
    after_help = "Fits the older pages of the log and judges on the newest fifth, by log loss. A model that is no better there than the p_accept that decided, or than that scaled, is not written.\n\nExample:\n  aftercart learn --log log --catalog shop.aftercart --out shop.model\n  aftercart decide --catalog shop.aftercart --model shop.model --shadow --log log ...   # records both, decides as before\n  aftercart decide --catalog shop.aftercart --model shop.model --log log ..."
)]
pub(crate) struct Args {
    /// Folder of the log
    #[arg(long, value_name = "DIR")]
    log: PathBuf,
    /// Catalog that decided; pages of other catalogs are left out
    #[arg(long, value_name = "FILE")]
    catalog: PathBuf,
    /// Model file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Days after which a page counts half as much
    #[arg(long, value_name = "DAYS", default_value_t = Options::default().half_life)]
    half_life: f64,
    /// Accepted offers that a level of the hierarchy stands for in the one below
    #[arg(long, default_value_t = Options::default().prior)]
    prior: f64,
    /// First step of the weights of crosses
    #[arg(long, default_value_t = Options::default().step)]
    step: f64,
    /// How hard these weights are drawn to 0
    #[arg(long, default_value_t = Options::default().ridge)]
    ridge: f64,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let engine = open::engine(&args.catalog, open::structure())?;
    let data = open::log(&args.log)?;
    let Args { half_life, prior, step, ridge, .. } = *args;
    let positive = [half_life, prior, step].iter().all(|number| *number > 0.0 && number.is_finite());
    if !positive || ridge.is_nan() || ridge < 0.0 {
        return Err("--half-life, --prior and --step: above 0; --ridge: 0 or more".into());
    }
    let learnt = learn(&data, &engine, &Options { half_life, prior, step, ridge, ..Options::default() })?;
    let mut out = std::io::stdout().lock();
    let [offers, accepted] = learnt.judged;
    writeln!(out, "judged on the newest {offers} offers, {accepted} of them accepted\n")?;
    writeln!(out, "{:<32} {:>10} {:>20}", "", "log loss", "expected / accepted")?;
    let rows = [
        ("p_accept that decided", learnt.decided),
        ("the catalog's, scaled", learnt.scaled),
        ("the model", learnt.learnt),
    ];
    for (name, Fit { log_loss, expected }) in rows {
        writeln!(out, "{name:<32} {log_loss:>10.5} {expected:>20.3}")?;
    }
    writeln!(out, "\nwhat it expected, by tenths of the offers    accepted")?;
    for [n, expected, accepted] in &learnt.reliability {
        writeln!(out, "{:>43.2} %  {:>7.2} %", 100.0 * expected / n, 100.0 * accepted / n)?;
    }
    if !learnt.is_better() {
        return Err(format!("{}: not written, since the model is no better", args.out.display()).into());
    }
    learnt.model.write(&args.out)?;
    let model = Model::open(&args.out)?;
    writeln!(out, "\n{}: generation {:08x}", args.out.display(), model.generation())?;
    Ok(())
}

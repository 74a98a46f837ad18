//! `aftercart learn`: a model of what people accept when shown, from a log, where it is better than what decided.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aftercart::learn::{Fit, Options, learn};
use aftercart::log::Log;
use aftercart::{Engine, Model, OpenOptions, Verify};

use crate::Failure;

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

/// Opens a model and lets an engine decide by it, or hear of it.
pub(crate) fn with_model(engine: Engine, path: Option<&Path>, shadow: bool) -> Result<Engine, Failure> {
    Ok(match path {
        Some(path) => engine.with_model(Arc::new(Model::open(path)?), shadow),
        None => engine,
    })
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let options = OpenOptions { verify: Verify::Structure, ..OpenOptions::default() };
    let engine =
        Engine::open(&args.catalog, options).map_err(|e| format!("{}: {e}", args.catalog.display()))?;
    let data = Log::open(&args.log)?.read()?;
    for (path, problem) in &data.skipped {
        eprintln!("left out {}: {problem}", path.display());
    }
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
    publish(&args.out, &learnt.model.to_bytes())?;
    let model = Model::open(&args.out)?;
    writeln!(out, "\n{}: generation {:08x}", args.out.display(), model.generation())?;
    Ok(())
}

/// Puts the file in place whole.
fn publish(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

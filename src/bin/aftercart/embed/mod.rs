//! `aftercart embed`: vectors of products' texts, from a model on this machine.

mod folder;
mod model;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use aftercart::build::error::BuildError;
use aftercart::build::feed::{self, ColumnMap, Embeddings, Product};
use aftercart::build::progress::Progress;
use rayon::prelude::*;

use crate::Failure;
use crate::bars::Bars;
use folder::Folder;
use model::Model;

#[derive(clap::Args)]
#[command(
    after_help = "DIR is a model's folder as model hubs give it, copied here beforehand; nothing is downloaded. It has config.json (BERT, RoBERTa or XLM-RoBERTa), tokenizer.json and model.safetensors; modules.json, 1_Pooling/config.json and sentence_bert_config.json say how tokens become one vector and how many count (without them: their mean, one long).\n\nFILE gets a row per product, zeros where a product has no text; FILE.ids.txt beside it says whose they are. The same texts, model and batch give the same bytes on a machine, with however many threads.\n\nExamples:\n  aftercart embed --model all-MiniLM-L6-v2 --products feed.csv.gz --out titles.npy\n  aftercart embed --model multilingual-e5-small --prefix \"query: \" --text title,brand,category --products feed.tsv --out texts.npy\n  aftercart build --products feed.csv.gz --orders orders.csv.gz --embeddings titles.npy --out shop.aftercart"
)]
pub(crate) struct Args {
    /// The model's folder
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Product feed, as for `build`; may be given several times
    #[arg(long, required = true, value_name = "FILE")]
    products: Vec<PathBuf>,
    /// Names of columns in your files (TOML): [products] id = "sku"
    #[arg(long, value_name = "FILE")]
    columns: Option<PathBuf>,
    /// File to write, for `build --embeddings`
    #[arg(long, value_name = "FILE.npy")]
    out: PathBuf,
    /// What of a product is read, in this order, joined by commas
    #[arg(long, value_enum, value_delimiter = ',', default_value = "title", value_name = "FIELD,...")]
    text: Vec<Field>,
    /// Put before each text, where the model was taught so
    #[arg(long, default_value = "", value_name = "TEXT")]
    prefix: String,
    /// Texts that a thread takes at a time: more need more memory
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=4096))]
    batch: u16,
    /// Threads [default: as many as there are cores]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// No progress
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Field {
    Title,
    Brand,
    Category,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    one_thread_per_batch()?;
    check_out(&args.out)?;
    let folder = Folder::read(&args.model)?;
    let model = Model::load(&folder)?;
    let columns = args.columns.as_deref().map_or_else(|| Ok(ColumnMap::default()), ColumnMap::read)?;
    let bars = Bars::new(args.quiet);
    let (products, _) = feed::read_products(&args.products, &columns, &bars)?;
    let threads = args.threads.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let embeddings = pool.install(|| embed(args, (&folder, &model), &products, &bars))?;
    feed::write_embeddings(&args.out, &embeddings, &products)?;
    if !args.quiet {
        eprintln!("{}: {} rows of {} values", args.out.display(), products.len(), embeddings.dim);
    }
    Ok(())
}

/// Whole batches run beside each other, so the runtime need not divide them: it would let threads wait for each other. It asks
/// the environment alone, which a process cannot safely change for itself, so the command starts itself once more.
fn one_thread_per_batch() -> Result<(), Failure> {
    const SWITCHES: [&str; 2] = ["RAYON_NUM_THREADS", "CANDLE_NUM_THREADS"];
    if SWITCHES.iter().all(|name| std::env::var(name).is_ok_and(|threads| threads == "1")) {
        return Ok(());
    }
    let mut again = std::process::Command::new(std::env::current_exe()?);
    again.args(std::env::args_os().skip(1)).envs(SWITCHES.map(|name| (name, "1")));
    #[cfg(unix)]
    return Err(std::os::unix::process::CommandExt::exec(&mut again).into());
    #[cfg(not(unix))]
    std::process::exit(again.status()?.code().unwrap_or(1))
}

fn check_out(out: &Path) -> Result<(), Failure> {
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if out.extension().is_none_or(|end| end != "npy") {
        return Err(
            format!("--out {}: its name does not end in .npy\n  way out: add it", out.display()).into()
        );
    }
    if !folder.is_dir() {
        let (out, folder) = (out.display(), folder.display());
        return Err(format!("--out {out}: there is no folder {folder}\n  way out: make it first").into());
    }
    Ok(())
}

/// What the model reads of a product; empty where the feed says nothing of it.
fn text(product: &Product, fields: &[Field], prefix: &str) -> String {
    let of = |field: &Field| match field {
        Field::Title => product.title.trim(),
        Field::Brand => product.brand.trim(),
        Field::Category => product.category_path.trim(),
    };
    let parts: Vec<&str> = fields.iter().map(of).filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { String::new() } else { format!("{prefix}{}", parts.join(", ")) }
}

/// A row per product, each text once.
fn embed(
    args: &Args,
    (folder, model): (&Folder, &Model),
    products: &[Product],
    bars: &Bars,
) -> Result<Embeddings, BuildError> {
    let mut of_text: HashMap<String, Vec<usize>> = HashMap::new();
    for (row, product) in products.iter().enumerate() {
        let text = text(product, &args.text, &args.prefix);
        if !text.is_empty() {
            of_text.entry(text).or_default().push(row);
        }
    }
    let mut texts: Vec<(Vec<u32>, Vec<usize>)> = of_text
        .into_par_iter()
        .map(|(text, rows)| Ok((folder.tokens(&text)?, rows)))
        .collect::<Result<_, BuildError>>()?;
    texts.retain(|(tokens, _)| !tokens.is_empty());
    // Of one length side by side, so that little is padded; the longest first, so that no thread ends with them. Rows make the
    // order, and with it each batch, the same every time.
    texts.sort_unstable_by(|(a, a_rows), (b, b_rows)| b.len().cmp(&a.len()).then(a_rows.cmp(b_rows)));
    let (dim, since) = (model.dim(), Instant::now());
    let total = texts.len();
    bars.draw(
        "embedding",
        total as u64,
        "{spinner} {prefix:<32} {bar:30} {human_pos:>10}/{human_len:<10} {per_sec:>12} {eta}",
    );
    let done = Mutex::new((0, vec![0.0; products.len() * dim]));
    texts.par_chunks(usize::from(args.batch)).try_for_each(|batch| {
        let tokens: Vec<&[u32]> = batch.iter().map(|(tokens, _)| tokens.as_slice()).collect();
        let spoilt =
            |problem: String| folder::error(&folder.weights, problem, "take the model from its source again");
        let vectors = model.embed(&tokens).map_err(|e| spoilt(e.to_string()))?;
        if !vectors.iter().all(|value| value.is_finite()) {
            return Err(spoilt("gives vectors that are not finite".into()));
        }
        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
        for ((_, rows), vector) in batch.iter().zip(vectors.chunks_exact(dim)) {
            rows.iter().for_each(|row| done.1[row * dim..][..dim].copy_from_slice(vector));
        }
        done.0 += batch.len();
        bars.at(done.0 as u64);
        Ok(())
    })?;
    let (_, values) = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    let rate = total as f64 / since.elapsed().as_secs_f64().max(1e-9);
    bars.finish(&format!("{total} texts, {rate:.0} titles per second"));
    Ok(Embeddings { dim, values })
}

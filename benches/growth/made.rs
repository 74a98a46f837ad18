//! What is prepared for each size, and kept below the data folder: the catalog, how it was built, and the exact answers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Instant;

use aftercart::build::progress::{Progress, Unit};
use serde::{Deserialize, Serialize};

use crate::args::Args;
use crate::exact::Exact;
use crate::rows::Source;
use crate::{machine, raw, vectors};

/// Categories that products are given by turns: a search does not look at them.
const CATEGORIES: usize = 1000;

/// How a catalog came to be.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Built {
    stamp: String,
    /// Reading the vectors and writing the file included.
    pub(crate) seconds: f64,
    pub(crate) peak_mb: f64,
    recall: f64,
}

/// A size that is ready to be searched.
pub(crate) struct Made {
    pub(crate) size: usize,
    pub(crate) catalog: PathBuf,
    pub(crate) built: Built,
    pub(crate) exact: Exact,
}

/// Builds and compares what is not there yet.
pub(crate) fn ensure(source: &Source, size: usize, args: &Args) -> Result<Made, String> {
    let folder = source.folder.join("growth-cache").join(format!("{size}-of-{}", source.rows));
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let catalog = folder.join("vectors.aftercart");
    let (built, exact) = (folder.join("built.json"), folder.join(format!("exact-{}.json", args.queries)));
    let kept = read::<Built>(&built).filter(|built| built.stamp == source.stamp());
    let known = kept.as_ref().and_then(|_| read::<Exact>(&exact));
    let kept = kept.filter(|built| !args.rebuild && built.recall == args.recall && catalog.exists());
    if let (Some(built), Some(exact)) = (&kept, &known) {
        eprintln!("{size}: built before, in {:.1} s", built.seconds);
        return Ok(Made { size, catalog, built: built.clone(), exact: exact.clone() });
    }
    let rows = Rows::of(source, size, args, &folder)?;
    let exact = match known {
        Some(known) => known,
        None => save(&exact, Exact::of(source, &rows.path, size)?)?,
    };
    eprintln!("{size}: nearest {:.3}, spread {:.1}", exact.nearest(), exact.spread());
    let built = match kept {
        Some(kept) => kept,
        None => save(&built, start(source, size, args, &rows.path, &catalog)?)?,
    };
    rows.drop()?;
    Ok(Made { size, catalog, built, exact })
}

/// The vectors of one size, as long as they are needed.
struct Rows {
    path: PathBuf,
    own: bool,
}

impl Rows {
    fn of(source: &Source, size: usize, args: &Args, folder: &Path) -> Result<Self, String> {
        if size == source.rows {
            return Ok(Self { path: source.folder.join("base.f32"), own: false });
        }
        eprintln!("{size}: rows");
        let path = folder.join("rows.f32");
        if size < source.rows {
            source.write_sample(size, &path)?;
        } else {
            let again = Args { rebuild: false, ..args.clone() };
            let whole = ensure(source, source.rows, &again)?;
            source.write_more(size, &whole.catalog, &path)?;
        }
        Ok(Self { path, own: true })
    }

    fn drop(self) -> Result<(), String> {
        if self.own {
            fs::remove_file(&self.path).map_err(|e| format!("{}: {e}", self.path.display()))?;
        }
        Ok(())
    }
}

/// Has a process of its own build a catalog.
fn start(source: &Source, size: usize, args: &Args, rows: &Path, catalog: &Path) -> Result<Built, String> {
    eprintln!("{size}: building");
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let begin = Instant::now();
    let mut command = Command::new(program);
    command.arg("--data").arg(&source.folder).args(["--recall", &args.recall.to_string()]);
    command.args(["--source", &size.to_string()]).arg("--build").arg(rows).arg(catalog);
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|e| format!("cannot start the builder: {e}"))?;
    let seconds = begin.elapsed().as_secs_f64();
    if !output.status.success() {
        return Err(format!("building {size} failed: {}; see above", output.status));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let peak: f64 = said.trim().parse().map_err(|_| format!("the builder said {said:?}"))?;
    eprintln!("{size}: built in {seconds:.1} s, {:.1} GB at the peak", peak / 1e9);
    Ok(Built { stamp: source.stamp(), seconds, peak_mb: peak / 1e6, recall: args.recall })
}

/// Builds a catalog in this process, and says what memory that took at the most.
pub(crate) fn build(rows: &Path, dim: usize, size: usize, recall: f64, catalog: &Path) -> Result<(), String> {
    let mut values: Vec<f32> = raw::read(rows)?;
    values.truncate(size * dim);
    let category = |row: usize| (row % CATEGORIES) as i32;
    vectors::build(values, dim, category, recall, &Steps::default(), catalog)?;
    println!("{}", machine::peak());
    Ok(())
}

fn read<T: for<'a> Deserialize<'a>>(path: &Path) -> Option<T> {
    serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
}

fn save<T: Serialize>(path: &Path, value: T) -> Result<T, String> {
    let text = serde_json::to_string(&value).map_err(|e| e.to_string())?;
    fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(value)
}

/// A line for each step of a build, and now and then within long ones.
#[derive(Default)]
struct Steps(Mutex<Option<Step>>);

struct Step {
    name: String,
    total: u64,
    since: Instant,
    said: Instant,
}

/// Seconds of silence in a step.
const SILENCE: u64 = 20;

impl Progress for Steps {
    fn start(&self, name: &str, total: u64, _: Unit) {
        let now = Instant::now();
        let step = Step { name: name.to_owned(), total, since: now, said: now };
        *self.0.lock().expect("no other thread panicked") = Some(step);
    }

    fn at(&self, done: u64) {
        let mut step = self.0.lock().expect("no other thread panicked");
        if let Some(step) = step.as_mut().filter(|step| step.said.elapsed().as_secs() >= SILENCE) {
            step.said = Instant::now();
            eprintln!(
                "  {}: {done} of {} after {:.0} s",
                step.name,
                step.total,
                step.since.elapsed().as_secs_f64()
            );
        }
    }

    fn finish(&self, summary: &str) {
        if let Some(step) = self.0.lock().expect("no other thread panicked").take() {
            eprintln!("  {}: {:.1} s, {summary}", step.name, step.since.elapsed().as_secs_f64());
        }
    }
}

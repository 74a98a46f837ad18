//! Opens what commands are given, so that every error names its file.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use aftercart::build::feed;
use aftercart::log::{Log, LogData};
use aftercart::{Engine, Model, OpenError, OpenOptions, Policy, Verify};

use crate::Failure;

/// For commands that look into one file often: its structure is checked, not every byte.
pub(crate) fn structure() -> OpenOptions {
    OpenOptions { verify: Verify::Structure, ..OpenOptions::default() }
}

pub(crate) fn engine(catalog: &Path, options: OpenOptions) -> Result<Engine, Failure> {
    Engine::open(catalog, options).map_err(|error| match error {
        OpenError::Io { ref source, .. } if source.kind() == ErrorKind::NotFound => {
            format!("{error}\n  way out: name a catalog; `aftercart build` makes one").into()
        }
        OpenError::Io { .. } => error.into(),
        _ => format!("{}: {error}", catalog.display()).into(),
    })
}

/// A policy file, and the engine under it.
pub(crate) fn under(engine: &Engine, policy: &Path) -> Result<(Policy, Engine), Failure> {
    Ok(feed::apply_policy(engine, policy)?)
}

/// A catalog, under a policy file where there is one.
pub(crate) fn engine_under(
    catalog: &Path,
    options: OpenOptions,
    policy: Option<&Path>,
) -> Result<Engine, Failure> {
    let engine = engine(catalog, options)?;
    Ok(match policy {
        Some(policy) => under(&engine, policy)?.1,
        None => engine,
    })
}

/// Lets an engine decide by a model, or hear of it.
pub(crate) fn with_model(engine: Engine, path: Option<&Path>, shadow: bool) -> Result<Engine, Failure> {
    Ok(match path {
        Some(path) => engine.with_model(Arc::new(Model::open(path)?), shadow),
        None => engine,
    })
}

/// A log that is there: a wrong name must not look like an empty log.
pub(crate) fn existing_log(folder: &Path) -> Result<Log, Failure> {
    if folder.is_dir() {
        return Ok(Log::open(folder)?);
    }
    let way_out = "way out: name the folder of one; `aftercart decide --log` makes one";
    Err(format!("{}: there is no log\n  {way_out}", folder.display()).into())
}

/// All of a log; what cannot be read is named on standard error.
pub(crate) fn log(folder: &Path) -> Result<LogData, Failure> {
    let data = existing_log(folder)?.read()?;
    for (path, problem) in &data.skipped {
        eprintln!("left out {}: {problem}", path.display());
    }
    Ok(data)
}

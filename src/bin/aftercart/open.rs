//! Opens what commands are given, so that every error names its file.

use std::path::Path;
use std::sync::Arc;

use aftercart::build::feed;
use aftercart::log::{Log, LogData};
use aftercart::{Engine, Model, OpenOptions, Policy, Verify};

use crate::Failure;

/// For commands that look into one file often: its structure is checked, not every byte.
pub(crate) fn structure() -> OpenOptions {
    OpenOptions { verify: Verify::Structure, ..OpenOptions::default() }
}

pub(crate) fn engine(catalog: &Path, options: OpenOptions) -> Result<Engine, Failure> {
    Engine::open(catalog, options).map_err(|e| format!("{}: {e}", catalog.display()).into())
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

/// All of a log; what cannot be read is named on standard error.
pub(crate) fn log(folder: &Path) -> Result<LogData, Failure> {
    let data = Log::open(folder)?.read()?;
    for (path, problem) in &data.skipped {
        eprintln!("left out {}: {problem}", path.display());
    }
    Ok(data)
}

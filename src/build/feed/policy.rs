//! Reads a policy file, and finds the place in it that an error is about.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::in_words;
use crate::Engine;
use crate::build::error::BuildError;
use crate::policy::{Policy, PolicyError};

/// Reads a TOML policy. Names are checked later, against a catalog.
///
/// # Errors
/// [`BuildError`]: the file cannot be read, or is not a policy; the message shows line and column.
pub fn read_policy(path: &Path) -> Result<Policy, BuildError> {
    parsed(path, &text_of(path)?)
}

/// Reads a TOML policy and puts an engine under it.
///
/// # Errors
/// As [`read_policy`]; and what [`Engine::with_policy`] says, with line and column where the file has a place for it.
pub fn apply_policy(engine: &Engine, path: &Path) -> Result<(Policy, Engine), BuildError> {
    let text = text_of(path)?;
    let policy = parsed(path, &text)?;
    match engine.with_policy(&policy) {
        Ok(engine) => Ok((policy, engine)),
        Err(error) => Err(placed(path, &text, &error)),
    }
}

/// What is wrong with a policy that a file holds, as an error that names file, line and column.
#[must_use]
pub fn at_its_place(path: &Path, error: &PolicyError) -> BuildError {
    placed(path, &text_of(path).unwrap_or_default(), error)
}

fn parsed(path: &Path, text: &str) -> Result<Policy, BuildError> {
    toml::from_str(text).map_err(|error| BuildError::File {
        path: path.to_owned(),
        problem: in_words(error.to_string().trim_end()),
        way_out: "the README's chapter on the policy lists what may stand where".into(),
    })
}

fn placed(path: &Path, text: &str, error: &PolicyError) -> BuildError {
    let place = place(text, error).map_or_else(String::new, |(line, column)| format!(":{line}:{column}"));
    BuildError::Input {
        problem: format!("{}{place}: {error}", path.display()),
        way_out: format!("correct it, then `aftercart policy check {} --catalog FILE`", path.display()),
    }
}

fn text_of(path: &Path) -> Result<String, BuildError> {
    let failed = |source| BuildError::Io { path: path.to_owned(), action: "read", source };
    std::fs::read_to_string(path).map_err(failed)
}

type Value<'t> = Spanned<DeValue<'t>>;

/// Line and column, from 1, of what an error is about.
fn place(text: &str, error: &PolicyError) -> Option<(usize, usize)> {
    let file = DeTable::parse(text).ok()?;
    let file = file.get_ref();
    let at = match error {
        PolicyError::UnknownName { field, rule, name, .. } => {
            let (table, rest) = match (rule, field.split_once('.')) {
                (Some(rule), Some((list, rest))) => (named(file, list, rule)?, rest),
                _ => (file, *field),
            };
            let there = follow(table, rest);
            there.iter().find_map(|value| text_in(value, name)).or(there.first().copied())
        }
        PolicyError::Rule { field, name, problem } => {
            let table = named(file, field, name)?;
            let key = problem.split_once(':').map_or("", |(key, _)| key);
            table.get(key).or_else(|| name_of(table))
        }
        PolicyError::OutOfRange { field, .. } => follow(file, field).first().copied(),
        PolicyError::Taxonomy { .. } => file.get("taxonomy"),
        PolicyError::Zone { .. } => file.get("time_zone"),
        PolicyError::NoTaxonomy { .. } | PolicyError::BadRecord { .. } => None,
    }?;
    let before = text.get(..at.span().start)?;
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    Some((before.matches('\n').count() + 1, before[line_start..].chars().count() + 1))
}

/// All that stands under dotted keys, in each table of a list on the way.
fn follow<'v, 't>(table: &'v DeTable<'t>, keys: &str) -> Vec<&'v Value<'t>> {
    let (key, rest) = keys.split_once('.').map_or((keys, None), |(key, rest)| (key, Some(rest)));
    let Some(value) = table.get(key) else { return Vec::new() };
    match (rest, value.get_ref()) {
        (None, _) => vec![value],
        (Some(rest), DeValue::Table(table)) => follow(table, rest),
        (Some(rest), DeValue::Array(list)) => {
            let tables = list.iter().filter_map(|entry| entry.get_ref().as_table());
            tables.flat_map(|table| follow(table, rest)).collect()
        }
        _ => Vec::new(),
    }
}

/// The table of a list whose `name` or `id` it is.
fn named<'v, 't>(file: &'v DeTable<'t>, list: &str, name: &str) -> Option<&'v DeTable<'t>> {
    let list = file.get(list)?.get_ref().as_array()?;
    let mut tables = list.iter().filter_map(|entry| entry.get_ref().as_table());
    tables.find(|table| name_of(table).is_some_and(|own| own.get_ref().as_str() == Some(name)))
}

fn name_of<'v, 't>(table: &'v DeTable<'t>) -> Option<&'v Value<'t>> {
    table.get("name").or_else(|| table.get("id"))
}

/// A text, somewhere in a value.
fn text_in<'v, 't>(value: &'v Value<'t>, text: &str) -> Option<&'v Value<'t>> {
    match value.get_ref() {
        DeValue::String(own) => (own == text).then_some(value),
        DeValue::Array(list) => list.iter().find_map(|entry| text_in(entry, text)),
        DeValue::Table(table) => table.iter().find_map(|(_, entry)| text_in(entry, text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"taxonomy = "mine"
[suppress]
categories = ["Pets", "Fodo"]
[[rule]]
name = "first"
suppress.brands = ["Ä", "Fodo"]
[[rule]]
name = "second"
when = 'order.value > 1'
allow_only.attributes = { color = ["Fodo"] }
[placement]
min_relevance = 7
"#;

    fn unknown(field: &'static str, rule: Option<&str>) -> PolicyError {
        let (rule, name) = (rule.map(str::to_owned), "Fodo".to_owned());
        PolicyError::UnknownName { field, rule, what: "thing", name, like: Vec::new() }
    }

    #[test]
    fn an_error_finds_its_place() {
        let of_rule = |problem: &str| PolicyError::Rule {
            field: "rule",
            name: "second".into(),
            problem: problem.to_owned(),
        };
        let taxonomy = PolicyError::Taxonomy { policy: "mine".into(), catalog: "other".into() };
        let range = PolicyError::OutOfRange { field: "placement.min_relevance", allowed: "0 to 1" };
        for (error, want) in [
            (unknown("suppress.categories", None), Some((3, 23))),
            (unknown("rule.suppress", Some("first")), Some((6, 25))),
            (unknown("rule.allow_only", Some("second")), Some((10, 36))),
            (unknown("rule.allow_only", Some("third")), None),
            (of_rule("when: it reads the clock"), Some((9, 8))),
            (of_rule("the name is there twice"), Some((8, 8))),
            (taxonomy, Some((1, 12))),
            (range, Some((12, 17))),
        ] {
            assert_eq!(place(TEXT, &error), want, "{error}");
        }
    }
}

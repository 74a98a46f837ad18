//! Held-out cases with their truth, the offers of peers, and how often products were bought.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use aftercart::Engine;
use aftercart::build::feed::{self, ColumnMap, Product};
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::metrics::{K, Known};
use crate::Failure;
use crate::bars::Bars;
use crate::request::Text;

/// A checkout and what was wanted after it.
#[derive(Debug, Clone, Default)]
pub(super) struct Case {
    pub(super) id: String,
    pub(super) task: String,
    /// The customer has a history that the catalog knows something of.
    pub(super) is_known: bool,
    pub(super) lines: Vec<Line>,
    /// Products that count as hits, each once.
    pub(super) relevant: Vec<String>,
}

/// A bought line.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    pub(super) id: String,
    /// As the request says, for products that the catalog does not have.
    pub(super) category: String,
}

impl Line {
    /// Its type.
    pub(super) fn kind<'a>(&'a self, known: &'a Known<'_>) -> Option<&'a str> {
        let own = Some(self.category.as_str()).filter(|category| !category.is_empty());
        (known.type_of)(&self.id).or(own)
    }
}

/// What a case says besides the request that it is.
#[derive(Deserialize)]
pub(super) struct Head {
    pub(super) case_id: Text,
    pub(super) task: Text,
    #[serde(default)]
    pub(super) history: Vec<Past>,
}

#[derive(Deserialize)]
pub(super) struct Past {
    #[serde(default)]
    pub(super) product_id: Text,
}

#[derive(Deserialize)]
struct Truth {
    case_id: Text,
    relevant: Vec<Text>,
}

#[derive(Deserialize)]
struct Recs {
    case_id: Text,
    offers: Vec<Offered>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Offered {
    Object {
        #[serde(default)]
        product_id: Text,
        #[serde(default)]
        offer_id: Text,
    },
    Id(Text),
}

impl Offered {
    fn id(&self) -> String {
        match self {
            Self::Id(id) => id.text(),
            Self::Object { product_id, offer_id } => {
                Some(product_id.text()).filter(|id| !id.is_empty()).unwrap_or_else(|| offer_id.text())
            }
        }
    }
}

/// An error of a line, with the way out.
pub(super) fn wrong(field: &str, problem: &str, way_out: &str) -> String {
    format!("{field}: {problem}\n  way out: {way_out}")
}

/// Reads a line as JSON.
pub(super) fn json<T: DeserializeOwned>(text: &str, form: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| {
        let said = error.to_string();
        // It counts lines within this one.
        let what = said.split(" at line ").next().unwrap_or_default();
        wrong(&format!("column {}", error.column()), what, &format!("write one object a line, like {form}"))
    })
}

/// Hands over each line of a file, plain or `.gz`, that is not empty; errors get file and line.
pub(super) fn each_line(
    path: &Path,
    mut take: impl FnMut(&str) -> Result<(), String>,
) -> Result<(), Failure> {
    let failed =
        |action: &str, error: std::io::Error| format!("{}: {action} failed: {error}", path.display());
    let file = File::open(path).map_err(|e| failed("open", e))?;
    let is_packed = path.extension().is_some_and(|ending| ending == "gz");
    let reader: Box<dyn BufRead> = if is_packed {
        Box::new(BufReader::new(MultiGzDecoder::new(file)))
    } else {
        Box::new(BufReader::new(file))
    };
    for (number, line) in (1u64..).zip(reader.lines()) {
        let line = line.map_err(|e| failed("read", e))?;
        if !line.trim().is_empty() {
            take(&line).map_err(|problem| format!("{}:{number}: {problem}", path.display()))?;
        }
    }
    Ok(())
}

/// The relevant products of each case.
pub(super) fn read_truth(path: &Path) -> Result<HashMap<String, Vec<String>>, Failure> {
    let mut truth = HashMap::new();
    each_line(path, |text| {
        let Truth { case_id, relevant } = json(text, r#"{"case_id":"a","relevant":["SKU1"]}"#)?;
        let mut once: Vec<String> = relevant.iter().map(Text::text).collect();
        once.sort_unstable();
        once.dedup();
        if once.is_empty() {
            return Err(wrong("relevant", "is empty", "leave cases out where nothing can be right"));
        }
        match truth.insert(case_id.text(), once) {
            None => Ok(()),
            Some(_) => Err(twice("case_id", &case_id.text())),
        }
    })?;
    Ok(truth)
}

/// An error of an id that comes again.
pub(super) fn twice(field: &str, id: &str) -> String {
    wrong(field, &format!("\"{id}\" is there twice"), "name each once")
}

/// A peer's offers, by case.
pub(super) struct Peer {
    pub(super) name: String,
    pub(super) offers: HashMap<String, Vec<String>>,
}

/// Reads what another method offers, or an earlier run of `decide --jsonl`.
pub(super) fn read_peer(path: &Path) -> Result<Peer, Failure> {
    let mut offers = HashMap::new();
    each_line(path, |text| {
        let recs: Recs = json(text, r#"{"case_id":"a","offers":["SKU1","SKU2"]}"#)?;
        let ten: Vec<String> = recs.offers.iter().take(K).map(Offered::id).collect();
        let mut seen = HashSet::new();
        match ten.iter().find(|id| id.is_empty() || !seen.insert(id.as_str())) {
            Some(empty) if empty.is_empty() => {
                return Err(wrong("offers", "one has no id", "write ids, or objects with product_id"));
            }
            Some(id) => return Err(twice("offers", id)),
            None => {}
        }
        match offers.insert(recs.case_id.text(), ten) {
            None => Ok(()),
            Some(_) => Err(twice("case_id", &recs.case_id.text())),
        }
    })?;
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = file.trim_end_matches(".gz").trim_end_matches(".jsonl").trim_start_matches("recs-");
    Ok(Peer { name: name.to_owned(), offers })
}

/// How often each relevant product was bought in training.
pub(super) fn read_bought(
    train: &Path,
    columns: &ColumnMap,
    truth: &HashMap<String, Vec<String>>,
    engine: &Engine,
    bars: &Bars,
) -> Result<HashMap<String, u64>, Failure> {
    // The reader keeps lines of known products; a relevant one counts even where the catalog lost it.
    let mut ids: HashSet<&str> = engine.catalog().product_ids().collect();
    ids.extend(truth.values().flatten().map(String::as_str));
    let products: Vec<Product> =
        ids.into_iter().map(|id| Product { id: id.to_owned(), ..Product::default() }).collect();
    let (orders, report) = feed::read_orders(&[PathBuf::from(train)], columns, &products, bars)?;
    if orders.lines.is_empty() {
        let example = report.unknown_example.map_or(String::new(), |id| format!(", for example \"{id}\""));
        return Err(format!(
            "{}: product_id: none of {} lines is of a product of the catalog{example}\n  way out: give the orders that the catalog was built from",
            train.display(),
            report.lines
        )
        .into());
    }
    let relevant: HashSet<&str> = truth.values().flatten().map(String::as_str).collect();
    let mut bought = HashMap::new();
    for line in &orders.lines {
        let id = &products[line.product as usize].id;
        if relevant.contains(id.as_str()) {
            *bought.entry(id.clone()).or_insert(0) += 1;
        }
    }
    Ok(bought)
}

//! A model's folder, as model hubs give it: what it says of its shape, its tokens, and how tokens become one vector.

use std::path::{Path, PathBuf};

use aftercart::build::error::BuildError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokenizers::Tokenizer;

/// How to get such a folder in the form that is read here.
const SAVE: &str =
    "save the model with SentenceTransformer(NAME).save(FOLDER), which writes all files that are needed";

/// What `config.json` says.
#[derive(Debug, Deserialize)]
pub(crate) struct Config {
    pub(crate) model_type: String,
    pub(crate) vocab_size: usize,
    pub(crate) hidden_size: usize,
    pub(crate) num_hidden_layers: usize,
    pub(crate) num_attention_heads: usize,
    pub(crate) intermediate_size: usize,
    pub(crate) max_position_embeddings: usize,
    #[serde(default = "two")]
    pub(crate) type_vocab_size: usize,
    #[serde(default = "tiny")]
    pub(crate) layer_norm_eps: f64,
    pub(crate) hidden_act: Activation,
    #[serde(default)]
    position_embedding_type: Option<String>,
    #[serde(default)]
    pad_token_id: usize,
}

fn two() -> usize {
    2
}

fn tiny() -> f64 {
    1e-12
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Activation {
    Gelu,
    #[serde(alias = "gelu_pytorch_tanh")]
    GeluNew,
    Relu,
}

impl Config {
    /// The position of the first token: RoBERTa's begin behind that of padding.
    pub(crate) fn first_position(&self) -> usize {
        if self.model_type == "bert" { 0 } else { self.pad_token_id + 1 }
    }
}

/// How the vectors of a text's tokens become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pooling {
    Mean,
    First,
    Max,
}

/// All that the folder says but the weights.
pub(crate) struct Folder {
    pub(crate) config: Config,
    pub(crate) weights: PathBuf,
    pub(crate) pooling: Pooling,
    pub(crate) unit_length: bool,
    lower_case: bool,
    tokenizer: Tokenizer,
    tokenizer_path: PathBuf,
}

#[derive(Deserialize)]
struct Module {
    path: String,
    r#type: String,
}

#[derive(Default, Deserialize)]
struct Sentences {
    max_seq_length: Option<usize>,
    #[serde(default)]
    do_lower_case: bool,
}

#[derive(Default, Deserialize)]
struct TokenizerConfig {
    /// A float: some say 1e30 for "no limit".
    model_max_length: Option<f64>,
}

impl Folder {
    pub(crate) fn read(path: &Path) -> Result<Self, BuildError> {
        if !path.is_dir() {
            return Err(error(
                path,
                "there is no such folder",
                "name a model's folder, with config.json in it",
            ));
        }
        let (inner, pooling, unit_length) = modules(path)?;
        let config = config(&inner.join("config.json"))?;
        let sentences: Sentences = json(&path.join("sentence_bert_config.json"))?
            .map_or_else(|| json(&inner.join("sentence_bert_config.json")), |found| Ok(Some(found)))?
            .unwrap_or_default();
        let tokens: TokenizerConfig = json(&inner.join("tokenizer_config.json"))?.unwrap_or_default();
        let said = sentences.max_seq_length.or(tokens.model_max_length.map(|length| length as usize));
        let possible = config.max_position_embeddings.saturating_sub(config.first_position());
        let tokenizer_path = inner.join("tokenizer.json");
        let tokenizer = tokenizer(&tokenizer_path, said.unwrap_or(possible).min(possible))?;
        let weights = inner.join("model.safetensors");
        if !weights.is_file() {
            return Err(error(&weights, "is missing: weights are read from safetensors alone", SAVE));
        }
        let lower_case = sentences.do_lower_case;
        Ok(Self { config, weights, pooling, unit_length, lower_case, tokenizer, tokenizer_path })
    }

    /// The numbers of a text's tokens, cut off where the model ends.
    pub(crate) fn tokens(&self, text: &str) -> Result<Vec<u32>, BuildError> {
        let encoding = match self.lower_case {
            true => self.tokenizer.encode_fast(text.to_lowercase(), true),
            false => self.tokenizer.encode_fast(text, true),
        };
        let encoding =
            encoding.map_err(|e| error(&self.tokenizer_path, format!("cannot split `{text}`: {e}"), SAVE))?;
        let tokens = encoding.get_ids();
        match tokens.iter().find(|&&token| token as usize >= self.config.vocab_size) {
            None => Ok(tokens.to_vec()),
            Some(token) => Err(error(
                &self.tokenizer_path,
                format!("gives the token {token}, but the model has only {}", self.config.vocab_size),
                "take config.json and tokenizer.json from one model",
            )),
        }
    }
}

/// Where the transformer lies, how to pool, and whether vectors are made one long.
fn modules(path: &Path) -> Result<(PathBuf, Pooling, bool), BuildError> {
    let list = path.join("modules.json");
    let Some(modules) = json::<Vec<Module>>(&list)? else {
        return Ok((path.to_owned(), pooling(&path.join("1_Pooling/config.json"))?, true));
    };
    let (mut inner, mut pool, mut unit_length) = (path.to_owned(), Pooling::Mean, false);
    for Module { path: folder, r#type } in modules {
        match r#type.rsplit('.').next() {
            Some("Transformer") => inner = path.join(folder),
            Some("Pooling") => pool = pooling(&path.join(folder).join("config.json"))?,
            Some("Normalize") => unit_length = true,
            _ => {
                let problem =
                    format!("names the module {}; known are Transformer, Pooling and Normalize", r#type);
                return Err(error(&list, problem, "take a model without it, or make the vectors in Python"));
            }
        }
    }
    Ok((inner, pool, unit_length))
}

/// Versions before the sixth of sentence-transformers have a switch per way, later ones a name.
fn pooling(path: &Path) -> Result<Pooling, BuildError> {
    let Some(said) = json::<serde_json::Map<String, Value>>(path)? else { return Ok(Pooling::Mean) };
    let ways: Vec<&str> = match said.get("pooling_mode") {
        Some(Value::String(way)) => vec![way],
        Some(Value::Array(ways)) => ways.iter().filter_map(Value::as_str).collect(),
        _ => {
            let on = said.iter().filter(|(_, on)| **on == Value::Bool(true));
            on.filter_map(|(way, _)| way.strip_prefix("pooling_mode_")).collect()
        }
    };
    match ways[..] {
        ["mean" | "mean_tokens"] => Ok(Pooling::Mean),
        ["cls" | "cls_token"] => Ok(Pooling::First),
        ["max" | "max_tokens"] => Ok(Pooling::Max),
        _ => Err(error(
            path,
            format!("pools by {}; known are mean, cls and max, one of them", ways.join(" and ")),
            "take another model, or make the vectors in Python",
        )),
    }
}

fn config(path: &Path) -> Result<Config, BuildError> {
    let Some(said) = json::<Value>(path)? else {
        return Err(error(path, "is missing", SAVE));
    };
    let kind = said.get("model_type").and_then(Value::as_str).unwrap_or("unknown");
    if !["bert", "roberta", "xlm-roberta", "camembert"].contains(&kind) {
        return Err(error(
            path,
            format!("is of a model of type {kind}; known are bert, roberta, xlm-roberta and camembert"),
            "take one of these, for example all-MiniLM-L6-v2, or make the vectors in Python",
        ));
    }
    let config: Config = serde_json::from_value(said).map_err(|e| error(path, e.to_string(), SAVE))?;
    let problem = match config.position_embedding_type.as_deref() {
        Some(kind) if kind != "absolute" => format!("says that positions are {kind}; known is absolute"),
        _ if config.num_attention_heads == 0
            || !config.hidden_size.is_multiple_of(config.num_attention_heads) =>
        {
            format!("divides {} values among {} heads", config.hidden_size, config.num_attention_heads)
        }
        _ => return Ok(config),
    };
    Err(error(path, problem, "take another model"))
}

fn tokenizer(path: &Path, most: usize) -> Result<Tokenizer, BuildError> {
    if !path.is_file() {
        let way_out = "write it with AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)";
        return Err(error(path, "is missing", way_out));
    }
    let mut tokenizer = Tokenizer::from_file(path).map_err(|e| error(path, e.to_string(), SAVE))?;
    tokenizer.with_padding(None);
    let cut = tokenizers::TruncationParams { max_length: most, ..Default::default() };
    tokenizer.with_truncation(Some(cut)).map_err(|e| error(path, e.to_string(), SAVE))?;
    Ok(tokenizer)
}

/// What a file holds; `None` where it is not there.
fn json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, BuildError> {
    match std::fs::read(path) {
        Ok(bytes) => match serde_json::from_slice(&bytes) {
            Ok(said) => Ok(Some(said)),
            Err(e) => Err(error(path, e.to_string(), SAVE)),
        },
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(BuildError::Io { path: path.to_owned(), action: "read", source }),
    }
}

pub(crate) fn error(path: &Path, problem: impl Into<String>, way_out: impl Into<String>) -> BuildError {
    BuildError::File { path: path.to_owned(), problem: problem.into(), way_out: way_out.into() }
}

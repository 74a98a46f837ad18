//! BERT and RoBERTa: tokens in, one vector per text out.
//!
//! Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding", 2019, and, for pooling,
//! Reimers and Gurevych, "Sentence-BERT", 2019.

use aftercart::build::error::BuildError;
use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{LayerNorm, Linear, Module, VarBuilder, layer_norm, linear, ops};

use super::folder::{Activation, Config, Folder, Pooling, error};

/// The weights, and how the result is made of them.
pub(crate) struct Model {
    words: Tensor,
    /// With the vector of the first token type, since a title is one sentence.
    positions: Tensor,
    norm: LayerNorm,
    layers: Vec<Layer>,
    pooling: Pooling,
    unit_length: bool,
}

struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    mix: Linear,
    mix_norm: LayerNorm,
    up: Linear,
    down: Linear,
    down_norm: LayerNorm,
    heads: usize,
    activation: Activation,
}

impl Model {
    pub(crate) fn load(folder: &Folder) -> std::result::Result<Self, BuildError> {
        let path = &folder.weights;
        let read = std::fs::read(path);
        let bytes = read.map_err(|source| BuildError::Io { path: path.clone(), action: "read", source })?;
        Self::build(bytes, folder).map_err(|e| {
            error(path, e.to_string(), "take config.json and model.safetensors from one model, both whole")
        })
    }

    fn build(bytes: Vec<u8>, folder: &Folder) -> Result<Self> {
        let config = &folder.config;
        let weights = VarBuilder::from_buffered_safetensors(bytes, DType::F32, &Device::Cpu)?;
        // Models with a head for another task have a name before those of the encoder.
        let inside = |name: &&str| weights.pp(name).contains_tensor("embeddings.word_embeddings.weight");
        let weights = ["bert", "roberta"]
            .iter()
            .find(|name| inside(name))
            .map_or(weights.clone(), |name| weights.pp(name));
        let size = config.hidden_size;
        let table = |rows: usize, name: &str| weights.pp("embeddings").pp(name).get((rows, size), "weight");
        let positions = table(config.max_position_embeddings, "position_embeddings")?;
        let kinds = table(config.type_vocab_size, "token_type_embeddings")?;
        let first = config.first_position();
        let positions = positions.narrow(0, first, config.max_position_embeddings - first)?;
        let layer = |row: usize| Layer::load(&weights.pp("encoder.layer").pp(row), config);
        Ok(Self {
            words: table(config.vocab_size, "word_embeddings")?,
            positions: positions.broadcast_add(&kinds.narrow(0, 0, 1)?)?,
            norm: layer_norm(size, config.layer_norm_eps, weights.pp("embeddings.LayerNorm"))?,
            layers: (0..config.num_hidden_layers).map(layer).collect::<Result<_>>()?,
            pooling: folder.pooling,
            unit_length: folder.unit_length,
        })
    }

    /// Values per vector.
    pub(crate) fn dim(&self) -> usize {
        self.words.dims()[1]
    }

    /// The vectors of some texts, one after the other. No text is without tokens.
    pub(crate) fn embed(&self, texts: &[&[u32]]) -> Result<Vec<f32>> {
        let width = texts.iter().map(|tokens| tokens.len()).max().unwrap_or(0);
        let padded: Vec<u32> = texts
            .iter()
            .flat_map(|tokens| tokens.iter().copied().chain(std::iter::repeat_n(0, width - tokens.len())))
            .collect();
        let shape = (texts.len(), width, self.dim());
        let mut x = self.words.index_select(&Tensor::new(padded, &Device::Cpu)?, 0)?.reshape(shape)?;
        x = x.broadcast_add(&self.positions.narrow(0, 0, width)?)?;
        x = self.norm.forward(&x)?;
        let mask = padding(texts, width)?;
        for layer in &self.layers {
            x = layer.forward(&x, mask.as_ref())?;
        }
        let values = x.flatten_all()?.to_vec1::<f32>()?;
        let rows = values.chunks_exact(width * self.dim()).zip(texts);
        Ok(rows.flat_map(|(row, tokens)| self.pool(&row[..tokens.len() * self.dim()])).collect())
    }

    /// One vector of those of a text's tokens.
    fn pool(&self, tokens: &[f32]) -> Vec<f32> {
        let mut rows = tokens.chunks_exact(self.dim());
        let count = rows.len() as f32;
        let mut vector = rows.next().map_or_else(Vec::new, <[f32]>::to_vec);
        for row in rows {
            for (sum, &value) in vector.iter_mut().zip(row) {
                match self.pooling {
                    Pooling::Mean => *sum += value,
                    Pooling::Max => *sum = sum.max(value),
                    Pooling::First => {}
                }
            }
        }
        if self.pooling == Pooling::Mean {
            vector.iter_mut().for_each(|value| *value /= count);
        }
        if self.unit_length {
            let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-12);
            vector.iter_mut().for_each(|value| *value /= length);
        }
        vector
    }
}

/// What is added to the attention that is paid to each token: nothing, or minus infinity where a text is over. `None` where
/// all are of one length.
fn padding(texts: &[&[u32]], width: usize) -> Result<Option<Tensor>> {
    if texts.iter().all(|tokens| tokens.len() == width) {
        return Ok(None);
    }
    let of = |tokens: &&[u32]| {
        let length = tokens.len();
        (0..width).map(move |at| if at < length { 0.0 } else { f32::NEG_INFINITY })
    };
    let mask: Vec<f32> = texts.iter().flat_map(of).collect();
    Tensor::from_vec(mask, (texts.len(), 1, 1, width), &Device::Cpu).map(Some)
}

impl Layer {
    fn load(weights: &VarBuilder<'_>, config: &Config) -> Result<Self> {
        let (size, inner) = (config.hidden_size, config.intermediate_size);
        let square = |name: &str| linear(size, size, weights.pp(name));
        let norm = |name: &str| layer_norm(size, config.layer_norm_eps, weights.pp(name));
        // The scores' division by the root of a head's size, done once.
        let scale = 1.0 / ((size / config.num_attention_heads) as f64).sqrt();
        let query = square("attention.self.query")?;
        let bias = query.bias().map(|bias| bias * scale).transpose()?;
        Ok(Self {
            query: Linear::new((query.weight() * scale)?, bias),
            key: square("attention.self.key")?,
            value: square("attention.self.value")?,
            mix: square("attention.output.dense")?,
            mix_norm: norm("attention.output.LayerNorm")?,
            up: linear(size, inner, weights.pp("intermediate.dense"))?,
            down: linear(inner, size, weights.pp("output.dense"))?,
            down_norm: norm("output.LayerNorm")?,
            heads: config.num_attention_heads,
            activation: config.hidden_act,
        })
    }

    fn forward(&self, x: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        let (texts, width, size) = x.dims3()?;
        let by_head = |of: &Linear| {
            let shape = (texts, width, self.heads, size / self.heads);
            of.forward(x)?.reshape(shape)?.transpose(1, 2)?.contiguous()
        };
        let mut scores = by_head(&self.query)?.matmul(&by_head(&self.key)?.t()?)?;
        if let Some(mask) = mask {
            scores = scores.broadcast_add(mask)?;
        }
        let seen = ops::softmax_last_dim(&scores)?.matmul(&by_head(&self.value)?)?;
        let seen = seen.transpose(1, 2)?.contiguous()?.reshape((texts, width, size))?;
        let x = self.mix_norm.forward(&(self.mix.forward(&seen)? + x)?)?;
        let up = self.up.forward(&x)?;
        let up = match self.activation {
            Activation::Gelu => up.gelu_erf()?,
            Activation::GeluNew => up.gelu()?,
            Activation::Relu => up.relu()?,
        };
        self.down_norm.forward(&(self.down.forward(&up)? + x)?)
    }
}

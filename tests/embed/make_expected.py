#!/usr/bin/env python3
"""Makes two tiny models of random weights, as hubs keep them, and the vectors that sentence-transformers gives with them.

    make_expected.py        bert/, roberta/ and expected.json, beside this file

Needs sentence-transformers (made with 6.2.0, transformers 5 and torch 2 on a CPU).
"""

import json
import shutil
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Normalize, Pooling, Transformer
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast, RobertaConfig, RobertaForMaskedLM

HERE = Path(__file__).parent
WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] coffee grinder filter paper red blue cup cups mug steel for with 12 oz , . > ##s ##er ##let small large kitchen home tea pot".split()
TITLES = [
    "Coffee grinder, steel",
    "coffee filters 12 cups",
    "Tea",
    "Größe 7 xyzzy",
    "Large red kitchen teapot with small blue mug for home coffee , large steel pot for tea",
    "Home > Kitchen",
]


def tokenizer(folder):
    split = Tokenizer(models.WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    split.normalizer = normalizers.BertNormalizer(lowercase=True)
    split.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    split.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    # As the tokenizers of published models have it: neither is to hold for us.
    split.enable_padding(length=128)
    split.enable_truncation(max_length=128)
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    PreTrainedTokenizerFast(tokenizer_object=split, model_max_length=12, **special).save_pretrained(folder)


def save(name, model, pooling, normalize):
    """All weights are drawn, biases and norms too: none may be left out unnoticed."""
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    for key, parameter in model.named_parameters():
        if "LayerNorm.weight" in key:
            parameter.data += 1
    plain, folder = HERE / "plain", HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(plain)
    tokenizer(plain)
    parts = [Transformer(str(plain), max_seq_length=12)]
    parts.append(Pooling(model.config.hidden_size, pooling_mode=pooling))
    sentences = SentenceTransformer(modules=parts + [Normalize()] * normalize, device="cpu")
    sentences.save(str(folder))
    # With its head's name before its weights, as a model for another task has them.
    shutil.copy(plain / "model.safetensors", folder / "model.safetensors")
    shutil.rmtree(plain)
    for extra in ["README.md", "config_sentence_transformers.json"]:
        (folder / extra).unlink(missing_ok=True)
    return [[round(float(value), 7) for value in row] for row in sentences.encode(TITLES)]


torch.manual_seed(7)
shape = {"vocab_size": len(WORDS), "max_position_embeddings": 16}
bert = BertConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, **shape)
roberta = RobertaConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, type_vocab_size=1,
                        pad_token_id=0, bos_token_id=2, eos_token_id=3, hidden_act="gelu_new", **shape)
expected = {
    "titles": TITLES,
    "bert": save("bert", BertModel(bert, add_pooling_layer=False), "mean", True),
    "roberta": save("roberta", RobertaForMaskedLM(roberta), "cls", False),
}
(HERE / "expected.json").write_text(json.dumps(expected, ensure_ascii=False).replace("], [", "],\n[") + "\n")

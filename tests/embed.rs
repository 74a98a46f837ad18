//! `aftercart embed` gives what sentence-transformers gives with the same models, and says what is wrong with others.
//! `tests/embed/make_expected.py` made the models and the vectors.
#![cfg(feature = "embed")]

#[path = "common/command.rs"]
mod command;

use std::fs;
use std::path::Path;

use aftercart::build::feed::{Embeddings, Product, read_embeddings};
use command::{fails, says};
use serde_json::Value;

/// Both compute in f32, sums in another order.
const TOLERANCE: f32 = 1e-5;

fn off(row: &[f32], want: &[f32]) -> f32 {
    assert_eq!(row.len(), want.len());
    row.iter().zip(want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn here(name: &str) -> String {
    format!("{}/tests/embed/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn expected() -> Value {
    serde_json::from_slice(&fs::read(here("expected.json")).unwrap()).unwrap()
}

/// A feed of the expected titles, the first of them once more at the end, and a product without one.
fn feed(folder: &Path) -> Vec<Product> {
    let titles: Vec<String> = serde_json::from_value(expected()["titles"].take()).unwrap();
    let titles = titles.iter().chain([&titles[0]]).map(String::as_str).chain([""]);
    let products = titles.enumerate().map(|(row, title)| Product {
        id: format!("p{row}"),
        title: title.to_owned(),
        ..Product::default()
    });
    let products: Vec<Product> = products.collect();
    let mut rows = "product_id,title,category_path,brand,price\n".to_owned();
    for Product { id, title, .. } in &products {
        rows.push_str(&format!("{id},\"{title}\",Home > Kitchen,Tea,1.00\n"));
    }
    fs::write(folder.join("feed.csv"), rows).unwrap();
    products
}

fn embed(folder: &Path, products: &[Product], more: &[&str]) -> Embeddings {
    let fixed = ["embed", "--products", "feed.csv", "--out", "e.npy"];
    says(&[&fixed, more].concat(), folder);
    read_embeddings(&folder.join("e.npy"), products).unwrap()
}

/// Copies a model to spoil it.
fn copy(from: &str, to: &Path) {
    fs::create_dir_all(to.join("1_Pooling")).unwrap();
    for name in [
        "config.json",
        "model.safetensors",
        "modules.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "sentence_bert_config.json",
        "1_Pooling/config.json",
    ] {
        fs::copy(Path::new(&here(from)).join(name), to.join(name)).unwrap();
    }
}

#[test]
fn vectors_are_those_of_sentence_transformers() {
    let folder = tempfile::tempdir().unwrap();
    let products = feed(folder.path());
    for (name, dim) in [("bert", 32), ("roberta", 16)] {
        let want: Vec<Vec<f32>> = serde_json::from_value(expected()[name].take()).unwrap();
        let model = here(name);
        for batch in ["1", "3", "32"] {
            let found = embed(folder.path(), &products, &["--model", &model, "--batch", batch]);
            assert_eq!(found.dim, dim);
            let rows: Vec<&[f32]> = found.values.chunks_exact(dim).collect();
            let nothing = vec![0.0; dim];
            let want = want.iter().chain([&want[0], &nothing]);
            assert_eq!(rows.len(), want.clone().count());
            for ((row, want), product) in rows.iter().zip(want).zip(&products) {
                let off = off(row, want);
                assert!(off < TOLERANCE, "{name}, batch {batch}, {}: off by {off}", product.title);
            }
        }
    }
}

#[test]
fn threads_change_no_byte() {
    let folder = tempfile::tempdir().unwrap();
    let products = feed(folder.path());
    let model = here("bert");
    let bytes = |threads: &str| {
        embed(folder.path(), &products, &["--model", &model, "--batch", "2", "--threads", threads]);
        fs::read(folder.path().join("e.npy")).unwrap()
    };
    let one = bytes("1");
    assert!(["2", "3"].iter().all(|threads| bytes(threads) == one));
}

#[test]
fn fields_and_prefix_are_what_the_model_reads() {
    let folder = tempfile::tempdir().unwrap();
    let products = feed(folder.path());
    let model = here("bert");
    let all = embed(folder.path(), &products, &["--model", &model]);
    // The category of every product is the title of the sixth; the brand that of the third.
    let row = |of: &Embeddings, at: usize| of.values[at * 32..][..32].to_vec();
    let category = embed(folder.path(), &products, &["--model", &model, "--text", "category"]);
    assert!(off(&row(&category, 7), &row(&all, 5)) < TOLERANCE);
    let prefixed =
        embed(folder.path(), &products, &["--model", &model, "--text", "brand", "--prefix", "Home > "]);
    let plain = embed(folder.path(), &products, &["--model", &model, "--text", "brand"]);
    assert!(off(&row(&plain, 7), &row(&all, 2)) < TOLERANCE);
    assert!(off(&row(&prefixed, 7), &row(&plain, 7)) > 0.01);
    let both = embed(folder.path(), &products, &["--model", &model, "--text", "title,brand"]);
    assert!(off(&row(&both, 7), &row(&plain, 7)) < TOLERANCE);
    assert!(off(&row(&both, 0), &row(&all, 0)) > 0.01);
}

#[test]
fn what_is_no_model_is_said_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    feed(folder.path());
    let model = folder.path().join("model");
    let complaint = |spoil: &dyn Fn(&Path)| {
        let _ = fs::remove_dir_all(&model);
        copy("bert", &model);
        spoil(&model);
        fails(&["embed", "--model", "model", "--products", "feed.csv", "--out", "e.npy"], folder.path())
    };
    let replaced = |name: &'static str, from: &'static str, to: &'static str| {
        complaint(&|model: &Path| {
            let text = fs::read_to_string(model.join(name)).unwrap();
            assert!(text.contains(from), "{name} has no {from}");
            fs::write(model.join(name), text.replace(from, to)).unwrap();
        })
    };
    let removed = |name: &'static str| complaint(&|model: &Path| fs::remove_file(model.join(name)).unwrap());
    let cut = complaint(&|model: &Path| {
        let path = model.join("model.safetensors");
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    });
    let cases = [
        (complaint(&|model| fs::remove_dir_all(model).unwrap()), "model: there is no such folder"),
        (removed("config.json"), "config.json: is missing"),
        (removed("tokenizer.json"), "tokenizer.json: is missing"),
        (removed("model.safetensors"), "model.safetensors: is missing"),
        (replaced("config.json", "\"bert\"", "\"mpnet\""), "config.json: is of a model of type mpnet"),
        (
            replaced("config.json", "\"hidden_size\": 32", "\"hidden_size\": 36"),
            "model.safetensors: shape mismatch",
        ),
        (
            replaced("config.json", "\"num_attention_heads\": 4", "\"num_attention_heads\": 5"),
            "among 5 heads",
        ),
        (replaced("config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3"), "encoder.layer.2"),
        (replaced("config.json", "\"gelu\"", "\"mish\""), "config.json: unknown variant `mish`"),
        (replaced("modules.json", ".Normalize", ".Dense"), "modules.json: names the module"),
        (replaced("1_Pooling/config.json", "\"mean\"", "\"lasttoken\""), "config.json: pools by lasttoken"),
        (replaced("tokenizer.json", "\"tea\": 29", "\"tea\": 300"), "gives the token 300"),
        (cut, "model.safetensors: "),
    ];
    for (found, want) in cases {
        assert!(found.contains(want) && found.contains("\n  way out: "), "not {want}, but {found}");
    }
    assert!(!folder.path().join("e.npy").exists());
    let bert = here("bert");
    let found =
        fails(&["embed", "--model", &bert, "--products", "feed.csv", "--out", "e.bin"], folder.path());
    assert!(found.contains("does not end in .npy\n  way out: "), "{found}");
}

//! Product embeddings from NumPy files.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use half::f16;

use super::{BuildError, Embeddings, Map, Product, field_error, file_error, io_error, map, shown};
use crate::replace::{Readers, replace};

/// Most values of one row.
const DIM_MAX: u64 = 65_536;

/// Reads a `.npy` matrix of `float32` or `float16` in C order, one row per product of the feed.
///
/// Row i belongs to row i of the feed, unless `<stem>.ids.txt` lies beside the file with one product id per
/// line: then line i says to which product row i belongs, and products without a row get zeros.
///
/// # Errors
/// [`BuildError::File`] for another type, order or shape, another number of rows than products or ids, and a
/// file of another length than its header says; [`BuildError::Field`] for values that are not finite and,
/// at a line of the id file, for unknown and repeated ids; [`BuildError::Io`].
pub fn read_embeddings(path: &Path, products: &[Product]) -> Result<Embeddings, BuildError> {
    let file = File::open(path).map_err(|e| io_error(path, "open", e))?;
    let stored = file.metadata().map_err(|e| io_error(path, "read", e))?.len();
    let mut bytes = BufReader::with_capacity(1 << 20, file);
    let header = Header::read(path, &mut bytes)?;
    let (rows, dim, width) = header.check(path, stored)?;
    let ids_path = path.with_extension("ids.txt");
    let order = match File::open(&ids_path) {
        Ok(file) => Some(read_ids(&ids_path, file, products)?),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
        Err(e) => return Err(io_error(&ids_path, "open", e)),
    };
    let (expected, of) = match &order {
        Some(order) => (order.len(), ids_path.display().to_string()),
        None => (products.len(), "the product feed".to_owned()),
    };
    if rows != expected as u64 {
        return Err(file_error(
            path,
            format!("has {rows} rows, but {of} has {expected}"),
            format!("write one row per product, or name the products of the rows in {}", ids_path.display()),
        ));
    }
    let mut values = vec![0.0; products.len() * dim];
    let mut raw = vec![0; dim * width];
    for row in 0..expected {
        bytes.read_exact(&mut raw).map_err(|e| io_error(path, "read", e))?;
        let at = order.as_ref().map_or(row, |order| order[row] as usize);
        let out = &mut values[at * dim..][..dim];
        decode(&raw, width, out);
        if let Some(column) = out.iter().position(|value| !value.is_finite()) {
            return Err(file_error(
                path,
                format!(
                    "row {row}, column {column} (counted from 0) is {}, not a finite number",
                    out[column]
                ),
                "remove the row, or write zeros where a product has no embedding",
            ));
        }
    }
    Ok(Embeddings { dim, values })
}

/// Writes what [`read_embeddings`] reads: `float32`, a row per product, and `<stem>.ids.txt` with their ids, so that rows find
/// their products when the feed is in another order.
///
/// # Errors
/// [`BuildError::Io`].
pub fn write_embeddings(
    path: &Path,
    embeddings: &Embeddings,
    products: &[Product],
) -> Result<(), BuildError> {
    let shape = format!("({}, {})", products.len(), embeddings.dim);
    let mut bytes = header("<f4", "False", &shape);
    bytes.extend(embeddings.values.iter().flat_map(|value| value.to_le_bytes()));
    let ids: String = products.iter().flat_map(|product| [product.id.as_str(), "\n"]).collect();
    let ids_path = path.with_extension("ids.txt");
    // The ids come into place when the numbers are written and only wait for their name: the two are seldom apart.
    replace(
        path,
        &bytes,
        Readers::All,
        |action, e| io_error(path, action, e),
        |_| {
            replace(
                &ids_path,
                ids.as_bytes(),
                Readers::All,
                |action, e| io_error(&ids_path, action, e),
                |_| Ok(()),
            )
        },
    )
}

/// What numpy.save writes before the numbers: padded, so that they begin at a multiple of 64.
fn header(descr: &str, fortran: &str, shape: &str) -> Vec<u8> {
    let text = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
    let length = (10 + text.len() + 1).next_multiple_of(64) - 10;
    let mut bytes = b"\x93NUMPY\x01\0".to_vec();
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(format!("{text:<0$}\n", length - 1).as_bytes());
    bytes
}

/// Little-endian values of 4 or 2 bytes.
fn decode(raw: &[u8], width: usize, out: &mut [f32]) {
    if width == 4 {
        for (value, bytes) in out.iter_mut().zip(raw.as_chunks::<4>().0) {
            *value = f32::from_le_bytes(*bytes);
        }
    } else {
        for (value, bytes) in out.iter_mut().zip(raw.as_chunks::<2>().0) {
            *value = f16::from_le_bytes(*bytes).to_f32();
        }
    }
}

/// Row of the feed for each line.
fn read_ids(path: &Path, file: File, products: &[Product]) -> Result<Vec<u32>, BuildError> {
    let mut rows: Map<&str, (u32, u64)> = map();
    rows.extend(products.iter().zip(0..).map(|(product, row)| (product.id.as_str(), (row, 0))));
    let mut order = Vec::new();
    for (text, line) in BufReader::new(file).lines().zip(1..) {
        let text = text.map_err(|e| io_error(path, "read", e))?;
        let id = text.trim_start_matches('\u{feff}').trim();
        let error = |problem, way_out: &str| field_error(path, line, "id", problem, way_out);
        match rows.get_mut(id) {
            None => {
                let problem = format!("{} is not in the product feed", shown(id));
                return Err(error(problem, "write ids of the feed only, one per line"));
            }
            Some((_, first)) if *first > 0 => {
                let problem = format!("{} was already in line {first}", shown(id));
                return Err(error(problem, "name each product once"));
            }
            Some((row, first)) => {
                *first = line;
                order.push(*row);
            }
        }
    }
    Ok(order)
}

/// What stands before the numbers: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
struct Header {
    text: String,
    /// Bytes before the numbers.
    length: u64,
}

impl Header {
    fn read(path: &Path, bytes: &mut impl Read) -> Result<Self, BuildError> {
        let other = || file_error(path, "is not a NumPy file", "write it with numpy.save");
        let mut fixed = [0; 8];
        bytes.read_exact(&mut fixed).map_err(|_| other())?;
        // Version 1 has a length of two bytes, later ones of four.
        let size = match fixed {
            [b'\x93', b'N', b'U', b'M', b'P', b'Y', 1, _] => 2,
            [b'\x93', b'N', b'U', b'M', b'P', b'Y', 2 | 3, _] => 4,
            _ => return Err(other()),
        };
        let mut length = [0; 4];
        bytes.read_exact(&mut length[..size]).map_err(|_| other())?;
        let length = u64::from(u32::from_le_bytes(length));
        let mut text = Vec::new();
        let read = bytes.take(length.min(65_536)).read_to_end(&mut text);
        if read.map_err(|e| io_error(path, "read", e))? as u64 != length {
            return Err(other());
        }
        let text = String::from_utf8(text).map_err(|_| other())?;
        Ok(Self { text, length: 8 + size as u64 + length })
    }

    /// What follows the key, up to the next comma outside brackets.
    fn value(&self, key: &str) -> Option<&str> {
        let rest = self.text.split_once(&format!("'{key}'"))?.1.trim_start().strip_prefix(':')?.trim_start();
        let end = match rest.starts_with('(') {
            true => rest.find(')')? + 1,
            false => rest.find([',', '}'])?,
        };
        Some(rest[..end].trim())
    }

    /// Rows, values per row and bytes per value of a matrix that fills the file.
    fn check(&self, path: &Path, stored: u64) -> Result<(u64, usize, usize), BuildError> {
        let width = match self.value("descr") {
            Some("'<f4'") => 4,
            Some("'<f2'") => 2,
            other => {
                return Err(file_error(
                    path,
                    format!("holds values of type {}", other.unwrap_or("unknown")),
                    "convert it with astype('<f4') or astype('<f2')",
                ));
            }
        };
        if self.value("fortran_order") != Some("False") {
            return Err(file_error(path, "is in Fortran order", "convert it with numpy.ascontiguousarray"));
        }
        let shape = self.value("shape").unwrap_or("()");
        let sizes: Option<Vec<u64>> = shape
            .trim_matches(['(', ')'])
            .split(',')
            .map(str::trim)
            .filter(|size| !size.is_empty())
            .map(|size| size.parse().ok())
            .collect();
        let (rows, dim) = match sizes.as_deref() {
            Some(&[rows, dim]) if (1..=DIM_MAX).contains(&dim) => (rows, dim),
            _ => {
                return Err(file_error(
                    path,
                    format!("has the shape {shape}"),
                    format!("write a matrix of products times 1 to {DIM_MAX} values"),
                ));
            }
        };
        let needed = rows.checked_mul(dim * width).and_then(|size| size.checked_add(self.length));
        if needed != Some(stored) {
            return Err(file_error(
                path,
                format!("has {stored} bytes, which does not fit its shape {shape}"),
                "the file is cut short or damaged: copy or write it again",
            ));
        }
        Ok((rows, dim as usize, width as usize))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::Files;
    use super::*;

    fn feed() -> Vec<Product> {
        ["p0", "p1"].map(|id| Product { id: id.into(), ..Product::default() }).into()
    }

    fn npy(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        [header(descr, fortran, shape), data.to_vec()].concat()
    }

    fn floats(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn read(bytes: &[u8], ids: Option<&str>) -> Result<Embeddings, String> {
        let files = Files::new();
        let path = files.add_raw("e.npy", bytes);
        if let Some(ids) = ids {
            files.add("e.ids.txt", ids);
        }
        read_embeddings(&path, &feed()).map_err(|e| files.text(&e))
    }

    #[test]
    fn matrices_read_in_the_order_of_the_feed() {
        let want = |values: &[f32]| Ok(Embeddings { dim: 2, values: values.into() });
        let single = npy("<f4", "False", "(2, 2)", &floats(&[1.0, 2.0, 3.0, 4.0]));
        assert_eq!(read(&single, None), want(&[1.0, 2.0, 3.0, 4.0]));
        assert_eq!(read(&single, Some("p1\r\np0\r\n")), want(&[3.0, 4.0, 1.0, 2.0]));
        let half: Vec<u8> =
            [1.0, -0.5, 65504.0, 0.0].iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect();
        assert_eq!(read(&npy("<f2", "False", "(2,2)", &half), None), want(&[1.0, -0.5, 65504.0, 0.0]));
        let one = npy("<f4", "False", "(1, 2)", &floats(&[1.0, 2.0]));
        assert_eq!(read(&one, Some("\u{feff}p1")), want(&[0.0, 0.0, 1.0, 2.0]));
    }

    #[test]
    fn what_is_written_is_read_for_a_feed_in_another_order() {
        let files = Files::new();
        let path = files.add_raw("e.npy", b"old");
        let written = Embeddings { dim: 2, values: vec![1.0, -2.0, 3.5, 0.0] };
        write_embeddings(&path, &written, &feed()).unwrap();
        assert_eq!(read_embeddings(&path, &feed()).unwrap(), written);
        let turned: Vec<Product> = feed().into_iter().rev().collect();
        assert_eq!(read_embeddings(&path, &turned).unwrap().values, [3.5, 0.0, 1.0, -2.0]);
    }

    #[test]
    fn other_files_are_refused() {
        let four = floats(&[1.0, 2.0, 3.0, 4.0]);
        let good = npy("<f4", "False", "(2, 2)", &four);
        for (bytes, ids, want) in [
            (b"PK".to_vec(), None, "e.npy: is not a NumPy file\n  way out: write it with numpy.save"),
            (
                npy("<f8", "False", "(2, 1)", &four),
                None,
                "e.npy: holds values of type '<f8'\n  way out: convert it with astype('<f4') or astype('<f2')",
            ),
            (
                npy("<f4", "True", "(2, 2)", &four),
                None,
                "e.npy: is in Fortran order\n  way out: convert it with numpy.ascontiguousarray",
            ),
            (
                npy("<f4", "False", "(4,)", &four),
                None,
                "e.npy: has the shape (4,)\n  way out: write a matrix of products times 1 to 65536 values",
            ),
            (
                npy("<f4", "False", "(2, 3)", &four),
                None,
                "e.npy: has 144 bytes, which does not fit its shape (2, 3)\n  \
                 way out: the file is cut short or damaged: copy or write it again",
            ),
            (
                npy("<f4", "False", "(9223372036854775807, 4)", &four),
                None,
                "e.npy: has 144 bytes, which does not fit its shape (9223372036854775807, 4)\n  \
                 way out: the file is cut short or damaged: copy or write it again",
            ),
            (
                npy("<f4", "False", "(1, 4)", &four),
                None,
                "e.npy: has 1 rows, but the product feed has 2\n  \
                 way out: write one row per product, or name the products of the rows in e.ids.txt",
            ),
            (
                good.clone(),
                Some("p1\n"),
                "e.npy: has 2 rows, but e.ids.txt has 1\n  \
                 way out: write one row per product, or name the products of the rows in e.ids.txt",
            ),
            (
                good.clone(),
                Some("p1\nq\n"),
                "e.ids.txt:2: id: `q` is not in the product feed\n  \
                 way out: write ids of the feed only, one per line",
            ),
            (
                good,
                Some("p1\np1\n"),
                "e.ids.txt:2: id: `p1` was already in line 1\n  way out: name each product once",
            ),
            (
                npy("<f4", "False", "(2, 2)", &floats(&[1.0, 2.0, 3.0, f32::NAN])),
                None,
                "e.npy: row 1, column 1 (counted from 0) is NaN, not a finite number\n  \
                 way out: remove the row, or write zeros where a product has no embedding",
            ),
        ] {
            assert_eq!(read(&bytes, ids), Err(want.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn any_header_is_survived(
            text in "[{}'()descrfotan_shape<4: ,0-9]{0,60}",
            tail in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut bytes = b"\x93NUMPY\x01\0".to_vec();
            bytes.extend(u16::try_from(text.len()).unwrap().to_le_bytes());
            bytes.extend(text.as_bytes());
            bytes.extend(&tail);
            let _ = read(&bytes, None);
            let _ = read(&tail, None);
        }
    }
}

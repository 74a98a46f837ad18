//! One JSON object into the cells of the fields.

use std::fmt::{self, Write};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Columns, Map, listed};

/// Most unknown keys that are remembered as unknown.
const KEYS_MAX: usize = 4096;

pub(super) fn read_object(
    text: &[u8],
    columns: Columns<'_>,
    keys: &mut Map<String, Option<(usize, usize)>>,
    cells: &mut [String],
    rank: &mut [usize],
) -> Result<(), String> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let object = Object { columns, keys, cells, rank };
    let read = json.deserialize_map(object).and_then(|()| json.end());
    read.map_err(|e| {
        let text = e.to_string();
        let text = text.split(" at line ").next().unwrap_or_default();
        // The end of the text has no place of its own.
        let at = if e.column() > 0 { format!(", at byte {}", e.column()) } else { String::new() };
        format!("is not the JSON expected: {text}{at}")
    })
}

struct Object<'a> {
    columns: Columns<'a>,
    keys: &'a mut Map<String, Option<(usize, usize)>>,
    cells: &'a mut [String],
    rank: &'a mut [usize],
}

impl Object<'_> {
    /// Field and rank of a key of the file.
    fn lookup(&mut self, key: &str) -> Option<(usize, usize)> {
        if let Some(known) = self.keys.get(key) {
            return *known;
        }
        let columns = self.columns;
        let found = (0..self.cells.len()).find_map(|field| {
            let rank = columns.names(field).position(|name| columns.matches(field, name, key))?;
            Some((field, rank))
        });
        if self.keys.len() < KEYS_MAX {
            self.keys.insert(key.to_owned(), found);
        }
        found
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<(), A::Error> {
        while let Some(key) = object.next_key::<std::borrow::Cow<'de, str>>()? {
            match self.lookup(&key) {
                Some((field, rank)) if rank <= self.rank[field] => {
                    self.rank[field] = rank;
                    self.cells[field].clear();
                    let joint = self.columns.fields[field].joint;
                    let cell = Value { cell: &mut self.cells[field], key: &key, joint };
                    object.next_value_seed(cell)?;
                }
                None if self.columns.mapping.is_strict() => {
                    let known = listed(self.columns.fields.iter().map(|field| field.name));
                    return Err(A::Error::custom(format!("`{key}` is not a field: use {known}")));
                }
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// A value that is appended to a cell.
struct Value<'a> {
    cell: &'a mut String,
    key: &'a str,
    joint: &'static str,
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a single value in `{}`", self.key)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.cell.push_str(text);
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        write!(self.cell, "{number}").map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        write!(self.cell, "{number}").map_err(E::custom)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        write!(self.cell, "{number}").map_err(E::custom)
    }

    fn visit_bool<E: Error>(self, yes: bool) -> Result<(), E> {
        write!(self.cell, "{yes}").map_err(E::custom)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Value { cell, key, joint } = self;
        if joint.is_empty() {
            return Err(A::Error::custom(format!("`{key}` holds a list, one value is expected")));
        }
        loop {
            let before = cell.len();
            if before > 0 {
                cell.push_str(joint);
            }
            if list.next_element_seed(Value { cell: &mut *cell, key, joint })?.is_none() {
                cell.truncate(before);
                return Ok(());
            }
        }
    }
}

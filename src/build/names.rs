//! Strings, the hash table of names, and sets of countries.

use std::collections::HashMap;

use zerocopy::little_endian::U32;

use super::error::BuildError;
use crate::index::format::{NameKind, NameSlot, REGION_SET_BYTES, StrRef, name_hash};
use crate::limits::NAME_PROBES_MAX;
use crate::vocabulary::Country;

/// All text of a catalog, one after another.
#[derive(Debug, Default)]
pub(crate) struct Strings {
    bytes: Vec<u8>,
}

impl Strings {
    pub(crate) fn add(&mut self, text: &str) -> StrRef {
        let at = StrRef { offset: U32::new(self.bytes.len() as u32), length: U32::new(text.len() as u32) };
        self.bytes.extend_from_slice(text.as_bytes());
        at
    }
}

/// The bytes, unless offsets would have wrapped.
pub(crate) fn finish(strings: Strings) -> Result<Vec<u8>, BuildError> {
    if u32::try_from(strings.bytes.len()).is_ok() {
        return Ok(strings.bytes);
    }
    Err(BuildError::Input {
        problem: format!("{} bytes of ids and titles", strings.bytes.len()),
        way_out: "shorten titles: a catalog holds at most 4 GiB of text".into(),
    })
}

/// Names on their way into the hash table.
#[derive(Debug, Default)]
pub(crate) struct NameTable {
    entries: Vec<(u64, u32)>,
}

impl NameTable {
    /// Adds names whose indices are 0, 1, 2, …
    pub(crate) fn extend<'a>(&mut self, kind: NameKind, names: impl Iterator<Item = &'a str>) {
        let entry = |(ix, name): (u32, &str)| (name_hash(kind, name.as_bytes()), (kind as u32) << 28 | ix);
        self.entries.extend((0..).zip(names).map(entry));
    }

    /// The table, at most half full, grown until each name is found within the probe limit.
    pub(crate) fn table(&self) -> Vec<NameSlot> {
        let mut size = (self.entries.len() * 2).next_power_of_two().max(64);
        loop {
            if let Some(table) = self.try_table(size) {
                return table;
            }
            size *= 2;
        }
    }

    fn try_table(&self, size: usize) -> Option<Vec<NameSlot>> {
        let mut table = vec![NameSlot::FREE; size];
        for (hash, target) in &self.entries {
            let slot = (0..NAME_PROBES_MAX)
                .map(|probe| (*hash as usize).wrapping_add(probe) & (size - 1))
                .find(|slot| table[*slot] == NameSlot::FREE)?;
            table[slot] = NameSlot { fingerprint: U32::new((hash >> 32) as u32), target: U32::new(*target) };
        }
        Some(table)
    }
}

/// Distinct sets of countries; set 0 is "everywhere".
#[derive(Debug)]
pub(crate) struct RegionSets {
    sets: Vec<[u8; REGION_SET_BYTES]>,
    known: HashMap<[u8; REGION_SET_BYTES], u16>,
}

impl Default for RegionSets {
    fn default() -> Self {
        Self { sets: vec![[0xFF; REGION_SET_BYTES]], known: HashMap::new() }
    }
}

impl RegionSets {
    /// Number of the set of these countries; 0 where none is named.
    pub(crate) fn add(&mut self, countries: &[Country]) -> Result<u16, BuildError> {
        if countries.is_empty() {
            return Ok(0);
        }
        let mut set = [0u8; REGION_SET_BYTES];
        for bit in countries.iter().filter_map(|c| c.bit()) {
            set[bit as usize / 8] |= 1 << (bit % 8);
        }
        if let Some(known) = self.known.get(&set) {
            return Ok(*known);
        }
        let number = u16::try_from(self.sets.len()).map_err(|_| BuildError::Input {
            problem: "more than 65,535 different sets of countries".into(),
            way_out: "group products into fewer sets of regions".into(),
        })?;
        self.sets.push(set);
        self.known.insert(set, number);
        Ok(number)
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.sets.concat()
    }
}

//! Makes a damaged catalog file look whole again, so that what lies behind the checksums is reached.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test binary uses its own part")]

use aftercart::index::format::{Header, SectionEntry, SectionKind};
use xxhash_rust::xxh3::xxh3_64;
use zerocopy::little_endian::U64;
use zerocopy::{FromBytes, IntoBytes};

const HEADER: usize = size_of::<Header>();
const ENTRY: usize = size_of::<SectionEntry>();

pub fn header(bytes: &[u8]) -> Option<Header> {
    Header::read_from_prefix(bytes).ok().map(|(header, _)| header)
}

/// The section table, as far as it lies in the file.
pub fn entries(bytes: &[u8]) -> Vec<SectionEntry> {
    let count = header(bytes).map_or(0, |h| h.section_count.get() as usize).min(256);
    let rows = bytes.get(HEADER..).unwrap_or(&[]).chunks_exact(ENTRY).take(count);
    rows.filter_map(|row| SectionEntry::read_from_bytes(row).ok()).collect()
}

/// Where a section lies; nowhere where an optional one is not there.
pub fn section(bytes: &[u8], kind: SectionKind) -> std::ops::Range<usize> {
    let entry = entries(bytes).into_iter().find(|e| e.kind.get() == kind as u32);
    assert!(entry.is_some() || kind.is_optional(), "{kind:?} is there");
    let Some(entry) = entry else { return 0..0 };
    let start = entry.offset.get() as usize;
    start..start + entry.length.get() as usize
}

/// Fixes the checksums of sections, table and header, and the build id.
pub fn repair(bytes: &mut [u8]) {
    let mut table = entries(bytes);
    for entry in &mut table {
        let (start, length) = (entry.offset.get() as usize, entry.length.get() as usize);
        if let Some(section) = start.checked_add(length).and_then(|end| bytes.get(start..end)) {
            entry.checksum = U64::new(xxh3_64(section));
        }
    }
    let Some(mut header) = header(bytes) else { return };
    let checksums: Vec<u8> = table.iter().flat_map(|e| e.checksum.get().to_le_bytes()).collect();
    header.build_id = U64::new(xxh3_64(&checksums));
    header.table_checksum = U64::new(xxh3_64(table.as_bytes()));
    header.header_checksum = U64::new(xxh3_64(&header.as_bytes()[..HEADER - 8]));
    bytes[..HEADER].copy_from_slice(header.as_bytes());
    bytes[HEADER..HEADER + table.len() * ENTRY].copy_from_slice(table.as_bytes());
}

//! Lays sections out into the bytes of a catalog file.

use xxhash_rust::xxh3::xxh3_64;
use zerocopy::little_endian::{I64, U16, U32, U64};
use zerocopy::{FromZeros, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::index::format::{
    ENDIAN, Header, INT8, INT12, MAGIC, MAJOR, MINOR, SECTION_REQUIRED, SECTIONS, SectionEntry, SectionKind,
};

/// Facts for the header.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Facts {
    pub(crate) dimension: u32,
    pub(crate) products: u32,
    pub(crate) cells: u32,
    pub(crate) areas: u32,
    /// OUT rows have four more bits a component.
    pub(crate) fine: bool,
    pub(crate) created_at_ms: i64,
}

/// Collects sections, then writes the file.
#[derive(Debug)]
pub(crate) struct Writer {
    facts: Facts,
    sections: Vec<(SectionKind, Vec<u8>)>,
}

impl Writer {
    pub(crate) fn new(facts: Facts) -> Self {
        Self { facts, sections: Vec::with_capacity(SECTIONS) }
    }

    pub(crate) fn put<T: IntoBytes + Immutable + KnownLayout + Unaligned>(
        &mut self,
        kind: SectionKind,
        rows: &[T],
    ) {
        self.put_bytes(kind, rows.as_bytes().to_vec());
    }

    pub(crate) fn put_bytes(&mut self, kind: SectionKind, bytes: Vec<u8>) {
        self.sections.retain(|(other, _)| *other != kind);
        self.sections.push((kind, bytes));
    }

    /// Products of the catalog.
    pub(crate) fn products(&self) -> usize {
        self.facts.products as usize
    }

    fn scalar_kind(&self) -> u8 {
        if self.facts.fine { INT12 } else { INT8 }
    }

    /// The whole file.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        self.sections.sort_by_key(|(kind, _)| SectionKind::ALL.iter().position(|other| other == kind));
        let mut end = size_of::<Header>() + self.sections.len() * size_of::<SectionEntry>();
        let entries: Vec<SectionEntry> =
            self.sections.iter().map(|(kind, bytes)| self.entry(*kind, bytes, &mut end)).collect();
        let checksums: Vec<u8> = entries.iter().flat_map(|e| e.checksum.get().to_le_bytes()).collect();
        let header = self.header(&entries, end as u64, xxh3_64(&checksums));
        let mut file = Vec::with_capacity(end);
        file.extend_from_slice(header.as_bytes());
        file.extend_from_slice(entries.as_bytes());
        for ((_, bytes), entry) in self.sections.iter().zip(&entries) {
            file.resize(entry.offset.get() as usize, 0);
            file.extend_from_slice(bytes);
        }
        file
    }

    fn entry(&self, kind: SectionKind, bytes: &[u8], end: &mut usize) -> SectionEntry {
        let element = kind.element_size(self.facts.dimension as usize, self.scalar_kind());
        let offset = end.next_multiple_of(kind.alignment());
        *end = offset + bytes.len();
        let required = if kind.is_optional() { 0 } else { SECTION_REQUIRED };
        SectionEntry {
            kind: U32::new(kind as u32),
            version: U16::new(1),
            flags: U16::new(required),
            offset: U64::new(offset as u64),
            length: U64::new(bytes.len() as u64),
            element_size: U32::new(element as u32),
            alignment: U32::new(kind.alignment() as u32),
            count: U64::new((bytes.len() / element) as u64),
            checksum: U64::new(xxh3_64(bytes)),
            reserved: [0; 16],
        }
    }

    fn header(&self, entries: &[SectionEntry], file_size: u64, build_id: u64) -> Header {
        let mut header = Header::new_zeroed();
        header.magic = MAGIC;
        header.endian = U32::new(ENDIAN);
        header.major = U16::new(MAJOR);
        header.minor = U16::new(MINOR);
        header.header_size = U32::new(size_of::<Header>() as u32);
        header.section_count = U32::new(entries.len() as u32);
        header.file_size = U64::new(file_size);
        header.dimension = U32::new(self.facts.dimension);
        header.product_count = U32::new(self.facts.products);
        header.cell_count = U32::new(self.facts.cells);
        header.area_count = U32::new(self.facts.areas);
        header.scalar_kind = self.scalar_kind();
        header.metric = 1;
        header.build_id = U64::new(build_id);
        header.created_at_ms = I64::new(self.facts.created_at_ms);
        header.table_checksum = U64::new(xxh3_64(entries.as_bytes()));
        let covered = size_of::<Header>() - 8;
        header.header_checksum = U64::new(xxh3_64(&header.as_bytes()[..covered]));
        header
    }
}

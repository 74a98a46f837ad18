//! What a file must satisfy before a byte of it is believed: numbered rules, one function each.
//!
//! Rules 1 to 11 always run and cost microseconds. Rules 12 to 15 read the whole file and can be skipped where a trusted
//! publisher ran them already; safety does not rest on them, since the view checks every index it follows.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;
use zerocopy::FromBytes;
use zerocopy::little_endian::U32;

use super::OpenError;
use super::format::{
    AreaRecord, CALIBRATION_VALUES, CellRecord, ENDIAN, Head, Header, INT8, INT12, MAGIC, MAJOR, MetaRecord,
    NONE, SECTION_REQUIRED, SECTIONS, SectionEntry, SectionKind,
};
use super::view::View;
use crate::distance::BLOCK;
use crate::features::FEATURES;
use crate::limits::{
    AREAS_MAX, CATEGORY_DEPTH_MAX, CELLS_MAX, DIM_MAX, DIM_STEP, PARTNER_BLOCKS_MAX, POLICY_RULES_MAX,
    PRODUCTS_MAX, TRANSITIONS_MAX,
};
use crate::refill::WEIGHTS;

/// How much of a file is checked at open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verify {
    /// All rules: reads the whole file once.
    #[default]
    Full,
    /// Rules 1 to 11: microseconds. For files that were verified when they were published.
    Structure,
}

/// Where the sections lie, and the header's facts.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    ranges: [(usize, usize); SECTIONS],
    pub(crate) meta: MetaRecord,
    pub(crate) dim: usize,
    pub(crate) build_id: u64,
    pub(crate) created_at_ms: i64,
    pub(crate) scalar_kind: u8,
    pub(crate) entries: Vec<SectionEntry>,
}

impl Layout {
    pub(crate) fn section<'a>(&self, bytes: &'a [u8], kind: SectionKind) -> &'a [u8] {
        let (start, end) = self.ranges.get(kind as usize - 1).copied().unwrap_or((0, 0));
        bytes.get(start..end).unwrap_or(&[])
    }

    /// Where a section lies in the file.
    pub(crate) fn range(&self, kind: SectionKind) -> Range<usize> {
        self.ranges.get(kind as usize - 1).map_or(0..0, |range| range.0..range.1)
    }
}

const REBUILD: &str = "build the catalog again, or fetch it again from where it was published";

fn invalid(
    rule: u8,
    part: &'static str,
    offset: u64,
    expected: impl ToString,
    found: impl ToString,
) -> OpenError {
    OpenError::Invalid {
        rule,
        part,
        offset,
        expected: expected.to_string(),
        found: found.to_string(),
        way_out: REBUILD,
    }
}

/// Rules 1 to 7: the header and the section table, of which nothing is believed yet but that they are as they were written.
pub(crate) fn table(bytes: &[u8]) -> Result<(Header, Vec<SectionEntry>), OpenError> {
    let header = rule_1_header_is_there(bytes)?;
    rule_2_magic(&header)?;
    rule_3_version(&header)?;
    rule_4_header_checksum(&header, bytes)?;
    rule_5_flags(&header)?;
    rule_6_file_size(&header, bytes)?;
    let entries = rule_7_table(&header, bytes)?;
    Ok((header, entries))
}

/// Runs the rules in order and returns the layout.
pub(crate) fn validate(bytes: &[u8], verify: Verify) -> Result<Layout, OpenError> {
    let (header, entries) = table(bytes)?;
    rule_8_bounds_and_padding(&entries, &header, bytes)?;
    let mut ranges = rule_9_elements(&entries, &header)?;
    rule_10_counts(&entries, &header)?;
    let meta = rule_11_limits(&header, &ranges, bytes)?;
    // An empty range may stand for an absent optional section.
    for range in &mut ranges {
        range.1 = range.1.max(range.0);
    }
    let layout = Layout {
        ranges,
        meta,
        dim: header.dimension.get() as usize,
        build_id: header.build_id.get(),
        created_at_ms: header.created_at_ms.get(),
        scalar_kind: header.scalar_kind,
        entries,
    };
    if verify == Verify::Full {
        rule_12_checksums(&layout, bytes)?;
        let view = View::new(bytes, &layout);
        rule_13_ranges_tile(&view)?;
        rule_14_indices(&view)?;
        rule_15_strings(&view)?;
    }
    Ok(layout)
}

fn rule_1_header_is_there(bytes: &[u8]) -> Result<Header, OpenError> {
    let size = size_of::<Header>();
    Header::read_from_prefix(bytes)
        .map(|(header, _)| header)
        .map_err(|_| invalid(1, "header", 0, format!("{size} bytes"), format!("{} bytes", bytes.len())))
}

fn rule_2_magic(header: &Header) -> Result<(), OpenError> {
    if header.magic != MAGIC {
        return Err(invalid(2, "magic", 0, format!("{MAGIC:02X?}"), format!("{:02X?}", header.magic)));
    }
    if header.endian.get() != ENDIAN {
        return Err(invalid(2, "endian", 8, format!("{ENDIAN:08X}"), format!("{:08X}", header.endian.get())));
    }
    Ok(())
}

fn rule_3_version(header: &Header) -> Result<(), OpenError> {
    if header.major.get() == MAJOR {
        return Ok(());
    }
    Err(OpenError::Version { found: header.major.get(), readable: MAJOR })
}

fn rule_4_header_checksum(header: &Header, bytes: &[u8]) -> Result<(), OpenError> {
    let covered = size_of::<Header>() - 8;
    let found = xxh3_64(bytes.get(..covered).unwrap_or(&[]));
    let expected = header.header_checksum.get();
    if found == expected {
        return Ok(());
    }
    Err(invalid(4, "header checksum", covered as u64, format!("{expected:016X}"), format!("{found:016X}")))
}

fn rule_5_flags(header: &Header) -> Result<(), OpenError> {
    if header.required_flags.get() != 0 {
        return Err(invalid(5, "required flags", 32, 0, header.required_flags.get()));
    }
    if header.reserved != [0; 32] || header.reserved16.get() != 0 {
        return Err(invalid(5, "reserved bytes of the header", 88, "zeros", "other bytes"));
    }
    if !matches!(header.scalar_kind, INT8 | INT12) || header.metric != 1 {
        return Err(invalid(
            5,
            "scalar kind and metric",
            60,
            "1 and 1",
            format!("{} and {}", header.scalar_kind, header.metric),
        ));
    }
    if header.header_size.get() as usize != size_of::<Header>() {
        return Err(invalid(5, "header size", 16, size_of::<Header>(), header.header_size.get()));
    }
    Ok(())
}

fn rule_6_file_size(header: &Header, bytes: &[u8]) -> Result<(), OpenError> {
    if header.file_size.get() == bytes.len() as u64 {
        return Ok(());
    }
    Err(invalid(6, "file size", 24, header.file_size.get(), bytes.len()))
}

fn rule_7_table(header: &Header, bytes: &[u8]) -> Result<Vec<SectionEntry>, OpenError> {
    const ENTRIES_MAX: usize = 256;
    let count = header.section_count.get() as usize;
    if count > ENTRIES_MAX {
        return Err(invalid(7, "section count", 20, format!("at most {ENTRIES_MAX}"), count));
    }
    let start = size_of::<Header>();
    let end = start + count * size_of::<SectionEntry>();
    let table = bytes.get(start..end).ok_or_else(|| {
        invalid(7, "section table", start as u64, format!("{count} entries"), "end of file")
    })?;
    if xxh3_64(table) != header.table_checksum.get() {
        return Err(invalid(
            7,
            "section table checksum",
            80,
            format!("{:016X}", header.table_checksum.get()),
            format!("{:016X}", xxh3_64(table)),
        ));
    }
    let entries = <[SectionEntry]>::ref_from_bytes(table).map(<[SectionEntry]>::to_vec);
    entries.map_err(|_| invalid(7, "section table", start as u64, "whole entries", "a remainder"))
}

fn rule_8_bounds_and_padding(
    entries: &[SectionEntry],
    header: &Header,
    bytes: &[u8],
) -> Result<(), OpenError> {
    let mut end = (size_of::<Header>() + std::mem::size_of_val(entries)) as u64;
    for entry in entries {
        let (offset, length) = (entry.offset.get(), entry.length.get());
        let alignment = u64::from(entry.alignment.get());
        if !alignment.is_power_of_two() || offset % alignment != 0 {
            return Err(invalid(
                8,
                "section alignment",
                offset,
                format!("a multiple of {alignment}"),
                offset,
            ));
        }
        if offset < end {
            return Err(invalid(8, "section offset", offset, format!("at least {end}"), offset));
        }
        let after = offset.checked_add(length).filter(|after| *after <= header.file_size.get());
        let after = after.ok_or_else(|| {
            invalid(
                8,
                "section end",
                offset,
                format!("at most {}", header.file_size.get()),
                format!("{offset} + {length}"),
            )
        })?;
        rule_8_zeros(bytes, end, offset)?;
        end = after;
    }
    rule_8_zeros(bytes, end, header.file_size.get())
}

fn rule_8_zeros(bytes: &[u8], start: u64, end: u64) -> Result<(), OpenError> {
    let gap = bytes.get(start as usize..end as usize).unwrap_or(&[]);
    match gap.iter().position(|byte| *byte != 0) {
        None => Ok(()),
        Some(at) => Err(invalid(8, "padding", start + at as u64, "zero", "another byte")),
    }
}

fn rule_9_elements(
    entries: &[SectionEntry],
    header: &Header,
) -> Result<[(usize, usize); SECTIONS], OpenError> {
    let mut ranges = [(0, 0); SECTIONS];
    let mut seen = [false; SECTIONS];
    for entry in entries {
        let Some(kind) = SectionKind::from_u32(entry.kind.get()) else {
            if entry.flags.get() & SECTION_REQUIRED != 0 {
                return Err(invalid(
                    9,
                    "section kind",
                    entry.offset.get(),
                    "a section this version knows",
                    entry.kind.get(),
                ));
            }
            continue;
        };
        let name = kind.name();
        let element = kind.element_size(header.dimension.get() as usize, header.scalar_kind);
        if entry.version.get() != 1
            || entry.element_size.get() as usize != element
            || entry.alignment.get() as usize != kind.alignment()
        {
            return Err(invalid(
                9,
                name,
                entry.offset.get(),
                format!("version 1, elements of {element} bytes, alignment {}", kind.alignment()),
                format!(
                    "version {}, elements of {} bytes, alignment {}",
                    entry.version.get(),
                    entry.element_size.get(),
                    entry.alignment.get()
                ),
            ));
        }
        if entry.count.get().checked_mul(element as u64) != Some(entry.length.get()) {
            return Err(invalid(
                9,
                name,
                entry.offset.get(),
                format!("{} elements of {element} bytes", entry.count.get()),
                format!("{} bytes", entry.length.get()),
            ));
        }
        if std::mem::replace(&mut seen[kind as usize - 1], true) {
            return Err(invalid(9, name, entry.offset.get(), "one section of this kind", "a second one"));
        }
        let start = entry.offset.get() as usize;
        ranges[kind as usize - 1] = (start, start + entry.length.get() as usize);
    }
    match SectionKind::ALL.iter().find(|kind| !seen[**kind as usize - 1] && !kind.is_optional()) {
        None => Ok(ranges),
        Some(kind) => Err(invalid(9, kind.name(), 0, "the section", "none")),
    }
}

fn rule_10_counts(entries: &[SectionEntry], header: &Header) -> Result<(), OpenError> {
    use SectionKind as S;
    let (products, cells) = (u64::from(header.product_count.get()), u64::from(header.cell_count.get()));
    let length_of = |kind| entries.iter().find(|e| e.kind.get() == kind as u32).map_or(0, |e| e.count.get());
    for entry in entries {
        let expected = match SectionKind::from_u32(entry.kind.get()) {
            Some(S::Meta) => 1,
            Some(S::Calibration) => CALIBRATION_VALUES as u64,
            Some(S::TypeProducts | S::TypeOf | S::OutVectors | S::InVectors | S::Products) => products,
            Some(S::OutCodes) => length_of(S::OutSteps),
            Some(S::PolicyAllowed) => products.div_ceil(64),
            Some(S::AssociateStarts) => products + 1,
            Some(S::ProductAttributes | S::RefillDays | S::NearOf | S::BasketsOf) => products,
            Some(S::RefillWeights) => WEIGHTS as u64,
            Some(S::Ranker) => (Head::ALL.len() * FEATURES) as u64,
            Some(S::Cells | S::Centroids) => cells,
            Some(S::Areas | S::AreaCentroids) => header.area_count.get().into(),
            Some(S::CellCodes) => length_of(S::CellSteps),
            _ => continue,
        };
        if entry.count.get() != expected {
            let name = SectionKind::from_u32(entry.kind.get()).map_or("section", SectionKind::name);
            return Err(invalid(
                10,
                name,
                entry.offset.get(),
                format!("{expected} elements"),
                entry.count.get(),
            ));
        }
    }
    Ok(())
}

fn rule_11_limits(
    header: &Header,
    ranges: &[(usize, usize); SECTIONS],
    bytes: &[u8],
) -> Result<MetaRecord, OpenError> {
    let dim = header.dimension.get() as usize;
    let at_most = |what, offset, limit: u64, found: u64| {
        if found <= limit {
            Ok(())
        } else {
            Err(invalid(11, what, offset, format!("at most {limit}"), found))
        }
    };
    at_most("dimension", 40, DIM_MAX as u64, dim as u64)?;
    if dim == 0 || !dim.is_multiple_of(DIM_STEP) {
        return Err(invalid(11, "dimension", 40, format!("a multiple of {DIM_STEP}"), dim));
    }
    at_most("product count", 44, PRODUCTS_MAX.into(), header.product_count.get().into())?;
    at_most("cell count", 48, CELLS_MAX.into(), header.cell_count.get().into())?;
    at_most("area count", 52, AREAS_MAX.into(), header.area_count.get().into())?;
    let length = |kind: SectionKind| ranges.get(kind as usize - 1).map_or(0, |r| (r.1 - r.0) as u64);
    let rules = length(SectionKind::Policy) / 16;
    at_most("policy rules", 0, POLICY_RULES_MAX as u64, rules)?;
    let slots = length(SectionKind::Names) / 8;
    if !slots.is_power_of_two() {
        return Err(invalid(11, "Names", 0, "a power of two of slots", slots));
    }
    let cells = ranges.get(SectionKind::Cells as usize - 1).and_then(|r| bytes.get(r.0..r.1));
    let cells = <[CellRecord]>::ref_from_bytes(cells.unwrap_or(&[])).unwrap_or(&[]);
    // Cells that overlapped would make opening slow; all else about ranges is left to rule 13.
    tile(11, "Cells", header.product_count.get(), cells.iter().map(|c| (c.start.get(), c.count.get())))?;
    let areas = ranges.get(SectionKind::Areas as usize - 1).and_then(|r| bytes.get(r.0..r.1));
    let areas = <[AreaRecord]>::ref_from_bytes(areas.unwrap_or(&[])).unwrap_or(&[]);
    tile(11, "Areas", header.cell_count.get(), areas.iter().map(|a| (a.start.get(), a.count.get())))?;
    let (start, end) = ranges.first().copied().unwrap_or((0, 0));
    MetaRecord::read_from_bytes(bytes.get(start..end).unwrap_or(&[]))
        .map_err(|_| invalid(11, "Meta", start as u64, "one record", "none"))
}

fn rule_12_checksums(layout: &Layout, bytes: &[u8]) -> Result<(), OpenError> {
    for entry in &layout.entries {
        let start = entry.offset.get() as usize;
        let section = bytes.get(start..start + entry.length.get() as usize).unwrap_or(&[]);
        let (found, expected) = (xxh3_64(section), entry.checksum.get());
        if found != expected {
            let name = SectionKind::from_u32(entry.kind.get()).map_or("unknown section", SectionKind::name);
            return Err(invalid(
                12,
                name,
                entry.offset.get(),
                format!("checksum {expected:016X}"),
                format!("{found:016X}"),
            ));
        }
    }
    let build_id =
        xxh3_64(&layout.entries.iter().flat_map(|e| e.checksum.get().to_le_bytes()).collect::<Vec<_>>());
    if build_id != layout.build_id {
        return Err(invalid(
            12,
            "build id",
            64,
            format!("{build_id:016X}"),
            format!("{:016X}", layout.build_id),
        ));
    }
    Ok(())
}

fn rule_13_ranges_tile(view: &View<'_>) -> Result<(), OpenError> {
    tile(
        13,
        "Types, products",
        view.type_products.len() as u32,
        view.types.iter().map(|t| (t.products_start.get(), t.products_count.get())),
    )?;
    tile(
        13,
        "Types, transitions",
        view.transitions.len() as u32,
        view.types.iter().map(|t| (t.transitions_start.get(), t.transitions_count.get().into())),
    )?;
    tile(
        13,
        "Partners, blocks",
        view.partner_blocks.len() as u32,
        view.partners.iter().map(|p| (p.blocks_start.get(), p.blocks_count.get())),
    )?;
    let blocks = |c: &CellRecord| (c.block_start.get(), c.count.get().div_ceil(BLOCK as u32));
    tile(13, "Cells, blocks", view.out_steps.len() as u32, view.cells.iter().map(blocks))?;
    let blocks = |a: &AreaRecord| (a.block_start.get(), a.count.get().div_ceil(BLOCK as u32));
    tile(13, "Areas, blocks", view.cell_steps.len() as u32, view.areas.iter().map(blocks))?;
    tile(13, "AssociateStarts", view.associates.len() as u32, spans(view.associate_starts))?;
    let lists = view.baskets_of.iter().map(|list| (list.start.get(), list.count.get().into()));
    tile(13, "BasketsOf", view.postings.len() as u32, lists)?;
    tile(13, "BasketStarts", view.basket_products.len() as u32, spans(view.basket_starts))?;
    tile(13, "AttributeSetStarts", view.attribute_sets.len() as u32, spans(view.attribute_set_starts))?;
    if let Some(kind) = view.types.iter().position(|t| t.transitions_count.get() as usize > TRANSITIONS_MAX) {
        return Err(invalid(
            13,
            "Types",
            kind as u64,
            format!("at most {TRANSITIONS_MAX} transitions"),
            "more",
        ));
    }
    match view.partners.iter().position(|p| p.blocks_count.get() as usize > PARTNER_BLOCKS_MAX) {
        None => Ok(()),
        Some(partner) => Err(invalid(
            13,
            "Partners",
            partner as u64,
            format!("at most {PARTNER_BLOCKS_MAX} blocks"),
            "more",
        )),
    }
}

/// Start and length of each range, of which a section has the starts, and the end of the last.
fn spans(starts: &[U32]) -> impl Iterator<Item = (u32, u32)> {
    starts.windows(2).map(|pair| match pair {
        [start, end] => (start.get(), end.get().saturating_sub(start.get())),
        _ => (0, 0),
    })
}

/// Ranges must follow one another without gap and end at `total`.
fn tile(
    rule: u8,
    part: &'static str,
    total: u32,
    ranges: impl Iterator<Item = (u32, u32)>,
) -> Result<(), OpenError> {
    let mut next = 0u32;
    for (row, (start, count)) in ranges.enumerate() {
        let end = start.checked_add(count);
        match end {
            Some(end) if start == next => next = end,
            _ => {
                return Err(invalid(
                    rule,
                    part,
                    row as u64,
                    format!("a range from {next}"),
                    format!("{start} + {count}"),
                ));
            }
        }
    }
    if next == total { Ok(()) } else { Err(invalid(rule, part, 0, format!("{total} rows in all"), next)) }
}

fn rule_14_indices(view: &View<'_>) -> Result<(), OpenError> {
    let products = view.products.len();
    let (types, categories) = (view.types.len(), view.categories.len());
    let (brands, partners) = (view.brands.len(), view.partners.len());
    let (offers, sets) = (view.offers.len(), view.region_sets.len());
    below("TypeOf", types, view.type_of.iter().map(|v| v.get()))?;
    below("Products, type", types, view.products.iter().map(|p| p.type_ix.get()))?;
    below("TypeProducts", products, view.type_products.iter().map(|v| v.get()))?;
    below("BestSellers", products, view.best_sellers.iter().map(|v| v.get()))?;
    below("Associates", products, view.associates.iter().map(|a| a.product.get()))?;
    let baskets = view.basket_starts.len().saturating_sub(1);
    below("Postings", baskets, view.postings.iter().map(|entry| entry.get() & 0x00FF_FFFF))?;
    below("BasketProducts", products, view.basket_products.iter().map(|v| v.get()))?;
    below("NearOf", view.near.len(), view.near_of.iter().map(|v| v.get()).filter(not_none))?;
    below("Near", products, view.near.iter().flatten().map(|v| v.get()).filter(not_none))?;
    let (values, attribute_sets) = (view.attribute_values.len(), view.attribute_set_count());
    below("AttributeSets", values, view.attribute_sets.iter().map(|v| v.get()))?;
    below("ProductAttributes", attribute_sets, view.product_attributes.iter().map(|v| v.get()))?;
    below("Transitions", types, view.transitions.iter().map(|t| t.to.get()))?;
    below("Types, category", categories, view.types.iter().map(|t| t.category.get()).filter(not_none))?;
    below("Products, category", categories, view.products.iter().map(|p| p.category.get()).filter(not_none))?;
    below("Products, brand", brands, view.products.iter().map(|p| p.brand.get()).filter(not_none))?;
    below("Products, partner", partners, view.products.iter().map(|p| p.partner.get()).filter(not_none))?;
    below("Products, regions", sets, view.products.iter().map(|p| p.region_set.get().into()))?;
    below("Partners, regions", sets, view.partners.iter().map(|p| p.region_set.get().into()))?;
    below("Offers, regions", sets, view.offers.iter().map(|o| o.region_set.get().into()))?;
    below("Offers, partner", partners, view.offers.iter().map(|o| o.partner.get()).filter(not_none))?;
    below("Triggers", offers, view.triggers.iter().map(|t| t.offer.get()))?;
    below("Categories, type", types, view.categories.iter().map(|c| c.type_ix.get()).filter(not_none))?;
    below(
        "Categories, stand-in",
        products,
        view.categories.iter().map(|c| c.stand_in.get()).filter(not_none),
    )?;
    rule_14_category_tree(view)
}

fn not_none(ix: &u32) -> bool {
    *ix != NONE
}

fn below(part: &'static str, limit: usize, ids: impl IntoIterator<Item = u32>) -> Result<(), OpenError> {
    match ids.into_iter().enumerate().find(|(_, id)| *id as usize >= limit) {
        None => Ok(()),
        Some((at, id)) => Err(invalid(14, part, at as u64, format!("below {limit}"), id)),
    }
}

fn rule_14_category_tree(view: &View<'_>) -> Result<(), OpenError> {
    let count = view.categories.len() as u32;
    for (ix, category) in view.categories.iter().enumerate() {
        let (ix, parent, end) = (ix as u32, category.parent.get(), category.subtree_end.get());
        let inside = match view.category(parent) {
            None => parent == NONE,
            Some(above) => parent < ix && end <= above.subtree_end.get(),
        };
        if !inside || end <= ix || end > count || view.ancestors(ix).count() >= CATEGORY_DEPTH_MAX {
            return Err(invalid(
                14,
                "Categories",
                ix.into(),
                "a subtree inside its parent's, less than 16 deep",
                format!("parent {parent}, end {end}"),
            ));
        }
    }
    Ok(())
}

fn rule_15_strings(view: &View<'_>) -> Result<(), OpenError> {
    if let Err(error) = core::str::from_utf8(view.strings) {
        return Err(invalid(15, "Strings", error.valid_up_to() as u64, "UTF-8", "another byte"));
    }
    let ids = view.products.iter().map(|p| p.id).chain(view.offers.iter().map(|o| o.id));
    let ids = ids.chain(view.attribute_values.iter().map(|v| v.value));
    let rest = view.categories.iter().map(|c| c.path).chain(view.brands.iter().map(|b| b.name));
    match ids.chain(rest).position(|at| view.str(at).is_empty()) {
        None => Ok(()),
        Some(row) => Err(invalid(15, "names", row as u64, "a name", "none")),
    }
}

//! Tables of rows out of `.csv`, `.tsv` and `.jsonl` files, plain or compressed.
//!
//! A reader names the fields it knows and the columns they may stand in; [`Table`] walks the rows and
//! keeps the place for errors. Nothing is kept of a row once the next one is asked for.

mod json;

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use super::columns::Mapping;
use super::{BuildError, Map, field_error, file_error, io_error, listed, map, shown};
use crate::build::progress::{Progress, Unit};

/// Bytes read at once; progress is told after each.
const CHUNK: usize = 64 * 1024;
/// Most bytes of one row. More is a quote that nobody closed, or no such file at all.
const ROW_MAX: usize = 1024 * 1024;
/// Stands behind the end of every CSV file: if it does not come out as a row, a quote was left open.
const SENTINEL: &str = "\u{0}\u{0}end";

/// A field that a reader knows.
#[derive(Debug)]
pub(super) struct Field {
    /// Our name, as a column map names it.
    pub(super) name: &'static str,
    /// The columns it may stand in, the preferred first.
    pub(super) columns: &'static [&'static str],
    /// What joins the elements where a JSON file gives a list.
    pub(super) joint: &'static str,
    /// Whether every file must have it.
    pub(super) required: bool,
}

/// Counts the stored bytes of one step over several files, and collects what they hold that nothing reads.
pub(super) struct Meter<'p> {
    progress: &'p dyn Progress,
    done: Cell<u64>,
    unread: RefCell<Vec<String>>,
}

impl<'p> Meter<'p> {
    /// Starts `step` over `paths`.
    pub(super) fn start(
        step: &str,
        paths: &[std::path::PathBuf],
        progress: &'p dyn Progress,
    ) -> Result<Self, BuildError> {
        let mut total = 0;
        for path in paths {
            total += std::fs::metadata(path).map_err(|e| io_error(path, "open", e))?.len();
        }
        progress.start(step, total, Unit::Bytes);
        Ok(Self { progress, done: Cell::new(0), unread: RefCell::default() })
    }

    /// Ends the step, with the columns that nobody read: a misspelt one is among them.
    pub(super) fn finish(&self, summary: &str) {
        let unread = self.unread.borrow();
        if unread.is_empty() {
            return self.progress.finish(summary);
        }
        self.progress
            .finish(&format!("{summary}; columns not used: {}", listed(unread.iter().map(String::as_str))));
    }

    fn leave_unread(&self, column: &str) {
        let mut unread = self.unread.borrow_mut();
        if !column.is_empty() && !unread.iter().any(|known| known == column) {
            unread.push(column.to_owned());
        }
    }
}

/// A file whose bytes are counted as they are read.
struct Counted<'a> {
    file: File,
    meter: &'a Meter<'a>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.meter.done.set(self.meter.done.get() + count as u64);
        self.meter.progress.at(self.meter.done.get());
        Ok(count)
    }
}

#[derive(Clone, Copy)]
enum Format {
    Csv(u8),
    JsonLines,
}

type Bytes<'a> = Box<dyn Read + 'a>;

/// Format by the name of the file, and the decompressed bytes without byte order mark.
fn open<'a>(path: &Path, meter: &'a Meter<'a>) -> Result<(Format, Bytes<'a>), BuildError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let (stem, packed) = match name.rsplit_once('.') {
        Some((stem, packed @ ("gz" | "zst"))) => (stem, packed),
        _ => (name.as_str(), ""),
    };
    let format = match stem.rsplit_once('.').map(|(_, extension)| extension) {
        Some("csv") => Format::Csv(b','),
        Some("tsv") => Format::Csv(b'\t'),
        Some("jsonl" | "ndjson") => Format::JsonLines,
        _ => {
            return Err(file_error(
                path,
                format!("the name {} does not say which format this is", shown(&name)),
                "end it in .csv, .tsv, .jsonl or .ndjson, each also with .gz or .zst",
            ));
        }
    };
    let file = File::open(path).map_err(|e| io_error(path, "open", e))?;
    let stored = BufReader::with_capacity(CHUNK, Counted { file, meter });
    let mut bytes: Bytes<'a> = match packed {
        "gz" => Box::new(flate2::bufread::MultiGzDecoder::new(stored)),
        "zst" => Box::new(zstd::Decoder::with_buffer(stored).map_err(|e| io_error(path, "read", e))?),
        _ => Box::new(stored),
    };
    let mut head = Vec::with_capacity(3);
    (&mut bytes).take(3).read_to_end(&mut head).map_err(|e| read_error(path, 0, e))?;
    if head == b"\xef\xbb\xbf" {
        head.clear();
    }
    Ok((format, Box::new(Cursor::new(head).chain(bytes))))
}

/// A failed read after `line`: a file cut short says so, anything else says what the system said.
fn read_error(path: &Path, line: u64, error: io::Error) -> BuildError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => file_error(
            path,
            format!("the compressed data stops in the middle, after line {line}"),
            "the file is cut short: copy or export it again",
        ),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => file_error(
            path,
            format!("the compressed data is damaged after line {line}: {error}"),
            "copy or export the file again, and name it after what it is (.gz, .zst, or neither)",
        ),
        _ => io_error(path, "read", error),
    }
}

/// The rows of one file, one at a time.
pub(super) struct Table<'a> {
    path: &'a Path,
    columns: Columns<'a>,
    rows: Rows<'a>,
}

enum Rows<'a> {
    Csv(CsvRows<'a>),
    Json(JsonRows<'a>),
}

impl<'a> Table<'a> {
    /// Opens `path` and resolves the columns of `fields`.
    ///
    /// # Errors
    /// An unknown format, an empty file, a missing, doubled or wrongly mapped column.
    pub(super) fn open(
        path: &'a Path,
        fields: &'static [Field],
        mapping: &'a Mapping,
        meter: &'a Meter<'a>,
    ) -> Result<Self, BuildError> {
        let columns = Columns { fields, mapping };
        let rows = match open(path, meter)? {
            (Format::Csv(delimiter), bytes) => {
                let rows = CsvRows::open(path, columns, delimiter, bytes)?;
                let unread = (0..).zip(rows.header.iter()).filter(|(at, _)| !rows.at.contains(&Some(*at)));
                unread.for_each(|(_, column)| meter.leave_unread(column));
                Rows::Csv(rows)
            }
            (Format::JsonLines, bytes) => Rows::Json(JsonRows::open(columns, bytes)),
        };
        Ok(Self { path, columns, rows })
    }

    /// Rows of JSON as they come.
    pub(super) fn of_lines(
        path: &'a Path,
        fields: &'static [Field],
        mapping: &'a Mapping,
        lines: Bytes<'a>,
    ) -> Self {
        let columns = Columns { fields, mapping };
        Self { path, columns, rows: Rows::Json(JsonRows::open(columns, lines)) }
    }

    /// Goes to the next row; `false` at the end.
    pub(super) fn next(&mut self) -> Result<bool, BuildError> {
        match &mut self.rows {
            Rows::Csv(rows) => rows.next(self.path),
            Rows::Json(rows) => rows.next(self.path, self.columns),
        }
    }

    /// The field of the current row without the blanks around it; empty where the file does not say.
    pub(super) fn get(&self, field: usize) -> &str {
        match &self.rows {
            Rows::Csv(rows) => rows.at[field].and_then(|i| rows.record.get(i)).unwrap_or("").trim(),
            Rows::Json(rows) => rows.cells[field].trim(),
        }
    }

    /// The line of the current row, counted from 1.
    pub(super) fn line(&self) -> u64 {
        match &self.rows {
            Rows::Csv(rows) => rows.line(),
            Rows::Json(rows) => rows.line,
        }
    }

    /// An error about a field of the current row, under the name that the file uses.
    pub(super) fn error(
        &self,
        field: usize,
        problem: impl Into<String>,
        way_out: impl Into<String>,
    ) -> BuildError {
        let column = match &self.rows {
            Rows::Csv(rows) => rows.at[field].and_then(|i| rows.header.get(i)),
            Rows::Json(rows) => self.columns.names(field).nth(rows.rank[field]),
        };
        let column = column.unwrap_or(self.columns.fields[field].name);
        field_error(self.path, self.line(), column.trim(), problem, way_out)
    }
}

/// Which columns a field may stand in, with the mapping of the user applied.
#[derive(Clone, Copy)]
struct Columns<'a> {
    fields: &'static [Field],
    mapping: &'a Mapping,
}

impl<'a> Columns<'a> {
    fn mapped(self, field: usize) -> Option<&'a str> {
        self.mapping.get(self.fields[field].name)
    }

    /// The possible columns of a field, the preferred first.
    fn names(self, field: usize) -> impl Iterator<Item = &'a str> {
        let mapped = self.mapped(field);
        let known = if mapped.is_some() { &[] } else { self.fields[field].columns };
        mapped.into_iter().chain(known.iter().copied())
    }

    /// Whether the column of a file is meant by `name`, which may be a mapped one: that counts to the letter.
    fn matches(self, field: usize, name: &str, column: &str) -> bool {
        match self.mapped(field) {
            Some(mapped) => mapped == column,
            None => name == normal(column),
        }
    }

    fn missing<'n>(
        self,
        path: &Path,
        field: usize,
        there: impl Iterator<Item = &'n str> + Clone,
    ) -> BuildError {
        let Field { name, columns, .. } = &self.fields[field];
        let section = self.mapping.section();
        let mut alone = there.clone();
        if let (Some(all), None) = (alone.next(), alone.next())
            && all.contains([';', ',', '\t', '|'])
        {
            let problem = format!("the first line is one column: {}", listed(there));
            return file_error(path, problem, "separate the fields with commas, or with tabs in a .tsv file");
        }
        match self.mapped(field) {
            Some(mapped) => file_error(
                path,
                format!("`{name}` is mapped to the column {}, which is not there", shown(mapped)),
                format!("map it to one of: {}", listed(there)),
            ),
            None => file_error(
                path,
                format!(
                    "no column holds `{name}` (looked for: {}); there are: {}",
                    columns.join(", "),
                    listed(there)
                ),
                format!("rename the column, or map it with `[{section}] {name} = \"your column\"`"),
            ),
        }
    }
}

/// A column name as feeds vary it: `g:item group ID` is `item_group_id`.
fn normal(column: &str) -> String {
    let column = column.trim().to_ascii_lowercase().replace([' ', '-'], "_");
    column.strip_prefix("g:").map(str::to_owned).unwrap_or(column)
}

struct CsvRows<'a> {
    reader: csv::Reader<Bytes<'a>>,
    header: csv::StringRecord,
    record: csv::StringRecord,
    /// Per field, the column it stands in.
    at: Vec<Option<usize>>,
    /// The line after the current record.
    next_line: u64,
}

impl<'a> CsvRows<'a> {
    fn open(path: &Path, columns: Columns<'_>, delimiter: u8, bytes: Bytes<'a>) -> Result<Self, BuildError> {
        let tail = Cursor::new(format!("\n{SENTINEL}\n").into_bytes());
        // Rows end at the line feed alone, so that lines count alike whether a carriage return precedes it.
        let reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .terminator(csv::Terminator::Any(b'\n'))
            .buffer_capacity(CHUNK)
            .from_reader(Box::new(bytes.chain(tail)) as Bytes<'a>);
        let mut rows = Self {
            reader,
            header: csv::StringRecord::new(),
            record: csv::StringRecord::new(),
            at: Vec::new(),
            next_line: 1,
        };
        if !rows.read(path)? {
            return Err(file_error(path, "is empty", "give a file whose first line names the columns"));
        }
        rows.header = rows.record.iter().map(str::trim).collect();
        rows.at = resolve(path, columns, &rows.header)?;
        Ok(rows)
    }

    fn line(&self) -> u64 {
        let within = self.record.as_slice().bytes().filter(|b| *b == b'\n').count() as u64;
        self.next_line.saturating_sub(1 + within).max(1)
    }

    fn next(&mut self, path: &Path) -> Result<bool, BuildError> {
        let more = self.read(path)?;
        if more && self.record.len() != self.header.len() {
            return Err(field_error(
                path,
                self.line(),
                "row",
                format!("has {} fields, the header has {}", self.record.len(), self.header.len()),
                "put text that holds the separator or a quote in quotes, with inner quotes doubled",
            ));
        }
        Ok(more)
    }

    /// Reads the next row that is not blank; `false` at the end.
    fn read(&mut self, path: &Path) -> Result<bool, BuildError> {
        loop {
            let read = self.reader.read_record(&mut self.record);
            self.next_line = self.reader.position().line();
            if !read.map_err(|e| self.csv_error(path, e))? {
                return Ok(false);
            }
            let text = self.record.as_slice();
            if text.strip_suffix('\n').is_some_and(|text| text.ends_with(SENTINEL)) {
                return Err(field_error(
                    path,
                    // The row runs into the end of the file, so no line feed ends it.
                    self.line() + 1,
                    "row",
                    "a quote that opens here is not closed before the end of the file",
                    "close it, or double the quote where it is part of the text",
                ));
            }
            if self.record.as_slice().len() > ROW_MAX {
                return Err(field_error(
                    path,
                    self.line(),
                    "row",
                    format!("is longer than {ROW_MAX} bytes"),
                    "look for a quote that is not closed in this line",
                ));
            }
            match (self.record.len(), self.record.get(0).unwrap_or("")) {
                (1, SENTINEL) => {
                    if self.reader.read_record(&mut self.record).is_ok_and(|more| !more) {
                        return Ok(false);
                    }
                    let line = self.next_line - 1;
                    return Err(field_error(path, line, "row", "holds NUL bytes", "remove them"));
                }
                (1, text) if text.trim().is_empty() => {}
                _ => return Ok(true),
            }
        }
    }

    fn csv_error(&self, path: &Path, error: csv::Error) -> BuildError {
        match error.into_kind() {
            csv::ErrorKind::Io(error) => read_error(path, self.next_line.saturating_sub(1), error),
            csv::ErrorKind::Utf8 { err, .. } => field_error(
                path,
                self.next_line.saturating_sub(1).max(1),
                self.header.get(err.field()).unwrap_or("header"),
                format!("is not UTF-8 from its byte {} on", err.valid_up_to() + 1),
                "save the file as UTF-8",
            ),
            other => file_error(path, format!("{other:?}"), "write the file as RFC 4180 says"),
        }
    }
}

/// Finds the column of each field.
fn resolve(
    path: &Path,
    columns: Columns<'_>,
    header: &csv::StringRecord,
) -> Result<Vec<Option<usize>>, BuildError> {
    let at: Vec<Option<usize>> = (0..columns.fields.len())
        .map(|field| {
            for name in columns.names(field) {
                let mut hits = (0..header.len()).filter(|i| columns.matches(field, name, &header[*i]));
                match (hits.next(), hits.next()) {
                    (hit, None) if hit.is_some() => return Ok(hit),
                    (Some(first), Some(second)) => {
                        return Err(field_error(
                            path,
                            1,
                            &header[first],
                            format!("stands twice, as column {} and {}", first + 1, second + 1),
                            "keep one of the two",
                        ));
                    }
                    _ => {}
                }
            }
            if columns.fields[field].required || columns.mapped(field).is_some() {
                return Err(columns.missing(path, field, header.iter()));
            }
            Ok(None)
        })
        .collect::<Result<_, _>>()?;
    let names = |field: usize| columns.names(field).map(move |name| (field, name));
    let is_field = |given: &str| {
        (0..columns.fields.len()).flat_map(names).any(|(field, name)| columns.matches(field, name, given))
    };
    if let Some(other) = header.iter().find(|given| columns.mapping.is_strict() && !is_field(given)) {
        let known = listed(columns.fields.iter().map(|field| field.name));
        let way_out = format!("drop the column, or use one of: {known}");
        return Err(field_error(path, 1, other, "is not a field", way_out));
    }
    Ok(at)
}

struct JsonRows<'a> {
    reader: BufReader<Bytes<'a>>,
    text: Vec<u8>,
    line: u64,
    /// Key of the file to field and rank among its columns; `None` for keys nobody asks for.
    keys: Map<String, Option<(usize, usize)>>,
    /// Per field, the value in the current row.
    cells: Vec<String>,
    /// Per field, the best rank seen so far: once `product_id` was there, `id` is something else.
    rank: Vec<usize>,
}

impl<'a> JsonRows<'a> {
    fn open(columns: Columns<'_>, bytes: Bytes<'a>) -> Self {
        let count = columns.fields.len();
        Self {
            reader: BufReader::with_capacity(CHUNK, bytes),
            text: Vec::new(),
            line: 0,
            keys: map(),
            cells: vec![String::new(); count],
            rank: vec![usize::MAX; count],
        }
    }

    fn next(&mut self, path: &Path, columns: Columns<'_>) -> Result<bool, BuildError> {
        loop {
            self.text.clear();
            let limit = ROW_MAX as u64 + 1;
            let read = (&mut self.reader).take(limit).read_until(b'\n', &mut self.text);
            if read.map_err(|e| read_error(path, self.line, e))? == 0 {
                self.check_mapped(path, columns)?;
                return Ok(false);
            }
            self.line += 1;
            if self.text.len() > ROW_MAX {
                return Err(field_error(
                    path,
                    self.line,
                    "row",
                    format!("is longer than {ROW_MAX} bytes"),
                    "write one JSON object per line",
                ));
            }
            if !self.text.trim_ascii().is_empty() {
                break;
            }
        }
        self.cells.iter_mut().for_each(String::clear);
        json::read_object(&self.text, columns, &mut self.keys, &mut self.cells, &mut self.rank).map_err(
            |problem| field_error(path, self.line, "row", problem, "write one flat JSON object per line"),
        )?;
        match (0..self.cells.len()).find(|f| columns.fields[*f].required && self.rank[*f] == usize::MAX) {
            Some(field) => Err(columns.missing(path, field, self.seen().into_iter())),
            None => Ok(true),
        }
    }

    /// A mapped column may be missing from some lines, but not from all.
    fn check_mapped(&self, path: &Path, columns: Columns<'_>) -> Result<(), BuildError> {
        let missing = |f: &usize| columns.mapped(*f).is_some() && self.rank[*f] == usize::MAX;
        match (0..self.cells.len()).find(missing) {
            Some(field) if self.line > 0 => Err(columns.missing(path, field, self.seen().into_iter())),
            _ => Ok(()),
        }
    }

    fn seen(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = self.keys.keys().map(String::as_str).collect();
        keys.sort_unstable();
        keys
    }
}

//! Which product stands where in the file.

/// Where each feed row stands in the file.
#[derive(Debug)]
pub(crate) struct Placement {
    /// File index to feed row.
    pub(crate) row_of: Vec<u32>,
    /// Feed row to file index.
    pub(crate) ix_of: Vec<u32>,
    /// First index and count of each cell.
    pub(crate) cells: Vec<(u32, u32)>,
}

impl Placement {
    /// By cell, in it by type: what a category rule allows lies in few blocks.
    pub(crate) fn new(cell_of: &[u32], type_of: &[u32], cells: usize) -> Self {
        let mut row_of: Vec<u32> = (0..cell_of.len() as u32).collect();
        row_of.sort_by_key(|row| (cell_of[*row as usize], type_of[*row as usize], *row));
        let mut ix_of = vec![0; row_of.len()];
        let mut ranges = vec![(0, 0); cells];
        for (ix, row) in row_of.iter().enumerate() {
            ix_of[*row as usize] = ix as u32;
            ranges[cell_of[*row as usize] as usize].1 += 1;
        }
        let mut start = 0;
        for range in &mut ranges {
            range.0 = start;
            start += range.1;
        }
        Self { row_of, ix_of, cells: ranges }
    }

    /// Rows of the feed in the order of the file; none where there are none.
    pub(crate) fn in_order<T: Copy + Send + Sync>(&self, rows: &[T], width: usize) -> Vec<T> {
        if rows.is_empty() {
            return Vec::new();
        }
        let row = |row: &u32| &rows[*row as usize * width..(*row as usize + 1) * width];
        self.row_of.iter().flat_map(row).copied().collect()
    }
}

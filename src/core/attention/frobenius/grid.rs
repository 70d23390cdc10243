//! How a matrix falls into tiles.

/// Columns of a tile. Tiles are large because `gemm` packs the features of both sides for every tile: what that costs goes with
/// 1/rows + 1/columns.
pub(super) const COLS: usize = 1024;
/// The fewest and the most rows of a tile, and into how many blocks of rows a matrix falls between them, for the threads to share.
const ROWS: [usize; 2] = [128, 512];
const BLOCKS: usize = 16;

/// Rows of a tile of a matrix with so many rows.
pub(super) fn block_rows(rows: usize) -> usize {
    rows.div_ceil(BLOCKS).next_multiple_of(64).clamp(ROWS[0], ROWS[1])
}

/// Where pieces of at most `size` of so many begin, with their lengths.
pub(super) fn pieces(count: usize, size: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).step_by(size).map(move |start| (start, size.min(count - start)))
}

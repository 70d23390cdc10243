//! Room for pixels, asked for so that one run fails with a message where the system has none.

use super::error::DataError;

/// An empty vector with room for `bytes` bytes.
///
/// # Errors
/// There is no memory for them.
pub(super) fn reserve(bytes: usize) -> Result<Vec<u8>, DataError> {
    let mut room = Vec::new();
    room.try_reserve_exact(bytes).map_err(|_| DataError::Memory { bytes })?;
    Ok(room)
}

/// `bytes` zero bytes.
///
/// # Errors
/// There is no memory for them.
pub(super) fn zeros(bytes: usize) -> Result<Vec<u8>, DataError> {
    let mut zeros = reserve(bytes)?;
    zeros.resize(bytes, 0);
    Ok(zeros)
}

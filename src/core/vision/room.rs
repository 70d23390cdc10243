//! Room for large buffers, asked for so that one run fails with a message where the system has none.

/// The system gives no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system has no memory for {bytes} bytes")]
pub struct NoMemory {
    /// How much was asked for at once.
    pub bytes: usize,
}

/// An empty vector with room for `count` values.
///
/// # Errors
/// There is no memory for them.
pub(in crate::vision) fn reserve<T>(count: usize) -> Result<Vec<T>, NoMemory> {
    let mut room = Vec::new();
    room.try_reserve_exact(count).map_err(|_| NoMemory { bytes: count.saturating_mul(size_of::<T>()) })?;
    Ok(room)
}

/// `count` zeros.
///
/// # Errors
/// There is no memory for them.
pub(in crate::vision) fn zeros<T: Clone + Default>(count: usize) -> Result<Vec<T>, NoMemory> {
    let mut zeros = reserve(count)?;
    zeros.resize(count, T::default());
    Ok(zeros)
}

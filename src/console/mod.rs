//! The keyboard face: a terminal console over runs.

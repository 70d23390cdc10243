//! Named randomness: every random draw of a run comes from a generator known by (run seed, purpose, index).
//!
//! Two draws with different names are independent streams; the same name gives the same stream whatever the number of
//! threads or the order of work, so a run is a function of its parameters alone.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The generator of one named stream: portable across platforms and releases.
pub type Generator = ChaCha8Rng;

/// The generator for `purpose` (a fixed word such as `"projection"`) and `index` (trial, epoch, …) under `seed`.
#[must_use]
pub fn generator(seed: u64, purpose: &str, index: u64) -> Generator {
    let mut state = seed;
    for byte in purpose.bytes() {
        state = mix(state ^ u64::from(byte));
    }
    state = mix(state ^ index.rotate_left(32));
    let mut key = [0_u8; 32];
    for chunk in key.chunks_exact_mut(8) {
        state = mix(state);
        chunk.copy_from_slice(&state.to_le_bytes());
    }
    Generator::from_seed(key)
}

/// One SplitMix64 step (Steele, Lea, Flood 2014): a bijection on 64 bits with full avalanche.
fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngCore;

    #[test]
    fn a_name_is_a_stream_of_its_own() {
        let first = |seed, purpose, index| generator(seed, purpose, index).next_u64();
        let base = first(1, "projection", 0);
        assert_eq!(base, first(1, "projection", 0));
        assert_ne!(base, first(2, "projection", 0));
        assert_ne!(base, first(1, "inputs", 0));
        assert_ne!(base, first(1, "projection", 1));
    }
}

//! The types of numbers in array files and how each becomes an f64.

use super::error::ArrayError;
use half::{bf16, f16};

/// Turns the bytes of numbers, in the order of the file, into values, as many as there is room for.
pub(super) type Decode = fn(&[u8], &mut [f64]);

/// How one number is stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct NumberEncoding {
    /// Bytes of a number.
    pub size: usize,
    /// Values from bytes.
    pub decode: Decode,
}

/// The first bytes as an array; zeros where there are fewer.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.first_chunk().copied().unwrap_or([0; N])
}

/// The encoding of one type in both orders of bytes: little-endian, big-endian.
macro_rules! number {
    ($Type:ty, $value:expr) => {
        [number!($Type, from_le_bytes, $value), number!($Type, from_be_bytes, $value)]
    };
    ($Type:ty, $from:ident, $value:expr) => {
        NumberEncoding {
            size: size_of::<$Type>(),
            decode: |bytes, values| {
                for (value, number) in values.iter_mut().zip(bytes.chunks_exact(size_of::<$Type>())) {
                    *value = $value(<$Type>::$from(array(number)));
                }
            },
        }
    };
}

/// Both orders of bytes of a type by its name in a `.safetensors` file, which all types of numbers have.
fn orders(name: &str) -> Option<[NumberEncoding; 2]> {
    Some(match name {
        "BOOL" => number!(u8, |value| f64::from(u8::from(value != 0))),
        "I8" => number!(i8, f64::from),
        "U8" => number!(u8, f64::from),
        "I16" => number!(i16, f64::from),
        "U16" => number!(u16, f64::from),
        "I32" => number!(i32, f64::from),
        "U32" => number!(u32, f64::from),
        "I64" => number!(i64, |value| value as f64),
        "U64" => number!(u64, |value| value as f64),
        "F16" => number!(f16, f16::to_f64),
        "BF16" => number!(bf16, bf16::to_f64),
        "F32" => number!(f32, f64::from),
        "F64" => number!(f64, |value| value),
        _ => return None,
    })
}

/// The types that are read, for messages.
const ALLOWED: &str = "floats of 16, 32 or 64 bits, integers or booleans";

impl NumberEncoding {
    /// The encoding that a `.npy` file calls `descr`: the order of bytes (`<`, `>`, `|` or `=`), a letter, bytes a number.
    ///
    /// # Errors
    /// Numbers of another type, or none: the type is named.
    pub(super) fn of_npy(descr: &str) -> Result<Self, ArrayError> {
        let (order, kind) = match descr.strip_prefix(['<', '>', '|', '=']) {
            Some(kind) => (descr.chars().next().unwrap_or('='), kind),
            None => ('=', descr),
        };
        let big = order == '>' || order == '=' && cfg!(target_endian = "big");
        let name = match kind {
            "b1" | "?" => "BOOL",
            "i1" => "I8",
            "u1" => "U8",
            "i2" => "I16",
            "u2" => "U16",
            "i4" => "I32",
            "u4" => "U32",
            "i8" => "I64",
            "u8" => "U64",
            "f2" => "F16",
            "f4" => "F32",
            "f8" => "F64",
            other => {
                let what = match (other.chars().next().unwrap_or(' '), other.get(1..).unwrap_or_default()) {
                    ('c', _) => "complex numbers",
                    ('f', "10" | "12" | "16") => "floats of more than 64 bits, which depend on the machine",
                    ('O', _) => "Python objects",
                    ('S' | 'a' | 'U' | 'T', _) => "text",
                    ('M' | 'm', _) => "dates or times",
                    ('V', _) => "raw bytes; ml_dtypes writes bfloat16 so: save it as float32",
                    _ => "a type that is not known here",
                };
                return Err(ArrayError::Refused(format!(
                    "holds numbers of type '{descr}' ({what}), allowed: {ALLOWED}"
                )));
            }
        };
        Self::named(name, big)
    }

    /// The encoding that a `.safetensors` file calls `dtype`, little-endian.
    ///
    /// # Errors
    /// Numbers of another type: it is named.
    pub(super) fn of_safetensors(dtype: &str) -> Result<Self, ArrayError> {
        Self::named(dtype, false)
    }

    fn named(name: &str, big: bool) -> Result<Self, ArrayError> {
        let [little_endian, big_endian] = orders(name).ok_or_else(|| {
            let what = match name {
                _ if name.starts_with('C') => " (complex numbers)",
                _ if name.starts_with("F8") => " (floats of 8 bits)",
                _ if name.starts_with("F6") || name.starts_with("F4") => " (floats of less than 8 bits)",
                _ => "",
            };
            ArrayError::Refused(format!("holds numbers of type {name}{what}, allowed: {ALLOWED}"))
        })?;
        Ok(if big { big_endian } else { little_endian })
    }
}

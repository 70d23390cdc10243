//! `.npy` files, format versions 1 to 3 of `numpy.lib.format`.

use super::bytes::ArrayBytes;
use super::error::ArrayError;
use super::head::StoredArray;
use super::number::NumberEncoding;
use py_literal::Value;

/// What every `.npy` file begins with.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

/// The longest head that is read, in bytes; numpy itself refuses more than 10,000.
const LONGEST: u64 = 1 << 16;

/// How deep brackets may stand in a head: one of plain numbers has 2, and parsing time grows with every level.
const DEEPEST: usize = 4;

/// The array of a `.npy` file or of a member of a `.npz` file.
///
/// # Errors
/// It is none, holds no plain numbers, or fewer than its head says.
pub(super) fn array(bytes: ArrayBytes) -> Result<StoredArray, ArrayError> {
    let wrong = |what: &str| ArrayError::Refused(format!("is no .npy file: {what}"));
    let cut = |place: u64, length: usize| {
        let mut part = vec![0; length];
        match bytes.read(place, &mut part) {
            Ok(()) => Ok(part),
            Err(ArrayError::Read(_)) => Err(wrong("its head is cut")),
            Err(error) => Err(error),
        }
    };
    let start = cut(0, 8)?;
    if !start.starts_with(MAGIC) {
        return Err(wrong("it does not begin with \\x93NUMPY"));
    }
    let (length, before) = match start[6] {
        1 => (cut(8, 2)?.iter().rev().fold(0, |length, byte| length << 8 | u64::from(*byte)), 10),
        2 | 3 => (cut(8, 4)?.iter().rev().fold(0, |length, byte| length << 8 | u64::from(*byte)), 12),
        version => return Err(ArrayError::Refused(format!("is a .npy file of version {version}, allowed: 1 to 3"))),
    };
    if length > LONGEST {
        return Err(wrong(&format!(
            "its head claims {length} bytes, allowed: up to {LONGEST}, far more than numbers need"
        )));
    }
    let head = cut(before, length as usize)?;
    // Versions 1 and 2 write Latin-1, of which heads of plain numbers use ASCII only.
    let text = std::str::from_utf8(&head).map_err(|_| wrong("its head is no text"))?;
    let (descr, fortran, shape) = fields(text).map_err(|reason| match reason {
        FieldsError::Head(what) => wrong(what),
        FieldsError::Structured => ArrayError::refused(
            "holds records of several fields (a structured type), allowed: floats, integers or booleans; save one field",
        ),
    })?;
    StoredArray::new(bytes, before + length, NumberEncoding::of_npy(&descr)?, &shape, fortran)
}

enum FieldsError {
    /// What is wrong with the head.
    Head(&'static str),
    /// The type is a list of fields.
    Structured,
}

/// The type, whether the first axis lies closest together, and the shape.
fn fields(text: &str) -> Result<(String, bool, Vec<usize>), FieldsError> {
    use FieldsError::{Head, Structured};
    let mut depth = 0_usize;
    for character in text.chars() {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Err(Head("its head nests brackets deeper than plain numbers need, as structured types do"));
        }
    }
    let parsed = without_long_marks(text.trim()).parse();
    let Ok(Value::Dict(entries)) = parsed else { return Err(Head("its head is no Python dictionary")) };
    let of = |name: &str| {
        entries.iter().rev().find(|(key, _)| matches!(key, Value::String(key) if key == name)).map(|(_, value)| value)
    };
    let descr = match of("descr") {
        Some(Value::String(descr)) => descr.clone(),
        Some(Value::List(_) | Value::Tuple(_)) => return Err(Structured),
        _ => return Err(Head("its head names no type of numbers")),
    };
    let Some(Value::Boolean(fortran)) = of("fortran_order") else {
        return Err(Head("its head does not say the order of axes"));
    };
    let Some(Value::Tuple(lengths)) = of("shape") else { return Err(Head("its head names no shape")) };
    let length = |value: &Value| match value {
        Value::Integer(length) => usize::try_from(length).ok(),
        _ => None,
    };
    let shape = lengths.iter().map(length).collect::<Option<_>>();
    Ok((descr, *fortran, shape.ok_or(Head("its shape has something else than whole numbers from 0"))?))
}

/// The head without the `L` that Python 2 wrote behind whole numbers.
fn without_long_marks(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if character != 'L' || !plain.ends_with(|last: char| last.is_ascii_digit()) {
            plain.push(character);
        }
    }
    plain
}

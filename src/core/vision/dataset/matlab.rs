//! The one MATLAB file that is read: `meta.mat` of ImageNet's development kit, which gives each class's number and WordNet id.
//!
//! Level 5 MAT-files (MathWorks, MAT-File Format): a header of 128 bytes, then elements of a type, a length and data, padded to
//! eight bytes; elements of up to four bytes stand in the place of the length's other half. An element may be packed by zlib.

use flate2::read::ZlibDecoder;
use std::collections::HashMap;
use std::io::Read;

/// The most bytes that an element may unpack to.
const LARGEST: u64 = 64 << 20;
const HEADER: usize = 128;

/// Types of elements.
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;

/// WordNet ids of ImageNet's classes by their number (`ILSVRC2012_ID`), from the structure array `synsets`.
///
/// # Errors
/// `file` is no level 5 MAT-file in little-endian order with such an array.
pub(super) fn synsets(file: &[u8]) -> Result<HashMap<usize, String>, String> {
    let lacking = || {
        "holds no array `synsets` with ILSVRC2012_ID and WNID; meta.mat of ILSVRC2012_devkit_t12 is expected".to_owned()
    };
    if file.get(126..HEADER) != Some(b"IM") {
        return Err("is no MAT-file of level 5; meta.mat of ILSVRC2012_devkit_t12 is expected".to_owned());
    }
    for (kind, data) in Elements(&file[HEADER..]) {
        let unpacked;
        let inner = if kind == COMPRESSED {
            let mut bytes = Vec::new();
            ZlibDecoder::new(data)
                .take(LARGEST)
                .read_to_end(&mut bytes)
                .map_err(|trouble| format!("cannot be unpacked: {trouble}"))?;
            unpacked = bytes;
            Elements(&unpacked).next()
        } else {
            Some((kind, data))
        };
        if let Some(found) = inner.filter(|(kind, _)| *kind == MATRIX).and_then(|(_, data)| table(data)) {
            return Ok(found);
        }
    }
    Err(lacking())
}

/// Number and id of every entry of the structure array in `matrix`; none where it is another array.
fn table(matrix: &[u8]) -> Option<HashMap<usize, String>> {
    let mut parts = Elements(matrix);
    let (_flags, _sizes, (_, name)) = (parts.next()?, parts.next()?, parts.next()?);
    if name != b"synsets" {
        return None;
    }
    let (_, width) = parts.next()?;
    let width =
        usize::try_from(u32::from_le_bytes(width.get(..4)?.try_into().ok()?)).ok().filter(|width| *width > 0)?;
    let (_, names) = parts.next()?;
    let fields: Vec<&[u8]> =
        names.chunks_exact(width).map(|name| name.split(|byte| *byte == 0).next().unwrap_or_default()).collect();
    let place = |name: &[u8]| fields.iter().position(|field| *field == name);
    let (number, id) = (place(b"ILSVRC2012_ID")?, place(b"WNID")?);
    let values: Vec<&[u8]> = parts.map(|(_, data)| data).collect();
    let entry = |entry: &[&[u8]]| {
        let number = *numbers(entry[number])?.first()?;
        let id = numbers(entry[id])?.into_iter().map(|code| char::from_u32(code as u32)).collect::<Option<String>>()?;
        Some((number as usize, id))
    };
    values.chunks_exact(fields.len()).map(entry).collect()
}

/// The numbers, or codes of characters, of a matrix inside of another.
fn numbers(matrix: &[u8]) -> Option<Vec<f64>> {
    let mut parts = Elements(matrix);
    let (_flags, _sizes, _name) = (parts.next()?, parts.next()?, parts.next()?);
    let (kind, data) = parts.next()?;
    Some(match kind {
        1 => data.iter().map(|&byte| f64::from(byte as i8)).collect(),
        2 | 16 => data.iter().map(|&byte| f64::from(byte)).collect(),
        3 => data.as_chunks().0.iter().map(|&bytes| f64::from(i16::from_le_bytes(bytes))).collect(),
        4 => data.as_chunks().0.iter().map(|&bytes| f64::from(u16::from_le_bytes(bytes))).collect(),
        5 => data.as_chunks().0.iter().map(|&bytes| f64::from(i32::from_le_bytes(bytes))).collect(),
        6 => data.as_chunks().0.iter().map(|&bytes| f64::from(u32::from_le_bytes(bytes))).collect(),
        9 => data.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect(),
        _ => return None,
    })
}

/// Elements one after another, each as its type and its data.
struct Elements<'a>(&'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = (u32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let word = |at: usize| Some(u32::from_le_bytes(self.0.get(at..at + 4)?.try_into().ok()?));
        let first = word(0)?;
        let (kind, start, length, after): (u32, usize, usize, usize) = match first >> 16 {
            0 => {
                let length = word(4)? as usize;
                // What is packed stands without padding.
                (first, 8, length, if first == COMPRESSED { length } else { length.checked_next_multiple_of(8)? })
            }
            short => (first & 0xffff, 4, short as usize, 4),
        };
        let data = self.0.get(start..start.checked_add(length)?)?;
        self.0 = self.0.get(start + after..).unwrap_or_default();
        Some((kind, data))
    }
}

//! `.npz` files: zip archives of `.npy` files, stored or deflated.

use super::bytes::{ArrayBytes, InflatedStream};
use super::error::ArrayError;
use super::head::StoredArray;
use super::names::choose;
use super::npy;
use rawzip::{CompressionMethod, FileReader, RECOMMENDED_BUFFER_SIZE, ZipArchive, ZipArchiveEntryWayfinder};
use std::collections::BTreeMap;
use std::fs::File;

/// What every zip archive with a member begins with.
pub(super) const MAGIC: &[u8] = b"PK\x03\x04";

/// What an archive without members begins with.
pub(super) const EMPTY_MAGIC: &[u8] = b"PK\x05\x06";

/// What a deflated stream unpacks to at most, in bytes for each of its own (258 bytes from two bits), and a few more.
const LARGEST_RATIO: u64 = 1032;

/// The ending of a member that is an array.
const ENDING: &str = ".npy";

/// How an archive keeps a member.
struct Member {
    place: ZipArchiveEntryWayfinder,
    method: CompressionMethod,
    encrypted: bool,
}

/// The array that `text` names in the archive `file`, and the slice that is taken of it.
///
/// # Errors
/// It is no zip archive or one of something else, has no such member, or the member cannot be read as an array.
pub(super) fn array(file: File, text: &str) -> Result<(StoredArray, Option<&str>), ArrayError> {
    let wrong = |error: rawzip::Error| ArrayError::Refused(format!("is no whole zip archive: {error}"));
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let archive = ZipArchive::from_file(file.try_clone()?, &mut buffer).map_err(wrong)?;
    let mut members = BTreeMap::new();
    let mut entries = archive.entries(&mut buffer);
    while let Some(entry) = entries.next_entry().map_err(wrong)? {
        let path = entry.file_path();
        let name = String::from_utf8_lossy(path.as_ref());
        if name == "data.pkl" || name.ends_with("/data.pkl") {
            return Err(ArrayError::Refused(format!("is a file of torch.save, {}", super::foreign::TORCH)));
        }
        if let Some(name) = name.strip_suffix(ENDING) {
            let encrypted = entry.flags().is_encrypted();
            let member = Member { place: entry.wayfinder(), method: entry.compression_method(), encrypted };
            // Of several members of one name the last counts, as in Python.
            members.insert(name.to_owned(), member);
        }
    }
    let names: Vec<&str> = members.keys().map(String::as_str).collect();
    if names.is_empty() {
        return Err(ArrayError::refused(
            "is a zip archive without arrays, allowed: a .npz file, with members NAME.npy",
        ));
    }
    let (name, slice) = named(&names, text)?;
    let member = &members[name];
    let in_member = |error: ArrayError| match error {
        ArrayError::Memory(error) => ArrayError::Memory(error),
        error => ArrayError::Refused(format!("array `{name}` {error}")),
    };
    let bytes = bytes(&archive, file, member).map_err(in_member)?;
    Ok((npy::array(bytes).map_err(in_member)?, slice))
}

/// The name that `text` means, with its slice; a name may be written with the ending of the member.
fn named<'n, 'a>(names: &[&'n str], text: &'a str) -> Result<(&'n str, Option<&'a str>), ArrayError> {
    choose("array", names, text)
        .or_else(|error| match text.find(".npy[").or(text.strip_suffix(ENDING).map(str::len)) {
            // Both parts are of the text itself, so that only the name without its ending has to be found.
            Some(end) => {
                let place = names.iter().position(|name| *name == &text[..end]).ok_or(error)?;
                Ok((place, Some(&text[end + ENDING.len()..]).filter(|slice| !slice.is_empty())))
            }
            None => Err(error),
        })
        .map(|(place, slice)| (names[place], slice))
}

fn bytes(archive: &ZipArchive<FileReader>, file: File, member: &Member) -> Result<ArrayBytes, ArrayError> {
    if member.encrypted {
        return Err(ArrayError::refused("is encrypted, allowed: an archive without a password"));
    }
    let entry = archive.get_entry(member.place).map_err(|error| ArrayError::Refused(format!("is damaged: {error}")))?;
    let range = entry.compressed_data_range();
    let packed = range.1.saturating_sub(range.0);
    match member.method {
        CompressionMethod::STORE => Ok(ArrayBytes::Plain { file, start: range.0, length: packed }),
        CompressionMethod::DEFLATE => {
            // The size is what the archive claims; more than this cannot come out of its bytes.
            let most = packed.saturating_mul(LARGEST_RATIO);
            let length = member.place.uncompressed_size_hint().min(most);
            let stream = InflatedStream::new(FileReader::from(file), range);
            Ok(ArrayBytes::Deflated { stream: Box::new(stream.into()), length })
        }
        method => {
            Err(ArrayError::Refused(format!("is compressed by {method}, allowed: stored or deflated, as numpy does")))
        }
    }
}

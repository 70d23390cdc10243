//! What a file is that holds no array as it is, by its first bytes.

/// What to do with a file of PyTorch.
pub(super) const TORCH: &str = "which can run code when it is read; allowed: .safetensors, .npy or .npz: in Python, \
     safetensors.torch.save_file(torch.load(FILE), NEW) for a dict of tensors, numpy.save(NEW, torch.load(FILE).float().numpy()) \
     for one";

/// First bytes, and what a file is that begins with them.
const KINDS: &[(&[u8], &str)] = &[
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (numpy.save each data set)"),
    (b"\x1f\x8b", "compressed by gzip (gunzip it first)"),
    (b"BZh", "compressed by bzip2 (unpack it first)"),
    (b"\xfd7zXZ\0", "compressed by xz (unpack it first)"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd (unpack it first)"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"GGUF", "a GGUF model"),
    (b"PAR1", "a Parquet table"),
    (b"ARROW1", "an Arrow table"),
    (b"MATLAB 5.0", "a MATLAB file (scipy.io.loadmat, then numpy.save)"),
    (b"version https://git-lfs", "a pointer of Git LFS, without the file itself (git lfs pull fetches it)"),
    (b"%PDF", "a PDF document"),
    (b"\x7fELF", "a program"),
];

/// What a file is that begins with `start`, where that is known; one that may begin as a file of numbers does is not.
pub fn known_kind(start: &[u8]) -> Option<&'static str> {
    if let [0x80, 2..=5, ..] = start {
        return Some("a pickle, as torch.save writes it");
    }
    if start.starts_with(b"PK\x03\x04") {
        return Some("a zip archive, as torch.save and numpy.savez write it");
    }
    if is_text(start) {
        return Some("text");
    }
    KINDS.iter().find(|(first, _)| start.starts_with(first)).map(|(_, what)| *what)
}

/// Whether `start`, which may end within a character, is text.
fn is_text(start: &[u8]) -> bool {
    let text = match std::str::from_utf8(start) {
        Ok(text) => Some(text),
        Err(error) if error.valid_up_to() + 4 > start.len() => std::str::from_utf8(&start[..error.valid_up_to()]).ok(),
        Err(_) => None,
    };
    text.is_some_and(|text| !text.contains(|character: char| character.is_control() && !character.is_whitespace()))
}

/// Why the file whose first bytes are `start` cannot be read; a file whose `ending` says what it should be is told apart.
pub(super) fn refusal(start: &[u8], ending: &str) -> String {
    let allowed = "allowed: .npy, .npz, .safetensors or a .safetensors.index.json";
    if start.is_empty() {
        return format!("is empty, {allowed}");
    }
    if let [0x80, 2..=5, ..] = start {
        return format!("is a pickle, as torch.save writes it, {TORCH}");
    }
    if let Some((_, what)) = KINDS.iter().find(|(first, _)| start.starts_with(first)) {
        return format!("is {what}, {allowed}");
    }
    if is_text(start) {
        return format!("is text, {allowed}: in Python, numpy.save(NEW, numpy.loadtxt(FILE))");
    }
    match ending {
        "npy" => "is no .npy file: it does not begin with \\x93NUMPY".to_owned(),
        "npz" => "is no .npz file: it does not begin as a zip archive".to_owned(),
        "safetensors" => "is no safetensors file: it does not begin with the length of its head and a `{`".to_owned(),
        _ => format!("is of a kind that is not known here, {allowed}"),
    }
}

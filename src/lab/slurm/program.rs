//! The program in a sweep's folder, which every element of the sweep runs, whatever becomes of the one that planned it.

use crate::lab::LabError;
use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Its name in the folder.
const PROGRAM: &str = "attnlab";

/// Puts the program of this process into `folder`. Where one of the other `sweeps` has the same one, byte for byte, both folders
/// share one file. The program itself is never linked: an update may write over it.
///
/// # Errors
/// The program cannot be found or copied.
pub(super) fn put(sweeps: &[PathBuf], folder: &Path) -> Result<(), LabError> {
    let program = std::env::current_exe().map_err(LabError::io("find", PROGRAM))?;
    let copy = folder.join(PROGRAM);
    let others = sweeps.iter().rev().map(|other| other.join(PROGRAM));
    for other in others.filter(|other| *other != copy) {
        if is_same(&program, &other).unwrap_or(false) && fs::hard_link(&other, &copy).is_ok() {
            return Ok(());
        }
    }
    fs::copy(&program, &copy).map_err(LabError::io("copy the program to", &copy))?;
    fs::set_permissions(&copy, Permissions::from_mode(0o755)).map_err(LabError::io("make executable", &copy))
}

/// Whether two files hold the same bytes; the second must be a file of its own that may be executed.
fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    let (here, there) = (fs::metadata(one)?, fs::symlink_metadata(other)?);
    if !there.is_file() || there.permissions().mode() & 0o111 == 0 || here.len() != there.len() {
        return Ok(false);
    }
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    let (mut here, mut there) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let count = one.read(&mut here)?;
        if count == 0 {
            return Ok(true);
        }
        other.read_exact(&mut there[..count])?;
        if here[..count] != there[..count] {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn sweeps_of_one_program_share_its_file() {
        let logs = tempfile::tempdir().unwrap();
        let place = |name: &str| {
            let folder = logs.path().join(name);
            fs::create_dir(&folder).unwrap();
            let sweeps: Vec<PathBuf> = ["sweep-1", "sweep-2", "sweep-3"].map(|sweep| logs.path().join(sweep)).to_vec();
            put(&sweeps, &folder).unwrap();
            folder.join(PROGRAM)
        };
        let (first, second) = (place("sweep-1"), place("sweep-2"));
        let node = |path: &Path| fs::metadata(path).unwrap().ino();
        assert_eq!(node(&first), node(&second));
        assert_ne!(node(&first), node(&std::env::current_exe().unwrap()), "an update of the program changes no sweep");
        // A file that is not the program is shared with nobody.
        let length = fs::metadata(&first).unwrap().len();
        fs::remove_file(&first).unwrap();
        fs::remove_file(&second).unwrap();
        fs::write(&second, vec![0; length as usize]).unwrap();
        fs::set_permissions(&second, Permissions::from_mode(0o755)).unwrap();
        assert_ne!(node(&place("sweep-3")), node(&second));
    }
}

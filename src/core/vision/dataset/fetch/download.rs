//! One file over HTTP: resumed where it was cut, verified, and in place only when whole.

use super::trust::trusted;
use crate::vision::dataset::cache::hex;
use crate::vision::dataset::error::DataError;
use crate::vision::dataset::facts::Published;
use crate::vision::dataset::loaded::{Loading, Watch};
use md5::{Digest, Md5};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::Agent;
use ureq::http::StatusCode;
use ureq::tls::TlsConfig;

/// A connection that is silent for so long counts as cut.
const SILENCE: Duration = Duration::from_secs(30);
/// Bytes between two reports of progress.
const STEP: usize = 64 << 10;

/// Makes sure that `file` is at `target`: where it is not there yet, it is fetched from the first of `homes` that gives it
/// whole. `name` is the name of the data set, for messages.
///
/// # Errors
/// [`DataError::Fetch`] with every home's reason; [`DataError::Stopped`]; the file cannot be written, or another process
/// is fetching it.
pub fn download(
    name: &'static str,
    homes: &[&str],
    file: &Published,
    target: &Path,
    watch: Watch,
) -> Result<(), DataError> {
    if target.is_file() && digest(File::open(target)).is_ok_and(|found| found == file.md5) {
        return Ok(());
    }
    let mut part = PartialFile::open(target, file)?;
    let agent: Agent = Agent::config_builder()
        .tls_config(TlsConfig::builder().root_certs(trusted()?).build())
        .http_status_as_error(false)
        .timeout_resolve(Some(SILENCE))
        .timeout_connect(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .user_agent(concat!("attnlab/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let mut reasons = Vec::new();
    for home in homes {
        let address = format!("{home}{}", file.name);
        match part.fill(&agent, &address, watch)? {
            None => return part.finish(target),
            Some(reason) => reasons.push(format!("{address}: {reason}")),
        }
    }
    if reasons.is_empty() {
        reasons.push("no address to fetch it from".to_owned());
    }
    if part.have == 0 {
        // An empty file would be of no use to a later call.
        let _ = fs::remove_file(&part.path);
    }
    let folder = target.parent().unwrap_or(target);
    let files: Vec<_> = homes.iter().map(|home| format!("{home}{}", file.name)).collect();
    Err(DataError::Fetch {
        name,
        file: file.name,
        reasons: reasons.join("; "),
        advice: format!("without a network, put {} (from {}) into {}", file.name, files.join(" or "), folder.display()),
    })
}

/// A file of which a part has been fetched.
struct PartialFile {
    file: File,
    path: PathBuf,
    wanted: Published,
    have: u64,
}

/// Why one request did not bring the whole file.
enum Trouble {
    /// The home does not have the file, or another one.
    Home(String),
    /// The connection was cut; asking again may help.
    Cut(String),
    /// The fault is on this machine; no other address would help.
    Here(DataError),
}

impl PartialFile {
    fn open(target: &Path, wanted: &Published) -> Result<Self, DataError> {
        let mut path = target.as_os_str().to_owned();
        path.push(".part");
        let path = PathBuf::from(path);
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = options.map_err(DataError::io(&path, "write"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(DataError::malformed(&path, "another process is fetching this file"));
            }
            Err(TryLockError::Error(trouble)) => log::debug!("{}: not locked: {trouble}", path.display()),
        }
        let have = file.metadata().map_err(DataError::io(&path, "read"))?.len();
        Ok(Self { file, path, wanted: *wanted, have })
    }

    /// Fetches from `address` until the file is whole and has the published MD5, or returns why that failed. After a cut
    /// connection the request is repeated as long as each one brings the file further than any before.
    fn fill(&mut self, agent: &Agent, address: &str, watch: Watch) -> Result<Option<String>, DataError> {
        let mut furthest = None;
        loop {
            if self.have > self.wanted.bytes {
                self.restart()?;
            }
            let resumed = self.have > 0;
            if self.have < self.wanted.bytes {
                match self.request(agent, address, watch) {
                    Ok(()) => {}
                    Err(Trouble::Here(error)) => return Err(error),
                    Err(Trouble::Home(reason)) => return Ok(Some(reason)),
                    Err(Trouble::Cut(reason)) => {
                        if furthest.is_some_and(|furthest| self.have <= furthest) {
                            return Ok(Some(reason));
                        }
                        furthest = Some(self.have);
                        continue;
                    }
                }
            }
            let found = digest(File::open(&self.path)).map_err(DataError::io(&self.path, "read"))?;
            if found == self.wanted.md5 {
                return Ok(None);
            }
            self.restart()?;
            // The part that an earlier call left may be wrong: the file is fetched once more from the beginning.
            if !resumed {
                return Ok(Some(format!("its MD5 is {found}, {} is published", self.wanted.md5)));
            }
        }
    }

    /// One request for the bytes behind those that are there.
    fn request(&mut self, agent: &Agent, address: &str, watch: Watch) -> Result<(), Trouble> {
        let mut request = agent.get(address);
        if self.have > 0 {
            request = request.header("Range", format!("bytes={}-", self.have));
        }
        let mut response = request.call().map_err(|trouble| match trouble {
            ureq::Error::Io(trouble) if cut(&trouble) => Trouble::Cut(trouble.to_string()),
            trouble => Trouble::Home(trouble.to_string()),
        })?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        match response.status() {
            StatusCode::OK => self.restart().map_err(Trouble::Here)?,
            StatusCode::PARTIAL_CONTENT => {
                let range = header("Content-Range").unwrap_or_default();
                if !range.starts_with(&format!("bytes {}-", self.have)) {
                    return Err(Trouble::Home(format!("asked from byte {} it answers `{range}`", self.have)));
                }
            }
            status => return Err(Trouble::Home(format!("answers {status}"))),
        }
        let rest = self.wanted.bytes - self.have;
        let length = header("Content-Length").and_then(|length| length.parse::<u64>().ok());
        if let Some(length) = length.filter(|&length| length != rest) {
            return Err(Trouble::Home(format!(
                "has {} bytes, {} are published",
                self.have + length,
                self.wanted.bytes
            )));
        }
        self.receive(response.body_mut().as_reader(), watch)
    }

    fn receive(&mut self, mut body: impl Read, watch: Watch) -> Result<(), Trouble> {
        let mut buffer = vec![0; STEP];
        self.file
            .seek(SeekFrom::Start(self.have))
            .map_err(DataError::io(&self.path, "write"))
            .map_err(Trouble::Here)?;
        loop {
            let loading =
                Loading { stage: self.wanted.name, done: self.have as usize, total: self.wanted.bytes as usize };
            if !watch(&loading) {
                return Err(Trouble::Here(DataError::Stopped));
            }
            let read = body.read(&mut buffer).map_err(|trouble| Trouble::Cut(trouble.to_string()))?;
            if read == 0 && self.have < self.wanted.bytes {
                return Err(Trouble::Cut(format!("ends after {} of {} bytes", self.have, self.wanted.bytes)));
            }
            if read == 0 {
                return Ok(());
            }
            if self.have + read as u64 > self.wanted.bytes {
                return Err(Trouble::Home(format!("has more than the {} bytes published", self.wanted.bytes)));
            }
            let written = self.file.write_all(&buffer[..read]);
            written.map_err(DataError::io(&self.path, "write")).map_err(Trouble::Here)?;
            self.have += read as u64;
        }
    }

    fn restart(&mut self) -> Result<(), DataError> {
        self.have = 0;
        self.file.set_len(0).map_err(DataError::io(&self.path, "write"))
    }

    fn finish(self, target: &Path) -> Result<(), DataError> {
        self.file.sync_all().map_err(DataError::io(&self.path, "write"))?;
        fs::rename(&self.path, target).map_err(DataError::io(target, "write"))
    }
}

fn cut(trouble: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(trouble.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

/// The MD5 of a file, in hexadecimal digits.
pub(in crate::vision::dataset) fn digest(file: io::Result<File>) -> io::Result<String> {
    let mut file = file?;
    let mut hasher = Md5::new();
    let mut buffer = vec![0; STEP];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hasher.finalize())),
            read => hasher.update(&buffer[..read]),
        }
    }
}

//! Fetching and checking, against a server on the loopback.

use crate::http::{Served, Server};
use crate::make::{cifar_batch, gzip, names, place, put, real, small_folder, small_mnist};
use attnlab::vision::dataset::fetch::{self, Published};
use attnlab::vision::dataset::{DataError, DataSource, check, contents};
use std::fs;
use std::path::Path;

/// 300,000 bytes that do not repeat soon, and what is published of them.
pub const FILE: Published = Published { name: "file.bin", bytes: 300_000, md5: "14a1802113ce2773fe316b5a05dd3645" };

pub fn published_bytes() -> Vec<u8> {
    (0..300_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn serve(bytes: Vec<u8>, ranges: bool, cut: Option<usize>) -> Server {
    Server::start([("/file.bin".to_owned(), Served { bytes, ranges, cut })].into())
}

/// Downloads [`FILE`] from `servers` into `folder`.
fn download(servers: &[&Server], folder: &Path) -> Result<(), DataError> {
    let homes: Vec<&str> = servers.iter().map(|server| server.home.as_str()).collect();
    fetch::download("set", &homes, &FILE, &folder.join("file.bin"), &mut |_| true)
}

/// The first bytes that `server` was asked for.
fn starts(server: &Server) -> Vec<usize> {
    server.requests.lock().unwrap().iter().map(|request| request.1).collect()
}

#[test]
fn a_download_goes_on_where_it_was_cut() {
    let place = place();
    let server = serve(published_bytes(), true, Some(100_000));
    download(&[&server], place.path()).unwrap();
    assert_eq!(fs::read(place.path().join("file.bin")).unwrap(), published_bytes());
    assert_eq!(starts(&server), [0, 100_000, 200_000]);
    assert!(!place.path().join("file.bin.part").exists());
    download(&[&server], place.path()).unwrap();
    assert_eq!(starts(&server).len(), 3, "what is there is not fetched again");
}

#[test]
fn a_download_that_was_stopped_is_resumed_by_the_next() {
    let place = place();
    let server = serve(published_bytes(), true, None);
    let target = place.path().join("file.bin");
    let stopped = fetch::download("set", &[&server.home], &FILE, &target, &mut |loading| loading.done < 150_000);
    assert!(matches!(stopped, Err(DataError::Stopped)));
    assert!(!target.exists() && place.path().join("file.bin.part").exists());
    download(&[&server], place.path()).unwrap();
    assert!(starts(&server)[1] >= 150_000);
    assert_eq!(fs::read(target).unwrap(), published_bytes());
}

#[test]
fn a_home_that_fails_is_followed_by_the_next_and_nothing_wrong_is_kept() {
    let place = place();
    let absent = Server::start([].into());
    let mut wrong = published_bytes();
    wrong[7] ^= 1;
    let wrong = serve(wrong, true, None);
    let short = serve(published_bytes()[..200_000].to_vec(), true, None);
    let message = download(&[&absent, &wrong, &short], place.path()).unwrap_err().to_string();
    names(&message, &["set: cannot fetch file.bin", "404", "its MD5 is", FILE.md5, "has 200000 bytes, 300000"]);
    names(&message, &["without a network, put file.bin", &place.path().display().to_string()]);
    assert!(!message.contains('\n') && !place.path().join("file.bin").exists());

    let unable = serve(published_bytes(), false, Some(100_000));
    let message = download(&[&unable], place.path()).unwrap_err().to_string();
    names(&message, &["cannot fetch file.bin"]);
    let good = serve(published_bytes(), false, None);
    download(&[&absent, &wrong, &good], place.path()).unwrap();
    assert_eq!(fs::read(place.path().join("file.bin")).unwrap(), published_bytes());

    // What an earlier call left may be wrong, too.
    fs::remove_file(place.path().join("file.bin")).unwrap();
    fs::write(place.path().join("file.bin.part"), vec![0; 1000]).unwrap();
    download(&[&serve(published_bytes(), true, None)], place.path()).unwrap();
    assert_eq!(fs::read(place.path().join("file.bin")).unwrap(), published_bytes());
}

#[test]
fn without_a_network_fetch_says_what_to_put_where() {
    let place = place();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let home = format!("http://{closed}/");
    let offline = fetch::fetch(DataSource::Mnist, place.path(), &[&home], &mut |_| true).unwrap_err().to_string();
    let folder = place.path().join("mnist").display().to_string();
    names(
        &offline,
        &["mnist: cannot fetch train-images-idx3-ubyte.gz", &home, "put train-images-idx3-ubyte.gz", &folder],
    );
    let never = fetch::fetch(DataSource::ImageNet, place.path(), &[], &mut |_| true).unwrap_err().to_string();
    names(&never, &["imagenet: cannot be fetched", "train/CLASS/*"]);
    assert!(DataSource::ALL.iter().all(|&source| fetch::files(source).is_empty() == fetch::homes(source).is_empty()));
}

#[test]
fn the_archive_of_cifar_is_unpacked_by_name_alone() {
    let place = place();
    let mut packer = tar::Builder::new(Vec::new());
    let mut add = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        packer.append_data(&mut header, format!("cifar-10-batches-bin/{name}"), bytes).unwrap();
    };
    let batch = cifar_batch(10_000);
    (1..=5).for_each(|number| add(&format!("data_batch_{number}.bin"), &batch));
    add("readme.html", b"not data");
    add("test_batch.bin", &batch);
    let whole = packer.into_inner().unwrap();
    let (archive, folder) = (place.path().join("a.tar.gz"), place.path().join("cifar-10"));
    fs::create_dir(&folder).unwrap();
    fs::write(&archive, gzip(&whole)).unwrap();
    fetch::unpack(&archive, &folder).unwrap();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 6);
    let there = contents(DataSource::Cifar10, place.path(), None).unwrap();
    assert_eq!((there.train, there.test, there.folder.as_deref()), (50_000, 10_000, Some(folder.as_path())));
    // Nothing is fetched then.
    let files = fetch::fetch(DataSource::Cifar10, place.path(), &[], &mut |_| true).unwrap();
    assert_eq!(files.len(), 6);

    fs::remove_dir_all(&folder).unwrap();
    fs::create_dir(&folder).unwrap();
    fs::write(&archive, &gzip(&whole)[..200_000]).unwrap();
    let message = fetch::unpack(&archive, &folder).unwrap_err().to_string();
    names(&message, &["a.tar.gz"]);
    fs::write(&archive, b"no archive").unwrap();
    names(&fetch::unpack(&archive, &folder).unwrap_err().to_string(), &["a.tar.gz"]);
}

#[test]
fn contents_and_check_tell_what_is_there() {
    let data = place();
    small_mnist(&data.path().join("mnist"));
    let checked = check(DataSource::Mnist, data.path(), None, &mut |_| true).unwrap();
    assert_eq!((checked.contents.train, checked.contents.test, checked.contents.size), (12, 5, Some(4)));
    assert_eq!((checked.published.len(), checked.others.len()), (0, 4));
    small_folder(&data.path().join("image-folder"));
    put(&data.path().join("image-folder/train/cat/9.jpg"), b"text");
    let checked = check(DataSource::Folder, data.path(), None, &mut |_| true).unwrap();
    assert_eq!((checked.contents.train, checked.contents.test, checked.skipped.len()), (6, 2, 1));
    assert_eq!(contents(DataSource::Digits, data.path(), None).unwrap().folder, None);
    assert!(contents(DataSource::FashionMnist, data.path(), None).is_err());
}

#[test]
fn real_files_come_through_a_server_whole() {
    let Some(data) = real() else { return };
    let place = place();
    let serve = |file: &Published| {
        let bytes = fs::read(data.join("mnist").join(file.name)).unwrap();
        (format!("/{}", file.name), Served { bytes, ranges: true, cut: Some(4_000_000) })
    };
    let server = Server::start(fetch::files(DataSource::Mnist).iter().map(serve).collect());
    let files = fetch::fetch(DataSource::Mnist, place.path(), &[&server.home], &mut |_| true).unwrap();
    assert_eq!((files.len(), server.requests.lock().unwrap().len()), (4, 6), "the large one is cut twice");
    assert_eq!(contents(DataSource::Mnist, place.path(), None).unwrap().train, 60_000);
}

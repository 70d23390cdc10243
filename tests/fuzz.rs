//! Every reader of something from outside, given its corpus and what is made of it by a few changes: nothing panics.
//!
//! `ATTNLAB_FUZZ=20000 cargo test --release --test fuzz` tries as many changes of each; `fuzz/` has the same readers as
//! targets of `cargo fuzz`, which goes on for as long as one likes and looks where it has not been.

use attnlab::fuzzing::TARGETS;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use std::fs;
use std::path::Path;

/// One change of some bytes.
#[derive(Clone, Debug)]
enum Change {
    /// One byte becomes another.
    Byte(Index, u8),
    /// What begins at the one place and ends at the other is taken away.
    Cut(Index, Index),
    /// It stands there twice.
    Double(Index, Index),
    /// A word that readers stumble over is put in.
    Word(Index, usize),
    /// Everything from there on is taken from another file of the corpus.
    Splice(Index, Index, Index),
}

/// Words that readers stumble over.
const WORDS: [&[u8]; 20] = [
    b"0",
    b"-1",
    b"18446744073709551615",
    b"9223372036854775807",
    b"1e999",
    b"NaN",
    b"null",
    b"\"",
    b"\\u0000",
    b"\0",
    b"\n",
    b"[",
    b"{",
    b"..",
    b"/",
    b"\xff",
    b"\xc3\xa9",
    b"log(",
    b"=",
    b"\x1b[2J",
];

fn change() -> impl Strategy<Value = Change> {
    let place = any::<Index>;
    prop_oneof![
        (place(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        (place(), place()).prop_map(|(from, to)| Change::Cut(from, to)),
        (place(), place()).prop_map(|(from, to)| Change::Double(from, to)),
        (place(), 0..WORDS.len()).prop_map(|(at, word)| Change::Word(at, word)),
        (place(), place(), place()).prop_map(|(at, other, from)| Change::Splice(at, other, from)),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: &[Change], corpus: &[Vec<u8>]) -> Vec<u8> {
    for change in changes {
        let ends = bytes.len() + 1;
        let range = |from: &Index, to: &Index| {
            let (from, to) = (from.index(ends), to.index(ends));
            from.min(to)..from.max(to)
        };
        match change {
            Change::Byte(..) if bytes.is_empty() => {}
            Change::Byte(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Change::Cut(from, to) => drop(bytes.drain(range(from, to))),
            Change::Double(from, to) => {
                let part = bytes[range(from, to)].to_vec();
                let at = range(from, to).end;
                bytes.splice(at..at, part);
            }
            Change::Word(at, word) => {
                let at = at.index(ends);
                bytes.splice(at..at, WORDS[*word].iter().copied());
            }
            Change::Splice(at, other, from) => {
                let other = &corpus[other.index(corpus.len())];
                bytes.truncate(at.index(ends));
                bytes.extend_from_slice(&other[from.index(other.len() + 1)..]);
            }
        }
    }
    bytes
}

#[test]
fn no_reader_panics() {
    let cases = std::env::var("ATTNLAB_FUZZ").ok().and_then(|text| text.parse().ok()).unwrap_or(64);
    for target in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target.name);
        let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        paths.sort();
        let corpus: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
        assert!(!corpus.is_empty(), "{} has no corpus", target.name);
        corpus.iter().for_each(|bytes| (target.read)(bytes));
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        // The same changes at every call: a failure is found again.
        let random = proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha);
        let mut runner = TestRunner::new_with_rng(config, random);
        let inputs = (any::<Index>(), proptest::collection::vec(change(), 1..6));
        let outcome = runner.run(&inputs, |(first, changes)| {
            (target.read)(&changed(corpus[first.index(corpus.len())].clone(), &changes, &corpus));
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{}: {error}", target.name));
    }
}

#[test]
fn every_reader_is_a_target_of_cargo_fuzz() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    for target in TARGETS {
        let name = target.name;
        let text = fs::read_to_string(root.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(text.contains(&format!("attnlab::fuzzing::{name}(")), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
    let targets = fs::read_dir(root.join("fuzz_targets")).unwrap().count();
    assert_eq!(targets, TARGETS.len());
}

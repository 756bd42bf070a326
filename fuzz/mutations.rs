//! The fuzzer's bodies without a fuzzer: the seeds, and thousands of slips in them, the same in every run.
//!
//! Part of a plain `cargo test`, so that it runs where no fuzzer can be had; `fuzz/run` is the fuzzer.
//! `KEYFOB_FUZZ_MUTATIONS` sets how many for each target.

#![expect(clippy::disallowed_methods, reason = "a test reads its own environment")]
#![expect(clippy::print_stderr, reason = "what was found is shown as it can be pasted")]

#[path = "src/bodies/mod.rs"]
mod bodies;
mod mutator;

// The two private parsers among the bodies find these rooms where they look.
use keyfob::{http, provider, resource_server, user_agent};

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bodies::TARGETS;
use mutator::Mutator;

/// For each target, in a plain run.
const MUTATIONS: u64 = 2_000;
/// What one input may take, on a machine that does other things too.
const LONGEST: Duration = Duration::from_secs(5);

/// The seeds of a target, in the order of their names.
fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{target}: {error}"));
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

fn meet(target: &str, body: fn(&[u8]), input: &[u8], where_from: &str) {
    let start = Instant::now();
    let met = catch_unwind(AssertUnwindSafe(|| body(input)));
    let took = start.elapsed();
    if met.is_err() || took > LONGEST {
        eprintln!("{target}, {where_from}: \"{}\"", input.escape_ascii());
        panic!("{target}: {where_from} ends badly, after {took:?}");
    }
}

fn mutations() -> u64 {
    let wanted = std::env::var("KEYFOB_FUZZ_MUTATIONS").ok();
    wanted.map_or(MUTATIONS, |text| text.parse().expect("KEYFOB_FUZZ_MUTATIONS is a number"))
}

#[test] // ER1, ER8, A14
fn every_parser_meets_its_seeds_and_thousands_of_slips_in_them() {
    for (target, body) in TARGETS {
        let seeds = seeds(target);
        assert!(seeds.len() >= 2, "{target} has too few seeds");
        for (path, seed) in &seeds {
            meet(target, body, seed, &path.display().to_string());
        }
        let mut mutator = Mutator::new(target, seeds.into_iter().map(|(_, seed)| seed).collect());
        for number in 0..mutations() {
            meet(target, body, &mutator.next(), &format!("mutation {number}"));
        }
    }
}

#[test]
fn every_target_has_a_program_for_the_fuzzer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/targets");
    let mut programs: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    programs.sort();
    let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(programs, names);
    let manifest = include_str!("Cargo.toml");
    for name in names {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not built");
    }
}

/// What an earlier keyfob has written opens for ever.
#[test]
fn the_sealed_seeds_still_open() {
    use keyfob::secret::Secret;
    use keyfob::store::journal::{Journal, Recovered};
    use keyfob::store::key::Key;
    use keyfob::store::seal;

    let key = Key::from_secret_text(&Secret::new(bodies::SEEDS_KEY)).unwrap();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let sealed = std::fs::read(corpus.join("sealed/entry")).unwrap();
    let opened = seal::open(&key, &["keyfob entry", "shop"], &sealed).unwrap();
    assert_eq!(opened.as_slice(), b"{\"version\":1}");
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(corpus.join("journal/answer"), folder.path().join("shop.7.journal")).unwrap();
    let recovered = Journal::recover(folder.path(), "shop", 7, &key).unwrap();
    assert!(matches!(recovered, Recovered::Answer(answer) if answer.starts_with(b"\0\xc8{")));
}

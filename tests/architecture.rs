//! The house's floors: a room uses rooms further down, and none on its own floor.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const FLOORS: [&[&str]; 8] = [
    &["secret"],
    &["token_set", "clock", "random"],
    &["provider", "http"],
    &["authorization_server", "resource_server", "user_agent", "store", "webhook"],
    &["profile", "system"],
    &["connection"],
    &["proxy", "sandbox"],
    &["cli"],
];

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// A file that only tests are made of.
fn is_of_tests(path: &Path) -> bool {
    // Where the project lies says nothing about the file.
    let path = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
    path.components().any(|part| {
        let name = part.as_os_str().to_string_lossy();
        let name = name.strip_suffix(".rs").unwrap_or(&name).to_owned();
        matches!(name.as_str(), "tests" | "contract" | "test_server") || name.ends_with("_tests")
    })
}

/// What stands before the tests of a file, without comments.
fn product(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The rooms that a text names.
fn rooms_named(text: &str) -> BTreeSet<String> {
    let ends = |character: char| !character.is_alphanumeric() && character != '_';
    text.match_indices("crate::")
        .map(|(at, mark)| text[at + mark.len()..].split(ends).next().unwrap_or_default().to_owned())
        .filter(|room| !room.is_empty())
        .collect()
}

fn collect(folder: &Path, room: Option<&str>, ways: &mut BTreeMap<(String, String), String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let room = room.unwrap_or(&stem);
        if path.is_dir() {
            collect(&path, Some(room), ways);
        } else if path.extension().is_some_and(|it| it == "rs") && !is_of_tests(&path) {
            let text = product(&std::fs::read_to_string(&path).unwrap());
            for named in rooms_named(&text) {
                ways.insert((room.to_owned(), named), path.display().to_string());
            }
        }
    }
}

fn ways() -> BTreeMap<(String, String), String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut ways = BTreeMap::new();
    collect(&source, None, &mut ways);
    ways.retain(|(from, to), _| from != to && from != "main" && from != "lib");
    ways
}

#[test]
fn every_room_has_a_floor() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in std::fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        let room = path.file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(matches!(room.as_str(), "main" | "lib") || floor(&room).is_some(), "{room}");
    }
}

#[test]
fn a_room_uses_only_rooms_further_down() {
    let ways = ways();
    assert!(ways.len() > 30, "the `use` lines were read");
    let forbidden: Vec<String> = ways
        .iter()
        .filter(|((from, to), _)| floor(from) <= floor(to))
        .map(|((from, to), file)| format!("{from} uses {to} in {file}"))
        .collect();
    assert!(forbidden.is_empty(), "{forbidden:#?}");
}

#[test]
fn the_sandbox_is_used_by_the_command_line_alone() {
    for (from, to) in ways().keys() {
        assert!(to != "sandbox" || from == "cli", "{from} uses the sandbox");
    }
}

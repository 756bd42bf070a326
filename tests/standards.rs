//! Which test proves which row of `tests/standards.md`, and that no row loses its test.
//!
//! A test cites its rows in a comment of its own, ids first: `#[test] // RL6, A4`, or on a line between the
//! attribute and what stands around it. Ids of other lists (`AT-4a`, `T7`) are left alone.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Whether a row may still be `open:`.
const OPEN_ROWS_FAIL: bool = true;

/// A line of the table.
struct Row {
    section: String,
    id: String,
    level: String,
    about: String,
    without: String,
}

impl Row {
    /// Whether the row must have a test or a reason.
    fn is_owed(&self) -> bool {
        matches!(self.level.as_str(), "MUST" | "SHOULD" | "OWN!" | "attack")
    }

    fn is_open(&self) -> bool {
        self.without.starts_with("open:")
    }
}

/// A test and the ids beside it.
#[derive(Debug, PartialEq)]
struct Citation {
    place: String,
    ids: Vec<String>,
}

#[test]
fn every_row_of_the_standards_has_a_test_or_a_reason() {
    let (rows, citations) = (rows(), citations());
    let tests = tests_by_id(&citations);
    let mut complaints = Vec::new();
    for row in &rows {
        let tested = tests.contains_key(row.id.as_str());
        match (tested, row.without.is_empty(), row.is_open()) {
            (false, true, _) if row.is_owed() => complaints
                .push(format!("{} ({}) has neither a test nor a reason", row.id, row.about)),
            (_, _, true) if OPEN_ROWS_FAIL => complaints.push(format!("{} is open", row.id)),
            (true, false, false) => complaints.push(format!(
                "{} has a test ({}) and a reason why it has none",
                row.id,
                tests[row.id.as_str()].join(", ")
            )),
            _ => {}
        }
    }
    for citation in &citations {
        for id in citation.ids.iter().filter(|id| rows.iter().all(|row| row.id != **id)) {
            complaints.push(format!("{} cites {id}, which is no row", citation.place));
        }
    }
    assert!(complaints.is_empty(), "tests/standards.md:\n{}", complaints.join("\n"));
}

#[test]
fn the_table_is_whole() {
    let rows = rows();
    let counted =
        |attacks: bool| rows.iter().filter(|it| (it.level == "attack") == attacks).count();
    assert_eq!((counted(false), counted(true)), (242, 30));
    let mut ids: Vec<&str> = rows.iter().map(|it| it.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), rows.len(), "an id stands twice");
    for row in &rows {
        let known = ["MUST", "SHOULD", "OWN!", "OWN", "MAY", "–", "attack"];
        assert!(known.contains(&row.level.as_str()), "{}: {}", row.id, row.level);
    }
}

/// `tests/coverage` shows it; a plain run keeps it to itself.
#[test]
#[expect(clippy::print_stdout, reason = "the table is what this is run for")]
fn the_coverage_can_be_printed() {
    let (rows, citations) = (rows(), citations());
    println!("{}", coverage(&rows, &tests_by_id(&citations)));
}

fn coverage(rows: &[Row], tests: &BTreeMap<&str, Vec<&str>>) -> String {
    let mut text = String::new();
    let mut section = "";
    for row in rows {
        if row.section != section {
            section = &row.section;
            writeln!(text, "\n{section}").unwrap();
        }
        let none = vec![match row.without.as_str() {
            "" => "no test, and none owed".to_owned(),
            reason => reason.to_owned(),
        }];
        let places: Vec<String> = match tests.get(row.id.as_str()) {
            Some(places) => places.iter().map(|it| (*it).to_owned()).collect(),
            None => none,
        };
        let places = places.join(&format!("\n{:65}", ""));
        writeln!(text, "  {:5} {:7} {:48} {places}", row.id, row.level, row.about).unwrap();
    }
    let tested = |it: &&Row| tests.contains_key(it.id.as_str());
    let owed: Vec<&Row> = rows.iter().filter(|it| it.is_owed()).collect();
    let open: Vec<&str> =
        rows.iter().filter(|it| it.is_open() && !tested(it)).map(|it| it.id.as_str()).collect();
    let reasoned = owed.iter().filter(|it| !tested(it) && !it.is_open()).count();
    let with_test = owed.iter().filter(|it| tested(it)).count();
    writeln!(
        text,
        "\n{} rows, {} of them owed a test: {with_test} have one, {reasoned} a reason, {} are open",
        rows.len(),
        owed.len(),
        open.len()
    )
    .unwrap();
    let others = rows.iter().filter(|it| !it.is_owed() && tested(it)).count();
    writeln!(text, "of the {} others {others} have one", rows.len() - owed.len()).unwrap();
    if !open.is_empty() {
        writeln!(text, "open: {}", open.join(" ")).unwrap();
    }
    text
}

fn rows() -> Vec<Row> {
    let mut section = "";
    let mut rows = Vec::new();
    for line in include_str!("standards.md").lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title;
        }
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [id, level, about, without] = cells[..] else { continue };
        if is_id(id) {
            rows.push(Row {
                section: section.into(),
                id: id.into(),
                level: level.into(),
                about: about.into(),
                without: without.into(),
            });
        }
    }
    rows
}

fn tests_by_id(citations: &[Citation]) -> BTreeMap<&str, Vec<&str>> {
    let mut tests: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for citation in citations {
        for id in &citation.ids {
            tests.entry(id).or_default().push(&citation.place);
        }
    }
    tests
}

/// What every test of the package cites; the stand-in's own tests prove the stand-in, and not what keyfob does.
fn citations() -> Vec<Citation> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    rust_files(&root.join("tests"), &mut files);
    files.sort();
    let mut citations = Vec::new();
    for file in files {
        let name = file.strip_prefix(root).unwrap().display().to_string().replace('\\', "/");
        if name.starts_with("src/sandbox/") {
            continue;
        }
        citations.extend(citations_in(&name, &std::fs::read_to_string(&file).unwrap()));
    }
    citations
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("node_modules") {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|it| it == "rs") {
            files.push(path);
        }
    }
}

fn citations_in(file: &str, text: &str) -> Vec<Citation> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut citations = Vec::new();
    for (at, line) in lines.iter().enumerate().filter(|(_, it)| is_test_attribute(it)) {
        let belongs = |it: &&&str| it.starts_with("//") || it.starts_with('#');
        let above = lines[..at].iter().rev().take_while(belongs);
        let below = lines[at + 1..].iter().take_while(belongs);
        let around: Vec<&str> = above.chain(below).copied().chain([*line]).collect();
        if around.iter().any(|it| it.starts_with("#[ignore")) {
            continue;
        }
        let name = lines[at..].iter().find_map(|it| name_of_function(it));
        let ids: Vec<String> = around.iter().flat_map(|it| cited(it)).collect();
        if !ids.is_empty() {
            let name = name.unwrap_or_default();
            citations.push(Citation { place: format!("{file}: {name}"), ids });
        }
    }
    citations
}

fn is_test_attribute(line: &str) -> bool {
    line.starts_with("#[test]") || line.starts_with("#[tokio::test")
}

fn name_of_function(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("fn ")?;
    rest.split(['(', '<']).next()
}

/// The ids of a citing comment: one that begins with an id, of this list or another.
fn cited(line: &str) -> Vec<String> {
    let comment = match line.split_once("//") {
        // What follows a third stroke is documentation.
        Some((code, comment))
            if (code.is_empty() || code.starts_with('#')) && !comment.starts_with(['/', '!']) =>
        {
            comment
        }
        _ => return Vec::new(),
    };
    let words = |text: &str| -> Vec<String> {
        let parts = text.split(|it: char| !it.is_ascii_alphanumeric() && it != '-');
        parts.filter(|it| !it.is_empty()).map(str::to_owned).collect()
    };
    let words = words(comment.split('(').next().unwrap_or_default());
    match words.first().is_some_and(|it| is_id(it) || is_id_elsewhere(it)) {
        true => words.into_iter().filter(|it| is_id(it)).collect(),
        false => Vec::new(),
    }
}

/// `RL6`, `A30`.
fn is_id(word: &str) -> bool {
    const ROOMS: [&str; 17] = [
        "A", "AR", "CA", "DS", "DV", "ER", "EX", "LG", "OI", "RF", "RL", "RR", "RV", "SC", "ST",
        "TQ", "TS",
    ];
    let letters = word.trim_end_matches(|it: char| it.is_ascii_digit());
    letters.len() < word.len() && ROOMS.contains(&letters)
}

/// `AT-4a`, `T7`: the users' lists.
fn is_id_elsewhere(word: &str) -> bool {
    let number = word.strip_prefix("AT-").or_else(|| word.strip_prefix('T'));
    number.is_some_and(|it| it.starts_with(|it: char| it.is_ascii_digit()))
}

#[test]
fn ids_are_read_beside_tests_and_nowhere_else() {
    let attribute = "#[test]";
    let of = |text: &str| -> Vec<String> {
        let found = citations_in("f", &text.replace("#[it]", attribute));
        found.into_iter().flat_map(|it| it.ids).collect()
    };
    assert_eq!(of("#[it] // RL6, A4\nfn a() {}"), ["RL6", "A4"]);
    assert_eq!(of("// AT-4a, RL6\n#[cfg(unix)]\n#[it]\nfn a() {}"), ["RL6"]);
    assert_eq!(of("#[it]\n// RL6 (not A4)\nfn a() {}"), ["RL6"]);
    assert!(of("/// RL6 is\n#[it]\nfn a() {}").is_empty());
    assert!(of("#[it]\nfn a() {} // RL6").is_empty());
    assert!(of("#[it]\n// As RL6 says.\nfn a() {}").is_empty());
    assert!(of("#[it] // AT-28, T7\nfn a() {}").is_empty());
    assert!(of("#[it] // RL6\n#[ignore]\nfn a() {}").is_empty());
    assert_eq!(of("#[it] // RL99\nfn a() {}"), ["RL99"]);
}

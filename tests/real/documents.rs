//! The units in `docs/` as systemd itself reads them.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Name and text of every unit in the document.
fn units() -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cron-and-systemd.md");
    let text = fs::read_to_string(path).unwrap();
    let parts = text.split("```ini ").skip(1);
    parts
        .map(|part| {
            let (name, rest) = part.split_once('\n').unwrap();
            (name.to_owned(), rest.split("```").next().unwrap().to_owned())
        })
        .collect()
}

#[test]
fn systemd_finds_nothing_to_complain_about() {
    let folder = tempfile::tempdir().unwrap();
    let units = units();
    assert_eq!(units.len(), 4);
    let mut paths = Vec::new();
    for (name, unit) in units {
        let path = folder.path().join(name);
        // The program is not installed here; it is looked for.
        let unit = unit.replace("/usr/local/bin/keyfob", env!("CARGO_BIN_EXE_keyfob"));
        fs::write(&path, unit).unwrap();
        paths.push(path);
    }
    let output = Command::new("systemd-analyze")
        .args(["--user", "verify", "--man=no"])
        .args(&paths)
        .env("XDG_RUNTIME_DIR", folder.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    let ours: Vec<&str> = told.lines().filter(|line| line.contains("keyfob-")).collect();
    assert!(output.status.success() && ours.is_empty(), "{told}");
}

//! What makes the program start sooner.
//!
//! The shipped provider files become JSON: every command reads one when it starts, and JSON takes
//! a fifth of the time that TOML takes. And the unwinder is linked in rather than loaded.

#![expect(clippy::disallowed_methods, reason = "cargo speaks to a build script through these")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Where the files are.
const CATALOGUE: &str = "src/provider/catalogue";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={CATALOGUE}");
    println!("cargo::rerun-if-changed=build.rs");
    compile_catalogue()?;
    link_unwinder();
    Ok(())
}

/// Takes the unwinder from libgcc's archive, where a C compiler for this very machine has one:
/// its shared library costs every start a tenth of a millisecond. Without it nothing is lost but that.
fn link_unwinder() {
    let variable = |name| env::var(name).unwrap_or_default();
    let is_gnu = variable("CARGO_CFG_TARGET_OS") == "linux"
        && variable("CARGO_CFG_TARGET_ENV") == "gnu"
        && variable("TARGET") == variable("HOST");
    if !is_gnu || variable("PROFILE") != "release" {
        return;
    }
    let found = Command::new("cc").arg("-print-file-name=libgcc_eh.a").output();
    // A compiler that has no such archive repeats the bare name.
    let has_archive = found.is_ok_and(|found| {
        let path = String::from_utf8_lossy(&found.stdout).into_owned();
        Path::new(path.trim()).is_absolute()
    });
    if has_archive {
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}

fn compile_catalogue() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?);
    for file in fs::read_dir(CATALOGUE)? {
        let file = file?.path();
        let (Some(name), Some("toml")) =
            (file.file_stem(), file.extension().and_then(|it| it.to_str()))
        else {
            continue;
        };
        let value: toml::Value = toml::from_str(&fs::read_to_string(&file)?)
            .map_err(|error| format!("{}: {error}", file.display()))?;
        fs::write(out.join(name).with_extension("json"), serde_json::to_vec(&value)?)?;
    }
    Ok(())
}

//! Turns the shipped provider files into JSON: every command reads one when it starts, and JSON
//! takes it a fifth of the time that TOML takes.

#![expect(clippy::disallowed_methods, reason = "cargo speaks to a build script through these")]

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

/// Where the files are.
const CATALOGUE: &str = "src/provider/catalogue";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={CATALOGUE}");
    println!("cargo::rerun-if-changed=build.rs");
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

//! The programs that are measured or compared with, and their versions.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Failure;
use crate::home::World;

/// The program to measure.
pub fn keyfob() -> PathBuf {
    match std::env::var_os("KEYFOB_BENCH_PROGRAM") {
        Some(path) => path.into(),
        None => env!("CARGO_BIN_EXE_keyfob").into(),
    }
}

/// Builds a program that does nothing: what a start costs whatever the program is.
pub fn empty_program(folder: &Path) -> Result<PathBuf, Failure> {
    let (source, program) = (folder.join("empty.rs"), folder.join("empty"));
    std::fs::write(&source, "fn main() {}\n")?;
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let built = Command::new(rustc).arg("-O").arg(&source).arg("-o").arg(&program).status()?;
    match built.success() {
        true => Ok(program),
        false => Err("rustc does not build an empty program".into()),
    }
}

/// Whether a program can be started; where not, says loudly what is left out and what to install.
pub fn is_there(program: &str, package: &str, left_out: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|it| it.join(program).is_file()));
    if !found {
        println!("\n*** LEFT OUT: {left_out}. `{program}` is missing: apt-get install {package}\n");
    }
    found
}

/// What was measured, on what.
pub fn versions(world: &World) -> String {
    let curl = first_line(Command::new("curl").arg("--version"));
    let rustc = first_line(Command::new("rustc").arg("--version"));
    let kernel = first_line(Command::new("uname").arg("-srm"));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let keyfob = world.keyfob.display();
    let length = std::fs::metadata(&world.keyfob).map_or(0, |it| it.len());
    let size = length as f64 / 1e6;
    format!("{kernel}, {threads} threads; {rustc}\n{curl}\nkeyfob: {keyfob}, {size:.1} MB")
}

fn first_line(command: &mut Command) -> String {
    let output = command.stderr(Stdio::null()).output();
    let text = output.map(|it| String::from_utf8_lossy(&it.stdout).into_owned());
    text.ok().and_then(|it| it.lines().next().map(str::to_owned)).unwrap_or("(absent)".into())
}

//! A gibibyte down and a gibibyte up: how fast, and within how much memory.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use crate::Failure;
use crate::home::World;
use crate::measure::{self, Peak, median, megabytes};
use crate::tools;

/// One gibibyte.
const LENGTH: u64 = 1 << 30;
/// How often each is measured.
const ROUNDS: usize = 3;

/// Measures and prints.
pub fn report(world: &World) -> Result<(), Failure> {
    let home = world.sealed_home("plain")?;
    if !home.folder.exists() {
        println!("\nthe bodies are sent with the connection of the part `starts`: run that too");
        return Ok(());
    }
    let file = world.folder().join("gibibyte");
    File::create(&file)?.set_len(LENGTH)?;
    let (bytes, data) = (format!("bytes=={LENGTH}"), format!("@{}", file.display()));
    println!("\n1 GiB over http on loopback; medians of {ROUNDS}\n");
    println!("| command | MB a second | peak memory, MB |");
    println!("| --- | ---: | ---: |");
    let down = home.command(world, &["call", "shop", "GET", "/download", &bytes]);
    line("keyfob call, download", &down)?;
    let has_curl = tools::is_there("curl", "curl", "the comparison with curl");
    if has_curl {
        line("curl, download", &curl_down(world))?;
    }
    let up = home.command(world, &["call", "shop", "POST", "/upload", "-d", &data]);
    line("keyfob call, upload", &up)?;
    if has_curl {
        line("curl -T, upload", &curl_up(world, &file))?;
    }
    Ok(())
}

fn line(name: &str, command: &Command) -> Result<(), Failure> {
    let runs: Vec<Peak> = (0..ROUNDS).map(|_| measure::peak(command)).collect::<Result<_, _>>()?;
    let seconds = median(runs.iter().map(|it| it.wall.as_secs_f64())).unwrap_or(f64::NAN);
    let memory = runs.iter().map(|it| it.memory).max().unwrap_or_default();
    println!("| {name} | {:.0} | {:.1} |", megabytes(LENGTH) / seconds, megabytes(memory));
    Ok(())
}

fn curl(world: &World) -> Command {
    let mut curl = world.command("curl");
    let header = world.folder().join("plain.header");
    curl.arg("-q").arg("-sSf").arg("-H").arg(format!("@{}", header.display()));
    curl
}

fn curl_down(world: &World) -> Command {
    let mut curl = curl(world);
    curl.arg(format!("{}/api/v1/download?bytes={LENGTH}", world.server.http));
    curl
}

/// `-T` streams as keyfob does; `--data-binary` would take the whole file into memory first.
fn curl_up(world: &World, file: &Path) -> Command {
    let mut curl = curl(world);
    curl.arg("-T").arg(file).args(["-X", "POST"]);
    curl.arg(format!("{}/api/v1/upload", world.server.http));
    curl
}

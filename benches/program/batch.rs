//! Ten thousand small calls as one batch, beside the programs that load a server for a living.
//!
//! They send one request again and again and throw the answers away; a batch reads each request
//! from its line, and writes each answer to one.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::Failure;
use crate::home::World;
use crate::measure::{self, Run, median, milliseconds};
use crate::nginx::Nginx;
use crate::tools;

/// Calls of a batch.
const CALLS: usize = 10_000;
/// Calls of a batch whose memory is compared with that of a shorter one.
const MANY_CALLS: usize = 100_000;
/// How often each is measured, where nobody says.
const ROUNDS: usize = 15;
/// The ratio to stay within.
const AIM: f64 = 1.3;
/// How long wrk, which counts no requests, is let run.
const WRK: Duration = Duration::from_secs(1);

/// Measures and prints.
pub fn report(world: &mut World) -> Result<(), Failure> {
    let Some(nginx) = Nginx::start(world)? else { return Ok(()) };
    let tokens = world.server.tokens(false)?;
    let requests = world.folder().join("requests.jsonl");
    write_requests(&requests, CALLS)?;
    println!("\n{CALLS} calls over loopback, nginx with one worker; medians, milliseconds\n");
    println!("| | at once | keyfob | processor | ab | h2load | hey | wrk | to the best | aim |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for (name, api) in [("http", &nginx.http), ("https", &nginx.https)] {
        let home = world.sealed_home(&format!("batch-{name}"))?;
        home.import(world, api, &tokens)?;
        for at_once in [8, 32] {
            let words = ["call", "shop", "--batch", &requests.display().to_string()];
            let mut keyfob = home.command(world, &words);
            keyfob.args(["--concurrency", &at_once.to_string()]);
            keyfob.env("SSL_CERT_FILE", &nginx.authority);
            compare(world, name, api, at_once, keyfob)?;
        }
    }
    memory(world, &requests)
}

fn write_requests(path: &Path, count: usize) -> Result<(), Failure> {
    let mut lines = String::new();
    for id in 0..count {
        writeln!(
            lines,
            r#"{{"id":{id},"method":"GET","path":"/orders","query":{{"page":{id}}}}}"#
        )?;
    }
    Ok(std::fs::write(path, lines)?)
}

/// One row.
fn compare(
    world: &World,
    name: &str,
    api: &str,
    at_once: usize,
    mut keyfob: Command,
) -> Result<(), Failure> {
    let url = format!("{api}/api/v1/orders");
    let mut others = loaders(world, &url, at_once);
    let has_wrk = tools::is_there("wrk", "wrk", "the comparison with wrk");
    let mut runs: Vec<Vec<Run>> = vec![Vec::new(); others.len()];
    let (mut own, mut wrk) = (Vec::new(), Vec::new());
    measure::answer(&mut keyfob)?;
    let rounds = std::env::var("KEYFOB_BENCH_RUNS").ok().map(|it| it.parse()).transpose()?;
    for _ in 0..rounds.unwrap_or(ROUNDS) {
        own.push(measure::once(&mut keyfob)?);
        for (other, runs) in others.iter_mut().zip(&mut runs) {
            if let Some(other) = other {
                runs.push(measure::once(other)?);
            }
        }
        if has_wrk {
            wrk.push(wrk_time(world, &url, at_once)?);
        }
    }
    let wall = |runs: &[Run]| median(runs.iter().map(|it| milliseconds(it.wall)));
    let keyfob = wall(&own).unwrap_or(f64::NAN);
    let processor = median(own.iter().map(|it| milliseconds(it.processor))).unwrap_or(f64::NAN);
    let mut all: Vec<Option<f64>> = runs.iter().map(|runs| wall(runs)).collect();
    all.push(median(wrk));
    let best = all.iter().flatten().copied().fold(f64::INFINITY, f64::min);
    let shown: Vec<String> =
        all.iter().map(|it| it.map_or("-".into(), |it| format!("{it:.0}"))).collect();
    let (ratio, shown) = (keyfob / best, shown.join(" | "));
    let met = if ratio <= AIM { "met" } else { "missed" };
    println!(
        "| {name} | {at_once} | {keyfob:.0} | {processor:.0} | {shown} | {ratio:.2} | {AIM} {met} |"
    );
    Ok(())
}

/// The load tools that count requests: one connection for each call at once, kept open.
fn loaders(world: &World, url: &str, at_once: usize) -> [Option<Command>; 3] {
    let tools = [
        ("ab", "apache2-utils", vec!["-q", "-k"]),
        ("h2load", "nghttp2-client", vec!["--h1"]),
        ("hey", "hey", vec![]),
    ];
    tools.map(|(program, package, flags)| {
        tools::is_there(program, package, program).then(|| {
            let mut command = world.command(program);
            command.args(flags).args(["-n", &CALLS.to_string(), "-c", &at_once.to_string()]);
            command.args(["-H", "Authorization: Bearer x"]).arg(url);
            command
        })
    })
}

/// How long wrk takes for as many calls, by the rate that it tells.
fn wrk_time(world: &World, url: &str, at_once: usize) -> Result<f64, Failure> {
    let mut wrk = world.command("wrk");
    let seconds = format!("-d{}s", WRK.as_secs());
    wrk.args(["-t1", &format!("-c{at_once}"), &seconds, "-H", "Authorization: Bearer x", url]);
    let told = measure::answer(&mut wrk)?;
    let rate = told.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
    let rate: f64 = rate.ok_or("wrk tells no rate")?.trim().parse()?;
    Ok(CALLS as f64 / rate * 1e3)
}

fn memory(world: &World, requests: &Path) -> Result<(), Failure> {
    let many = world.folder().join("many.jsonl");
    write_requests(&many, MANY_CALLS)?;
    let home = world.sealed_home("batch-http")?;
    println!("\n| calls, 8 at once | wall, ms | peak memory, MB |\n| ---: | ---: | ---: |");
    for (count, file) in [(CALLS, requests), (MANY_CALLS, &many)] {
        let words = ["call", "shop", "--batch", &file.display().to_string()];
        let peak = measure::peak(&home.command(world, &words))?;
        let (wall, memory) = (milliseconds(peak.wall), measure::megabytes(peak.memory));
        println!("| {count} | {wall:.0} | {memory:.1} |");
    }
    Ok(())
}

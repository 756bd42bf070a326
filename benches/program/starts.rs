//! Short commands: what each costs from its start to its end.

use std::process::Command;

use keyfob::random::SystemRandom;
use keyfob::random::fraction;

use crate::Failure;
use crate::home::{World, private_file};
use crate::keychain::Keychain;
use crate::measure::{self, Run, median, megabytes, milliseconds};
use crate::tools;

/// Rounds, where nobody says.
const ROUNDS: usize = 60;
/// Runs that tell the memory.
const PEAKS: usize = 5;

/// A command that is measured.
struct Subject {
    name: &'static str,
    command: Command,
    runs: Vec<Run>,
}

/// Two commands that are compared, and how the first shall stand to the second.
struct Comparison {
    subject: &'static str,
    reference: &'static str,
    aim: Option<f64>,
}

const EMPTY: &str = "empty Rust program";

/// What is compared with what.
const COMPARISONS: [Comparison; 6] = [
    Comparison { subject: "keyfob --version", reference: EMPTY, aim: None },
    Comparison { subject: "keyfob status", reference: EMPTY, aim: None },
    Comparison { subject: "keyfob token, file", reference: EMPTY, aim: Some(1.4) },
    Comparison {
        subject: "keyfob token, keychain",
        reference: "secret-tool lookup",
        aim: Some(0.4),
    },
    Comparison { subject: "keyfob call, http", reference: "curl, http", aim: Some(0.4) },
    Comparison { subject: "keyfob call, https", reference: "curl, https", aim: Some(0.25) },
];

/// Measures and prints.
pub fn report(world: &mut World) -> Result<(), Failure> {
    let keychain = Keychain::start(world)?;
    let mut subjects = subjects(world, keychain.as_ref())?;
    for subject in &mut subjects {
        // Once unmeasured: it must work, and its files shall be in the cache.
        measure::answer(&mut subject.command)?;
    }
    let rounds = std::env::var("KEYFOB_BENCH_RUNS").ok().map(|it| it.parse()).transpose()?;
    for _ in 0..rounds.unwrap_or(ROUNDS) {
        for place in shuffled(subjects.len()) {
            let subject = &mut subjects[place];
            subject.runs.push(measure::once(&mut subject.command)?);
        }
    }
    print_commands(&subjects)?;
    print_comparisons(&subjects);
    Ok(())
}

fn subjects(world: &mut World, keychain: Option<&Keychain>) -> Result<Vec<Subject>, Failure> {
    let plain = world.sealed_home("plain")?;
    let secure = world.sealed_home("secure")?;
    let tokens = world.server.tokens(false)?;
    plain.import(world, &world.server.http, &tokens)?;
    let secure_tokens = world.server.tokens(false)?;
    secure.import(world, &world.server.https, &secure_tokens)?;
    let mut all = Vec::new();
    let mut add = |name, command| all.push(Subject { name, command, runs: Vec::new() });
    add(EMPTY, world.command(&world.empty));
    add("keyfob --version", plain.command(world, &["--version"]));
    add("keyfob status", plain.command(world, &["status"]));
    add("keyfob token, file", plain.command(world, &["token", "shop"]));
    if let Some(keychain) = keychain {
        let home = keychain.home(world);
        home.import(world, &world.server.http, &tokens)?;
        add("keyfob token, keychain", home.command(world, &["token", "shop"]));
        add("secret-tool lookup", keychain.lookup(world)?);
    }
    add("keyfob call, http", plain.command(world, &["call", "shop", "GET", "/orders"]));
    let mut call = secure.command(world, &["call", "shop", "GET", "/orders"]);
    call.env("SSL_CERT_FILE", &world.server.authority);
    add("keyfob call, https", call);
    if tools::is_there("curl", "curl", "the comparison with curl") {
        add("curl, http", curl(world, &world.server.http, &tokens["access_token"], "plain")?);
        let mut curl = curl(world, &world.server.https, &secure_tokens["access_token"], "secure")?;
        curl.arg("--cacert").arg(same_trust(world)?);
        add("curl, https", curl);
    }
    Ok(all)
}

/// curl with the token given, in a file, so that it stays out of the process list here too.
fn curl(
    world: &World,
    api: &str,
    token: &serde_json::Value,
    name: &str,
) -> Result<Command, Failure> {
    let header = world.folder().join(format!("{name}.header"));
    let token = token.as_str().ok_or("the sandbox gave no token")?;
    private_file(&header, format!("Authorization: Bearer {token}\n").as_bytes())?;
    let mut curl = world.command("curl");
    curl.arg("-q").arg("-sSf").arg("-H").arg(format!("@{}", header.display()));
    curl.arg(format!("{api}/api/v1/orders"));
    Ok(curl)
}

/// keyfob trusts the system's certificates and the server's; curl gets the same ones.
fn same_trust(world: &World) -> Result<std::path::PathBuf, Failure> {
    let system = std::fs::read("/etc/ssl/certs/ca-certificates.crt").unwrap_or_default();
    if system.is_empty() {
        println!("\n*** no system certificates: apt-get install ca-certificates\n");
    }
    let mut all = system;
    all.extend(std::fs::read(&world.server.authority)?);
    let path = world.folder().join("trust.pem");
    std::fs::write(&path, all)?;
    Ok(path)
}

/// The places in a random order (Fisher and Yates).
fn shuffled(length: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..length).collect();
    for last in (1..length).rev() {
        let other = (fraction(&SystemRandom) * (last + 1) as f64) as usize;
        places.swap(last, other.min(last));
    }
    places
}

fn print_commands(subjects: &[Subject]) -> Result<(), Failure> {
    let rounds = subjects.first().map_or(0, |it| it.runs.len());
    println!("\n{rounds} runs each, in random order; milliseconds\n");
    println!("| command | least | median | processor | peak memory, MB |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for subject in subjects {
        let walls = || subject.runs.iter().map(|it| milliseconds(it.wall));
        let least = walls().fold(f64::INFINITY, f64::min);
        let middle = median(walls()).unwrap_or_default();
        let processor = median(subject.runs.iter().map(|it| milliseconds(it.processor)));
        let mut peaks = Vec::new();
        for _ in 0..PEAKS {
            peaks.push(measure::peak(&subject.command)?.memory);
        }
        let memory = megabytes(median(peaks).unwrap_or_default());
        let (name, processor) = (subject.name, processor.unwrap_or_default());
        println!("| {name} | {least:.2} | {middle:.2} | {processor:.2} | {memory:.1} |");
    }
    Ok(())
}

fn print_comparisons(subjects: &[Subject]) {
    println!("\n| command | against | ratio of medians | median of pairs | aim |");
    println!("| --- | --- | ---: | ---: | ---: |");
    for Comparison { subject, reference, aim } in COMPARISONS {
        let find = |name| subjects.iter().find(|it| it.name == name);
        let (Some(one), Some(other)) = (find(subject), find(reference)) else { continue };
        let wall = |it: &Run| milliseconds(it.wall);
        let middle = |it: &Subject| median(it.runs.iter().map(wall)).unwrap_or_default();
        let ratio = middle(one) / middle(other);
        let pairs = one.runs.iter().zip(&other.runs).map(|(one, other)| wall(one) / wall(other));
        let paired = median(pairs).unwrap_or_default();
        let aim = aim.map_or("-".to_owned(), |aim| {
            format!("{aim:.2} {}", if ratio <= aim { "met" } else { "missed" })
        });
        println!("| {subject} | {reference} | {ratio:.2} | {paired:.2} | {aim} |");
    }
}

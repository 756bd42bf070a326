//! Fifty processes at once: one token request, fifty answers, and what the wait for it costs.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::Failure;
use crate::home::{Home, World};
use crate::measure::{median, milliseconds};

/// Processes at once.
const CROWD: usize = 50;
/// How often each is measured.
const ROUNDS: usize = 7;

/// Measures and prints.
pub fn report(world: &mut World) -> Result<(), Failure> {
    println!("\n{CROWD} `token` processes at once; medians of {ROUNDS}, milliseconds\n");
    println!(
        "| the server takes | one refresh | {CROWD} at once, expired | {CROWD} at once, fresh | token requests |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: |");
    let home = world.sealed_home("crowd")?;
    for latency in [0, 80] {
        world.server.latency(latency)?;
        let (mut one, mut many, mut fresh, mut requests) = (vec![], vec![], vec![], 0);
        for _ in 0..ROUNDS {
            expire(world, &home)?;
            one.push(at_once(world, &home, 1)?);
            expire(world, &home)?;
            let before = world.server.token_requests()?;
            many.push(at_once(world, &home, CROWD)?);
            requests = requests.max(world.server.token_requests()? - before);
            fresh.push(at_once(world, &home, CROWD)?);
        }
        let [one, many, fresh] =
            [one, many, fresh].map(|it| milliseconds(median(it).unwrap_or_default()));
        println!("| {latency} | {one:.1} | {many:.1} | {fresh:.1} | {requests} |");
    }
    world.server.latency(0)
}

fn expire(world: &mut World, home: &Home) -> Result<(), Failure> {
    let tokens = world.server.tokens(true)?;
    home.import(world, &world.server.http, &tokens)
}

/// Starts so many and waits for all; every answer must be the same token.
fn at_once(world: &World, home: &Home, count: usize) -> Result<Duration, Failure> {
    let mut command = home.command(world, &["token", "shop"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let start = Instant::now();
    let crowd: Vec<Child> = (0..count).map(|_| command.spawn()).collect::<Result<_, _>>()?;
    let ended: Vec<_> = crowd.into_iter().map(Child::wait_with_output).collect::<Result<_, _>>()?;
    let took = start.elapsed();
    for output in &ended {
        if !output.status.success() || output.stdout != ended[0].stdout {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("one of {count} ended with {}: {said}", output.status).into());
        }
    }
    Ok(took)
}

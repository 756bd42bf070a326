//! How fast the program is, beside what it is compared with: `cargo bench --bench program`.
//!
//! Whole processes are measured, from their start to their end, in an order that is new in every
//! round, so that whatever else the machine does falls on all of them alike. Nothing here fails by
//! the clock: it prints tables. `KEYFOB_BENCH_RUNS` sets the rounds, `KEYFOB_BENCH_PROGRAM` another
//! build to measure, `KEYFOB_BENCH_ONLY=starts|crowd|bodies|batch|forwarding` one part.
//!
//! The same executable plays three parts: `serve` is the API in a process of its own, `peak` runs
//! one command and tells its memory, anything else is the benchmark.

#![expect(clippy::print_stdout, reason = "its tables are its product")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads its own environment")]

mod batch;
mod bodies;
mod crowd;
mod forwarding;
mod home;
mod keychain;
mod measure;
mod nginx;
mod server;
mod starts;
mod tls;
mod tools;

use std::process::ExitCode;

use home::World;

/// What ends a benchmark: something that it needs is not there or answers wrongly.
pub type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.first().map(String::as_str) {
        Some("serve") => server::serve(arguments.get(1).map(String::as_str).unwrap_or_default()),
        Some("peak") => measure::tell_peak(&arguments[1..]),
        _ => benchmark(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            println!("the benchmark cannot go on: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn benchmark() -> Result<(), Failure> {
    let only = std::env::var("KEYFOB_BENCH_ONLY").ok();
    let wanted = |part: &str| only.as_deref().is_none_or(|only| only == part);
    let mut world = World::new()?;
    println!("{}", tools::versions(&world));
    if wanted("starts") {
        starts::report(&mut world)?;
    }
    if wanted("crowd") {
        crowd::report(&mut world)?;
    }
    if wanted("bodies") {
        bodies::report(&world)?;
    }
    if wanted("batch") {
        batch::report(&mut world)?;
    }
    if wanted("forwarding") {
        forwarding::report(&mut world)?;
    }
    Ok(())
}

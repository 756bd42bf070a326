//! One command from start to end: time, processor time, peak of memory.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use serde_json::{Value, json};

use crate::Failure;

/// What one run took.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// From start to end.
    pub wall: Duration,
    /// User and system.
    pub processor: Duration,
}

/// Runs a command once, its output thrown away.
pub fn once(command: &mut Command) -> Result<Run, Failure> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let before = processor_of_children()?;
    let start = Instant::now();
    let status = command.status()?;
    let wall = start.elapsed();
    match status.success() {
        true => Ok(Run { wall, processor: processor_of_children()?.saturating_sub(before) }),
        false => Err(format!("{command:?} ended with {status}").into()),
    }
}

/// Runs a command and gives what it wrote; a command that is measured must be one that works.
pub fn answer(command: &mut Command) -> Result<String, Failure> {
    let output =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).output()?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("{command:?} ended with {}: {said}", output.status).into())
        }
    }
}

fn processor_of_children() -> Result<Duration, Failure> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let duration =
        |it: nix::sys::time::TimeVal| Duration::new(it.tv_sec() as u64, it.tv_usec() as u32 * 1000);
    Ok(duration(usage.user_time()) + duration(usage.system_time()))
}

/// Time and memory of one run.
#[derive(Debug, Clone, Copy)]
pub struct Peak {
    /// From start to end.
    pub wall: Duration,
    /// The most memory it held, in bytes; never less than the process that started it held.
    pub memory: u64,
}

/// Runs a command below a process of its own, which has no other child to mistake it for.
pub fn peak(command: &Command) -> Result<Peak, Failure> {
    let mut below = Command::new(std::env::current_exe()?);
    below.arg("peak").arg(command.get_program()).args(command.get_args()).env_clear();
    below.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let told: Value = serde_json::from_str(&answer(&mut below)?)?;
    let number = |name: &str| told[name].as_u64().unwrap_or_default();
    Ok(Peak { wall: Duration::from_nanos(number("wall")), memory: number("memory") * 1024 })
}

/// Plays the part `peak`.
pub fn tell_peak(words: &[String]) -> Result<(), Failure> {
    let (program, arguments) = words.split_first().ok_or("`peak` runs a command")?;
    let run = once(Command::new(program).args(arguments))?;
    let memory = getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss();
    println!("{}", json!({"wall": run.wall.as_nanos() as u64, "memory": memory}));
    Ok(())
}

/// The middle one.
pub fn median<T: PartialOrd + Copy>(values: impl IntoIterator<Item = T>) -> Option<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    values.get(values.len() / 2).copied()
}

/// In milliseconds.
pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// In megabytes of a million bytes.
pub fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

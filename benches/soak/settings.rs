//! What the environment says about a soak.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::Failure;

/// How long, how much, which program.
pub struct Settings {
    pub time: Duration,
    pub lanes: u64,
    pub seed: u64,
    pub program: PathBuf,
}

impl Settings {
    /// Reads them.
    pub fn read() -> Result<Self, Failure> {
        let minutes: f64 = number("KEYFOB_SOAK_MINUTES")?.unwrap_or(5.0);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
        let program = std::env::var_os("KEYFOB_BENCH_PROGRAM");
        Ok(Self {
            time: Duration::try_from_secs_f64(minutes * 60.0)?,
            lanes: number("KEYFOB_SOAK_LANES")?.unwrap_or(8),
            seed: number("KEYFOB_SOAK_SEED")?.unwrap_or(now.as_secs()),
            program: program.map_or_else(|| env!("CARGO_BIN_EXE_keyfob").into(), PathBuf::from),
        })
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time, lanes, seed, program } = self;
        let seconds = time.as_secs();
        writeln!(formatter, "soak: {seconds} s, {lanes} lanes, KEYFOB_SOAK_SEED={seed}")?;
        write!(formatter, "program: {}", program.display())
    }
}

fn number<T: FromStr>(name: &str) -> Result<Option<T>, Failure> {
    match std::env::var(name) {
        Ok(text) => {
            text.parse().map(Some).map_err(|_| format!("{name}={text} is no number").into())
        }
        Err(_) => Ok(None),
    }
}

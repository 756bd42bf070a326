//! The flags that every command takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::store::StoreKind;

/// Flags of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Trust these certificates too (PEM)
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub cacert: Option<PathBuf>,
    /// Answer yes to questions
    #[arg(long, global = true)]
    pub yes: bool,
    /// One JSON document on stdout, one on stderr for a failure
    #[arg(long, global = true)]
    pub json: bool,
    /// Say only what is needed
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Show the traffic on stderr, secrets hidden (repeat for more)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Never ask anything
    #[arg(long, global = true)]
    pub no_input: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Where tokens are kept
    #[arg(long, global = true, value_name = "STORE")]
    pub store: Option<StoreChoice>,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// A store as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StoreChoice {
    /// The operating system's keychain
    Keychain,
    /// Sealed files under KEYFOB_STORE_KEY or KEYFOB_STORE_KEY_FILE
    File,
    /// This process only
    Memory,
}

impl From<StoreChoice> for StoreKind {
    fn from(choice: StoreChoice) -> Self {
        match choice {
            StoreChoice::Keychain => Self::Keychain,
            StoreChoice::File => Self::File,
            StoreChoice::Memory => Self::Memory,
        }
    }
}

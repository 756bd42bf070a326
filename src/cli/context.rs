//! Arguments, environment and files turned once into what a command works with.

mod asking;
mod chosen;
mod configuration;
mod connected;
mod provider;

use std::cell::OnceCell;

use super::args::Global;
use super::command_line::{Given, Plus, Typed};
use super::masks::Masks;
use super::output::Output;
use super::report::{self, Exit, Report};
use crate::connection::Entry;
use crate::http::{Client, HttpError};
use crate::profile::Profile;
use crate::profile::file::{Profiles, check_name};
use crate::secret::Secret;
use crate::system::{System, real};
pub use chosen::{Chosen, title};
pub use configuration::store_kind_named;
pub use provider::{is_path, read_provider};

/// What every command shares.
pub struct Context<'a> {
    /// The outside.
    pub system: &'a System,
    /// Flags of every command.
    pub global: &'a Global,
    /// How to speak.
    pub output: Output,
    /// The user's profiles.
    pub profiles: Profiles,
    /// What was made known to a log that hides it.
    masks: Masks,
    /// The command line, where it names a place to discover.
    typed: OnceCell<Typed>,
}

impl<'a> Context<'a> {
    /// A context of one command.
    pub fn new(system: &'a System, global: &'a Global, output: Output) -> Self {
        let profiles = Profiles::new(&system.home.configuration);
        let typed = OnceCell::new();
        Self { system, global, output, profiles, masks: Masks::new(system), typed }
    }

    /// Remembers a command line that names a place to discover.
    pub fn typed(&self, typed: Typed) {
        // A command is typed once.
        let _ = self.typed.set(typed);
    }

    /// That command for another place, and one of its authorization servers; both are words.
    pub fn typed_at(&self, place: &str, server: Option<&str>) -> Option<String> {
        self.typed.get().map(|typed| typed.at(place, server))
    }

    /// The command that works on a profile: `import` or `connect`.
    pub fn verb(&self) -> &'static str {
        self.typed.get().map_or("connect", |typed| typed.verb)
    }

    /// That command with what advice adds.
    pub fn typed_with(&self, plus: Plus<'_>) -> Option<String> {
        self.typed.get().map(|typed| typed.given.command(typed.verb, &typed.name, plus))
    }

    /// Lets a log that can hide secrets know this one, before anything is printed.
    pub fn mask(&self, secret: &Secret) {
        self.masks.secret(self.output, self.system, secret);
    }

    /// The same for all that an entry holds.
    pub fn mask_entry(&self, entry: &Entry) {
        self.masks.entry(self.output, self.system, entry);
    }

    /// The profile's name: from the argument, else from `KEYFOB_PROFILE`.
    pub fn profile_name(&self, given: Option<&str>) -> Result<String, Report> {
        let name = given.or_else(|| self.system.environment.get("KEYFOB_PROFILE"));
        let name = name.ok_or_else(|| {
            Report::usage("no profile was named")
                .hint("name one, or set KEYFOB_PROFILE")
                .next("keyfob profile list")
        })?;
        check_name(name).map_err(|error| report::profile(&error))?;
        Ok(name.to_owned())
    }

    /// A profile that must exist, with its provider.
    pub fn chosen(&self, given: Option<&str>) -> Result<Chosen, Report> {
        let name = self.profile_name(given)?;
        let profile = self.profiles.read(&name).map_err(|error| report::profile(&error))?;
        let provider = profile.at(self.provider(&profile.provider)?);
        let record = self.profiles.record(&name).map_err(|error| report::profile(&error))?;
        let given = Given::of_global(self.global);
        Ok(Chosen {
            name,
            profile,
            provider,
            record,
            discovered: None,
            given,
            set_for_once: Vec::new(),
        })
    }

    /// The client id: from a flag, then from the environment, then from the profile.
    pub fn client_id(&self, flag: Option<&str>, profile: &Profile) -> Option<String> {
        flag.or_else(|| self.system.environment.get("KEYFOB_CLIENT_ID"))
            .map(str::to_owned)
            .or_else(|| profile.client_id.clone())
    }

    /// The HTTP client of this command.
    pub fn http(&self) -> Result<Client, HttpError> {
        real::client_with(&self.system.client_options, |name| {
            self.system.environment.get(name).map(str::to_owned)
        })
    }

    /// Runs a future; a signal ends it with exit code 130.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> Result<T, Report> {
        self.system
            .run(future)
            .ok_or_else(|| Report::new(Exit::Interrupted, "interrupted", "interrupted"))
    }
}

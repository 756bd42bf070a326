//! Arguments, environment and files turned once into what a command works with.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::args::Global;
use super::command_line::{Given, Plus, Typed};
use super::discovered::ToKeep;
use super::masks::Masks;
use super::notices;
use super::output::Output;
use super::report::{self, Exit, Report, Situation};
use super::save_to::{self, SaveTo};
use crate::connection::{Connection, Drawer, Ears, Entry, Notice};
use crate::http::{Client, HttpError};
use crate::profile::file::{Profiles, check_name};
use crate::profile::{Profile, Record, scopes, settings};
use crate::provider::nearest::nearest;
use crate::provider::schema::Flow;
use crate::provider::{Provider, catalogue, file};
use crate::secret::Secret;
use crate::store::durable::Folder;
use crate::store::{EntryName, StoreKind};
use crate::system::{System, real};

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

/// `config.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Configuration {
    store: Option<StoreKind>,
    cacert: Option<PathBuf>,
    save_to: Option<String>,
}

/// A profile with its provider, before anything secret is touched.
pub struct Chosen {
    /// The profile's name.
    pub name: String,
    /// What the user said.
    pub profile: Profile,
    /// The vendor.
    pub provider: Provider,
    /// What is known of its connection.
    pub record: Record,
    /// The file of a provider that was just discovered.
    pub discovered: Option<ToKeep>,
    /// What the command line says and no file yet does.
    pub given: Given,
}

/// What surrounds a connection while a command works with it.
struct Around<'a> {
    /// From a flag.
    client_id: Option<&'a str>,
    /// From flags.
    save_to: Option<&'a SaveTo>,
    /// Clears what is drawn on standard error for every line.
    beside: &'a dyn Fn(&dyn Fn()),
}

impl Default for Around<'_> {
    fn default() -> Self {
        Self { client_id: None, save_to: None, beside: &|tell| tell() }
    }
}

impl Chosen {
    /// How the profile gets its first tokens: its own word, else the provider's first.
    fn flow(&self) -> Option<Flow> {
        self.profile.flow.or_else(|| self.provider.flows.first().copied())
    }

    /// What advice may take for granted.
    pub fn situation(&self, system: &System) -> Situation {
        let client_id = self.profile.client_id.as_deref();
        let values = settings::values(&self.provider, &self.profile.settings, client_id);
        let names =
            |names: &mut dyn Iterator<Item = &String>| -> Vec<String> { names.cloned().collect() };
        let with_value = self.provider.settings.keys().filter(|name| values.get(name).is_some());
        Situation {
            saving: Default::default(),
            profile: self.name.clone(),
            provider: title(&self.provider),
            person: system.person.is_some(),
            connected: self.record.connected,
            secret_of_environment: system.environment.get("KEYFOB_CLIENT_SECRET").is_some(),
            imports: self.flow() == Some(Flow::Import),
            is_the_client: self.flow() == Some(Flow::ClientCredentials),
            has_scopes: !self.provider.scope.is_empty(),
            given: self.given.clone().and_what_is_kept_nowhere(&self.profile, &self.provider),
            anew: Given::of(&self.profile, &self.provider),
            redirect_uri: None,
            settings: names(&mut self.provider.settings.keys()),
            contexts: names(&mut self.provider.context.iter().map(|it| &it.name)),
            known: names(&mut with_value.chain(self.record.account.keys())),
            granted: self.record.granted.clone(),
            scopes: scopes::closed(&self.provider),
            lists: self
                .provider
                .settings
                .iter()
                .filter_map(|(name, it)| Some((name.clone(), it.list.as_ref()?.get.clone())))
                .collect(),
        }
    }
}

/// The vendor's own name, or the provider's where it has none.
pub fn title(provider: &Provider) -> String {
    match provider.title.is_empty() {
        true => provider.name.clone(),
        false => provider.title.clone(),
    }
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

    /// The save command of `config.toml`.
    pub fn configured_save_to(&self) -> Option<String> {
        // The file was read when the command began, and told about then.
        self.configuration().ok()?.save_to
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
        Ok(Chosen { name, profile, provider, record, discovered: None, given })
    }

    /// A provider by name or file: the user's own first, then the shipped ones.
    pub fn provider(&self, name: &str) -> Result<Provider, Report> {
        if is_path(name) {
            return read_provider(Path::new(name));
        }
        if let Some(provider) = self.own_provider(name)? {
            return Ok(provider);
        }
        match catalogue::shipped(name) {
            Some(provider) => provider.map_err(|error| report::provider_file(&error)),
            None => Err(self.unknown_provider(name)),
        }
    }

    fn own_provider(&self, name: &str) -> Result<Option<Provider>, Report> {
        if crate::profile::name::check(name).is_err() {
            return Ok(None);
        }
        let folder = self.system.home.providers();
        let Some(opened) = Folder::open(&folder).map_err(|error| report::store(&error))? else {
            return Ok(None);
        };
        let file_name = format!("{name}.toml");
        let text = opened.read(&file_name).map_err(|error| report::store(&error))?;
        let Some(text) = text else {
            return Ok(None);
        };
        let shown = folder.join(&file_name);
        let text = String::from_utf8_lossy(&text);
        file::read(&shown.display().to_string(), &text)
            .map(Some)
            .map_err(|error| report::provider_file(&error))
    }

    fn unknown_provider(&self, name: &str) -> Report {
        let own = self.own_provider_names();
        let mut all: Vec<&str> = catalogue::names().collect();
        all.extend(own.iter().map(String::as_str));
        let report = Report::new(
            Exit::SetUp,
            "unknown-provider",
            format!("there is no provider `{}`", crate::http::printable::printable(name)),
        );
        let report = match nearest(name, all) {
            Some(nearest) => {
                report.hint(format!("did you mean `--provider {nearest}`? All of them:"))
            }
            None => report.hint(
                "say which with --provider: a shipped one, a provider file, or an issuer URL",
            ),
        };
        report.next("keyfob provider list")
    }

    /// The names of the user's own provider files.
    pub fn own_provider_names(&self) -> Vec<String> {
        let folder = Folder::open(&self.system.home.providers()).ok().flatten();
        let names = folder.and_then(|folder| folder.names().ok()).unwrap_or_default();
        let mut names: Vec<String> =
            names.iter().filter_map(|file| file.strip_suffix(".toml").map(str::to_owned)).collect();
        names.sort();
        names
    }

    /// The kind of store: flag, then where the connection is, then environment, profile, `config.toml`.
    pub fn store_kind(&self, profile: &Profile, record: &Record) -> Result<StoreKind, Report> {
        if let Some(choice) = self.global.store {
            return Ok(choice.into());
        }
        if let Some(kind) = record.store {
            return Ok(kind);
        }
        if let Some(name) = self.system.environment.get("KEYFOB_STORE") {
            return store_named(name);
        }
        if let Some(kind) = profile.store {
            return Ok(kind);
        }
        Ok(self.configuration()?.store.unwrap_or_default())
    }

    fn configuration(&self) -> Result<Configuration, Report> {
        let folder = Folder::open(&self.system.home.configuration);
        let text = folder.and_then(|folder| match folder {
            Some(folder) => folder.read("config.toml"),
            None => Ok(None),
        });
        let Some(text) = text.map_err(|error| report::store(&error))? else {
            return Ok(Configuration::default());
        };
        toml::from_str(&String::from_utf8_lossy(&text)).map_err(|error| {
            Report::new(Exit::SetUp, "bad-config", "config.toml cannot be read")
                .cause(error.message().to_owned())
                .hint("it may hold `store`, `cacert` and `save_to`")
        })
    }

    /// The client id: from a flag, then from the environment, then from the profile.
    pub fn client_id(&self, flag: Option<&str>, profile: &Profile) -> Option<String> {
        flag.or_else(|| self.system.environment.get("KEYFOB_CLIENT_ID"))
            .map(str::to_owned)
            .or_else(|| profile.client_id.clone())
    }

    /// Where everything about a connection is kept.
    pub fn drawer(&self, name: &str, kind: StoreKind) -> Result<Drawer, Report> {
        let store = self.system.stores.open(kind).map_err(|error| report::store(&error))?;
        Ok(Drawer {
            store,
            name: EntryName { profile: name.to_owned(), home: self.system.home.identity.clone() },
            journal: self.system.home.journal(),
            profiles: self.profiles.clone(),
        })
    }

    /// Runs `work` with the connection of a chosen profile.
    pub fn with_connection<T>(
        &self,
        chosen: Chosen,
        client_id: Option<&str>,
        work: impl FnOnce(&Connection<'_>) -> Result<T, Report>,
    ) -> Result<T, Report> {
        self.connect_and(chosen, Around { client_id, ..Around::default() }, work)
    }

    /// The same, where the command line may name a save command.
    pub fn with_saved_connection<T>(
        &self,
        chosen: Chosen,
        save_to: &SaveTo,
        work: impl FnOnce(&Connection<'_>) -> Result<T, Report>,
    ) -> Result<T, Report> {
        self.connect_and(chosen, Around { save_to: Some(save_to), ..Around::default() }, work)
    }

    /// The same beside something that is drawn on standard error: `beside` clears it for every line.
    pub fn with_connection_beside<T>(
        &self,
        chosen: Chosen,
        beside: &dyn Fn(&dyn Fn()),
        work: impl FnOnce(&Connection<'_>) -> Result<T, Report>,
    ) -> Result<T, Report> {
        self.connect_and(chosen, Around { beside, ..Around::default() }, work)
    }

    fn connect_and<T>(
        &self,
        chosen: Chosen,
        around: Around<'_>,
        work: impl FnOnce(&Connection<'_>) -> Result<T, Report>,
    ) -> Result<T, Report> {
        let Around { client_id, save_to, beside } = around;
        let nowhere = SaveTo::default();
        let save_to = save_to.unwrap_or(&nowhere);
        let kind = self.store_kind(&chosen.profile, &chosen.record)?;
        let drawer = self.drawer(&chosen.name, kind)?;
        let client_id = self.client_id(client_id, &chosen.profile);
        let (name, title) = (chosen.name.clone(), title(&chosen.provider));
        let teller = notices::Teller::new(self.output, self.system, &name, &title);
        let notify = |notice: Notice| beside(&|| teller.tell(notice.clone()));
        // Under --json standard error is kept for a failure's document.
        let trace = |line: String| match self.output.json {
            true => {}
            // Without -v there is no traffic: what comes then are the words of a save command.
            false if self.output.verbose == 0 => beside(&|| self.output.note(self.system, &line)),
            false => beside(&|| self.output.say(self.system, &line)),
        };
        let ears = Ears { notify: &notify, verbose: self.output.verbose, trace: &trace };
        let make_http = || self.http();
        let profile = chosen.profile.clone();
        let make_saving = || save_to::saving(self, &name, &profile, save_to);
        let hears_entries = |entry: &Entry| self.mask_entry(entry);
        let mut connection = Connection::new(
            self.system,
            chosen.provider,
            chosen.profile,
            client_id,
            drawer,
            ears,
            &make_http,
        );
        connection.make_saving = Some(&make_saving);
        if self.masks.is_on() {
            connection.hears_entries = Some(&hears_entries);
        }
        work(&connection)
    }

    /// The HTTP client of this command.
    pub fn http(&self) -> Result<Client, HttpError> {
        real::client_with(&self.system.client_options, |name| {
            self.system.environment.get(name).map(str::to_owned)
        })
    }

    /// Whoever looks at the traffic shall see that more is trusted than the system's own certificates.
    pub fn tell_trust(&self) {
        if self.output.verbose == 0 || self.output.json {
            return;
        }
        for path in &self.system.client_options.extra_roots {
            let line = format!("* trusted beside the system's certificates: {}", path.display());
            self.output.say(self.system, &line);
        }
    }

    /// Certificates to trust beside the system's: `--cacert`, `SSL_CERT_FILE`, `config.toml`.
    pub fn extra_roots(&self) -> Result<Vec<PathBuf>, Report> {
        let variable = |name| self.system.environment.get(name).map(PathBuf::from);
        let mut roots: Vec<PathBuf> = Vec::new();
        roots.extend(self.global.cacert.clone());
        roots.extend(variable("SSL_CERT_FILE"));
        roots.extend(variable("SSL_CERT_DIR"));
        roots.extend(self.configuration()?.cacert);
        // The process that refreshes has another working folder.
        Ok(roots.into_iter().map(|path| std::path::absolute(&path).unwrap_or(path)).collect())
    }

    /// Asks the person; `None` where nobody can be asked or nothing was answered.
    pub fn ask(&self, question: &str) -> Result<Option<String>, Report> {
        let Some(person) = &self.system.person else {
            return Ok(None);
        };
        answered(person.ask(question)).map(|answer| answer.filter(|it| !it.is_empty()))
    }

    /// Asks the person without showing what is typed.
    pub fn ask_secret(&self, question: &str) -> Result<Option<Secret>, Report> {
        let Some(person) = &self.system.person else {
            return Ok(None);
        };
        let answer = answered(person.ask_secret(question))?;
        let answer = answer.map(|it| Secret::new(it.expose().trim()));
        match &answer {
            Some(cut) if cut.expose().len() >= TERMINAL_LINE => Err(Report::usage(
                "a terminal cuts lines of this length, so what was pasted is not whole",
            )
            .hint("give it on standard input, or in a file")),
            _ => Ok(answer.filter(|it| !it.is_empty())),
        }
    }

    /// Asks a question that a yes settles; `--yes` is one.
    pub fn agreed(&self, question: &str) -> Result<bool, Report> {
        if self.global.yes {
            return Ok(true);
        }
        let answer = self.ask(&format!("{question} [y/N]"))?.unwrap_or_default();
        Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
    }

    /// Runs a future; a signal ends it with exit code 130.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> Result<T, Report> {
        self.system
            .run(future)
            .ok_or_else(|| Report::new(Exit::Interrupted, "interrupted", "interrupted"))
    }
}

/// What a Linux terminal lets through of one line, in bytes.
const TERMINAL_LINE: usize = 4095;

/// A signal at a question ends the command; an end of the input is no answer.
fn answered<A>(answer: std::io::Result<A>) -> Result<Option<A>, Report> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {
            Err(Report::new(Exit::Interrupted, "interrupted", "interrupted"))
        }
        Err(_) => Ok(None),
    }
}

/// The store of a name, else the name that was probably meant.
pub fn store_kind_named(name: &str) -> Result<StoreKind, Option<&'static str>> {
    let found = StoreKind::ALL.into_iter().find(|kind| kind.name() == name);
    found.ok_or_else(|| nearest(name, StoreKind::ALL.map(StoreKind::name)))
}

/// Reads `--store` from the environment.
fn store_named(name: &str) -> Result<StoreKind, Report> {
    store_kind_named(name).map_err(|nearest| {
        let names = StoreKind::ALL.map(StoreKind::name);
        let report = Report::usage(format!(
            "KEYFOB_STORE names no store: {}",
            crate::http::printable::printable(name)
        ));
        match nearest {
            Some(nearest) => report.hint(format!("did you mean `{nearest}`?")),
            None => report.hint(format!("use one of {}", names.join(", "))),
        }
    })
}

/// Whether a provider is named by its file.
pub fn is_path(name: &str) -> bool {
    name.contains(['/', '\\']) || name.ends_with(".toml")
}

/// Reads a provider file that the user named.
pub fn read_provider(path: &Path) -> Result<Provider, Report> {
    const LARGEST: u64 = 1 << 20;
    let shown = path.display().to_string();
    let unreadable = |why: String| {
        Report::new(Exit::SetUp, "bad-provider-file", format!("{shown} cannot be read"))
            .cause(why)
            .hint("name a provider file that can be read, or one of these")
            .next("keyfob provider list")
    };
    let size = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
    if size > LARGEST {
        return Err(unreadable("it is larger than a provider file can be".into()));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    file::read(&shown, &text).map_err(|error| report::provider_file(&error))
}

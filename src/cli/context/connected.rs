//! A connection, for as long as a command works with it.

use super::{Chosen, Context, title};
use crate::cli::notices;
use crate::cli::report::{self, Report};
use crate::cli::save_to::{self, SaveTo};
use crate::connection::{Connection, Drawer, Ears, Entry, Notice};
use crate::store::{EntryName, StoreKind};

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

impl Context<'_> {
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
}

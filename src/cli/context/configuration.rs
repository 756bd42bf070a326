//! `config.toml`, and what flags and environment say in its place.

use std::path::PathBuf;

use serde::Deserialize;

use super::Context;
use crate::cli::report::{self, Exit, Report};
use crate::http::printable::printable;
use crate::profile::{Profile, Record};
use crate::provider::nearest::nearest;
use crate::store::StoreKind;
use crate::store::durable::Folder;

/// `config.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Configuration {
    store: Option<StoreKind>,
    cacert: Option<PathBuf>,
    save_to: Option<String>,
}

impl Context<'_> {
    fn configuration(&self) -> Result<Configuration, Report> {
        let folder = Folder::open(&self.system.home.configuration);
        let text = folder.and_then(|folder| match folder {
            Some(folder) => folder.read("config.toml"),
            None => Ok(None),
        });
        let Some(text) = text.map_err(|error| report::store(&error))? else {
            return Ok(Configuration::default());
        };
        let text = String::from_utf8_lossy(&text);
        toml::from_str(&text).map_err(|error| {
            let path = self.system.home.configuration.join("config.toml");
            let read = error.span().and_then(|span| text.get(..span.start));
            let place = match read {
                Some(read) => format!("line {}: ", read.matches('\n').count() + 1),
                None => String::new(),
            };
            Report::new(Exit::SetUp, "bad-config", format!("{} cannot be read", path.display()))
                .cause(format!("{place}{}", printable(error.message())))
                .hint("correct it: it may hold `store`, `cacert` and `save_to`")
        })
    }

    /// The save command of `config.toml`.
    pub fn configured_save_to(&self) -> Option<String> {
        // The file was read when the command began, and told about then.
        self.configuration().ok()?.save_to
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

    /// The file of certificates that `--cacert` or `config.toml` names.
    pub fn cacert(&self) -> Result<Option<PathBuf>, Report> {
        Ok(self.global.cacert.clone().or(self.configuration()?.cacert))
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
        let report = Report::usage(format!("KEYFOB_STORE names no store: {}", printable(name)));
        match nearest {
            Some(nearest) => report.hint(format!("did you mean `{nearest}`?")),
            None => report.hint(format!("use one of {}", names.join(", "))),
        }
    })
}

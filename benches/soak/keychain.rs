//! A keychain that locks now and then, and is started anew over the same keyring.

use std::path::PathBuf;

use crate::Stage;
use crate::chance::Chance;
use crate::keyring::Session;

/// What it needs from outside.
const TOOLS: [&str; 4] = ["gnome-keyring-daemon", "dbus-daemon", "secret-tool", "gdbus"];

/// A session of the soak's own.
pub struct Keychain(Session);

impl Keychain {
    /// Starts it; `None` where a part is not installed.
    pub fn start() -> Option<Self> {
        let folders = std::env::var_os("PATH")?;
        let folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
        let is_there = |tool: &str| folders.iter().any(|folder| folder.join(tool).is_file());
        TOOLS.iter().all(|tool| is_there(tool)).then(|| Self(Session::unlocked()))
    }

    /// The variables with which a program finds it.
    pub fn variables(&self) -> Vec<(String, String)> {
        let command = self.0.on_bus("true");
        let named = |name: &str| ["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"].contains(&name);
        let all = command.get_envs().filter_map(|(name, value)| Some((name.to_str()?, value?)));
        let ours = all.filter(|(name, _)| named(name));
        ours.map(|(name, value)| (name.to_owned(), value.to_string_lossy().into_owned())).collect()
    }

    /// Locks it for a while, again and again; it is open at the end.
    pub fn lock_now_and_then(&self, stage: &Stage) {
        let mut chance = Chance::new(stage.settings.seed, 1002);
        while !stage.is_over() {
            stage.pause(chance.time(4_000, 12_000));
            if self.0.broken().is_some() {
                // Its own fault (see tests/real/keyring.rs); what keyfob promises holds all the same.
                stage.tally.keychains_broken.add();
            } else if self.lock() {
                stage.tally.keychains_locked.add();
                stage.pause(chance.time(300, 3_000));
            }
            self.0.revive();
        }
    }

    fn lock(&self) -> bool {
        let mut call = self.0.on_bus("gdbus");
        call.args(["call", "--session", "--timeout", "5", "--dest", "org.freedesktop.secrets"]);
        call.args(["--object-path", "/org/freedesktop/secrets"]);
        call.args(["--method", "org.freedesktop.Secret.Service.Lock"]);
        call.arg("[objectpath '/org/freedesktop/secrets/collection/login']");
        call.output().is_ok_and(|it| it.status.success())
    }
}

/// Whether it is part of the soak.
pub fn told(keychain: Option<&Keychain>) -> &'static str {
    match keychain {
        Some(_) => "keychain: gnome-keyring, locked and started anew now and then",
        None => {
            "LEFT OUT: the keychain. apt-get install gnome-keyring dbus-daemon libsecret-tools libglib2.0-bin"
        }
    }
}

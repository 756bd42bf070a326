//! The Secret Service on Linux (freedesktop.org, Secret Service API 0.2), over the user's session bus.
//!
//! Secrets cross the user's own socket in the clear: whoever could listen there may ask for the
//! secret itself. No prompt is ever opened, so a locked keychain is said to be locked.

mod calls;

use std::collections::HashMap;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::time::Duration;

use calls::{Bus, Calls, ObjectPath};
use dbus::Error;

use super::clerk::Caller;
use super::{SERVICE, SessionBus, text};
use crate::secret::Secret;
use crate::store::StoreError;

/// How long a question may take; a command that cannot use the keychain shall say so within two seconds.
pub const PATIENCE: Duration = Duration::from_millis(1_900);

/// A conversation with the service.
pub struct Session(Calls);

impl Session {
    /// Connects; where the environment names no bus nothing is started to make one.
    pub fn open(bus: &SessionBus) -> Result<Self, StoreError> {
        find(bus)?;
        let bus = Bus::connect().map_err(|error| nobody(meaning(error)))?;
        match bus.introduce().map_err(meaning) {
            // A service that refuses to answer has been introduced to its client too.
            Ok(()) | Err(StoreError::KeychainRefused { .. } | StoreError::KeychainLocked) => {}
            Err(error) => return Err(error),
        }
        bus.open_session().map(Self).map_err(|error| nobody(meaning(error)))
    }

    /// Reads the entry of this name; a locked keychain is never mistaken for an empty one.
    pub fn read(&self, user: &str) -> Result<Option<Secret>, StoreError> {
        let Some((item, is_locked)) = self.find_item(user)? else {
            return self.unlocked_collection().map(|_| None);
        };
        if is_locked {
            return Err(StoreError::KeychainLocked);
        }
        text(self.0.secret(&item).map_err(meaning)?).map(Some)
    }

    /// Writes the entry in the place of any of the same name.
    pub fn write(&self, user: &str, entry: &Secret, caller: &Caller) -> Result<(), StoreError> {
        let collection = self.unlocked_collection()?;
        caller.still_waits()?;
        self.put(&collection, SERVICE, user, entry.expose())?;
        Ok(())
    }

    /// Removes every entry of this name.
    pub fn remove(&self, user: &str, caller: &Caller) -> Result<(), StoreError> {
        let found = self.0.search(&attributes(SERVICE, user)).map_err(meaning)?;
        if !found.locked.is_empty() {
            return Err(StoreError::KeychainLocked);
        }
        for item in &found.unlocked {
            caller.still_waits()?;
            self.delete(item)?;
        }
        Ok(())
    }

    /// Makes an entry without content, reads it, and removes it.
    pub fn prove(&self, caller: &Caller) -> Result<(), StoreError> {
        let collection = self.unlocked_collection()?;
        caller.still_waits()?;
        let user = format!("process {}", std::process::id());
        let item = self.put(&collection, "keyfob probe", &user, "probe")?;
        let kept = self.0.secret(&item).map_err(meaning);
        self.delete(&item)?;
        match kept?.as_slice() {
            b"probe" => Ok(()),
            _ => Err(StoreError::NotKept),
        }
    }

    /// The default collection, where entries are made.
    fn unlocked_collection(&self) -> Result<ObjectPath, StoreError> {
        let collection = self.0.default_collection().map_err(meaning)?;
        let collection = collection.ok_or(StoreError::KeychainWithoutCollection)?;
        match self.0.is_locked(&collection).map_err(meaning)? {
            false => Ok(collection),
            true => Err(StoreError::KeychainLocked),
        }
    }

    /// The one item of this name, and whether it is locked; where several collections have one, that of the default.
    fn find_item(&self, user: &str) -> Result<Option<(ObjectPath, bool)>, StoreError> {
        let found = self.0.search(&attributes(SERVICE, user)).map_err(meaning)?;
        let unlocked = found.unlocked.into_iter().map(|item| (item, false));
        let locked = found.locked.into_iter().map(|item| (item, true));
        let mut items: Vec<_> = unlocked.chain(locked).collect();
        if items.len() > 1 {
            let default = self.0.default_collection().map_err(meaning)?;
            let default = default.ok_or(StoreError::KeychainWithoutCollection)?;
            let inside = format!("{default}/");
            items.retain(|(item, _)| item.starts_with(&inside));
        }
        match items.len() {
            0 | 1 => Ok(items.pop()),
            several => Err(StoreError::KeychainRefused {
                detail: format!("it holds {several} entries named {SERVICE} {user}"),
            }),
        }
    }

    /// A prompt would be needed where the keychain is locked, and none is ever opened.
    fn put(
        &self,
        collection: &ObjectPath,
        service: &str,
        user: &str,
        content: &str,
    ) -> Result<ObjectPath, StoreError> {
        let label = format!("{service}: {user}");
        let created = self.0.create(collection, &label, &attributes(service, user), content);
        created.map_err(meaning)?.ok_or(StoreError::KeychainLocked)
    }

    fn delete(&self, item: &ObjectPath) -> Result<(), StoreError> {
        match self.0.delete(item).map_err(meaning)? {
            true => Ok(()),
            false => Err(StoreError::KeychainLocked),
        }
    }
}

/// Attributes stay readable while the keychain is locked: nothing private is in them.
fn attributes<'a>(service: &'a str, user: &'a str) -> HashMap<&'a str, &'a str> {
    HashMap::from([("service", service), ("username", user)])
}

/// Finds the bus where the D-Bus library will, which would else start a bus of its own under X11.
fn find(bus: &SessionBus) -> Result<(), StoreError> {
    if bus.address.as_ref().is_some_and(|address| !address.is_empty()) {
        return Ok(());
    }
    let absent = |detail: String| Err(StoreError::KeychainAbsent { detail });
    let Some(folder) = &bus.runtime_folder else {
        return absent("this session has no D-Bus session bus".to_owned());
    };
    let socket = folder.join("bus");
    match std::fs::metadata(&socket) {
        Ok(facts) if !facts.file_type().is_socket() => {
            absent(format!("{} is no socket", socket.display()))
        }
        Ok(facts) if facts.uid() != rustix::process::getuid().as_raw() => {
            absent(format!("{} belongs to another user", socket.display()))
        }
        Ok(_) => Ok(()),
        Err(_) => absent(format!("there is no D-Bus session bus at {}", socket.display())),
    }
}

/// Before the conversation has begun, a refusal means that nobody is there.
fn nobody(error: StoreError) -> StoreError {
    match error {
        StoreError::KeychainRefused { detail } => StoreError::KeychainAbsent { detail },
        other => other,
    }
}

fn meaning(error: Error) -> StoreError {
    bus_meaning(error.name().unwrap_or_default(), error.message().unwrap_or_default())
}

/// What a D-Bus error means (D-Bus Specification, "Message Bus Messages", and the API's own names).
fn bus_meaning(name: &str, message: &str) -> StoreError {
    let detail = if message.is_empty() { name.to_owned() } else { message.to_owned() };
    let short = name.strip_prefix("org.freedesktop.DBus.Error.").unwrap_or(name);
    match short {
        "org.freedesktop.Secret.Error.IsLocked" => StoreError::KeychainLocked,
        // Whoever waits for too long is told so by the clerk: this is the bus, which knows that
        // no reply will come.
        "NoReply" => StoreError::KeychainEnded { detail },
        "Timeout" | "TimedOut" => {
            StoreError::KeychainSilent { seconds: PATIENCE.as_secs_f64().round() as u64 }
        }
        "ServiceUnknown" | "NameHasNoOwner" | "NoServer" | "FileNotFound" | "Disconnected" => {
            StoreError::KeychainAbsent { detail }
        }
        spawn if spawn.starts_with("Spawn.") => StoreError::KeychainAbsent { detail },
        _ => StoreError::KeychainRefused { detail },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // AT-10a
    fn without_a_bus_there_is_no_keychain_and_nothing_is_started() {
        let folder = tempfile::tempdir().unwrap();
        let empty =
            SessionBus { address: Some("".into()), runtime_folder: Some(folder.path().to_owned()) };
        for bus in [SessionBus::default(), empty.clone()] {
            assert!(matches!(find(&bus), Err(StoreError::KeychainAbsent { .. })), "{bus:?}");
        }
        std::fs::write(folder.path().join("bus"), "a file").unwrap();
        let refused = find(&empty).unwrap_err().to_string();
        assert!(refused.ends_with("/bus is no socket"), "{refused}");
        std::fs::remove_file(folder.path().join("bus")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("bus")).unwrap();
        find(&empty).unwrap();
    }

    #[test]
    fn every_kind_of_refusal_keeps_its_meaning() {
        let cases = [
            ("org.freedesktop.DBus.Error.ServiceUnknown", "absent"),
            ("org.freedesktop.DBus.Error.Spawn.ChildExited", "absent"),
            ("org.freedesktop.DBus.Error.NoServer", "absent"),
            ("org.freedesktop.DBus.Error.NoReply", "ended"),
            ("org.freedesktop.DBus.Error.Timeout", "silent"),
            ("org.freedesktop.Secret.Error.IsLocked", "locked"),
            ("org.freedesktop.DBus.Error.AccessDenied", "refused"),
        ];
        for (name, expected) in cases {
            let found = match bus_meaning(name, "its words") {
                StoreError::KeychainAbsent { detail } if detail == "its words" => "absent",
                StoreError::KeychainEnded { detail } if detail == "its words" => "ended",
                StoreError::KeychainSilent { seconds: 2 } => "silent",
                StoreError::KeychainLocked => "locked",
                StoreError::KeychainRefused { detail } if detail == "its words" => "refused",
                other => panic!("{name}: {other:?}"),
            };
            assert_eq!(found, expected, "{name}");
        }
    }
}

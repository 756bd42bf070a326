//! The calls of the Secret Service API (freedesktop.org, 0.2) that keyfob makes, over libdbus.
//!
//! What an answer means for a store is not decided here. libdbus is spoken to directly because the
//! order of the first two calls matters, and every wrapper of the API opens its session first.

use std::collections::HashMap;
use std::time::Duration;

use dbus::arg::{PropMap, RefArg, Variant};
use dbus::blocking::stdintf::org_freedesktop_dbus::Properties as _;
use dbus::blocking::{Connection, Proxy};
use dbus::{Error, Path};

const NAME: &str = "org.freedesktop.secrets";
const SERVICE_PATH: &str = "/org/freedesktop/secrets";
const SERVICE: &str = "org.freedesktop.Secret.Service";
const COLLECTION: &str = "org.freedesktop.Secret.Collection";
const ITEM: &str = "org.freedesktop.Secret.Item";

/// The path that stands for no object.
const NO_OBJECT: &str = "/";
/// An alias that no service has.
const NOBODY: &str = "keyfob";
const CONTENT_TYPE: &str = "text/plain";
/// Longer than the clerk lets anybody wait: who hears of a missing reply hears it from the bus.
const LIMIT: Duration = Duration::from_secs(2);

/// Where an item or a collection is.
pub type ObjectPath = Path<'static>;

/// A secret on its way: the session, its parameters, the value, the type of its content.
type Moved<Bytes, Text> = (ObjectPath, Bytes, Bytes, Text);

/// What a search found.
pub struct Found {
    /// Can be read.
    pub unlocked: Vec<ObjectPath>,
    /// Cannot be read before somebody unlocks them.
    pub locked: Vec<ObjectPath>,
}

/// A connection to the user's session bus.
pub struct Bus(Connection);

/// A session of the service, in which secrets cross the bus in the clear.
pub struct Calls {
    bus: Bus,
    session: ObjectPath,
}

impl Bus {
    /// Connects to it.
    pub fn connect() -> Result<Self, Error> {
        Connection::new_session().map(Self)
    }

    /// Makes the service know this client, by a question whose answer says nothing.
    ///
    /// gnome-keyring (42 and 50 alike) has two tasks of its main loop note a new client and do
    /// what it asks, and under load the second may run first. A session for a client that it has
    /// not noted makes it abort, and everybody's keychain is gone. This question needs no client,
    /// and its answer comes out of the main loop, so the client is noted before the next is done.
    pub fn introduce(&self) -> Result<(), Error> {
        self.service().method_call(SERVICE, "ReadAlias", (NOBODY,))
    }

    /// Opens a session.
    pub fn open_session(self) -> Result<Calls, Error> {
        let arguments = ("plain", Variant(""));
        let (_, session): (Variant<Box<dyn RefArg>>, ObjectPath) =
            self.service().method_call(SERVICE, "OpenSession", arguments)?;
        Ok(Calls { bus: self, session })
    }

    fn service(&self) -> Proxy<'_, &Connection> {
        self.at(&Path::from(SERVICE_PATH))
    }

    fn at<'a>(&'a self, path: &Path<'a>) -> Proxy<'a, &'a Connection> {
        self.0.with_proxy(NAME, path.clone(), LIMIT)
    }
}

impl Calls {
    /// Finds the default collection.
    pub fn default_collection(&self) -> Result<Option<ObjectPath>, Error> {
        let (path,) = self.bus.service().method_call(SERVICE, "ReadAlias", ("default",))?;
        Ok(object(path))
    }

    /// Tells whether a collection is locked.
    pub fn is_locked(&self, collection: &ObjectPath) -> Result<bool, Error> {
        self.bus.at(collection).get(COLLECTION, "Locked")
    }

    /// Finds items by their attributes, in every collection.
    pub fn search(&self, attributes: &HashMap<&str, &str>) -> Result<Found, Error> {
        let (unlocked, locked) =
            self.bus.service().method_call(SERVICE, "SearchItems", (attributes.clone(),))?;
        Ok(Found { unlocked, locked })
    }

    /// Reads an item's secret.
    pub fn secret(&self, item: &ObjectPath) -> Result<Vec<u8>, Error> {
        let (secret,): (Moved<Vec<u8>, String>,) =
            self.bus.at(item).method_call(ITEM, "GetSecret", (self.session.clone(),))?;
        Ok(secret.2)
    }

    /// Creates an item in the place of any with the same attributes; `None` where it takes a prompt.
    pub fn create(
        &self,
        collection: &ObjectPath,
        label: &str,
        attributes: &HashMap<&str, &str>,
        secret: &str,
    ) -> Result<Option<ObjectPath>, Error> {
        let secret: Moved<&[u8], &str> =
            (self.session.clone(), &[], secret.as_bytes(), CONTENT_TYPE);
        let arguments = (properties(label, attributes), secret, true);
        let (item, _prompt): (ObjectPath, ObjectPath) =
            self.bus.at(collection).method_call(COLLECTION, "CreateItem", arguments)?;
        Ok(object(item))
    }

    /// Deletes an item; `false` where it takes a prompt.
    pub fn delete(&self, item: &ObjectPath) -> Result<bool, Error> {
        let (prompt,) = self.bus.at(item).method_call(ITEM, "Delete", ())?;
        Ok(object(prompt).is_none())
    }
}

fn object(path: ObjectPath) -> Option<ObjectPath> {
    (&*path != NO_OBJECT).then_some(path)
}

fn properties(label: &str, attributes: &HashMap<&str, &str>) -> PropMap {
    let attributes: HashMap<String, String> =
        attributes.iter().map(|(&name, &value)| (name.to_owned(), value.to_owned())).collect();
    let attributes: Box<dyn RefArg> = Box::new(attributes);
    let label: Box<dyn RefArg> = Box::new(label.to_owned());
    PropMap::from([
        (format!("{ITEM}.Label"), Variant(label)),
        (format!("{ITEM}.Attributes"), Variant(attributes)),
    ])
}

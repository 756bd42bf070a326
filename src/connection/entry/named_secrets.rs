//! How secrets by their names are written, and read into their boxes.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serializer};

use crate::secret::Secret;

pub fn serialize<S: Serializer>(
    secrets: &BTreeMap<String, Secret>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(secrets.iter().map(|(name, secret)| (name, secret.expose())))
}

pub fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Secret>, D::Error> {
    let plain = BTreeMap::<String, String>::deserialize(deserializer)?;
    Ok(plain.into_iter().map(|(name, value)| (name, Secret::new(value))).collect())
}

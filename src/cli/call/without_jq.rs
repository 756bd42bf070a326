//! `--jq` of a program that was built without the feature `jq`: it says so.

/// No program is ever understood here.
#[derive(Clone)]
pub enum Jq {}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strings {
    /// As they are, like `jq -r`.
    Raw,
    /// As JSON.
    Quoted,
}

/// Why an answer has no results: never, since there is no program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JqError {}

/// There is no jq in this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotUnderstood;

impl Jq {
    /// Understands nothing.
    pub fn compile(_: &str) -> Result<Self, NotUnderstood> {
        Err(NotUnderstood)
    }

    /// Cannot be asked for.
    pub async fn results(&self, _: Vec<u8>, _: Strings) -> Result<Vec<u8>, JqError> {
        match *self {}
    }
}

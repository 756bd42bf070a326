//! Recipes: what a vendor's documents show in several calls, or in one that is hard to remember, under a name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Calls that are run by name: `keyfob call PROFILE @NAME`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Lower-case name, typed after an `@`; required.
    pub name: String,
    /// What it does, one line; required.
    pub does: String,
    /// One more sentence, told when it has run.
    #[serde(default)]
    pub note: String,
    /// Scopes without which nothing of it is sent.
    #[serde(default)]
    pub needs: Vec<String>,
    /// What a person gives.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// The calls, in order; required. The last one's answer is the recipe's.
    pub steps: Vec<Step>,
}

/// A value that a person gives to a recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// As it is typed, and as paths and expressions name it; required.
    pub name: String,
    /// What it is, for people.
    #[serde(default)]
    pub does: String,
    /// What a value must be.
    #[serde(default)]
    pub kind: ParameterKind,
    /// Whether the recipe cannot do without it.
    #[serde(default)]
    pub required: bool,
    /// The value where nobody gives one.
    #[serde(default)]
    pub default: Option<String>,
    /// A value to show in advice.
    #[serde(default)]
    pub example: String,
}

/// What the value of a parameter must be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterKind {
    /// A text.
    #[default]
    Text,
    /// A number, exactly as it was written.
    Number,
}

/// One call of a recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What it is for, one line.
    #[serde(default)]
    pub does: String,
    /// The method; required.
    pub method: String,
    /// The path below the API base; names in braces are settings, contexts, parameters and taken values; required.
    pub path: String,
    /// Query parameters; one whose value names a parameter that was not given is left out.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// A jq expression that makes the JSON body of the object of parameters and taken values.
    #[serde(default)]
    pub body: Option<String>,
    /// Name to jq expression over the answer: values that later steps use, each exactly one.
    #[serde(default)]
    pub take: BTreeMap<String, String>,
    /// Name of a secret to jq expression over the answer: it goes into the store, and the answer is not printed.
    #[serde(default)]
    pub keep: BTreeMap<String, String>,
}

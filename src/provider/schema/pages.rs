//! How a vendor cuts a list into pages.

use serde::{Deserialize, Serialize};

/// Pages of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pages {
    /// How the next page is found; required.
    pub style: PageStyle,
    /// The query parameter that is counted up or takes the cursor.
    #[serde(default)]
    pub parameter: String,
    /// What it counts from: 1 for page numbers and 0 for offsets where this is absent.
    #[serde(default)]
    pub first: Option<u64>,
    /// The query parameter that says how many records a page shall have.
    #[serde(default)]
    pub size_parameter: String,
    /// What is asked for with it where a person asks for nothing else.
    #[serde(default)]
    pub size: Option<u64>,
    /// Dotted path of the list in the body; the body itself, or the lists of its first level, where absent.
    #[serde(default)]
    pub items: String,
    /// Dotted path of the next cursor or of the next URL in the body.
    #[serde(default)]
    pub next: String,
    /// Dotted path in the last record whose value is the next cursor.
    #[serde(default)]
    pub last_item: String,
    /// Dotted path of the word that says whether there is more.
    #[serde(default)]
    pub more: String,
}

/// How the next page is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageStyle {
    /// A query parameter counts pages.
    PageNumber,
    /// A query parameter counts the records before the page.
    Offset,
    /// A query parameter takes what the page before gave.
    Cursor,
    /// A `Link` header with `rel="next"` (RFC 8288).
    LinkHeader,
    /// The body holds the next page's address.
    NextUrl,
}

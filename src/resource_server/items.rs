//! Request items as httpie has them: `page==2`, `name=Ann`, `count:=3`, `Accept:text/csv`, `note=@file`.

use serde_json::value::RawValue;

/// What the items of a command line ask for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Items {
    /// `name==value`, in order.
    pub query: Vec<(String, String)>,
    /// `Name:value`, in order; `Name;` is an empty header.
    pub headers: Vec<(String, String)>,
    /// `name=value` and `name:=json`, in order.
    pub fields: Vec<(String, Field)>,
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// A text.
    Text(String),
    /// JSON exactly as it was written: `12.10` is an amount, and `12.1` another.
    Json(String),
}

/// Why an item is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ItemError {
    /// Nothing in it separates a name from a value.
    #[error("`{0}` is no item: name=value, name:=json, name==query or Header:value")]
    NoSeparator(String),
    /// It is a second path or URL.
    #[error("`{0}` looks like a second path")]
    SecondPath(String),
    /// It is a method in the wrong place.
    #[error("the method `{0}` stands after the path")]
    MethodAfterPath(String),
    /// It is `name@file`, which uploads a form file in httpie.
    #[error("`{name}@{file}` is not supported; `{name}=@{file}` puts the file's text into a field")]
    Upload {
        /// Before the `@`.
        name: String,
        /// After it.
        file: String,
    },
    /// Nothing stands before the separator.
    #[error("`{0}` has no name")]
    NoName(String),
    /// What follows `:=` is not JSON.
    #[error("`{name}` is not JSON: {detail}")]
    NotJson {
        /// The field.
        name: String,
        /// Where the error is.
        detail: String,
    },
    /// A file cannot be read.
    #[error("`{file}` cannot be read: {detail}")]
    Unreadable {
        /// As typed.
        file: String,
        /// The operating system's words.
        detail: String,
    },
    /// A file for `=@` is not UTF-8.
    #[error("`{0}` is not UTF-8 text")]
    NotText(String),
}

/// The separators; of two at one place the longer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Separator {
    Query,
    JsonFile,
    Json,
    TextFile,
    Text,
    Header,
}

const SEPARATORS: [(&str, Separator); 6] = [
    (":=@", Separator::JsonFile),
    (":=", Separator::Json),
    ("==", Separator::Query),
    ("=@", Separator::TextFile),
    ("=", Separator::Text),
    (":", Separator::Header),
];

/// Reads a file whole.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> std::io::Result<Vec<u8>>;

impl Items {
    /// Reads the items of a command line; files are read through `read_file`.
    pub fn parse<'a>(
        items: impl IntoIterator<Item = &'a str>,
        read_file: ReadFile<'_>,
    ) -> Result<Self, ItemError> {
        let mut all = Self::default();
        for item in items {
            all.add(item, read_file)?;
        }
        Ok(all)
    }

    fn add(&mut self, item: &str, read_file: ReadFile<'_>) -> Result<(), ItemError> {
        let Some((name, separator, value)) = split(item) else {
            return self.add_empty_header(item);
        };
        if name.is_empty() {
            return Err(ItemError::NoName(item.to_owned()));
        }
        match separator {
            Separator::Query => self.query.push((name, value)),
            Separator::Header => self.headers.push((name, value.trim().to_owned())),
            Separator::Text => self.fields.push((name, Field::Text(value))),
            Separator::TextFile => {
                self.fields.push((name, Field::Text(file_text(&value, read_file)?)));
            }
            Separator::Json => {
                let json = json(&name, value.as_bytes())?;
                self.fields.push((name, json));
            }
            Separator::JsonFile => {
                let json = json(&name, &file_bytes(&value, read_file)?)?;
                self.fields.push((name, json));
            }
        }
        Ok(())
    }

    fn add_empty_header(&mut self, item: &str) -> Result<(), ItemError> {
        match item.strip_suffix(';') {
            Some(name) if !name.is_empty() && !name.contains(['/', ' ', '?']) => {
                self.headers.push((name.to_owned(), String::new()));
                Ok(())
            }
            _ => Err(nonsense(item)),
        }
    }
}

/// Splits at the first separator that no backslash precedes, and takes those backslashes away.
fn split(item: &str) -> Option<(String, Separator, String)> {
    if item.starts_with('/') || item.contains("://") && is_url(item) {
        return None;
    }
    let mut name = String::new();
    let mut rest = item;
    while let Some(next) = rest.chars().next() {
        if let Some(escaped) = escaped(rest) {
            name.push(escaped);
            rest = &rest[2..];
            continue;
        }
        for (text, separator) in SEPARATORS {
            if let Some(value) = rest.strip_prefix(text) {
                return Some((name, separator, value.to_owned()));
            }
        }
        name.push(next);
        rest = &rest[next.len_utf8()..];
    }
    None
}

/// The character after a backslash, where it is one that would mean something without it.
fn escaped(rest: &str) -> Option<char> {
    let after = rest.strip_prefix('\\')?.chars().next()?;
    matches!(after, ':' | '=' | '@' | ';' | '\\').then_some(after)
}

fn is_url(item: &str) -> bool {
    item.starts_with("http://") || item.starts_with("https://")
}

fn nonsense(item: &str) -> ItemError {
    let is_method = item.len() > 2 && item.bytes().all(|byte| byte.is_ascii_uppercase());
    if item.starts_with('/') || is_url(item) {
        ItemError::SecondPath(item.to_owned())
    } else if is_method {
        ItemError::MethodAfterPath(item.to_owned())
    } else if let Some((name, file)) = item.split_once('@').filter(|(name, _)| !name.is_empty()) {
        ItemError::Upload { name: name.to_owned(), file: file.to_owned() }
    } else {
        ItemError::NoSeparator(item.to_owned())
    }
}

fn json(name: &str, bytes: &[u8]) -> Result<Field, ItemError> {
    serde_json::from_slice::<&RawValue>(bytes)
        .map(|json| match serde_json::from_str(json.get()) {
            Ok(text) => Field::Text(text),
            Err(_) => Field::Json(json.get().to_owned()),
        })
        .map_err(|error| ItemError::NotJson { name: name.to_owned(), detail: error.to_string() })
}

fn file_bytes(file: &str, read_file: ReadFile<'_>) -> Result<Vec<u8>, ItemError> {
    read_file(file)
        .map_err(|error| ItemError::Unreadable { file: file.to_owned(), detail: error.to_string() })
}

fn file_text(file: &str, read_file: ReadFile<'_>) -> Result<String, ItemError> {
    String::from_utf8(file_bytes(file, read_file)?).map_err(|_| ItemError::NotText(file.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str) -> std::io::Result<Vec<u8>> {
        match file {
            "note.txt" => Ok(b"two\nlines\n".to_vec()),
            "data.json" => Ok(b"{\"a\":[1]}".to_vec()),
            "binary" => Ok(vec![0xff]),
            _ => Err(std::io::ErrorKind::NotFound.into()),
        }
    }

    fn parse(item: &str) -> Result<Items, ItemError> {
        Items::parse([item], &read)
    }

    #[test]
    fn every_kind_of_item_is_understood() {
        let text = |value: &str| Field::Text(value.to_owned());
        let json = |value: &str| Field::Json(value.to_owned());
        let field = |name: &str, value: Field| Items {
            fields: vec![(name.to_owned(), value)],
            ..Items::default()
        };
        let query = |name: &str, value: &str| Items {
            query: vec![(name.to_owned(), value.to_owned())],
            ..Items::default()
        };
        let header = |name: &str, value: &str| Items {
            headers: vec![(name.to_owned(), value.to_owned())],
            ..Items::default()
        };
        let cases = [
            ("app==me", query("app", "me")),
            ("q==a=b:c", query("q", "a=b:c")),
            ("q==", query("q", "")),
            ("name=Ann Lee", field("name", text("Ann Lee"))),
            ("name=", field("name", text(""))),
            ("url=https://x.example/?a==b", field("url", text("https://x.example/?a==b"))),
            ("count:=3", field("count", json("3"))),
            ("total:= 12.10", field("total", json("12.10"))),
            (
                "id:=123456789012345678901234567890",
                field("id", json("123456789012345678901234567890")),
            ),
            ("list:=[1,{\"a\":null}]", field("list", json("[1,{\"a\":null}]"))),
            ("Accept:text/csv", header("Accept", "text/csv")),
            ("X-Time: 10:00=x", header("X-Time", "10:00=x")),
            ("X-Empty;", header("X-Empty", "")),
            ("note=@note.txt", field("note", text("two\nlines\n"))),
            ("data:=@data.json", field("data", json("{\"a\":[1]}"))),
            (r"a\=b=c", field("a=b", text("c"))),
            (r"a\:b==c", query("a:b", "c")),
            (r"path\to=c", field(r"path\to", text("c"))),
            (r"a\\=c", field(r"a\", text("c"))),
            (r"a=\=", field("a", text(r"\="))),
        ];
        for (item, expected) in cases {
            assert_eq!(parse(item), Ok(expected), "{item}");
        }
    }

    #[test]
    fn nonsense_gets_the_nearest_sensible_error() {
        let owned = str::to_owned;
        let cases = [
            ("orders", ItemError::NoSeparator(owned("orders"))),
            ("", ItemError::NoSeparator(owned(""))),
            ("/orders", ItemError::SecondPath(owned("/orders"))),
            ("/orders?a=b", ItemError::SecondPath(owned("/orders?a=b"))),
            ("https://x.example/", ItemError::SecondPath(owned("https://x.example/"))),
            ("POST", ItemError::MethodAfterPath(owned("POST"))),
            ("a@b.txt", ItemError::Upload { name: owned("a"), file: owned("b.txt") }),
            ("=x", ItemError::NoName(owned("=x"))),
            ("==x", ItemError::NoName(owned("==x"))),
            (":x", ItemError::NoName(owned(":x"))),
            ("a=@binary", ItemError::NotText(owned("binary"))),
        ];
        for (item, expected) in cases {
            assert_eq!(parse(item), Err(expected), "{item}");
        }
        assert!(matches!(parse("a:=yes"), Err(ItemError::NotJson { name, .. }) if name == "a"));
        assert!(matches!(parse("a:=@note.txt"), Err(ItemError::NotJson { .. })));
        assert!(matches!(parse("a=@absent"), Err(ItemError::Unreadable { .. })));
    }
}

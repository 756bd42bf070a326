//! What is asked for: the list, its query, and a time of one's own.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Sync;
use crate::cli::command_line;
use crate::cli::context::Context;
use crate::cli::report::{self, Report, Situation};
use crate::connection::Connection;
use crate::http::Body;
use crate::http::printable::printable;
use crate::provider::{Provider, Values};
use crate::resource_server::request::{self, ApiRequest};
use crate::resource_server::{Items, Target, filters};

/// The filter that `--app` stands for.
pub const APP: &str = "app";

/// What the command line says.
pub struct Asked<'a> {
    /// The profile, where one is named.
    pub profile: Option<&'a str>,
    path: &'a str,
    items: Items,
    app: Option<&'a str>,
    /// A time of one's own.
    pub since: Option<Timestamp>,
}

/// The list as its cursor knows it.
pub struct List {
    /// Below the API base; whole where it lies elsewhere.
    pub path: String,
    /// Without the time.
    pub query: Vec<(String, String)>,
}

impl List {
    /// The name of its cursor where nobody gives one: another query is another list.
    pub fn name(&self) -> String {
        if self.query.is_empty() {
            return self.path.clone();
        }
        let query: Vec<String> =
            self.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{}?{}", self.path, query.join("&"))
    }
}

impl<'a> Asked<'a> {
    /// Reads the words and flags.
    pub fn read(args: &'a Sync) -> Result<Self, Report> {
        let is_path = |word: &str| word.starts_with(['/', '@']) || word.contains("://");
        let (profile, rest) = match args.words.as_slice() {
            [first, ..] if is_path(first) => (None, args.words.as_slice()),
            [first, rest @ ..] => (Some(first.as_str()), rest),
            [] => (None, args.words.as_slice()),
        };
        let rest = match rest {
            [first, rest @ ..] if first == "GET" => rest,
            rest => rest,
        };
        let [path, items @ ..] = rest else {
            return Err(Report::usage("no path was given")
                .hint("name the list to read")
                .next("keyfob sync shop /orders"));
        };
        if path.starts_with('@') {
            let path = printable(path);
            return Err(Report::usage(format!("{path} is a recipe, and no list to reconcile"))
                .hint("name the list by its path, or run the recipe with `call`")
                .next(match profile {
                    Some(profile) => format!("keyfob call {} {path}", command_line::word(profile)),
                    None => format!("keyfob call {path}"),
                }));
        }
        let items = Items::parse(items.iter().map(String::as_str), &no_file)
            .map_err(|error| report::item(&error))?;
        if !items.fields.is_empty() || !items.headers.is_empty() {
            return Err(Report::usage("a list is asked for with a query alone")
                .hint("write what narrows it as name==value"));
        }
        let since = args.since.as_deref().map(time).transpose()?;
        Ok(Self { profile, path, items, app: args.app.as_deref(), since })
    }

    /// Checks what the provider has words for.
    pub fn check(&self, provider: &Provider, about: &Situation) -> Result<(), Report> {
        let words = provider.api.sync.as_ref().ok_or_else(|| report::no_sync_words(about))?;
        if let Some(app) = self.app {
            let filter = provider.api.filters.iter().find(|filter| filter.name == APP);
            let filter = filter.ok_or_else(|| report::no_app_filter(about))?;
            filters::value(filter, app).map_err(|error| report::app_filter(&error))?;
            if self.items.query.iter().any(|(name, _)| name == APP) {
                return Err(Report::usage("`app` is given twice").hint("leave one of the two out"));
            }
        }
        match self.items.query.iter().any(|(name, _)| *name == words.parameter) {
            true => Err(Report::usage(format!("`{}` comes from the cursor", words.parameter))
                .hint("to begin elsewhere give --since TIME")),
            false => Ok(()),
        }
    }

    /// The request without the time.
    pub fn request(
        &self,
        context: &Context<'_>,
        connection: &Connection<'_>,
        values: &Values,
        about: &Situation,
    ) -> Result<ApiRequest, Report> {
        let provider = &connection.provider;
        let mut items = self.items.clone();
        items.query.extend(self.app.map(|app| (APP.to_owned(), app.to_owned())));
        let call = request::Call {
            api: &provider.api,
            settings: &provider.settings,
            values,
            method: Some("GET"),
            path: self.path,
            items,
            body: Body::Empty,
            form: false,
            idempotency_key: None,
        };
        let request = ApiRequest::new(call, &*context.system.random);
        let request = request.map_err(|error| report::request(&error, about))?;
        filters::check(&provider.api.filters, &request.target.url)
            .map_err(|error| report::filter(&error))?;
        Ok(request)
    }

    /// The list that a request is for.
    pub fn list(&self, target: &Target) -> List {
        let path = target.below.clone().unwrap_or_else(|| target.url.path().to_owned());
        let path = path.split(['?', '#']).next().unwrap_or_default().to_owned();
        List { path, query: target.url.query_pairs().into_owned().collect() }
    }
}

/// A query is no place for a file.
fn no_file(_: &str) -> std::io::Result<Vec<u8>> {
    Err(std::io::Error::other("a list is asked for with a query alone"))
}

/// A time as RFC 3339 writes it, or the beginning of a day in UTC.
fn time(text: &str) -> Result<Timestamp, Report> {
    let day = |date: Date| date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    // A time without its offset is no day.
    let whole_day = || text.parse().ok().filter(|_| text.len() == "2026-05-29".len());
    let time = text.parse().ok().or_else(|| whole_day().and_then(day));
    time.ok_or_else(|| {
        Report::usage(format!("`{}` is no time", printable(text)))
            .hint("write it as 2026-05-29T10:15:00Z, or as a day: 2026-05-29")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_rfc_3339_or_a_day() {
        let told = |text| time(text).ok().map(|time| time.to_string());
        for (text, expected) in [
            ("2026-05-29T10:15:00Z", Some("2026-05-29T10:15:00Z")),
            ("2026-05-29T10:15:00+02:00", Some("2026-05-29T08:15:00Z")),
            ("2026-05-29", Some("2026-05-29T00:00:00Z")),
            ("2026-05-29T10:15", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(told(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn another_query_is_another_cursor() {
        let list = |query: &[(&str, &str)]| List {
            path: "/orders".into(),
            query: query.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        };
        assert_eq!(list(&[]).name(), "/orders");
        assert_eq!(list(&[("app", "me"), ("q", "a b")]).name(), "/orders?app=me&q=a b");
    }
}

//! What is asked for, as a request: items, headers, body.

use std::path::Path;

use super::super::args::Call;
use super::super::context::Context;
use super::super::report::{self, Report, Situation};
use super::words::Words;
use crate::http::Body;
use crate::provider::{Provider, Values};
use crate::resource_server::request::{self, ApiRequest};
use crate::resource_server::{Items, RequestError, filters};

/// Builds the request.
pub fn build(
    context: &Context<'_>,
    args: &Call,
    words: &Words<'_>,
    provider: &Provider,
    values: &Values,
    about: &Situation,
) -> Result<ApiRequest, Report> {
    let mut items = Items::parse(words.items.iter().map(String::as_str), &read_item)
        .map_err(|error| report::item(&error))?;
    for line in &args.headers {
        items.headers.push(header(line)?);
    }
    let call = request::Call {
        api: &provider.api,
        settings: &provider.settings,
        values,
        method: words.method,
        path: words.path,
        items,
        body: body(context, args.data.as_deref())?,
        form: args.form,
        idempotency_key: args.idempotency_key.as_deref(),
    };
    let request = ApiRequest::new(call, &*context.system.random);
    let request = request.map_err(|error: RequestError| report::request(&error, about))?;
    if !args.force {
        filters::check(&provider.api.filters, &request.target.url)
            .map_err(|error| report::filter(&error))?;
    }
    Ok(request)
}

/// Reads `name=@file`; bounded, since it goes into a document in memory.
fn read_item(path: &str) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    const LARGEST_ITEM: u64 = 64 << 20;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(LARGEST_ITEM + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > LARGEST_ITEM {
        true => Err(std::io::Error::other("it is larger than 64 MiB: send it whole with -d @FILE")),
        false => Ok(bytes),
    }
}

fn header(line: &str) -> Result<(String, String), Report> {
    match line.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(Report::usage("a header line has a name, a colon and a value")
            .hint("write it as -H 'X-Name: value'")),
    }
}

/// `-d`: text, `@FILE`, or `@-` for standard input.
fn body(context: &Context<'_>, data: Option<&str>) -> Result<Body, Report> {
    let Some(data) = data else {
        return Ok(Body::Empty);
    };
    match data.strip_prefix('@') {
        None => Ok(Body::Bytes(data.as_bytes().to_vec().into())),
        Some("-") => {
            let stdin = context.system.stdin.replace(Box::new(std::io::empty()));
            Ok(Body::Stream(stdin))
        }
        Some(file) => from_file(Path::new(file)),
    }
}

fn from_file(path: &Path) -> Result<Body, Report> {
    let unreadable = |error: std::io::Error| {
        Report::usage(format!("{} cannot be read", path.display()))
            .cause(error.to_string())
            .hint("name a readable file, or @- for standard input")
    };
    let kind = std::fs::metadata(path).map_err(unreadable)?.file_type();
    if kind.is_file() {
        std::fs::File::open(path).map_err(unreadable)?;
        return Ok(Body::File(path.to_owned()));
    }
    // A pipe cannot be read twice.
    Ok(Body::Stream(Box::new(std::fs::File::open(path).map_err(unreadable)?)))
}

//! `call`: an authorised call.

use std::io::{ErrorKind, Write as _};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::args::Call;
use super::context::{Chosen, Context};
use super::output::unwritten;
use super::report::{self, Exit, Report, Situation};
use crate::connection::call::{Called, Manner, Refused};
use crate::connection::{Connection, Entry};
use crate::http::{Body, HeaderMap, Streaming};
use crate::profile::settings;
use crate::provider::Values;
use crate::provider::nearest::nearest;
use crate::resource_server::request::{self, ApiRequest};
use crate::resource_server::{Items, RequestError};
use crate::store::durable::LONGEST_FILE;

/// The words of a call, sorted.
struct Words<'a> {
    profile: Option<&'a str>,
    method: Option<&'a str>,
    path: &'a str,
    items: &'a [String],
}

/// The methods that are known by sight.
const METHODS: [&str; 9] =
    ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "QUERY"];

/// Calls.
pub fn run(context: &Context<'_>, args: &Call) -> Result<Exit, Report> {
    let words = sort(&args.words, args.method.as_deref())?;
    let mut chosen = context.chosen(words.profile)?;
    for (key, value) in &args.settings {
        let value = settings::check(&chosen.provider, key, value)
            .map_err(|error| report::setting(&error))?;
        chosen.profile.settings.insert(key.clone(), value);
    }
    let about = chosen.situation(context.system);
    warn_slash(context, &chosen, words.path);
    if args.dry_run || args.curl {
        return show(context, args, &words, &chosen, &about);
    }
    context
        .with_connection(chosen, None, |connection| send(context, args, &words, connection, &about))
}

/// A first word that is a method, begins with `/` or is a URL is not a profile.
fn sort<'a>(words: &'a [String], flag: Option<&'a str>) -> Result<Words<'a>, Report> {
    let is_method = |word: &str| METHODS.contains(&word);
    let is_path = |word: &str| word.starts_with('/') || word.contains("://");
    let mut rest = words;
    let mut profile = None;
    if let [first, others @ ..] = rest
        && !is_method(first)
        && !is_path(first)
    {
        profile = Some(first.as_str());
        rest = others;
    }
    let mut method = flag;
    if let [first, others @ ..] = rest
        && is_word_of_method(first)
        && !others.is_empty()
    {
        check_method(first)?;
        if flag.is_some_and(|flag| flag != first) {
            return Err(Report::usage(format!(
                "two methods: {first} and -X {}",
                flag.unwrap_or_default()
            ))
            .hint("give one"));
        }
        method = Some(first);
        rest = others;
    }
    match rest {
        [path, items @ ..] => Ok(Words { profile, method, path, items }),
        [] => Err(Report::usage("no path was given")
            .hint("name what to call")
            .next(format!("keyfob call {} GET /orders", profile.unwrap_or("shop")))),
    }
}

/// A slip of a method would be sent as it is; a vendor's own method is named with -X.
fn check_method(word: &str) -> Result<(), Report> {
    if METHODS.contains(&word) {
        return Ok(());
    }
    let report =
        Report::usage(format!("`{}` is no method", crate::http::printable::printable(word)));
    Err(match nearest(word, METHODS) {
        Some(near) => report
            .hint(format!("did you mean {near}? A method of the vendor's own goes with -X {word}")),
        None => report.hint(format!(
            "use GET, POST, PUT, PATCH or DELETE; a method of the vendor's own goes with -X {word}"
        )),
    })
}

/// A method is a word of capitals; a path is not.
fn is_word_of_method(word: &str) -> bool {
    METHODS.contains(&word) || (word.len() > 1 && word.bytes().all(|b| b.is_ascii_uppercase()))
}

/// Some vendors answer a path without its last slash with a redirect, which is never followed.
fn warn_slash(context: &Context<'_>, chosen: &Chosen, path: &str) {
    let bare = path.split(['?', '#']).next().unwrap_or(path);
    if chosen.provider.api.trailing_slash && !bare.ends_with('/') {
        context.output.warn(
            context.system,
            &format!("paths of this API end in a slash: {bare}/ is probably meant"),
        );
    }
}

/// `--dry-run` and `--curl`: nothing is sent, refreshed, or read from the store.
fn show(
    context: &Context<'_>,
    args: &Call,
    words: &Words<'_>,
    chosen: &Chosen,
    about: &Situation,
) -> Result<Exit, Report> {
    let client_id = context.client_id(None, &chosen.profile);
    let mut values =
        settings::values(&chosen.provider, &chosen.profile.settings, client_id.as_deref());
    for (name, value) in &chosen.record.account {
        values.set(name, value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    let request = build(context, args, words, &chosen.provider, &values, about)?;
    let text = match args.curl {
        true => format!("{}\n", request.as_curl(&chosen.name)),
        false => request.shown(),
    };
    context.output.product(context.system, &text)?;
    Ok(Exit::Done)
}

fn build(
    context: &Context<'_>,
    args: &Call,
    words: &Words<'_>,
    provider: &crate::provider::Provider,
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
    request.map_err(|error: RequestError| report::request(&error, about))
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

fn send(
    context: &Context<'_>,
    args: &Call,
    words: &Words<'_>,
    connection: &Connection<'_>,
    about: &Situation,
) -> Result<Exit, Report> {
    let provider = &connection.provider;
    let entry = connection.entry().map_err(|error| report::fresh(&error, provider, about))?;
    let values = connection.call_values(&entry);
    let mut request = build(context, args, words, provider, &values, about)?;
    let key = request.key.as_ref().map(|key| key.value.clone());
    let scopes = scopes(&entry);
    let manner = Manner { retries: args.retry, timeout: args.timeout, force: args.force };
    let done = context.wait(async {
        let called = connection.call(entry, &mut request, manner).await;
        let called = called.map_err(|error| report::call(&error, provider, &scopes, about))?;
        deliver(context, args, called).await
    });
    let judged = match done {
        Ok(Ok(refused)) => judged(refused, provider, &scopes, about),
        Ok(Err(report)) | Err(report) => Err(report),
    };
    // A script can repeat a write with its key; a call that was never sent has none to repeat.
    judged.map_err(|mut report| {
        if !matches!(report.exit, Exit::Usage | Exit::SetUp | Exit::AuthorizationNeeded)
            && report.code != "scope-missing"
        {
            report.idempotency_key = key;
        }
        report
    })
}

/// The scopes that a command which adds one must ask for again.
fn scopes(entry: &Entry) -> Vec<String> {
    match entry.requested.is_empty() {
        false => entry.requested.clone(),
        true => entry.tokens.as_ref().and_then(|it| it.granted.clone()).unwrap_or_default(),
    }
}

fn judged(
    refused: Option<Refused>,
    provider: &crate::provider::Provider,
    scopes: &[String],
    about: &Situation,
) -> Result<Exit, Report> {
    match refused {
        None => Ok(Exit::Done),
        Some(refused) => Err(report::refusal(&refused, provider, scopes, about)),
    }
}

/// Brings the answer to where it was asked for, and gives back what its status means.
async fn deliver(
    context: &Context<'_>,
    args: &Call,
    called: Called,
) -> Result<Option<Refused>, Report> {
    let Called { answer, refusal } = called;
    let redirect = (300..400).contains(&answer.status).then(|| redirected(&answer));
    if context.output.json {
        document(context, answer).await?;
    } else if let Some(path) = &args.output {
        to_file(context, args, answer, path).await?;
    } else {
        to_stdout(context, args, answer).await?;
    }
    match redirect {
        Some(report) => Err(report),
        None => Ok(refusal),
    }
}

fn redirected(answer: &Streaming) -> Report {
    let mut report = Report::new(
        Exit::ApiRefused,
        "api-redirect",
        format!("the API answered with a redirect: HTTP {}", answer.status),
    )
    .hint("redirects are never followed with a token; call the address itself if it is the API's");
    let location = answer.headers.get("location").and_then(|it| it.to_str().ok());
    if let Some(location) = location.and_then(|it| it.split(['?', '#']).next()) {
        report =
            report.cause(format!("it leads to {}", crate::http::printable::printable(location)));
    }
    report.http_status = Some(answer.status);
    report
}

fn head(answer: &Streaming) -> String {
    let mut text = format!("HTTP {}\n", answer.status);
    for (name, value) in &answer.headers {
        text.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
    }
    text.push('\n');
    text
}

async fn to_stdout(
    context: &Context<'_>,
    args: &Call,
    mut answer: Streaming,
) -> Result<(), Report> {
    if args.include {
        context.output.product(context.system, &head(&answer))?;
    }
    let mut last = b'\n';
    while let Some(chunk) = answer.next_chunk().await.map_err(|error| broke_off(&error))? {
        let written = context.system.stdout.borrow_mut().write_all(&chunk);
        match written {
            Ok(()) => last = chunk.last().copied().unwrap_or(last),
            // The reader has what it wanted.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(unwritten(&error)),
        }
    }
    // A prompt on the line of a body's end is hard to read; a file keeps the body's exact bytes.
    if context.system.terminals.stdout && last != b'\n' {
        context.output.product(context.system, "\n")?;
    }
    context.output.product(context.system, "")
}

/// Writes beside the file and renames, so that a body that breaks off replaces nothing.
async fn to_file(
    context: &Context<'_>,
    args: &Call,
    mut answer: Streaming,
    path: &Path,
) -> Result<(), Report> {
    let refused = |error: std::io::Error| {
        Report::new(
            Exit::Unexpected,
            "output-file",
            format!("{} cannot be written", path.display()),
        )
        .cause(error.to_string())
        .hint("the request was carried out; only its answer was not kept")
    };
    if args.include {
        context.output.product(context.system, &head(&answer))?;
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(refused)?;
    while let Some(chunk) = answer.next_chunk().await.map_err(|error| broke_off(&error))? {
        file.write_all(&chunk).map_err(refused)?;
    }
    file.as_file().sync_all().map_err(refused)?;
    file.persist(path).map_err(|error| refused(error.error))?;
    Ok(())
}

fn broke_off(error: &crate::http::HttpError) -> Report {
    report::http("the answer's body broke off", error)
}

/// One document: status, headers, body; a body that is no JSON is text.
async fn document(context: &Context<'_>, answer: Streaming) -> Result<(), Report> {
    let (status, headers) = (answer.status, headers(&answer.headers));
    let body = answer.whole(LARGEST_DOCUMENT).await.map_err(|error| broke_off(&error))?;
    let body = match serde_json::from_slice::<Value>(&body) {
        Ok(body) => body,
        Err(_) if body.is_empty() => Value::Null,
        Err(_) => Value::String(String::from_utf8_lossy(&body).into_owned()),
    };
    let document = json!({"status": status, "headers": headers, "body": body});
    context.output.document(context.system, &document)
}

/// What `--json` takes into memory, in bytes; larger bodies stream without it.
const LARGEST_DOCUMENT: usize = 256 * LONGEST_FILE as usize;

fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut map = Map::new();
    for name in headers.keys() {
        let values: Vec<String> = headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect();
        map.insert(name.as_str().to_owned(), json!(values.join(", ")));
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(line: &str) -> Option<(Option<String>, Option<String>, String, usize)> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let words = sort(&words, None).ok()?;
        Some((
            words.profile.map(str::to_owned),
            words.method.map(str::to_owned),
            words.path.to_owned(),
            words.items.len(),
        ))
    }

    #[test]
    fn a_method_a_path_or_a_url_first_is_no_profile() {
        let some = |text: &str| Some(text.to_owned());
        let cases = [
            ("shop GET /orders app==me", (some("shop"), some("GET"), "/orders", 1)),
            ("shop /orders", (some("shop"), None, "/orders", 0)),
            ("shop orders", (some("shop"), None, "orders", 0)),
            ("GET /orders", (None, some("GET"), "/orders", 0)),
            ("/orders a=b", (None, None, "/orders", 1)),
            ("https://api.test/x", (None, None, "https://api.test/x", 0)),
        ];
        for (line, (profile, method, path, items)) in cases {
            assert_eq!(sorted(line), Some((profile, method, path.to_owned(), items)), "{line}");
        }
        for line in ["shop", "shop GTE /orders", "shop PURGE /x"] {
            assert_eq!(sorted(line), None, "{line}");
        }
    }
}

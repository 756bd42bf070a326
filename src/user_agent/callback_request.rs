//! Reads one HTTP request to the redirection endpoint: is it the browser that comes back?
//!
//! A pure judgement of the request's head; the parameters are judged by who waits for them.

use hyper::header::{CONTENT_TYPE, HOST};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};

use super::callback_query::{CallbackQuery, QueryError};
use super::redirect_uri::Loopback;
use crate::provider::schema::ResponseMode;

/// What a request to the one place we serve looks like.
#[derive(Debug)]
pub(super) struct Expected {
    host: String,
    path: String,
    query: Option<String>,
    mode: ResponseMode,
    outcome_path: String,
    start_path: String,
}

/// The paths of our own, which nobody can guess.
#[derive(Debug)]
pub(super) struct OwnPaths {
    pub outcome: String,
    pub start: String,
}

/// What a request is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The browser comes back from the vendor.
    Callback(CallbackQuery),
    /// The same, with the parameters in the body.
    Form,
    /// The browser fetches the page that tells the outcome.
    Outcome,
    /// The browser was started, and is to be led to the vendor.
    Start,
}

/// Why a request is neither, and what it is answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: StatusCode,
    pub what: &'static str,
}

impl Expected {
    /// Derives it from the place that is served at `port`.
    pub fn new(loopback: &Loopback, port: u16, mode: ResponseMode, own: OwnPaths) -> Self {
        let host = loopback.host.name();
        // A browser leaves the scheme's own port out.
        let host = if port == 80 { host.to_owned() } else { format!("{host}:{port}") };
        let (path, query) = (loopback.path.clone(), loopback.query.clone());
        let OwnPaths { outcome: outcome_path, start: start_path } = own;
        Self { host, path, query, mode, outcome_path, start_path }
    }

    /// The path of the outcome page.
    pub fn outcome_path(&self) -> &str {
        &self.outcome_path
    }

    /// The method of a response.
    pub fn method(&self) -> &'static str {
        match self.mode {
            ResponseMode::Query => "GET",
            ResponseMode::FormPost => "POST",
        }
    }

    /// Judges in this order: host (DNS rebinding), method, path, the browser's own description, query.
    pub fn purpose(&self, request: &Parts) -> Result<Purpose, Refusal> {
        self.check_host(request)?;
        let path = request.uri.path();
        let posts = self.mode == ResponseMode::FormPost && path == self.path;
        match (posts, &request.method) {
            (false, &Method::GET) | (true, &Method::POST) => {}
            (false, _) => {
                return refuse(StatusCode::METHOD_NOT_ALLOWED, "Only GET is answered here.");
            }
            (true, _) => {
                return refuse(StatusCode::METHOD_NOT_ALLOWED, "Only POST is answered here.");
            }
        }
        if ![&self.path, &self.outcome_path, &self.start_path].into_iter().any(|it| it == path) {
            return refuse(StatusCode::NOT_FOUND, "There is nothing at this address.");
        }
        check_navigation(request)?;
        if path == self.outcome_path {
            return Ok(Purpose::Outcome);
        }
        if path == self.start_path {
            return Ok(Purpose::Start);
        }
        let query = self.query(request)?;
        match posts {
            false => Ok(Purpose::Callback(query)),
            true if !query.pairs().is_empty() => {
                refuse(StatusCode::NOT_FOUND, "There is nothing at this address.")
            }
            true => check_form(request).map(|()| Purpose::Form),
        }
    }

    fn check_host(&self, request: &Parts) -> Result<(), Refusal> {
        // Only a proxy is asked with a whole URL, and this is none.
        if request.uri.authority().is_some() {
            return refuse(StatusCode::MISDIRECTED_REQUEST, "This is no proxy.");
        }
        let mut hosts = request.headers.get_all(HOST).iter();
        match (hosts.next(), hosts.next()) {
            (Some(host), None) if host.as_bytes() == self.host.as_bytes() => Ok(()),
            (Some(_), None) => refuse(
                StatusCode::MISDIRECTED_REQUEST,
                "This address is served under another name.",
            ),
            _ => refuse(StatusCode::BAD_REQUEST, "A request names its host once."),
        }
    }

    fn query(&self, request: &Parts) -> Result<CallbackQuery, Refusal> {
        let raw = request.uri.query().unwrap_or_default();
        CallbackQuery::parse(raw, self.query.as_deref()).map_err(|error| match error {
            QueryError::NotTheRegistered => {
                Refusal { status: StatusCode::NOT_FOUND, what: "There is nothing at this address." }
            }
            QueryError::NotText => {
                Refusal { status: StatusCode::BAD_REQUEST, what: "The query is not UTF-8 text." }
            }
        })
    }
}

/// The one form that a browser posts for this response mode.
fn check_form(request: &Parts) -> Result<(), Refusal> {
    let kind = request.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    match kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        true => Ok(()),
        false => refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Only a form is taken here."),
    }
}

/// A page that loads us as an image, a frame or by script is not the user who comes back; old browsers do not tell.
fn check_navigation(request: &Parts) -> Result<(), Refusal> {
    let is_other = |name, wanted: &str| {
        request.headers.get_all(name).iter().any(|value| value.as_bytes() != wanted.as_bytes())
    };
    if is_other("sec-fetch-mode", "navigate") || is_other("sec-fetch-dest", "document") {
        return refuse(StatusCode::FORBIDDEN, "This address is only for a browser's own tab.");
    }
    Ok(())
}

fn refuse<T>(status: StatusCode, what: &'static str) -> Result<T, Refusal> {
    Err(Refusal { status, what })
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;
    use crate::user_agent::redirect_uri::{Place, RedirectUri};

    fn own_paths() -> OwnPaths {
        OwnPaths { outcome: "/done/r4nd0m".into(), start: "/start/r4nd0m".into() }
    }

    fn expected(uri: &str, port: u16) -> Expected {
        let uri: RedirectUri = uri.parse().unwrap();
        let Place::Loopback(loopback) = uri.place() else { panic!("{uri} is not served") };
        Expected::new(loopback, port, ResponseMode::Query, own_paths())
    }

    fn status(method: &str, target: &str, headers: &[(&str, &str)]) -> u16 {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        match expected("http://127.0.0.1:8976/cb", 8976).purpose(&parts) {
            Ok(_) => 200,
            Err(refusal) => refusal.status.as_u16(),
        }
    }

    const OURS: (&str, &str) = ("host", "127.0.0.1:8976");

    // RL6, RL14, RL21
    #[test]
    fn only_the_exact_path_and_method_is_a_response() {
        assert_eq!(status("GET", "/cb?code=a", &[OURS]), 200);
        assert_eq!(status("GET", "/done/r4nd0m", &[OURS]), 200);
        for target in [
            "/",
            "/favicon.ico",
            "/cb/",
            "/cb/x",
            "/c",
            "/CB",
            "/%63b",
            "//cb",
            "/done/",
            "/start/",
        ] {
            assert_eq!(status("GET", target, &[OURS]), 404, "{target}");
        }
        for method in ["HEAD", "POST", "OPTIONS", "PUT", "DELETE"] {
            assert_eq!(status(method, "/cb?code=a", &[OURS]), 405, "{method}");
        }
    }

    // RL21
    #[test]
    fn a_form_is_taken_only_where_it_was_asked_for_and_then_nothing_else() {
        let form = ("content-type", "application/x-www-form-urlencoded; charset=UTF-8");
        let ask = |mode, method: &str, target: &str, kind: (&str, &str)| {
            let request = Request::builder().method(method).uri(target);
            let request = request.header(OURS.0, OURS.1).header(kind.0, kind.1);
            let (parts, ()) = request.body(()).unwrap().into_parts();
            let uri: RedirectUri = "http://127.0.0.1:8976/cb".parse().unwrap();
            let Place::Loopback(loopback) = uri.place() else { panic!("{uri} is not served") };
            let expected = Expected::new(loopback, 8976, mode, own_paths());
            match expected.purpose(&parts) {
                Ok(Purpose::Callback(_)) => "query".to_owned(),
                Ok(Purpose::Form) => "form".to_owned(),
                Ok(Purpose::Outcome) => "outcome".to_owned(),
                Ok(Purpose::Start) => "start".to_owned(),
                Err(refusal) => refusal.status.as_u16().to_string(),
            }
        };
        let (query, post) = (ResponseMode::Query, ResponseMode::FormPost);
        assert_eq!(ask(query, "GET", "/cb?code=a", form), "query");
        assert_eq!(ask(query, "POST", "/cb", form), "405");
        assert_eq!(ask(post, "GET", "/cb?code=a", form), "405");
        assert_eq!(ask(post, "POST", "/cb", form), "form");
        assert_eq!(ask(post, "POST", "/cb?code=a", form), "404");
        assert_eq!(ask(post, "POST", "/cb", ("content-type", "text/plain")), "415");
        assert_eq!(ask(post, "GET", "/done/r4nd0m", form), "outcome");
        assert_eq!(ask(post, "POST", "/done/r4nd0m", form), "405");
        assert_eq!(ask(post, "GET", "/start/r4nd0m", form), "start");
        assert_eq!(ask(query, "GET", "/start/r4nd0m", form), "start");
        assert_eq!(ask(query, "POST", "/start/r4nd0m", form), "405");
    }

    // RL12, A4
    #[test]
    fn the_host_must_be_the_one_of_the_redirect_uri() {
        for host in ["evil.test:8976", "127.0.0.1", "127.0.0.1:8977", "localhost:8976", ""] {
            assert_eq!(status("GET", "/cb", &[("host", host)]), 421, "{host}");
        }
        assert_eq!(status("GET", "/cb", &[]), 400);
        assert_eq!(status("GET", "/cb", &[OURS, OURS]), 400);
        assert_eq!(status("GET", "http://evil.test:8976/cb", &[OURS]), 421);
        assert_eq!(status("GET", "http://127.0.0.1:8976/cb", &[OURS]), 421);
    }

    // RL13
    #[test]
    fn only_a_navigation_of_a_whole_tab_counts() {
        let navigation = ("sec-fetch-mode", "navigate");
        assert_eq!(status("GET", "/cb", &[OURS, navigation, ("sec-fetch-dest", "document")]), 200);
        for mode in ["no-cors", "cors", "same-origin", "websocket"] {
            assert_eq!(status("GET", "/cb", &[OURS, ("sec-fetch-mode", mode)]), 403, "{mode}");
        }
        assert_eq!(status("GET", "/cb", &[OURS, navigation, ("sec-fetch-dest", "iframe")]), 403);
    }

    // AR7, RL11
    #[test]
    fn the_registered_query_and_the_default_port_are_kept() {
        let ask = |target: &str| {
            let request = Request::builder().uri(target).header("host", "localhost");
            let (parts, ()) = request.body(()).unwrap().into_parts();
            expected("http://localhost:80/cb?x=1", 80).purpose(&parts)
        };
        let Ok(Purpose::Callback(query)) = ask("/cb?x=1&code=a") else { panic!("refused") };
        assert_eq!(query.into_pairs(), [("code".into(), "a".into())]);
        assert_eq!(ask("/cb?code=a").unwrap_err().status, StatusCode::NOT_FOUND);
        assert_eq!(ask("/cb?x=1&code=%ff").unwrap_err().status, StatusCode::BAD_REQUEST);
    }
}

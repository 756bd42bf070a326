//! What the client does on a real wire: redirects, bounds, broken bodies, TLS, proxies.

use std::io::Write as _;
use std::net::TcpListener;
use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use super::test_server::{Server, client, run};
use super::*;
use crate::secret::Secret;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn limits() -> Limits {
    Limits { total: Duration::from_secs(5), max_body: 1 << 20 }
}

fn post(url: url::Url) -> Request {
    Request::new(Method::POST, url)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .secret_header("Authorization", Secret::new("Basic mark-basic"))
        .body(Body::Secret(Secret::new("client_secret=mark-secret")))
}

fn get(url: url::Url) -> Request {
    Request::new(Method::GET, url)
}

#[test] // TQ12, RR5, A11
fn no_redirect_is_followed_and_its_target_hears_nothing() {
    let evil = Server::answering(OK);
    for status in [301, 302, 303, 307, 308] {
        let target = evil.url("/steal");
        let server = Server::answering(format!(
            "HTTP/1.1 {status} Elsewhere\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n"
        ));
        let answer = run(exchange(&client(vec![]), post(server.url("/token")), limits())).unwrap();
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("location"), Some(target.as_str()));
        assert_eq!(server.heard().len(), 1);
    }
    assert_eq!(evil.heard(), Vec::<String>::new());
}

#[test] // TQ18, LG6
fn a_request_arrives_as_it_was_written() {
    let server = Server::answering(
        "HTTP/1.1 400 Bad\r\nDate: Tue, 15 Nov 1994 08:12:31 GMT\r\nContent-Length: 2\r\n\r\nno",
    );
    let answer = run(exchange(&client(vec![]), post(server.url("/token?a=b")), limits())).unwrap();
    let heard = server.heard().concat();
    assert!(heard.starts_with("POST /token?a=b HTTP/1.1\r\n"), "{heard}");
    assert!(heard.contains("authorization: Basic mark-basic\r\n"), "{heard}");
    assert!(heard.contains("user-agent: keyfob/test\r\n"), "{heard}");
    assert!(heard.ends_with("\r\n\r\nclient_secret=mark-secret"), "{heard}");
    assert_eq!((answer.status, answer.body.as_slice()), (400, b"no".as_slice()));
    assert_eq!(answer.date.unwrap().to_string(), "1994-11-15T08:12:31Z");
}

#[test] // TQ15, A14
fn a_body_that_drips_is_cut_at_the_total_limit() {
    let server = Server::talking(|connection, _| {
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        while connection.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(10));
        }
    });
    let limits = Limits { total: Duration::from_millis(200), ..limits() };
    let error = run(exchange(&client(vec![]), get(server.url("/")), limits)).unwrap_err();
    assert!(
        matches!(error, HttpError::TimedOut { after, connecting: false, .. } if after == limits.total),
        "{error:?}"
    );
}

/// Two MiB of zeros, packed into two KiB (RFC 1951, RFC 1952).
fn bomb() -> Vec<u8> {
    let mut packed = vec![
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0xed, 0xc1, 0x31, 1, 0, 0, 0, 0xc2, 0xa0, 0xf5, 0x4f,
        0x6d, 0x0c, 0x1f, 0xa0,
    ];
    packed.extend([0; 2032]);
    packed.extend([0xbe, 6, 0x7e, 0x87, 0x89, 0x8d, 0, 0, 0x20, 0]);
    packed
}

#[test] // TS12, A14
fn a_body_is_bounded_by_what_it_unpacks_to() {
    let body = bomb();
    let server = Server::talking(move |connection, _| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let _ = connection.write_all(head.as_bytes());
        let _ = connection.write_all(&body);
    });
    let error = run(exchange(&client(vec![]), get(server.url("/")), limits())).unwrap_err();
    assert!(
        matches!(error, HttpError::BodyTooLarge { limit, .. } if limit == 1 << 20),
        "{error:?}"
    );
}

#[test] // A14
fn an_endless_body_is_bounded() {
    let server = Server::talking(|connection, _| {
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while connection.write_all(&[b'['; 65536]).is_ok() {}
    });
    let error = run(exchange(&client(vec![]), get(server.url("/")), limits())).unwrap_err();
    assert!(matches!(error, HttpError::BodyTooLarge { .. }), "{error:?}");
}

#[test] // TS19
fn a_body_that_breaks_off_is_an_error() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
        let server = Server::answering(answer);
        let error = run(exchange(&client(vec![]), get(server.url("/")), limits())).unwrap_err();
        assert!(matches!(error, HttpError::CutOff { .. }), "{error:?}");
    }
}

#[test]
fn silence_instead_of_an_answer_is_no_answer() {
    let server = Server::answering("");
    let error = run(exchange(&client(vec![]), get(server.url("/")), limits())).unwrap_err();
    assert!(matches!(error, HttpError::Reset { .. }), "{error:?}");
    assert!(!error.never_reached());
    assert_eq!(server.heard().len(), 1, "nothing is repeated in hiding");
}

#[test]
fn what_is_not_http_is_said_so() {
    let server = Server::answering("SSH-2.0-OpenSSH_9.2\r\n");
    let error = run(exchange(&client(vec![]), get(server.url("/")), limits())).unwrap_err();
    assert!(matches!(error, HttpError::Malformed { .. }), "{error:?}");
}

#[test] // A14
fn a_flood_of_headers_is_refused() {
    let mut flood = String::from("HTTP/1.1 200 OK\r\n");
    (0..10_000).for_each(|number| flood.push_str(&format!("X-{number}: y\r\n")));
    let server = Server::answering(flood + "\r\n");
    let error = run(exchange(&client(vec![]), get(server.url("/")), limits())).unwrap_err();
    assert!(matches!(error, HttpError::Malformed { .. }), "{error:?}");
}

#[test] // ER7
fn an_error_never_holds_the_query() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let url = format!("http://127.0.0.1:{port}/Item?oauth_token=mark-token").parse().unwrap();
    let error = run(exchange(&client(vec![]), get(url), limits())).unwrap_err();
    assert_eq!(error, HttpError::Refused { host: format!("127.0.0.1:{port}") });
    assert!(!format!("{error} {error:?}").contains("mark"));
    assert!(error.never_reached());
}

#[test]
fn a_name_without_an_address_is_said_so() {
    let url = "https://keyfob-test.invalid/?x=mark".parse().unwrap();
    let error = run(exchange(&client(vec![]), get(url), limits())).unwrap_err();
    assert_eq!(error, HttpError::Dns { host: "keyfob-test.invalid".into() });
}

#[test] // TQ19
fn a_dead_proxy_is_blamed_and_its_password_is_not_shown() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let proxies = Proxies::from_variables(|name| {
        (name == "HTTPS_PROXY").then(|| format!("http://user:mark@127.0.0.1:{port}"))
    });
    let options = Options { extra_roots: vec![], user_agent: "keyfob/test".into(), proxies };
    let client = Client::new(options).unwrap();
    let url = "https://api.example/".parse().unwrap();
    let error = run(exchange(&client, get(url), limits())).unwrap_err();
    let HttpError::Proxy { ref proxy, .. } = error else { panic!("{error:?}") };
    assert_eq!(*proxy, format!("127.0.0.1:{port}"));
    assert!(error.never_reached());
    assert!(!format!("{error} {error:?}").contains("mark"));
    let server = Server::answering(OK);
    let answer = run(exchange(&client, get(server.url("/")), limits())).unwrap();
    assert_eq!(answer.status, 200, "loopback does not ask the proxy");
}

#[test] // TQ19
fn a_proxy_that_says_no_is_blamed() {
    let proxy = Server::answering("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    let address = format!("127.0.0.1:{}", proxy.port);
    let proxies = Proxies::from_variables(|name| (name == "HTTPS_PROXY").then(|| address.clone()));
    let options = Options { extra_roots: vec![], user_agent: "keyfob/test".into(), proxies };
    let url = "https://api.example/secret?token=mark".parse().unwrap();
    let client = Client::new(options).unwrap();
    let error = run(exchange(&client, post(url), limits())).unwrap_err();
    assert!(matches!(error, HttpError::Proxy { .. }), "{error:?}");
    assert!(!proxy.heard().concat().contains("mark"), "{:?}", proxy.heard());
}

/// A certificate authority of the test's own, as PEM on disk.
pub(super) struct Authority {
    folder: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).unwrap();
        std::fs::write(folder.path().join("ca.der"), certificate.der()).unwrap();
        Self { folder, issuer: Issuer::new(params, key) }
    }

    pub fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub fn server_for(&self, name: &str) -> Server {
        Server::tls(self.config_for(name), OK)
    }

    /// A certificate for a client, and its key, as PEM.
    pub fn client(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// How a server of that name speaks TLS.
    pub fn config_for(&self, name: &str) -> rustls::ServerConfig {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .unwrap()
    }
}

fn https(server: &Server) -> url::Url {
    format!("https://127.0.0.1:{}/token", server.port).parse().unwrap()
}

#[test] // TQ13
fn a_certificate_of_the_users_own_authority_is_trusted_only_when_named() {
    let authority = Authority::new();
    let server = authority.server_for("127.0.0.1");
    for trusted in ["ca.pem", "ca.der", ""] {
        let client = client(vec![authority.file(trusted)]);
        let answer = run(exchange(&client, post(https(&server)), limits())).unwrap();
        assert_eq!(answer.status, 200, "{trusted}");
    }
    let error = run(exchange(&client(vec![]), post(https(&server)), limits())).unwrap_err();
    assert!(matches!(error, HttpError::Tls { .. }), "{error:?}");
    assert!(error.never_reached());
    assert_eq!(server.heard().len(), 3, "nothing was sent without trust");
}

#[test] // TQ13
fn a_certificate_for_another_name_is_refused() {
    let authority = Authority::new();
    let server = authority.server_for("api.example");
    let client = client(vec![authority.file("ca.pem")]);
    let error = run(exchange(&client, post(https(&server)), limits())).unwrap_err();
    assert!(matches!(error, HttpError::Tls { .. }), "{error:?}");
    assert_eq!(server.heard(), Vec::<String>::new());
}

#[test] // TQ13, A26
fn an_unreadable_certificate_file_is_named_at_the_first_handshake_and_not_before() {
    let authority = Authority::new();
    let client = client(vec![authority.file("absent.pem")]);
    let plain = Server::answering(OK);
    assert_eq!(run(exchange(&client, get(plain.url("/")), limits())).unwrap().status, 200);
    let server = authority.server_for("127.0.0.1");
    let error = run(exchange(&client, post(https(&server)), limits())).unwrap_err();
    let HttpError::Certificates { path, .. } = error else { panic!("{error:?}") };
    assert!(path.ends_with("absent.pem"));
}

#[test] // TQ13
fn a_server_that_is_not_tls_is_no_secure_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let plain = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let error = run(exchange(&client(vec![]), post(url), limits())).unwrap_err();
    assert!(matches!(error, HttpError::Tls { .. }), "{error:?}");
    plain.join().unwrap();
}

#[test]
fn a_connection_that_is_never_made_sent_nothing_and_a_silent_server_may_have_heard() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits { total: Duration::from_millis(200), ..limits() };
    let cases = [(format!("https://{address}/"), true), (format!("http://{address}/"), false)];
    for (url, never_reached) in cases {
        // The kernel accepts, nobody reads: TLS never begins, plain http is sent into the void.
        let request = post(url.parse().unwrap());
        let error = run(exchange(&client(vec![]), request, limits)).unwrap_err();
        assert!(matches!(error, HttpError::TimedOut { .. }), "{error:?}");
        assert_eq!(error.never_reached(), never_reached, "{url}");
    }
}

fn timeouts() -> Timeouts {
    Timeouts::of(Duration::from_secs(5))
}

#[test]
fn a_body_streams_out_from_every_source() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body");
    let text = "0123456789".repeat(100_000);
    std::fs::write(&file, &text).unwrap();
    let stream = std::io::Cursor::new(text.clone().into_bytes());
    for body in [Body::Bytes(Bytes::from(text.clone())), Body::File(file)] {
        let server = Server::answering(OK);
        let request = Request::new(Method::PUT, server.url("/")).body(body);
        run(send(&client(vec![]), request, timeouts())).unwrap();
        let heard = server.heard().concat();
        assert!(heard.contains("content-length: 1000000\r\n"), "{}", &heard[..200]);
        assert!(heard.ends_with(&text));
    }
    let server = Server::answering(OK);
    let request = Request::new(Method::PUT, server.url("/")).body(Body::Stream(Box::new(stream)));
    run(send(&client(vec![]), request, timeouts())).unwrap();
    let heard = server.heard().concat();
    assert!(heard.contains("transfer-encoding: chunked\r\n"), "{}", &heard[..200]);
    assert!(heard.len() > text.len());
}

#[test]
fn a_file_that_is_not_there_sends_nothing() {
    let server = Server::answering(OK);
    let body = Body::File("/nonexistent/body".into());
    let request = Request::new(Method::PUT, server.url("/")).body(body);
    let error = run(send(&client(vec![]), request, timeouts())).unwrap_err();
    assert!(matches!(error, HttpError::RequestBody { .. }), "{error:?}");
    assert_eq!(server.heard(), Vec::<String>::new());
}

#[test]
fn an_answer_streams_in_and_its_start_can_be_looked_at() {
    let body = "abcdefghij".repeat(50_000);
    let server = Server::answering(format!(
        "HTTP/1.1 403 No\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    run(async {
        let client = client(vec![]);
        let mut answer = send(&client, get(server.url("/")), timeouts()).await.unwrap();
        assert_eq!(answer.status, 403);
        assert_eq!(answer.peek(7).await.unwrap(), b"abcdefg");
        assert_eq!(answer.peek(3).await.unwrap(), b"abc");
        assert_eq!(answer.whole(1 << 20).await.unwrap(), body.as_bytes());
    });
}

#[test]
fn a_streamed_body_that_stops_or_breaks_off_is_an_error() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    let breaks = Server::answering(head);
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let stops = Server::talking(move |connection, _| {
        let _ = connection.write_all(head.as_bytes());
        let _ = held.lock().unwrap().recv();
    });
    run(async {
        let client = client(vec![]);
        let mut answer = send(&client, get(breaks.url("/")), timeouts()).await.unwrap();
        assert_eq!(answer.next_chunk().await.unwrap().unwrap(), "half");
        assert!(matches!(answer.next_chunk().await, Err(HttpError::CutOff { .. })));
        let idle = Timeouts { idle: Duration::from_millis(100), ..timeouts() };
        let mut answer = send(&client, get(stops.url("/")), idle).await.unwrap();
        assert_eq!(answer.next_chunk().await.unwrap().unwrap(), "half");
        assert!(matches!(answer.next_chunk().await, Err(HttpError::TimedOut { .. })));
    });
    drop(release);
}

#[test]
fn a_server_that_never_answers_is_left_at_the_limit() {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let server = Server::talking(move |_, _| {
        let _ = held.lock().unwrap().recv();
    });
    let limit = Timeouts::of(Duration::from_millis(100));
    let error = run(send(&client(vec![]), post(server.url("/")), limit)).unwrap_err();
    assert!(matches!(error, HttpError::TimedOut { connecting: false, .. }), "{error:?}");
    drop(release);
}

#[test] // RR22
fn an_empty_answer_that_claims_to_be_compressed_is_empty() {
    for (method, status) in [(Method::HEAD, "200 OK"), (Method::GET, "204 No Content")] {
        let server = Server::answering(format!(
            "HTTP/1.1 {status}\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"
        ));
        run(async {
            let client = client(vec![]);
            let request = Request::new(method.clone(), server.url("/"));
            let answer = send(&client, request, timeouts()).await.unwrap();
            assert_eq!(answer.whole(100).await.unwrap(), b"", "{method}");
        });
    }
}

#[test] // DS8, A15
fn a_name_that_an_issuer_elsewhere_has_given_never_leads_into_this_machine() {
    let server = Server::answering(OK);
    let client = client(vec![]);
    let url = || format!("http://localhost:{}/keys", server.port).parse::<url::Url>().unwrap();
    let sent = |named_by: Option<&str>| {
        let request = post(url()).named_by(named_by.map(str::to_owned));
        run(exchange(&client, request, limits()))
    };
    for far in ["https://1.1.1.1", "https://1.1.1.1:8443/t", "no URL"] {
        let error = sent(Some(far)).unwrap_err();
        assert!(
            matches!(&error, HttpError::Inward { host } if host.contains("localhost")),
            "{error:?}"
        );
        assert!(error.never_reached() && !error.may_pass());
    }
    assert_eq!(server.heard().len(), 0, "nothing was sent");
    for near in [None, Some("http://127.0.0.1:9"), Some("https://localhost/t")] {
        assert_eq!(sent(near).unwrap().status, 200, "{near:?}");
    }
    assert_eq!(server.heard().len(), 3);
}

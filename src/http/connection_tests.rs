//! Connections on a real wire: kept, closed, shared, through proxies; and what a request looks like on them.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::test_server::{Connection, Server, client, read_request, run};
use super::wire_tests::Authority;
use super::*;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn get(url: url::Url) -> Request {
    Request::new(Method::GET, url)
}

#[test]
fn a_request_has_these_bytes_in_this_order() {
    let server = Server::answering(OK);
    let request = Request::new(Method::PUT, server.url("/a%20b?c=d+e#f"))
        .header("X-Own", "1")
        .header("Content-Type", "text/plain")
        .body(Body::Bytes("hello".into()));
    run(exchange(&client(vec![]), request, Limits::default())).unwrap();
    let own = get(server.url("/")).header("Accept", "a/b").header("accept-encoding", "br");
    let own = own.header("USER-AGENT", "me/1");
    run(exchange(&client(vec![]), own, Limits::default())).unwrap();
    let host = format!("127.0.0.1:{}", server.port);
    let put = format!(
        "PUT /a%20b?c=d+e HTTP/1.1\r\nx-own: 1\r\ncontent-type: text/plain\r\naccept: */*\r\n\
         user-agent: keyfob/test\r\naccept-encoding: gzip\r\nhost: {host}\r\n\
         content-length: 5\r\n\r\nhello"
    );
    let own = format!(
        "GET / HTTP/1.1\r\naccept: a/b\r\naccept-encoding: br\r\nuser-agent: me/1\r\n\
         host: {host}\r\n\r\n"
    );
    assert_eq!(server.heard(), [put, own]);
}

/// Answers so many requests on each connection, and closes it then without a word.
fn keeping(requests: usize) -> (Server, Arc<AtomicUsize>) {
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    let server = Server::talking(move |connection, _| {
        count.fetch_add(1, Ordering::SeqCst);
        for _ in 1..requests {
            if connection.write_all(OK).is_err() || read_request(connection).is_none() {
                return;
            }
        }
        let _ = connection.write_all(OK);
    });
    (server, connections)
}

#[test]
fn a_connection_is_used_again() {
    let (server, connections) = keeping(100);
    run(async {
        let client = client(vec![]);
        for _ in 0..10 {
            exchange(&client, get(server.url("/")), Limits::default()).await.unwrap();
        }
    });
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[test]
fn a_kept_connection_that_was_closed_costs_no_request() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url: url::Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let (tell, closed) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let heard = read_request(&mut stream).unwrap_or_default();
            stream.write_all(OK).unwrap();
            drop(stream);
            tell.send(heard).unwrap();
        }
    });
    run(async {
        let client = client(vec![]);
        for _ in 0..5 {
            let post = Request::new(Method::POST, url.clone()).body(Body::Bytes("x".into()));
            exchange(&client, post, Limits::default()).await.unwrap();
            assert!(closed.recv().unwrap().ends_with("\r\n\r\nx"), "each is heard once");
            // The runtime looks at its sockets, as it does while a program waits for anything.
            tokio::task::yield_now().await;
        }
    });
    assert!(closed.try_recv().is_err(), "nothing is sent twice");
}

#[test]
fn a_connection_whose_answer_was_not_read_to_its_end_is_not_used_again() {
    let (head, rest) = OK.split_at(OK.len() - 1);
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    let server = Server::talking(move |connection, _| {
        count.fetch_add(1, Ordering::SeqCst);
        let _ = connection.write_all(head);
        let _ = read_request(connection);
        let _ = connection.write_all(rest);
    });
    run(async {
        let client = client(vec![]);
        let timeouts = Timeouts::of(Duration::from_secs(5));
        for _ in 0..2 {
            let answer = send(&client, get(server.url("/")), timeouts).await.unwrap();
            assert_eq!(answer.status, 200);
        }
    });
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

/// `ok`, packed (RFC 1952).
const PACKED: [u8; 22] =
    [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0xcb, 0xcf, 6, 0, 0x47, 0xdd, 0xdc, 0x79, 2, 0, 0, 0];

#[test]
fn a_packed_answer_is_unpacked_and_its_connection_used_again() {
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    let server = Server::talking(move |connection, _| {
        count.fetch_add(1, Ordering::SeqCst);
        loop {
            let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 22\r\n\r\n";
            let _ = connection.write_all(head.as_bytes());
            let _ = connection.write_all(&PACKED);
            if read_request(connection).is_none() {
                return;
            }
        }
    });
    run(async {
        let client = client(vec![]);
        for _ in 0..3 {
            let answer = exchange(&client, get(server.url("/")), Limits::default()).await.unwrap();
            assert_eq!(answer.body.as_slice(), b"ok");
            assert_eq!(answer.header("content-encoding"), None);
            assert_eq!(answer.header("content-length"), None);
        }
    });
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

/// Answers over HTTP/2 alone, and counts connections.
async fn serve_http2(
    listener: tokio::net::TcpListener,
    config: rustls::ServerConfig,
    connections: Arc<AtomicUsize>,
) {
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (acceptor, connections) = (acceptor.clone(), connections.clone());
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let answer = |request: hyper::Request<hyper::body::Incoming>| async move {
                let said = format!("{:?} {}", request.version(), request.uri());
                Ok::<_, std::convert::Infallible>(hyper::Response::new(said))
            };
            connections.fetch_add(1, Ordering::SeqCst);
            let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), hyper::service::service_fn(answer))
                .await;
        });
    }
}

#[test]
fn requests_share_one_connection_where_the_server_speaks_http2() {
    let authority = Authority::new();
    let mut config = authority.config_for("127.0.0.1");
    config.alpn_protocols = vec![b"h2".to_vec()];
    let connections = Arc::new(AtomicUsize::new(0));
    run(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve_http2(listener, config, connections.clone()));
        let client = client(vec![authority.file("ca.pem")]);
        let url = |page: usize| format!("https://{address}/orders?page={page}").parse().unwrap();
        exchange(&client, get(url(0)), Limits::default()).await.unwrap();
        let many = (1..20).map(|page| exchange(&client, get(url(page)), Limits::default()));
        for (answer, page) in join_all(many).await.into_iter().zip(1..) {
            let body = String::from_utf8(answer.unwrap().body.to_vec()).unwrap();
            assert_eq!(body, format!("HTTP/2.0 https://{address}/orders?page={page}"));
        }
    });
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

/// Copies both ways until one ends.
fn join(mut one: TcpStream, mut other: TcpStream) {
    let (mut from, mut to) = (one.try_clone().unwrap(), other.try_clone().unwrap());
    std::thread::spawn(move || drop(std::io::copy(&mut from, &mut to)));
    let _ = std::io::copy(&mut other, &mut one);
}

/// A proxy that lets everything through to one server, and tells what it was asked.
fn proxy(
    to: u16,
    talk: impl Fn(&mut TcpStream) -> String + Send + 'static,
) -> (u16, Arc<std::sync::Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, heard) = (listener.local_addr().unwrap().port(), Arc::default());
    let notes: Arc<std::sync::Mutex<Vec<String>>> = Arc::clone(&heard);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            notes.lock().unwrap().push(talk(&mut stream));
            let Ok(server) = TcpStream::connect(("127.0.0.1", to)) else { return };
            std::thread::spawn(move || join(stream, server));
        }
    });
    (port, heard)
}

fn proxied(authority: &Authority, proxy: String) -> Client {
    let proxies = Proxies::from_variables(|name| (name == "HTTPS_PROXY").then(|| proxy.clone()));
    let (extra_roots, user_agent) = (vec![authority.file("ca.pem")], "keyfob/test".into());
    Client::new(Options { extra_roots, user_agent, proxies }).unwrap()
}

#[test] // TQ19
fn a_request_goes_through_the_tunnel_of_a_proxy() {
    let authority = Authority::new();
    let server = authority.server_for("api.test");
    let (port, heard) = proxy(server.port, |stream| {
        let asked = read_request(stream as &mut dyn Connection).unwrap_or_default();
        stream.write_all(b"HTTP/1.1 200 Fine\r\n\r\n").unwrap();
        asked
    });
    let client = proxied(&authority, format!("http://user:word@127.0.0.1:{port}"));
    let url = "https://api.test/secret?x=mark".parse().unwrap();
    let answer = run(exchange(&client, get(url), Limits::default())).unwrap();
    assert_eq!(answer.status, 200);
    let asked = heard.lock().unwrap().concat();
    assert!(asked.starts_with("CONNECT api.test:443 HTTP/1.1\r\n"), "{asked}");
    let asked = asked.to_lowercase();
    assert!(asked.contains("proxy-authorization: basic dxnlcjp3b3jk\r\n"), "{asked}");
    assert!(!asked.contains("mark"), "{asked}");
    assert!(!server.heard().concat().to_lowercase().contains("proxy-authorization"));
}

#[test] // TQ19
fn a_request_goes_through_a_socks_proxy_that_resolves_the_name() {
    let authority = Authority::new();
    let server = authority.server_for("api.test");
    let (port, heard) = proxy(server.port, |stream| {
        // RFC 1928 sections 3 and 4.
        let mut greeting = [0; 2];
        stream.read_exact(&mut greeting).unwrap();
        stream.read_exact(&mut vec![0; usize::from(greeting[1])]).unwrap();
        stream.write_all(&[5, 0]).unwrap();
        let mut head = [0; 5];
        stream.read_exact(&mut head).unwrap();
        let mut name = vec![0; usize::from(head[4]) + 2];
        stream.read_exact(&mut name).unwrap();
        stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 1]).unwrap();
        assert_eq!(head[3], 3, "a name");
        String::from_utf8_lossy(&name[..name.len() - 2]).into_owned()
    });
    let client = proxied(&authority, format!("socks5h://127.0.0.1:{port}"));
    let url = "https://api.test/".parse().unwrap();
    assert_eq!(run(exchange(&client, get(url), Limits::default())).unwrap().status, 200);
    assert_eq!(*heard.lock().unwrap(), ["api.test"]);
}

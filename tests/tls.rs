//! TLS that the environment would weaken: nothing of it is heard, and more trust is told.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use keyfob::sandbox::Behaviour;
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};

use crate::proxy::upstream::{ok, read_head_of};
use crate::support::program::{Program, text};
use crate::support::served::Served;

/// An API behind a certificate of its own authority.
struct Api {
    origin: String,
    authority: PathBuf,
    requests: Arc<AtomicUsize>,
    _served: Served,
}

fn api(folder: &std::path::Path) -> Api {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = folder.join("ca.pem");
    std::fs::write(&authority, params.self_signed(&key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = certificate.signed_by(&key, &issuer).unwrap();
    showing(certificate, &key, authority)
}

/// An API that shows this certificate.
fn showing(certificate: Certificate, key: &KeyPair, authority: PathBuf) -> Api {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("https://{}", listener.local_addr().unwrap());
    let requests = Arc::<AtomicUsize>::default();
    let (count, config) = (Arc::clone(&requests), Arc::new(config));
    let served = Served::by(listener, move |stream| {
        let session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = rustls::StreamOwned::new(session, stream);
        if read_head_of(&mut stream).is_some() {
            count.fetch_add(1, Ordering::SeqCst);
            let answered = stream.write_all(ok("{}").as_bytes());
            let _ = answered.and_then(|()| stream.flush());
        }
    });
    Api { origin, authority, requests, _served: served }
}

#[test] // A26, TQ13
fn no_variable_and_no_flag_lets_a_certificate_pass_or_writes_keys_down() {
    let program = Program::beside("inkress", Behaviour::default());
    let api = api(program.folder.path());
    import_for(&program, &api);
    let keys = program.folder.path().join("keys");
    let call = || {
        let words = ["call", "shop", "GET", "/orders", "--retry", "0", "--force", "-v"];
        let mut call = program.command(words);
        call.env("SSLKEYLOGFILE", &keys)
            .env("NODE_TLS_REJECT_UNAUTHORIZED", "0")
            .env("PYTHONHTTPSVERIFY", "0")
            .env("GIT_SSL_NO_VERIFY", "true")
            .env("CURL_INSECURE", "1")
            .env("KEYFOB_INSECURE", "1");
        call
    };
    let refused = call().output().unwrap();
    assert!(!refused.status.success());
    assert!(text(&refused.stderr).contains("certificate"), "{}", text(&refused.stderr));
    for flag in ["--insecure", "-k", "--no-verify"] {
        assert_eq!(call().arg(flag).output().unwrap().status.code(), Some(2), "{flag}");
    }
    assert_eq!(api.requests.load(Ordering::SeqCst), 0, "nothing was sent without trust");
    let trusted = call().env("SSL_CERT_FILE", &api.authority).output().unwrap();
    let said = text(&trusted.stderr);
    assert!(trusted.status.success(), "{said}");
    let told = format!("trusted beside the system's certificates: {}", api.authority.display());
    assert!(said.contains(&told), "{said}");
    assert_eq!(api.requests.load(Ordering::SeqCst), 1);
    assert!(!keys.exists());
}

/// Imports a token for that API as `shop`.
fn import_for(program: &Program, api: &Api) {
    let host = format!("api_host={}", api.origin);
    let words = ["import", "shop", "--provider", "inkress", "--client-id", "x", "--set", &host];
    let mut import = program.command(words).stdin(Stdio::piped()).spawn().unwrap();
    let tokens = br#"{"access_token":"inka_x","expires_in":3600,"merchant_id":183}"#;
    import.stdin.take().unwrap().write_all(tokens).unwrap();
    assert!(import.wait_with_output().unwrap().status.success());
}

#[test] // TQ13, ER4
fn a_self_signed_authority_in_the_place_of_a_server_is_told_and_one_that_is_none_serves() {
    for (is_ca, serves) in
        [(IsCa::Ca(BasicConstraints::Unconstrained), false), (IsCa::ExplicitNoCa, true)]
    {
        let program = Program::beside("inkress", Behaviour::default());
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.is_ca = is_ca;
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let file = program.folder.path().join("cert.pem");
        std::fs::write(&file, certificate.pem()).unwrap();
        let api = showing(certificate, &key, file);
        import_for(&program, &api);
        let mut call =
            program.command(["call", "shop", "GET", "/orders", "--retry", "0", "--force"]);
        let ran = call.arg("--cacert").arg(&api.authority).output().unwrap();
        let said = text(&ran.stderr);
        assert_eq!(ran.status.success(), serves, "{said}");
        let told = ["made for an authority (CA:TRUE)", "basicConstraints=critical,CA:FALSE"];
        assert!(serves || told.iter().all(|it| said.contains(it)), "{said}");
        assert!(!said.contains("add its certificate"), "it was given: {said}");
    }
}

#[test] // TQ19, ER4
fn a_variable_that_names_no_proxy_is_told_by_its_name_and_stops_no_call_to_loopback() {
    let program = Program::expired(Behaviour::default());
    let run = |words: &[&str]| {
        let mut command = program.command(words.iter().copied());
        command.env("HTTPS_PROXY", "http://user:mark@").env_remove("CI").output().unwrap()
    };
    let near = run(&["call", "shop", "GET", "/orders"]);
    assert!(near.status.success(), "{}", text(&near.stderr));
    let far = ["connect", "far", "--provider", "https://issuer.example", "--client-id", "x"];
    let ran = run(&far);
    let said = text(&ran.stderr);
    assert_eq!(ran.status.code(), Some(3), "{said}");
    assert!(said.contains("`HTTPS_PROXY` names no proxy") && said.contains("unset HTTPS_PROXY"));
    assert!(!said.contains("mark"), "{said}");
}

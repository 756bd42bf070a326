//! Local processes and pages that want to be the redirection endpoint, or to keep it from its answer.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use keyfob::sandbox::walk::{self, wire};
use url::Url;

use crate::support::browser::{Behaviour, Walking};
use crate::support::scripted::{Scripted, value};
use crate::support::{Ran, World, free_port, parameters, until};

fn connect(world: &World, server: &Scripted, redirect: &str) -> Ran {
    let file = world.own_file("plain.toml", server.provider("", ""));
    *world.stdin.borrow_mut() = b"s3cret".to_vec();
    let mut words = vec!["connect", "shop", "--provider", file.to_str().unwrap()];
    words.extend(["--client-id", "me", "--client-secret-file", "-", "--redirect-uri", redirect]);
    world.run(words)
}

/// Whether a machine has no `::1` at all.
fn has_no_ipv6(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::AddrNotAvailable | ErrorKind::Unsupported)
        || error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

#[test] // A5, RL5, AR10
fn a_squatter_on_the_other_family_stops_localhost_and_leaves_the_literal_alone() {
    let port = free_port();
    let squatter = match TcpListener::bind(("::1", port)) {
        Ok(squatter) => squatter,
        // There is no other family to squat on.
        Err(error) if has_no_ipv6(&error) => return,
        Err(error) => panic!("[::1]:{port}: {error}"),
    };
    let (mut world, server) = (World::new(), Scripted::honest());
    world.browser(Behaviour::MustStayClosed);
    let ran = connect(&world, &server, &format!("http://localhost:{port}/cb")).exits(3);
    ran.says(&format!("port {port} is in use")).without_product();
    assert_eq!(server.count(), 0);
    // The address of the other family is not the squatter's.
    world.browser(Behaviour::Allows);
    connect(&world, &server, &format!("http://127.0.0.1:{port}/cb")).ok();
    squatter.set_nonblocking(true).unwrap();
    assert!(squatter.accept().is_err(), "the squatter was spoken to");
}

#[test] // A6, RL6, RL7, RL8, RL12, RL18
fn a_thousand_junk_and_slow_connections_do_not_keep_a_connection_from_being_made() {
    static SLOW: Mutex<Vec<TcpStream>> = Mutex::new(Vec::new());
    fn junk(authorization: &Url) -> Vec<String> {
        let redirect = parameters(authorization.as_str())["redirect_uri"].clone();
        let url = Url::parse(&redirect).unwrap();
        let place = ("127.0.0.1", url.port().unwrap());
        // They are let in before anybody else, and never say a word.
        let slow = (0..300).map(|_| TcpStream::connect(place).unwrap());
        SLOW.lock().unwrap().extend(slow);
        let origin = url.origin().ascii_serialization();
        (0..700)
            .map(|number| match number % 4 {
                0 => format!("{redirect}?code=x&state=wrong{number}"),
                1 => format!("{redirect}?error=access_denied"),
                2 => format!("{origin}/{number}"),
                _ => format!("http://localhost:{}/cb?code=x&state=wrong", place.1),
            })
            .collect()
    }
    let (mut world, server) = (World::new(), Scripted::honest());
    world.browser(Behaviour::stray(junk));
    connect(&world, &server, "http://127.0.0.1/cb").ok();
    let answers = world.browser.stray_answers();
    assert_eq!((SLOW.lock().unwrap().len(), answers.len()), (300, 700));
    let refused = |it: &Option<u16>| it.is_some_and(|status| (400..500).contains(&status));
    assert!(answers.iter().all(refused), "{answers:?}");
    assert_eq!(server.heard("POST /token").len(), 1);
    SLOW.lock().unwrap().clear();
}

#[test] // RL25, AR10
fn a_pinned_port_serves_a_second_connection_right_after_the_first() {
    let (world, server) = (World::new(), Scripted::honest());
    let redirect = format!("http://127.0.0.1:{}/cb", free_port());
    connect(&world, &server, &redirect).ok();
    // What the first one left in TIME_WAIT is there for a minute.
    connect(&world, &server, &redirect).ok();
    assert_eq!(server.heard("POST /token").len(), 2);
}

#[test] // A7, LG3, AR21
fn the_desktop_s_browser_is_started_without_a_parameter_of_the_request() {
    let (mut world, server) = (World::new(), Scripted::honest());
    world.browser = Arc::new(Walking::of_the_desktop(Behaviour::Allows));
    let redirect = format!("http://127.0.0.1:{}/cb", free_port());
    let ran = connect(&world, &server, &redirect).ok();
    let opened = world.browser.opened();
    let [start] = opened.as_slice() else { panic!("{opened:?}") };
    let start = Url::parse(start).unwrap();
    assert!(start.as_str().starts_with(redirect.trim_end_matches("cb")), "{start}");
    assert!(start.path().starts_with("/start/") && start.query().is_none(), "{start}");
    // A person who opens it himself is given the address at the vendor, as ever.
    let printed = ran.stderr.lines().find(|line| line.contains("code_challenge=")).unwrap();
    let state = &parameters(printed)["state"];
    assert!(!start.as_str().contains(state.as_str()));
    // That address is no secret's place either.
    let [exchange] = server.heard("POST /token").try_into().unwrap();
    let verifier = value(&exchange.form, "code_verifier").unwrap().to_owned();
    let asked = server.heard("GET /authorize").remove(0).query;
    let said = asked.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" ");
    for secret in ["s3cret", verifier.as_str(), "access.1", "refresh.1"] {
        assert!(!printed.contains(secret) && !said.contains(secret), "{secret}: {printed}");
    }
    let pages = world.browser.pages();
    assert!(pages[0].body.contains("has connected"), "{pages:?}");
}

#[test] // A7
fn the_start_page_leads_to_the_vendor_once_so_that_a_thief_breaks_the_login_visibly() {
    let (mut world, server) = (World::new(), Scripted::honest());
    world.browser = Arc::new(Walking::of_the_desktop(Behaviour::Forgets));
    let browser = world.browser.clone();
    let visits = std::thread::spawn(move || {
        until("the browser is started", || !browser.opened().is_empty());
        let start = Url::parse(&browser.opened()[0]).unwrap();
        let visit = || wire::send("GET", &start, &[], b"").unwrap();
        let (first, second) = (visit(), visit());
        let vendor = first.header("location").unwrap().to_owned();
        let page = walk::open(&vendor).unwrap();
        (first.status, second, vendor, page)
    });
    connect(&world, &server, &format!("http://127.0.0.1:{}/cb", free_port())).ok();
    let (first, second, vendor, page) = visits.join().unwrap();
    assert_eq!((first, page.status), (303, Some(200)));
    assert!(vendor.contains("code_challenge="), "{vendor}");
    assert!((400..500).contains(&second.status), "{second:?}");
    let told = format!("{:?} {}", second.headers, String::from_utf8_lossy(&second.body));
    assert!(!told.contains(&parameters(&vendor)["state"]), "{told}");
}

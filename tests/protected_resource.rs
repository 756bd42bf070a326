//! From the URL of an API to a connection: which server it trusts, a client there, tokens for it alone.

use keyfob::sandbox::{Endpoint, Fault};
use serde_json::{Value, json};

use crate::support::browser::Behaviour;
use crate::support::site::{Said, Site};
use crate::support::world::{Ran, World};
use crate::support::{Shop, free_port, parameters};

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
const RFC_8414: &str = "/.well-known/oauth-authorization-server";

#[test] // DS17, EX7, EX5, AR3
fn the_url_of_an_api_is_enough_for_a_client_a_connection_and_a_call() {
    let shop = Shop::of("standard");
    let api = format!("{}/api", shop.sandbox.origin());
    let port = free_port().to_string();
    let words = ["connect", "agent", "--provider", &api, "--register", "--scope", "items:read"];
    let words = words.into_iter().chain(["--port", &port]);
    let ran = shop.world.run(words).ok().says(&format!("{api} trusts {}", shop.sandbox.origin()));
    ran.says("`agent` registered at").says("connected `agent`");
    shop.line("call agent GET /items").ok();
    shop.line("call agent GET /api/items").ok();
    shop.line("refresh agent").ok();

    let asked = shop.seen(Endpoint::Registration);
    assert_eq!(asked.len(), 1);
    let asked: Value = serde_json::from_slice(&asked[0].body).unwrap();
    let sent = parameters(&shop.world.browser.opened()[0]);
    assert_eq!(asked["redirect_uris"], json!([sent["redirect_uri"]]));
    assert_eq!((&*sent["code_challenge_method"], &*sent["resource"]), ("S256", &*api));
    for seen in shop.seen(Endpoint::Token) {
        let sent = parameters(&format!("http://x/?{}", seen.text()));
        assert_eq!(sent["resource"], api, "{sent:?}");
    }
    shop.line("connect agent").ok();
    assert_eq!(shop.sandbox.counts(Endpoint::Registration), 1);
}

/// An API at `/mcp`, and what it says of itself; its authorization server is on the same port.
fn api(says: impl Fn(&str) -> Value + Send + 'static) -> Site {
    Site::saying(move |origin, asked| match asked.path.as_str() {
        "/.well-known/oauth-protected-resource/mcp" => Said::json(200, &says(origin)),
        RFC_8414 => server(origin),
        _ => Said::text(404, ""),
    })
}

fn server(origin: &str) -> Said {
    Said::json(
        200,
        &json!({
            "issuer": origin,
            "authorization_endpoint": format!("{origin}/authorize"),
            "token_endpoint": format!("{origin}/token"),
        }),
    )
}

fn connect(world: &World, site: &Site, more: &[&str]) -> Ran {
    let url = format!("{}/mcp", site.origin());
    let words = ["connect", "x", "--provider", &url, "--client-id", "c", "--timeout", "50ms"];
    world.run(words.into_iter().chain(more.iter().copied()))
}

#[test] // DS17, A12
fn metadata_of_another_resource_is_used_for_nothing() {
    let mut world = World::new();
    world.browser(Behaviour::MustStayClosed);
    for resource in ["", "/", "/mcp/", "/MCP"] {
        let site = api(
            move |origin| json!({"resource": format!("{origin}{resource}"), "authorization_servers": [origin]}),
        );
        connect(&world, &site, &[]).exits(3).says("the metadata is of the resource");
        assert!(!site.paths().contains(&format!("GET {RFC_8414}")), "{:?}", site.paths());
    }
}

#[test] // DS9, DS17, A14
fn hostile_metadata_of_an_api_ends_in_an_error() {
    let mut world = World::new();
    world.browser(Behaviour::MustStayClosed);
    for (says, words) in [
        (json!({"resource": null, "authorization_servers": null}), "no `resource`"),
        (json!({"resource": 7}), "wrong type"),
        (json!([1, 2]), "no JSON object"),
    ] {
        let site = api(move |_| says.clone());
        connect(&world, &site, &[]).exits(3).says(words);
    }
    let at_mcp = format!("{WELL_KNOWN}/mcp");
    let other = api(|origin| json!({"resource": format!("{origin}/mcp")}));
    let target = format!("{}{at_mcp}", other.origin());
    let cases: [(Said, u8, &str); 3] = [
        (Said::text(200, vec![b' '; 2 << 20]), 7, "larger than"),
        (Said::text(200, "<html>"), 3, "no JSON object"),
        (Said::text(302, "").with("location", &target), 3, "publishes no metadata"),
    ];
    for (said, exit, words) in cases {
        let place = at_mcp.clone();
        let site = Site::saying(move |_, asked| match asked.path == place {
            true => said.clone(),
            false => Said::text(404, ""),
        });
        connect(&world, &site, &[]).exits(exit).says(words);
    }
    assert!(other.asked().is_empty(), "a redirect was followed");
}

#[test] // DS17
fn of_several_servers_one_is_named_or_chosen() {
    let mut world = World::new();
    world.browser(Behaviour::Forgets);
    let site = api(|origin| {
        let servers = json!(["https://one.example", origin]);
        json!({"resource": format!("{origin}/mcp"), "authorization_servers": servers})
    });
    let ran = connect(&world, &site, &[]).exits(2).says("https://one.example");
    ran.says(site.origin()).says("--authorization-server");
    let stranger = ["--authorization-server", "https://two.example"];
    connect(&world, &site, &stranger).exits(2).says("does not trust https://two.example");
    assert!(!site.paths().contains(&format!("GET {RFC_8414}")), "{:?}", site.paths());
    let own = ["--authorization-server", site.origin()];
    connect(&world, &site, &own).exits(4).says("nobody came back");
    world.seat(&["2"]);
    connect(&world, &site, &[]).exits(4).says(&format!("/mcp trusts {}", site.origin()));
}

/// An API whose metadata is only where its 401 points.
fn challenging(place: &'static str, resource: &'static str) -> Site {
    Site::saying(move |origin, asked| match asked.path.as_str() {
        "/mcp" => {
            assert_eq!(asked.header("authorization"), None);
            let challenge = format!("Bearer resource_metadata=\"{}\"", place.replace("@", origin));
            Said::text(401, "").with("www-authenticate", &challenge)
        }
        "/meta" => {
            let resource = format!("{origin}{resource}");
            Said::json(200, &json!({"resource": resource, "authorization_servers": [origin]}))
        }
        RFC_8414 => server(origin),
        _ => Said::text(404, ""),
    })
}

#[test] // DS17, A12
fn the_challenge_of_a_401_is_followed_when_a_profile_is_made() {
    let mut world = World::new();
    world.browser(Behaviour::Forgets);
    connect(&world, &challenging("@/meta", "/mcp"), &[]).exits(4).says("nobody came back");
    world.browser(Behaviour::MustStayClosed);
    let other = connect(&world, &challenging("@/meta", "/else"), &[]).exits(3);
    other.says("the metadata is of the resource");
    let insecure = connect(&world, &challenging("http://evil.example/meta", "/mcp"), &[]).exits(3);
    insecure.says("neither https nor plain http to a loopback address");
}

#[test] // DS17, DS11, A12
fn an_api_that_names_another_server_later_moves_no_profile() {
    let shop = Shop::of("standard");
    let api = format!("{}/api", shop.sandbox.origin());
    let port = free_port().to_string();
    let words = ["connect", "agent", "--provider", &api, "--register", "--scope", "items:read"];
    let words = words.into_iter().chain(["--port", &port]);
    shop.world.run(words).ok();

    let evil = Site::saying(|origin, _| server(origin));
    let challenge = format!("Bearer resource_metadata=\"{}/meta\"", evil.origin());
    shop.sandbox.next_api_answers(vec![Fault::Status {
        status: 401,
        headers: vec![("www-authenticate".into(), challenge)],
        body: String::new(),
    }]);
    let ran = shop.line("call agent GET /items").ok();
    let host = |origin: &str| origin.trim_start_matches("http://").to_owned();
    ran.says(&format!("by way of {}; that is ignored", host(evil.origin())))
        .says(&format!("`agent` stays with {}", host(&shop.sandbox.origin())));

    let says = json!({"resource": api, "authorization_servers": [evil.origin()]});
    let answer = Fault::Status { status: 200, headers: Vec::new(), body: says.to_string() };
    shop.sandbox.next_answers(Endpoint::Discovery, vec![answer]);
    let ran = shop.line(&format!("connect agent --provider {api}")).exits(3);
    ran.says("the issuer was").says(evil.origin());
    let asked = evil.paths();
    assert_eq!(asked, [format!("GET {RFC_8414}")], "only its metadata was looked at");
    shop.line("refresh agent").ok();
}

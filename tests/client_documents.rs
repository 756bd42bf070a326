//! Clients whose id is the URL of a published document.

use serde_json::json;

use crate::support::browser::Behaviour;
use crate::support::parameters;
use crate::support::site::{Said, Site};
use crate::support::world::{Ran, World};

/// A page of the person's own, where a document lies; `{}` in it is replaced by its own URL.
fn page(text: String) -> Site {
    Site::saying(move |origin, asked| match asked.path.as_str() {
        "/keyfob.json" => Said::text(200, text.replace("{}", &format!("{origin}/keyfob.json"))),
        "/moved.json" => Said::text(302, "").with("location", &format!("{origin}/keyfob.json")),
        _ => Said::text(404, ""),
    })
}

fn publish(world: &World, server: &Site, client_id: &str, more: &[&str]) -> Ran {
    let words = ["connect", "x", "--provider", server.origin(), "--client-id", client_id];
    let more = more.iter().copied().chain(["--timeout", "50ms"]);
    world.run(words.into_iter().chain(more))
}

fn takes_documents() -> Site {
    Site::saying(|origin, asked| match asked.path.as_str() {
        "/.well-known/oauth-authorization-server" => Said::json(
            200,
            &json!({
                "issuer": origin,
                "authorization_endpoint": format!("{origin}/authorize"),
                "token_endpoint": format!("{origin}/token"),
                "client_id_metadata_document_supported": true,
                "token_endpoint_auth_methods_supported": ["none"],
            }),
        ),
        _ => Said::text(404, ""),
    })
}

#[test] // EX8
fn the_url_of_a_published_document_is_a_client_id_and_the_document_is_printed() {
    let mut world = World::new();
    world.browser(Behaviour::Forgets);
    let server = takes_documents();
    let words = ["connect", "x", "--provider", server.origin(), "--timeout", "50ms"];
    world.run(words).exits(3).says("--client-id https://… --print-client-document");
    let id = "https://me.example/keyfob.json";
    let printed = publish(&world, &server, id, &["--print-client-document"]).ok().json();
    assert_eq!((&printed["client_id"], &printed["client_name"]), (&json!(id), &json!("keyfob")));
    assert_eq!(printed["token_endpoint_auth_method"], "none");
    let text = printed.to_string().replace(id, "{}");
    let page = page(text);
    let id = format!("{}/keyfob.json", page.origin());
    publish(&world, &server, &id, &[]).exits(4).says("nobody came back");
    let sent = parameters(&world.browser.opened()[0]);
    assert_eq!(sent["client_id"], id);
    assert_eq!(page.paths(), ["GET /keyfob.json"]);
    publish(&world, &server, "no-url", &["--print-client-document"]).exits(2);
}

#[test] // EX8
fn a_document_that_does_not_fit_ends_the_command_and_one_out_of_reach_is_a_warning() {
    let mut world = World::new();
    world.browser(Behaviour::MustStayClosed);
    let server = takes_documents();
    let fitting = json!({"client_id": "{}", "redirect_uris": ["http://127.0.0.1/callback/other"]});
    for (text, words) in [
        (fitting.to_string(), "`redirect_uris` do not have"),
        (json!({"client_id": "https://evil.example/c"}).to_string(), "character by character"),
        (json!({"client_id": "{}", "client_secret": "s"}).to_string(), "everybody can read it"),
        ("<html>".to_owned(), "no JSON object"),
    ] {
        let page = page(text);
        let id = format!("{}/keyfob.json", page.origin());
        let ran = publish(&world, &server, &id, &[]).exits(3).says(words);
        ran.says("--print-client-document");
    }
    world.browser(Behaviour::Forgets);
    let page = page(String::new());
    for path in ["/missing.json", "/moved.json"] {
        let id = format!("{}{path}", page.origin());
        publish(&world, &server, &id, &[]).exits(4).says("could not be read from here");
    }
    assert!(!page.paths().contains(&"GET /keyfob.json".to_owned()), "a redirect was followed");
}

//! A server that says otherwise than before: what differs is shown before anybody agrees to it.

use serde_json::{Value, json};

use crate::support::place::Place;
use crate::support::world::Ran;

/// A public client that is connected.
fn connected() -> Place {
    let place = Place::new();
    place.connect("public").ok();
    place
}

/// Connects it by the URL again, once the metadata says this.
fn again(place: &Place, says: Value, more: &str) -> Ran {
    place.server.says(says);
    place.line(format!("connect public --provider {} {more}", place.server.issuer).trim_end())
}

fn methods(names: &[&str]) -> Value {
    json!({ "token_endpoint_auth_methods_supported": names })
}

const ALL: [&str; 5] =
    ["client_secret_basic", "client_secret_post", "none", "private_key_jwt", "tls_client_auth"];

#[test] // DS11, CA3
fn another_client_authentication_is_not_taken_in_silence() {
    let place = connected();
    place.server.came();
    let fewer = ["client_secret_post", "none", "private_key_jwt", "tls_client_auth"];
    let ran = again(&place, methods(&fewer), "").exits(3);
    let ran = ran.says("the client authentication is another than before");
    let ran = ran.says(&format!("the client authentication was {}", ALL.join(", ")));
    ran.says(&format!("it is now {}", fewer.join(", "))).says("--yes");
    let failure = again(&place, methods(&fewer), "--json").exits(3).failure();
    assert_eq!(failure["code"], "client-authentication-changed");
    assert_eq!(place.server.came(), [], "nothing was asked of that server");
    // One more that may be chosen changes nothing for anybody.
    let more = [&ALL[..], &["client_secret_jwt"]].concat();
    again(&place, methods(&more), "").ok();
    place.line("refresh public").ok();
}

#[test] // DS11
fn what_was_and_what_is_stand_before_the_question_and_beside_a_yes() {
    let mut place = connected();
    let issuer = place.server.issuer.clone();
    let moved = json!({ "revocation_endpoint": format!("{issuer}/revoke2") });
    let line = format!(
        "the revocation endpoint of {} was {issuer}/revoke, and is now {issuer}/revoke2",
        issuer.trim_start_matches("https://").replace(':', "-")
    );
    place.world.seat(&["n"]);
    let ran = again(&place, moved.clone(), "").exits(3).says(&line);
    let asked = place.world.person.as_ref().unwrap().asked();
    assert!(asked[0].contains("are others than before. Go on?"), "{asked:?}");
    assert_eq!(ran.stderr.matches("/revoke2").count(), 1, "told once: {}", ran.stderr);
    place.world.person = None;
    again(&place, moved.clone(), "").exits(3).says("it is now").says("/revoke2");
    let ran = again(&place, moved.clone(), "--yes").ok().says(&line);
    assert_eq!(ran.stderr.matches("/revoke2").count(), 1, "{}", ran.stderr);
    // From then on it is known.
    let ran = again(&place, moved, "").ok();
    assert!(!ran.stderr.contains("/revoke2"), "{}", ran.stderr);
}

#[test] // DS11
fn a_program_that_reads_documents_finds_what_differs_in_the_failure_alone() {
    let place = connected();
    let issuer = place.server.issuer.clone();
    let moved = json!({ "revocation_endpoint": format!("{issuer}/revoke2") });
    let failure = again(&place, moved.clone(), "--json").exits(3).failure();
    assert_eq!(failure["code"], "endpoints-changed");
    let causes = failure["causes"].to_string();
    assert!(causes.contains("/revoke\"") && causes.contains("/revoke2"), "{causes}");
    let ran = again(&place, moved, "--json --yes").ok();
    assert_eq!(ran.stderr.matches("revoke2").count(), 0, "{}", ran.stderr);
}

#[test] // DS7, DS11
fn an_endpoint_that_is_new_is_asked_about_where_it_is_not_with_the_token_endpoint() {
    let mut place = connected();
    let (issuer, elsewhere) = (place.server.issuer.clone(), place.server.alias.clone());
    let at = |origin: &str| json!({ "introspection_endpoint": format!("{origin}/introspect") });
    // The first question is about the host, the second one about what differs.
    place.world.seat(&["y", "n"]);
    let ran = again(&place, at(&elsewhere), "").exits(3).says("introspection endpoint");
    ran.says(&format!("was none, and is now {elsewhere}/introspect"));
    let asked = place.world.person.as_ref().unwrap().asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    place.world.person = None;
    // What is pasted says yes to both, and after that the host is known.
    let ran =
        again(&place, at(&elsewhere), "").exits(3).says("the issuer's endpoints are on other");
    ran.says(&format!("keyfob connect public --provider {issuer} --cacert ")).says(" --yes");
    again(&place, at(&elsewhere), "--yes").ok();
    place.world.seat(&[]);
    again(&place, at(&elsewhere), "").ok();
    assert_eq!(place.world.person.as_ref().unwrap().asked(), [""; 0]);
    place.world.person = None;
    let ran = again(&place, at(&issuer), "").exits(3).says("are others than before");
    ran.says(&format!("keyfob connect public --provider {issuer} --cacert ")).says(" --yes");
    again(&place, at(&issuer), "--yes").ok();
}

#[test]
fn a_provider_that_is_made_again_is_asked_for_with_the_certificates_that_were_typed() {
    let place = Place::new();
    let line = format!("provider new mine --from {}", place.server.issuer);
    place.line(&line).ok();
    let ran = place.line(&line).exits(2).says("you have a provider `mine`");
    let next: Vec<&str> = ran.stderr.lines().filter(|it| it.contains("keyfob provider")).collect();
    assert_eq!(next.len(), 2, "{}", ran.stderr);
    for command in next {
        assert!(command.contains("keyfob provider new mine") && command.contains("--cacert /"));
    }
}

#[test] // DS11, DS15
fn the_endpoints_for_certificates_are_compared_too() {
    let place = connected();
    let alias = place.server.alias.clone();
    let moved = json!({ "mtls_endpoint_aliases": {
        "token_endpoint": format!("{alias}/other"),
        "device_authorization_endpoint": format!("{alias}/device"),
        "revocation_endpoint": format!("{alias}/revoke"),
    }});
    let ran = again(&place, moved, "").exits(3).says("token endpoint for certificates");
    ran.says(&format!("{alias}/token")).says(&format!("{alias}/other"));
    // One that is gone is a change as well.
    let ran = again(&place, json!({ "mtls_endpoint_aliases": null }), "").exits(3);
    ran.says("revocation endpoint for certificates").says("it is now none");
    place.line("refresh public").ok();
}

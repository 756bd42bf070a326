//! What a person wrote into the file of a discovered server, when the server is asked again.

use serde_json::json;

use crate::support::place::Place;
use crate::support::world::Ran;

/// A public client that is connected, at a server that has ID tokens as well.
fn connected() -> Place {
    let place = Place::new();
    says(&place, &["ES256"], &["RS256", "ES256"]);
    again(&place, "--client-id public");
    place
}

/// What the server says from now on.
fn says(place: &Place, clients_sign: &[&str], id_tokens: &[&str]) {
    let issuer = &place.server.issuer;
    let device = "urn:ietf:params:oauth:grant-type:device_code";
    place.server.says(json!({
        "authorization_endpoint": format!("{issuer}/authorize"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", device, "refresh_token"],
        "jwks_uri": format!("{issuer}/keys"),
        "token_endpoint_auth_signing_alg_values_supported": clients_sign,
        "id_token_signing_alg_values_supported": id_tokens,
    }));
}

fn again(place: &Place, more: &str) -> Ran {
    let issuer = &place.server.issuer;
    place.line(format!("connect public --provider {issuer} --flow device {more}").trim_end()).ok()
}

fn file(place: &Place) -> String {
    std::fs::read_to_string(place.provider_file()).unwrap()
}

/// Writes these words in the place of those.
fn edit(place: &Place, from: &str, to: &str) {
    let text = file(place);
    assert!(text.contains(from), "{from}: {text}");
    std::fs::write(place.provider_file(), text.replacen(from, to, 1)).unwrap();
}

const SIGNS: &str = "assertion_algorithms = [\"ES256\"]";

#[test] // DS11, CA6
fn a_choice_among_what_a_client_may_sign_with_stays_and_is_told() {
    let place = connected();
    says(&place, &["PS256", "ES256"], &["RS256", "ES256"]);
    // Whether a person or the server wrote it, the file does not say.
    let stays = "assertion_algorithms of [client] stays ES256, as the file of";
    again(&place, "").says(stays).says("the server says PS256, ES256");
    assert!(file(&place).contains(SIGNS), "{}", file(&place));
    // Where both say the same there is nothing to tell.
    says(&place, &["ES256"], &["RS256", "ES256"]);
    let ran = again(&place, "");
    assert!(!ran.stderr.contains("assertion_algorithms"), "{}", ran.stderr);
}

#[test] // DS11, CA6
fn what_the_server_takes_no_more_gives_way_and_is_told() {
    let place = connected();
    says(&place, &["PS256"], &["RS256", "ES256"]);
    again(&place, "")
        .says("assertion_algorithms of [client] was ES256 in the file of")
        .says("and is now PS256: that is what the server says");
    assert!(file(&place).contains("assertion_algorithms = [\"PS256\"]"), "{}", file(&place));
}

#[test] // DS11, OI4
fn the_algorithm_that_a_client_registered_for_its_id_tokens_stays_where_the_server_has_it() {
    let place = connected();
    edit(&place, "[id_token]\n", "[id_token]\nalgorithms = [\"ES256\"]\n");
    again(&place, "").says("algorithms of [id_token] stays ES256").says("the server says RS256");
    assert!(file(&place).contains("\nalgorithms = [\"ES256\"]"), "{}", file(&place));
    says(&place, &["ES256"], &["RS256", "PS256"]);
    again(&place, "").says("algorithms of [id_token] was ES256").says("is now RS256");
    // RS256 is what a file means that names none.
    assert!(!file(&place).contains("\nalgorithms = "), "{}", file(&place));
}

#[test] // DS11, SC10
fn that_tokens_are_bound_stays_where_the_server_does_not_say_so() {
    let place = connected();
    edit(&place, "[mutual_tls]\n", "[mutual_tls]\nbinds_tokens = true\n");
    again(&place, "").says("binds_tokens of [mutual_tls] stays true").says("the server says false");
    assert!(file(&place).contains("binds_tokens = true"), "{}", file(&place));
    // The endpoints for certificates are the server's all the same.
    assert!(file(&place).contains(&format!("token_url = \"{}/token\"", place.server.alias)));
}

#[test] // DS11
fn what_a_person_added_to_the_file_of_a_server_stays_when_another_profile_is_connected_by_its_url()
{
    let place = Place::new();
    place.connect("public").ok();
    let file = place.provider_file();
    let text = std::fs::read_to_string(&file).unwrap();
    let added: [(&str, &str); 4] = [
        ("[api]\n", "[api]\nlimits = [{ path = \"*\", per_minute = 600 }]\n"),
        ("[token]\n", "[token]\nscope_on_refresh = true\n"),
        ("summary = ", "title = \"Of our own\"\nsummary = "),
        (
            "",
            "\n[api.headers]\n\"X-Tenant\" = \"7\"\n\n[refresh]\nmargin = 77\n\n[errors]\ncode = [\"/why\"]\n\n[[scope]]\nname = \"own\"\ngrants = \"all that is ours\"\n\n[[recipes]]\nname = \"mine\"\ndoes = \"what is mine\"\nsteps = [{ method = \"GET\", path = \"/mine\" }]\n# A word for people.\n",
        ),
    ];
    // The metadata of an issuer does not say where its API is.
    let origin = format!("default = \"{}\"", place.server.issuer);
    assert!(text.contains(&origin), "{text}");
    let mut own = text.replace(&origin, "default = \"https://api.of-our-own.test\"");
    for (place, words) in added {
        match place.is_empty() {
            true => own.push_str(words),
            false => {
                assert!(own.contains(place), "{place}: {own}");
                own = own.replacen(place, words, 1);
            }
        }
    }
    std::fs::write(&file, &own).unwrap();
    place.line(&format!("provider check {}", file.display())).ok();
    place.connect("secret").ok();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), own, "it says the same as before");
    // What the server says anew comes in beside it.
    place
        .server
        .says(json!({ "introspection_endpoint": format!("{}/introspect", place.server.issuer) }));
    place.connect("posted").ok();
    let mut anew: toml::Value = toml::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert!(anew["introspect"]["url"].as_str().unwrap().ends_with("/introspect"), "{anew}");
    let before: toml::Value = toml::from_str(&own).unwrap();
    anew.as_table_mut().unwrap().remove("introspect");
    assert_eq!(anew, before);
}

#[test] // DS11
fn a_file_that_can_no_longer_be_read_is_told_and_not_replaced() {
    let place = Place::new();
    place.connect("public").ok();
    let file = place.provider_file();
    let text = std::fs::read_to_string(&file).unwrap().replace("summary = ", "sumary = ");
    std::fs::write(&file, &text).unwrap();
    place.connect("secret").exits(3).says("sumary").says("keyfob provider check");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

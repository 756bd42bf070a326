//! Files of discovered servers as they were before methods were listed: written for one client.

use crate::support::place::{CLIENTS, Place};

/// Writes the file as it was before methods were listed: for the one client that connected last.
fn written_before(place: &Place, client: &str, swaps: &[(&str, &str)]) {
    let file = place.provider_file();
    let text = std::fs::read_to_string(&file).unwrap();
    let (head, rest) = text.split_once("[mutual_tls]").unwrap();
    let rest = rest.split_once("\n[").map_or("", |(_, rest)| rest);
    let mut text = format!("{head}[{rest}");
    let methods = text.find("methods = ").unwrap();
    let end = text[methods..].find("]\n").unwrap() + methods + 2;
    text.replace_range(methods..end, "");
    let auth = text.find("auth = ").unwrap();
    let end = text[auth..].find('\n').unwrap() + auth;
    text.replace_range(auth..end, &format!("auth = \"{client}\""));
    text = text.replace("secret = \"optional\"\n", "");
    for (from, to) in swaps {
        text = text.replace(from, to);
    }
    assert!(!text.contains("methods") && text.contains(&format!("auth = \"{client}\"")), "{text}");
    std::fs::write(file, text).unwrap();
    for profile in CLIENTS {
        let path = place.world.home().configuration.join(format!("profiles/{profile}.toml"));
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let own = text.split_once("\n[client]").map_or(text.as_str(), |(before, _)| before);
        assert!(!own.contains("private_key_jwt") && !own.contains("tls_client_auth"), "{own}");
        std::fs::write(path, format!("{own}\n")).unwrap();
    }
}

#[test] // CA3
fn a_file_that_was_written_for_a_key_goes_on_working_and_is_handed_over_to_its_profile() {
    let place = Place::new();
    place.connect("key").ok();
    let algorithms = ("assertion_algorithms = [\"ES256\"]\n", "");
    written_before(&place, "private_key_jwt", &[algorithms]);
    place.server.came();
    place.line("refresh key").ok();
    place.only("key", &["/token"]);
    // Somebody else's connect writes the file anew.
    place.connect("secret").ok();
    place.only("secret", &["/device", "/token"]);
    let text = std::fs::read_to_string(place.provider_file()).unwrap();
    assert!(text.contains("auth = \"basic\""), "{text}");
    for line in ["refresh key", "connect key"] {
        place.line(line).ok();
        assert!(place.server.came().iter().all(|it| it.client == "key" && it.is_proven), "{line}");
    }
}

#[test] // CA3
fn a_file_stays_as_it_is_while_a_profile_that_needs_it_cannot_be_written() {
    let place = Place::new();
    place.connect("key").ok();
    written_before(&place, "private_key_jwt", &[("assertion_algorithms = [\"ES256\"]\n", "")]);
    // Nothing can be written in the place of this one profile.
    let profiles = place.world.home().configuration.join("profiles");
    let blocked = ["", ".2", ".3", ".4"].map(|it| profiles.join(format!(".key.toml{it}.new")));
    blocked.iter().for_each(|path| std::fs::create_dir(path).unwrap());
    let before = std::fs::read_to_string(place.provider_file()).unwrap();
    place.server.came();
    place.connect("secret").exits(6).says("key.toml");
    assert_eq!(std::fs::read_to_string(place.provider_file()).unwrap(), before);
    place.server.came();
    place.line("refresh key").ok();
    place.only("key", &["/token"]);
    blocked.iter().for_each(|path| std::fs::remove_dir(path).unwrap());
    place.connect("secret").ok();
    place.line("refresh key").ok();
    assert!(place.server.came().iter().all(|it| it.is_proven));
}

#[test] // CA3, DS15
fn a_file_that_was_written_for_a_certificate_has_no_other_endpoints_than_before() {
    let place = Place::new();
    place.connect("shown").ok();
    let (issuer, alias) = (place.server.issuer.clone(), place.server.alias.clone());
    let moved = ["token", "device", "revoke"]
        .map(|it| (format!("\"{issuer}/{it}\""), format!("\"{alias}/{it}\"")));
    let mut swaps: Vec<(&str, &str)> =
        moved.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    swaps.push(("assertion_algorithms = [\"ES256\"]\n", ""));
    written_before(&place, "tls_client_auth", &swaps);
    place.server.came();
    place.line("refresh shown").ok();
    place.only("shown", &["/token"]);
    // By its URL and without a flag: nothing is other than before, so nobody is asked.
    place.line(&format!("connect shown --provider {issuer}")).ok();
    place.connect("public").ok();
    let came = place.server.came();
    assert!(came.iter().all(|it| it.is_proven), "{came:?}");
    place.line("revoke shown").ok();
    place.only("shown", &["/revoke", "/revoke"]);
}

#[test] // CA3
fn a_key_in_the_store_is_taken_into_account_where_the_profile_says_nothing() {
    let place = Place::new();
    place.connect("key").ok();
    // As an earlier connect of another profile left the shared file.
    written_before(&place, "basic", &[("assertion_algorithms = [\"ES256\"]\n", "")]);
    place.server.came();
    place.line("refresh key").exits(3);
    let key = place.world.folder.path().join("key.pem");
    let issuer = &place.server.issuer;
    place
        .line(&format!("connect key --client-key-file {}", key.display()))
        .exits(2)
        .says("its client authentication is client_secret_basic")
        .says("keyfob connect key --cacert ")
        .says(&format!(" --provider {issuer} --client-key-file …"));
    place.server.came();
    place.line(&format!("connect key --provider {}", place.server.issuer)).ok();
    assert!(place.server.came().iter().all(|it| it.is_proven));
    place.line("refresh key").ok();
    place.only("key", &["/token"]);
}

#[test] // CA3
fn a_file_stays_as_it_is_while_a_profile_that_may_need_it_cannot_be_read() {
    let place = Place::new();
    place.connect("key").ok();
    written_before(&place, "private_key_jwt", &[("assertion_algorithms = [\"ES256\"]\n", "")]);
    let profile = place.world.home().configuration.join("profiles/key.toml");
    let sound = std::fs::read_to_string(&profile).unwrap();
    std::fs::write(&profile, sound.replace("client_id", "clientid")).unwrap();
    let before = std::fs::read_to_string(place.provider_file()).unwrap();
    place.server.came();
    let refused = place.connect("secret").exits(3).without_product();
    refused
        .says("the profile `key` cannot be read, and the file of ")
        .says(&format!("{}:", profile.display()))
        .says("nothing was changed")
        .says(&format!("rm {}", profile.display()));
    assert!(place.server.came().is_empty(), "nobody was sent anywhere");
    assert_eq!(std::fs::read_to_string(place.provider_file()).unwrap(), before);
    // One that names another provider is in nobody's way.
    std::fs::write(profile.with_file_name("other.toml"), "provider = \"inkress\nx").unwrap();
    std::fs::write(&profile, sound).unwrap();
    place.connect("secret").ok();
    place.server.came();
    place.line("refresh key").ok();
    place.only("key", &["/token"]);
}

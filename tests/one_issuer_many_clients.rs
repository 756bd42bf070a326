//! Several profiles at one issuer that was found by its URL, each with a client of another kind.

use serde_json::Value;

use crate::client_keys::P256;
use crate::support::place::{CLIENTS, Place};

#[test] // CA3, DS15
fn clients_of_every_kind_work_side_by_side_in_any_order() {
    for turn in (0..CLIENTS.len()).step_by(2) {
        let place = Place::new();
        let mut order = CLIENTS;
        order.rotate_left(turn);
        for client in order {
            place.connect(client).ok();
            place.only(client, &["/device", "/token"]);
        }
        order.reverse();
        for client in order {
            place.line(&format!("refresh {client}")).ok();
            place.only(client, &["/token"]);
        }
        // Connected again with what is remembered: by the URL, and without a word.
        order.rotate_left(2);
        for client in order {
            let issuer = &place.server.issuer;
            place.line(&format!("connect {client} --provider {issuer}")).ok();
            // The grant that is replaced is ended by the same client.
            let again = place.server.came();
            assert!(again.iter().all(|it| it.client == client && it.is_proven), "{again:?}");
            place.line(&format!("connect {client}")).ok();
            let again = place.server.came();
            assert!(again.iter().all(|it| it.client == client && it.is_proven), "{again:?}");
            assert!(again.len() >= 2, "{again:?}");
        }
        order.rotate_left(turn);
        for client in order {
            place.line(&format!("refresh {client}")).ok();
            place.only(client, &["/token"]);
        }
        for client in CLIENTS {
            place.line(&format!("revoke {client}")).ok();
            place.only(client, &["/revoke", "/revoke"]);
            assert_eq!(place.world.state(client), "never-connected");
        }
    }
}

#[test] // CA3
fn the_file_of_the_server_says_the_same_whoever_connected_last() {
    let place = Place::new();
    let mut said = Vec::new();
    for client in CLIENTS {
        place.connect(client).ok();
        said.push(std::fs::read_to_string(place.provider_file()).unwrap());
    }
    said.dedup();
    assert_eq!(said.len(), 1, "{said:#?}");
    let profile =
        |name: &str| std::fs::read_to_string(place.folder_file("profiles", name)).unwrap();
    assert!(!profile("public").contains("[client]"), "{}", profile("public"));
    assert!(profile("posted").contains("auth = \"post\""), "{}", profile("posted"));
    assert!(profile("key").contains("auth = \"private_key_jwt\""), "{}", profile("key"));
    assert!(profile("shown").contains("auth = \"tls_client_auth\""), "{}", profile("shown"));
    let shown = place.line("profile show key --json").ok().json();
    assert_eq!(shown["client"]["auth"], "private_key_jwt");
    assert_eq!(place.line("profile show public --json").ok().json()["client"], Value::Null);
    assert!(place.line("profile show key").ok().stdout.contains("private_key_jwt"));
}

#[test] // CA3
fn another_proof_takes_the_place_of_the_one_before_and_a_renewed_one_does_not() {
    let place = Place::new();
    place.connect("shown").ok();
    // A renewed key and certificate are the same method.
    let (chain, key) = place.authority.client();
    place.world.own_file("chain.pem", chain);
    place.world.own_file("chain.key", key);
    place.connect("shown").ok();
    assert!(place.server.came().iter().all(|it| it.is_proven));
    // The client `secret` was first tried with a key: the server says no, and the secret mends it.
    let key = place.world.folder.path().join("key.pem");
    let words = ["connect", "secret", "--provider", &place.server.issuer, "--client-id", "secret"];
    place.run(&[&words[..], &["--client-key-file", key.to_str().unwrap()]].concat()).exits(3);
    place.server.came();
    place.connect("secret").ok();
    place.only("secret", &["/device", "/token"]);
}

#[test] // DS15
fn a_secret_that_is_renewed_in_the_store_is_kept_for_the_client_s_own_endpoints() {
    let place = Place::new();
    for client in ["key", "shown"] {
        place.connect(client).ok();
    }
    let (chain, own) = place.authority.client();
    for (line, text) in [
        ("profile secret shown client_certificate", chain.as_str()),
        ("profile secret shown private_key", &own),
        ("profile secret key private_key", P256),
    ] {
        *place.world.stdin.borrow_mut() = text.as_bytes().to_vec();
        place.line(line).ok();
    }
    place.server.came();
    for client in ["key", "shown"] {
        place.line(&format!("refresh {client}")).ok();
        place.only(client, &["/token"]);
    }
    // What could not sign is refused while it is at hand.
    *place.world.stdin.borrow_mut() = b"no key at all".to_vec();
    place.line("profile secret key private_key").exits(3).says("this private key cannot be used");
}

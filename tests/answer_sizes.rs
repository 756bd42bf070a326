//! An answer of the token endpoint as large as one may be: everything in it is kept. A larger one is
//! refused, each time and in plain words.

use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::support::scripted::{Answer, Scripted, value};
use crate::support::shelf::Trouble;
use crate::support::world::World;

/// What the program takes of one answer, in bytes.
const LARGEST: usize = 1 << 20;
const KEY: &str = "a key of forty characters for the blobs.";

/// What makes an answer large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Large {
    Nothing,
    AccessToken,
    RefreshToken,
    /// Each character of it is two in JSON, and more in JSON within JSON.
    Quotes,
    /// Numbers that are four times as long when they are written out.
    Details,
}

/// A server that takes each refresh token once.
struct Server {
    scripted: Scripted,
    next: Arc<Mutex<(Large, usize)>>,
}

impl Server {
    fn start() -> Self {
        let next = Arc::new(Mutex::new((Large::Nothing, 0)));
        let (wanted, counted) = (next.clone(), Mutex::new((0, "r0".to_owned())));
        let scripted = Scripted::start(move |asked, _| {
            if asked.line != "POST /token" {
                return Answer::text(200, "{}");
            }
            let mut counted = counted.lock().unwrap();
            if value(&asked.form, "refresh_token") != Some(counted.1.as_str()) {
                return Answer::json(400, &json!({"error": "invalid_grant"}));
            }
            let (large, size) = *wanted.lock().unwrap();
            counted.0 += 1;
            let (body, refresh_token) = answer(large, size, counted.0);
            counted.1 = refresh_token;
            Answer { body, ..Answer::json(200, &json!({})) }
        });
        Self { scripted, next }
    }

    fn answers(&self, large: Large, size: usize) {
        *self.next.lock().unwrap() = (large, size);
    }

    fn requests(&self) -> usize {
        self.scripted.heard("POST /token").len()
    }

    fn imported(&self, store: &str) -> World {
        let mut world = World::new();
        world.set("KEYFOB_BLOB_KEY", KEY);
        let file = world.own_file(
            "vendor.toml",
            format!(
                "schema = 1\nname = \"vendor\"\nflows = [\"import\"]\n\
                 client = {{ auth = \"id\", secret = \"none\" }}\n\
                 token = {{ url = \"{origin}/token\" }}\n\
                 refresh = {{ rotation = \"single_use\" }}\napi = {{ base_url = \"{origin}\" }}\n",
                origin = self.scripted.origin
            ),
        );
        *world.stdin.borrow_mut() = br#"{"access_token":"a0","refresh_token":"r0"}"#.to_vec();
        let file = file.to_str().unwrap();
        let line = ["import", "shop", "--provider", file, "--client-id", "c", "--store", store];
        world.run(line).ok();
        world
    }
}

/// A token response of exactly that many bytes, with its refresh token.
fn answer(large: Large, size: usize, number: usize) -> (String, String) {
    let filled = |filler: &str| {
        let (mut access_token, mut refresh_token) = (format!("a{number}"), format!("r{number}"));
        let mut details = String::new();
        match large {
            Large::Nothing => {}
            Large::AccessToken => access_token += filler,
            Large::RefreshToken => refresh_token += filler,
            Large::Quotes => access_token += &filler.replace('x', "\""),
            Large::Details => {
                details = vec!["1e15"; filler.len()].join(",");
            }
        }
        let quoted = access_token.replace('"', "\\\"");
        let text = format!(
            r#"{{"access_token":"{quoted}","token_type":"Bearer","expires_in":3600,"refresh_token":"{refresh_token}","authorization_details":[{details}]}}"#
        );
        (text, refresh_token)
    };
    let (empty, one) = (filled("").0.len(), filled("xx").0.len() - filled("x").0.len());
    let count = size.saturating_sub(empty) / one.max(1);
    let (mut text, refresh_token) = filled(&"x".repeat(count));
    // White space at the end is part of the body as well.
    text += &" ".repeat(size.saturating_sub(text.len()));
    assert!(size == 0 || text.len() == size, "{large:?}: {} bytes", text.len());
    (text, refresh_token)
}

#[test] // TS12, TS13, RF2, RF4, AT-16a
fn the_largest_answer_is_stored_whole_and_can_be_carried_away() {
    for large in [Large::Quotes, Large::Details] {
        let server = Server::start();
        let world = server.imported("file");
        server.answers(large, LARGEST);
        world.line("refresh shop").ok();
        let blob = world.line("export shop").ok().stdout;
        let mut there = World::new();
        there.clock = world.clock.clone();
        there.set("KEYFOB_BLOB_KEY", KEY);
        *there.stdin.borrow_mut() = blob.into_bytes();
        there.line("import shop --sealed").ok();
        // The token of that answer is the one that is sent now, and the server takes each once.
        server.answers(Large::Nothing, 0);
        there.line("refresh shop").ok();
        assert_eq!(server.requests(), 2, "{large:?}");
    }
}

#[test] // RF4, TS12
fn the_largest_answer_waits_in_the_journal_for_a_store_that_is_full() {
    for large in [Large::AccessToken, Large::RefreshToken] {
        let server = Server::start();
        let world = server.imported("keychain");
        server.answers(large, LARGEST);
        world.trouble(Trouble::Full { after: 1 });
        world.line("refresh shop").exits(6).says("safe in the journal");
        world.trouble(Trouble::None);
        server.answers(Large::Nothing, 0);
        world.line("refresh shop").ok().says("were in the journal and are stored now");
        assert_eq!(server.requests(), 1, "{large:?}: nothing was sent again");
        world.line("refresh shop").ok();
        assert_eq!(server.requests(), 2, "{large:?}");
        assert_eq!(world.line("token shop").ok().stdout, "a2\n", "{large:?}");
    }
}

#[test] // TS12, RF11
fn a_larger_answer_is_refused_once_a_command_and_in_plain_words() {
    let server = Server::start();
    let world = server.imported("file");
    server.answers(Large::AccessToken, LARGEST + 1);
    let ran = world.line("refresh shop").exits(7);
    let ran = ran.says("larger than 1048576 bytes").says("the refresh token is likely spent");
    assert!(!ran.stderr.contains("try again later"), "{}", ran.stderr);
    // The server has answered: what it took once would be taken for theft.
    assert_eq!(server.requests(), 1);
    assert_eq!(world.state("shop"), "ready", "nothing was judged");
    assert_eq!(world.line("token shop").ok().stdout, "a0\n");
}

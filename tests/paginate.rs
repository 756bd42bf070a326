//! `call --paginate`: every style that a provider file knows, how a list ends, and how it breaks off.

use keyfob::sandbox::{Endpoint, Fault};
use serde_json::{Value, json};

use crate::support::signals::AtOnce;
use crate::support::streams::{Captured, Closed};
use crate::support::{Ran, Shop};

/// The plain server, with this table in its provider file.
fn paged(table: &str) -> Shop {
    let shop = Shop::connected("standard");
    let file = shop.world.home().providers().join("standard.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n{table}\n")).unwrap();
    shop
}

/// The documents of a product, one a page.
fn documents(ran: &Ran) -> Vec<Value> {
    let reader = serde_json::Deserializer::from_str(&ran.stdout).into_iter();
    reader.map(|document| document.unwrap()).collect()
}

/// The queries that the API has seen.
fn queries(shop: &Shop) -> Vec<String> {
    let seen = shop.seen(Endpoint::Api).into_iter();
    seen.map(|it| it.path_and_query.split_once('?').map(|(_, query)| query.to_owned()))
        .map(Option::unwrap_or_default)
        .collect()
}

fn answer(body: &str) -> Fault {
    linked(body, "")
}

/// An answer with a `Link` to the next page.
fn linked(body: &str, next: &str) -> Fault {
    let mut headers = vec![("content-type".into(), "application/json".into())];
    if !next.is_empty() {
        headers.push(("link".into(), format!("<{next}>; rel=\"next\"")));
    }
    Fault::Status { status: 200, headers, body: body.into() }
}

fn refused(status: u16) -> Fault {
    Fault::Status { status, headers: vec![], body: r#"{"error":"broken"}"#.into() }
}

const NUMBERS: &str = "[api.pages]\nstyle = 'page_number'\nparameter = 'page'";
const OFFSETS: &str = "[api.pages]\nstyle = 'offset'\nparameter = 'offset'\nitems = 'data.items'\nsize_parameter = 'limit'\nsize = 20";
const CURSORS: &str = "[api.pages]\nstyle = 'cursor'\nparameter = 'cursor'\nnext = 'meta.next'";
const AFTER: &str = "[api.pages]\nstyle = 'cursor'\nparameter = 'after'\nlast_item = 'id'\nitems = 'data'\nmore = 'has_more'";
const LINKED: &str = "[api.pages]\nstyle = 'next_url'\nnext = 'links.next'";
const HEADER: &str = "[api.pages]\nstyle = 'link_header'";

#[test] // RR19
fn every_style_brings_every_record_once() {
    let cases = [
        (NUMBERS, "/numbered", ".results", 4),
        (OFFSETS, "/offsets", ".data.items", 3),
        (CURSORS, "/cursors", ".results", 3),
        (AFTER, "/after", ".data", 3),
        (LINKED, "/linked", ".results", 3),
        (HEADER, "/items", ".", 3),
        ("", "/items", ".", 3),
    ];
    let all: Vec<String> = (1..=25).map(|id| id.to_string()).collect();
    for (table, path, list, calls) in cases {
        let shop = paged(table);
        let expression = format!("{list}[].id");
        let ran = shop.world.run(["call", "shop", path, "--paginate", "--jq", &expression]).ok();
        assert_eq!(ran.stdout.lines().collect::<Vec<_>>(), all, "{path}");
        assert_eq!((shop.calls(), ran.stderr.as_str()), (calls, ""), "{path}");
    }
}

#[test]
fn a_page_is_a_document_as_it_came_and_a_line_under_json() {
    let shop = paged(NUMBERS);
    let ran = shop.line("call shop /numbered --paginate").ok();
    let pages = documents(&ran);
    assert_eq!(
        pages.iter().map(|it| it["results"][0]["id"].clone()).collect::<Vec<_>>(),
        [1, 11, 21]
    );
    assert_eq!(ran.stdout.lines().count(), 3);
    assert_eq!(queries(&shop), ["page=1", "page=2", "page=3", "page=4"]);
    let ran = shop.line("call shop /numbered page==3 --paginate --json").ok();
    let line: Value = serde_json::from_str(ran.stdout.trim_end()).unwrap();
    assert_eq!((&line["status"], &line["body"]["results"][4]["id"]), (&json!(200), &json!(25)));
    assert_eq!(line["headers"]["content-type"], "application/json");
    let ran = shop.line("call shop /numbered page==2 --paginate -i").ok();
    assert_eq!(ran.stdout.matches("HTTP 200\n").count(), 2);
}

#[test]
fn a_vendors_documented_way_is_in_its_shipped_file() {
    let shop = Shop::connected("inventorum");
    let ran = shop.world.run(["call", "shop", "/products/", "--paginate", "--jq", ".results[].id"]);
    assert_eq!(ran.ok().stdout.lines().count(), 30);
    assert_eq!(queries(&shop)[..2], ["page=1", "page=2"]);
}

#[test]
fn what_a_person_asks_for_stays_on_every_page() {
    let shop = paged(OFFSETS);
    shop.line("call shop /offsets limit==5 offset==10 q==a%20b X-Trace:t --paginate").ok();
    let seen = queries(&shop);
    assert_eq!(seen[0], "limit=5&offset=10&q=a%2520b");
    assert_eq!(seen[1], "limit=5&q=a%2520b&offset=15");
    assert!(shop.seen(Endpoint::Api).iter().all(|it| it.header("x-trace") == Some("t")));
}

#[test]
fn an_empty_page_ends_what_is_counted_and_is_printed_only_where_it_is_the_first() {
    let shop = paged(NUMBERS);
    shop.sandbox.next_api_answers(vec![answer(r#"{"results":[]}"#)]);
    let ran = shop.line("call shop /numbered --paginate").ok();
    assert_eq!((ran.stdout.as_str(), shop.calls()), ("{\"results\":[]}\n", 1));
    shop.sandbox.next_api_answers(vec![answer("[1]"), answer("[]")]);
    assert_eq!(shop.line("call shop /numbered --paginate").ok().stdout, "[1]\n");
    // A list that names its next page may have an empty one in the middle.
    let shop = paged(CURSORS);
    let next = |cursor: &str| answer(&format!(r#"{{"results":[],"meta":{{"next":{cursor}}}}}"#));
    shop.sandbox.next_api_answers(vec![next("\"a\""), next("\"b\""), next("null")]);
    assert_eq!(shop.line("call shop /cursors --paginate").ok().stdout.lines().count(), 3);
}

#[test]
fn one_page_says_why_it_is_one() {
    let shop = Shop::connected("inkress");
    let ran = shop.line("call shop /orders --paginate").ok();
    ran.says("this is one page: no Link header leads on").says("[api.pages]");
    let shop = paged(HEADER);
    let ran = shop.line("call shop /me --paginate").ok();
    assert_eq!(ran.stderr, "", "a vendor who uses the header has said it");
    let quiet = Shop::connected("standard").line("call shop /me --paginate -q").ok();
    assert_eq!(quiet.stderr, "");
}

#[test] // RR19, A12
fn a_next_page_elsewhere_never_sees_the_token() {
    let other = Shop::of("standard");
    let elsewhere = format!("{}/api/items?page=2", other.sandbox.origin());
    let in_body = json!({ "results": [1], "links": { "next": elsewhere } }).to_string();
    for (table, page) in [
        ("", linked("[1]", &elsewhere)),
        (HEADER, linked("[1]", &elsewhere)),
        (LINKED, answer(&in_body)),
    ] {
        let shop = paged(table);
        shop.sandbox.next_api_answers(vec![page]);
        let ran = shop.line("call shop /items --paginate").exits(9);
        assert_eq!(documents(&ran).len(), 1, "the page itself is sound");
        let ran = ran.says("names a next page that is not followed").says("nothing was sent there");
        let ran = ran.says("1 page came before");
        assert!(!ran.stderr.contains("keyfob call"), "{}", ran.stderr);
        assert_eq!(shop.calls(), 1);
    }
    for evil in
        ["//evil.example/x", "https://evil.example/", "http://127.0.0.1/x", "file:///etc/passwd"]
    {
        let shop = paged("");
        shop.sandbox.next_api_answers(vec![linked("[1]", evil)]);
        shop.line("call shop /items --paginate").exits(9).says("not followed");
    }
    assert_eq!(other.sandbox.log().len(), 0);
}

#[test] // RR1
fn a_token_that_the_server_puts_into_its_link_is_in_no_message() {
    let shop = Shop::connected("merchantos");
    let token = shop.line("token shop").ok().stdout.trim().to_owned();
    let next = format!("?page=2&oauth_token={token}");
    shop.sandbox.next_api_answers(vec![linked("[1]", &next), refused(500)]);
    let line = "call shop /Item --set token_in=query --paginate --retry 0";
    let ran = shop.line(line).exits(9).says("1 page came before").says("/Item?page=2' --set");
    assert!(!ran.stderr.contains(&token), "{}", ran.stderr);
    let second = &queries(&shop)[1];
    assert_eq!(second.matches("oauth_token=").count(), 1, "{second}");
}

#[test] // RR5
fn a_redirect_in_the_middle_is_not_followed() {
    let other = Shop::of("standard");
    let location = format!("{}/api/items", other.sandbox.origin());
    let shop = paged("");
    let away = Fault::Status {
        status: 302,
        headers: vec![("location".into(), location)],
        body: "gone".into(),
    };
    shop.sandbox.next_api_answers(vec![linked("[1]", "?page=2"), away]);
    let ran = shop.line("call shop /items --paginate").exits(8);
    assert_eq!(ran.stdout, "[1]\n");
    ran.says("answered with a redirect").says("1 page came before").says("page=2' --paginate");
    assert_eq!(other.sandbox.log().len(), 0);
}

#[test] // RR19
fn pages_without_end_are_given_up() {
    let circle = || linked("[1]", "?page=1");
    let shop = paged("");
    shop.sandbox.next_api_answers(vec![linked("[0]", "?page=1"), circle()]);
    let ran = shop.line("call shop /items --paginate").exits(9).says("one that was read already");
    assert_eq!((ran.stdout.as_str(), shop.calls()), ("[0]\n[1]\n", 2));
    // A server that does not know the parameter gives the same page for ever.
    let shop = paged(NUMBERS);
    shop.sandbox.next_api_answers(vec![answer("[1]"); 5]);
    let ran =
        shop.line("call shop /numbered --paginate").exits(9).says("the same as the one before");
    assert_eq!((ran.stdout.as_str(), shop.calls()), ("[1]\n", 2));
    // Links that never repeat, and nothing behind them.
    let shop = paged("");
    let empty = |n: usize| linked("[]", &format!("?cursor={n}"));
    shop.sandbox.next_api_answers((0..200).map(empty).collect());
    let ran = shop.line("call shop /items --paginate --json").exits(9);
    assert_eq!(ran.failure()["code"], "pages-endless");
    assert_eq!(shop.calls(), 101);
}

#[test]
fn a_page_that_fails_leaves_the_pages_before_and_says_how_to_go_on() {
    let shop = paged(NUMBERS);
    shop.sandbox.next_api_answers(vec![answer("[1]"), answer("[2]"), refused(500)]);
    let line = "call shop GET /numbered q==1 X-Trace:t --paginate --retry 0";
    let ran = shop.line(line).exits(9);
    assert_eq!(ran.stdout, "[1]\n[2]\n");
    let ran = ran.says("HTTP 500").says("2 pages came before and can be used");
    let command = ran.stderr.lines().last().unwrap().trim().to_owned();
    let url = format!("'{}/api/numbered?q=1&page=3'", shop.sandbox.origin());
    assert_eq!(command, format!("keyfob call shop GET {url} X-Trace:t --paginate --retry 0"));
    let words = shlex::split(&command).unwrap();
    let ran = shop.world.run(words[1..].iter().map(String::as_str)).ok();
    assert_eq!(documents(&ran).len(), 1, "the third page, and no fourth");
    assert_eq!(queries(&shop)[3], "q=1&page=3");
}

#[test]
fn the_first_page_that_is_refused_is_told_as_any_call_is() {
    let shop = paged(NUMBERS);
    shop.sandbox.next_api_answers(vec![refused(404)]);
    let ran = shop.line("call shop /numbered --paginate").exits(8);
    assert_eq!(ran.stdout, r#"{"error":"broken"}"#);
    assert!(!ran.stderr.contains("came before"), "{}", ran.stderr);
    shop.sandbox.next_api_answers(vec![Fault::Truncated]);
    shop.line("call shop /numbered --paginate --retry 0").exits(7).without_product();
}

#[test] // AT-4b
fn a_token_that_ends_in_the_middle_is_renewed_once_and_the_list_goes_on() {
    let shop = paged(NUMBERS);
    shop.sandbox.next_api_answers(vec![answer("[1]"), Fault::status(401)]);
    let ran =
        shop.line("call shop /numbered --paginate").ok().says("refreshed, and sent once more");
    assert_eq!(documents(&ran).len(), 3, "the scripted page and two true ones");
    assert_eq!((shop.calls(), shop.sandbox.rotations()), (5, 1));
    let token = |seen: &keyfob::sandbox::Seen| seen.header("authorization").unwrap().to_owned();
    let tokens: Vec<String> = shop.seen(Endpoint::Api).iter().map(token).collect();
    assert!(tokens[0] == tokens[1] && tokens[1] != tokens[2] && tokens[2] == tokens[4]);
}

#[test] // RR13, RR17
fn every_page_is_waited_for_and_sent_again_as_a_call_is() {
    let shop = paged(NUMBERS);
    let busy = Fault::Status {
        status: 429,
        headers: vec![("retry-after".into(), "7".into())],
        body: String::new(),
    };
    shop.sandbox.next_api_answers(vec![
        busy.clone(),
        answer("[1]"),
        busy,
        Fault::status(503),
        Fault::Reset,
        answer("[2]"),
        answer("[]"),
    ]);
    let ran = shop.line("call shop /numbered --paginate").ok();
    assert_eq!((ran.stdout.as_str(), shop.calls()), ("[1]\n[2]\n", 7));
    let slept = shop.world.clock.slept();
    assert_eq!(slept.len(), 4, "{slept:?}");
    assert!(slept[..2].iter().all(|it| it.as_secs() >= 7), "as long as it was told to: {slept:?}");
}

#[test] // RR25
fn a_scope_that_is_missing_is_told_before_the_first_page() {
    let shop = Shop::of("standard");
    shop.connect_with(&["--scope", "items:write"]).ok();
    shop.line("call shop /items --paginate").exits(5).without_product().says("items:read");
    assert_eq!(shop.calls(), 0);
}

#[test]
fn a_file_gets_every_page_or_stays_as_it_was() {
    let shop = paged(NUMBERS);
    let file = shop.world.own_file("pages.json", "before");
    let path = file.display().to_string();
    let words = ["call", "shop", "/numbered", "--paginate", "--retry", "0", "-o", &path];
    shop.sandbox.next_api_answers(vec![answer("[1]"), refused(500)]);
    let ran = shop.world.run(words).exits(9).without_product();
    ran.says("1 page came before; the file is as it was");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "before");
    shop.world.run(words).ok().without_product();
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 3);
    assert_eq!(std::fs::read_dir(shop.world.folder.path()).unwrap().count(), 2);
}

#[test]
fn what_cannot_be_followed_is_refused_before_anything_is_sent() {
    let shop = paged(NUMBERS);
    for (line, why) in [
        ("call shop POST /numbered a=1 --paginate", "this is a POST"),
        ("call shop /numbered a=1 --paginate", "this is a POST"),
        ("call shop -X GET /numbered -d @- --paginate", "can be sent only once"),
        ("call shop /numbered page==two --paginate", "cannot be counted on"),
        ("call shop /numbered --paginate --curl", "cannot be used with"),
        ("call shop /numbered --paginate --idempotency-key k", "cannot be used with"),
    ] {
        *shop.world.stdin.borrow_mut() = b"{}".to_vec();
        shop.line(line).exits(2).without_product().says(why);
    }
    assert_eq!(shop.calls(), 0);
    let ran = shop.line("call shop /numbered --paginate --dry-run").ok();
    assert!(ran.stdout.contains("/api/numbered?page=1\n"), "{}", ran.stdout);
}

#[test]
fn pages_that_do_not_say_where_they_go_on_are_an_error_and_not_an_end() {
    for (table, body, why) in [
        (CURSORS, "<html>", "the page is not JSON"),
        (CURSORS, r#"{"meta":{"next":{}}}"#, "`meta.next` leads to no next page"),
        (OFFSETS, r#"{"data":{}}"#, "no list of records to count at `data.items`"),
        (AFTER, r#"{"data":[{}]}"#, "`id` leads to no next page"),
    ] {
        let shop = paged(table);
        shop.sandbox.next_api_answers(vec![answer(body)]);
        let ran = shop.line("call shop /items --paginate").exits(9).says(why);
        assert_eq!(ran.stdout, format!("{body}\n"), "the page itself was asked for");
    }
}

#[test]
fn a_page_that_is_too_large_is_not_read() {
    let shop = Shop::connected("standard");
    let ran = shop.line("call shop /download bytes==1073741824 --paginate").exits(9);
    ran.without_product().says("more than 64 MiB").says("leave out --paginate");
}

#[test]
fn a_reader_who_has_gone_ends_the_walk_without_an_error() {
    let shop = paged(NUMBERS);
    let words = ["call", "shop", "/numbered", "--paginate"];
    assert_eq!(shop.world.run_into(words, Box::new(Closed), Captured::default()), 0);
    assert_eq!(shop.calls(), 1);
}

#[test]
fn an_interruption_ends_the_walk() {
    let mut shop = paged(NUMBERS);
    shop.world.interruption = std::sync::Arc::new(AtOnce);
    shop.line("call shop /numbered --paginate").exits(130).without_product();
}

#[cfg(unix)]
mod signals {
    //! The real program, interrupted.

    use std::io::Read as _;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Child;
    use std::time::Duration;

    use keyfob::sandbox::{Behaviour, Endpoint, Fault};
    use rustix::process::{Pid, Signal, kill_process};

    use super::linked;
    use crate::support::program::{Life, Program, text};
    use crate::support::until;

    fn connected(answers: Vec<Fault>) -> Program {
        let program = Program::beside("inkress", Behaviour::default());
        program.import_into(&program.home(), "shop", Life::Ahead);
        program.sandbox.next_api_answers(answers);
        program
    }

    fn interrupt(child: &Child) {
        kill_process(Pid::from_child(child), Signal::INT).unwrap();
    }

    #[cfg(target_os = "linux")]
    fn has_thread(process: u32, name: &str) -> bool {
        let mut threads = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
        let named = |path: std::path::PathBuf| std::fs::read_to_string(path.join("comm"));
        threads.any(|thread| named(thread.unwrap().path()).is_ok_and(|it| it.trim() == name))
    }

    #[test]
    fn ctrl_c_in_the_middle_leaves_whole_pages_and_says_how_to_go_on() {
        let program = connected(vec![
            linked("[1]", "?page=2"),
            linked("[2]", "?page=3"),
            Fault::Slow(Duration::from_secs(60)),
        ]);
        let child = program.command(["call", "shop", "/orders", "--paginate"]).spawn().unwrap();
        until("the third page is asked for", || program.sandbox.counts(Endpoint::Api) == 3);
        interrupt(&child);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{:?}", output.status.signal());
        assert_eq!(text(&output.stdout), "[1]\n[2]\n");
        let said = text(&output.stderr);
        assert!(said.contains("2 pages came before and can be used"), "{said}");
        assert!(
            said.contains("page=3' --paginate") || said.contains("page=3 --paginate"),
            "{said}"
        );
    }

    #[test]
    fn ctrl_c_is_heard_while_nobody_reads() {
        let long = format!("[\"{}\"]", "x".repeat(1 << 20));
        let program = connected(vec![linked(&long, "?page=2")]);
        let child = program.command(["call", "shop", "/orders", "--paginate"]).spawn();
        let mut child = child.unwrap();
        // The first byte is there: what follows it waits for a reader who does not come.
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut [0]).unwrap();
        interrupt(&child);
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(130), "{:?}", status.signal());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(said.contains("what follows may be a page in part"), "{said}");
    }

    #[test]
    fn ctrl_c_is_heard_while_an_expression_never_ends() {
        let program = connected(vec![linked("[1]", "")]);
        let words = ["call", "shop", "/orders", "--jq", "last(repeat(1))"];
        let child = program.command(words).spawn().unwrap();
        until("the answer is asked for", || program.sandbox.counts(Endpoint::Api) == 1);
        #[cfg(target_os = "linux")]
        until("the expression is at work", || has_thread(child.id(), "jq"));
        interrupt(&child);
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(130), 0));
    }

    #[test]
    fn a_reader_who_takes_one_line_gets_one_line_and_the_program_ends_well() {
        let long = format!("[\"{}\"]", "x".repeat(1 << 20));
        let program = connected(vec![linked(&long, "?page=2"), linked("[2]", "?page=3")]);
        let child = program.command(["call", "shop", "/orders", "--paginate"]).spawn();
        let mut child = child.unwrap();
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut [0; 4096]).unwrap();
        drop(stdout);
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
        assert_eq!(program.sandbox.counts(Endpoint::Api), 1);
    }
}

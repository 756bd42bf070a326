//! Bodies and heads made to exhaust whoever reads them: endless, packed, nested, flooded with headers.
//!
//! The kernel gives each process 64 MiB for its data and not one page more, so a process that takes
//! what it is given dies. What is asked for as one document (`--json`, `--jq`) has limits of its own.

use std::io::Write as _;
use std::net::TcpStream;
use std::process::{Command, Stdio};

use crate::support::hostile::Hostile;
use crate::support::program::{Program, text};

/// What a server pours.
type Attack = fn(&mut TcpStream);

/// The memory for data, in KiB.
const ROOM: u32 = 64 << 10;
const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

/// The program with no more memory than that; the process that refreshes inherits the limit.
fn small(program: &Program, line: &str) -> Command {
    let model = program.command([]);
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("ulimit -d {ROOM} && exec \"$0\" \"$@\"")])
        .arg(model.get_program())
        .args(line.split(' '))
        .env_clear()
        .stdin(Stdio::null());
    for (name, value) in model.get_envs() {
        command.env(name, value.unwrap());
    }
    command
}

/// 128 MiB of zeros in as many KiB: one block again and again (RFC 1951), in a gzip frame (RFC 1952).
fn packed() -> Vec<u8> {
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3];
    let start = [0xec, 0xc1, 0x31, 1, 0, 0, 0, 0xc2, 0xa0, 0xf5, 0x4f, 0x6d, 8, 0x5f, 0xa0];
    for _ in 0..128 {
        packed.extend(start);
        packed.resize(packed.len() + 1016, 0);
        packed.extend([0x3e, 3, 0, 0, 0xff, 0xff]);
    }
    packed.extend([3, 0]);
    packed.extend(0x8065_4151_u32.to_le_bytes());
    packed.extend((128_u32 << 20).to_le_bytes());
    packed
}

/// Writes the same again and again, until the other side has had enough.
fn pour(stream: &mut TcpStream, piece: &[u8], times: usize) {
    for _ in 0..times {
        if stream.write_all(piece).is_err() {
            return;
        }
    }
}

fn endless(stream: &mut TcpStream) {
    let _ = stream.write_all(HEAD).and_then(|()| stream.write_all(b"\r\n"));
    pour(stream, &[b' '; 1 << 16], usize::MAX);
}

fn bomb(stream: &mut TcpStream) {
    let _ =
        stream.write_all(HEAD).and_then(|()| stream.write_all(b"content-encoding: gzip\r\n\r\n"));
    pour(stream, &packed(), 1);
}

fn brackets(stream: &mut TcpStream) {
    let _ = stream.write_all(HEAD).and_then(|()| stream.write_all(b"\r\n"));
    pour(stream, &[b'['; 1000], 200);
}

fn headers(stream: &mut TcpStream) {
    let _ = stream.write_all(HEAD);
    (0..100_000).for_each(|number| pour(stream, format!("x-{number}: y\r\n").as_bytes(), 1));
    pour(stream, b"\r\n", 1);
}

fn one_header(stream: &mut TcpStream) {
    let _ = stream.write_all(HEAD).and_then(|()| stream.write_all(b"x-long: "));
    pour(stream, &[b'y'; 1 << 16], 2048);
}

fn hints(stream: &mut TcpStream) {
    pour(stream, "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(1000).as_bytes(), 100);
    let _ = stream.write_all(b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n");
}

const ATTACKS: [(&str, Attack); 6] = [
    ("endless", endless),
    ("bomb", bomb),
    ("brackets", brackets),
    ("headers", headers),
    ("one header", one_header),
    ("hints", hints),
];

#[test] // A14, TS12
fn a_token_endpoint_that_pours_is_no_verdict_within_64_mib() {
    let hostile = Hostile::connected();
    for (name, attack) in ATTACKS {
        let before = hostile.requests();
        hostile.answers(attack);
        let output = small(&hostile.program, "refresh shop").output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(7), "{name}: {said}");
        assert!(said.len() < 2000, "{name}: {said}");
        assert!((1..=2).contains(&(hostile.requests() - before)), "{name}");
        hostile.behaves();
        assert!(hostile.program.run("refresh shop").status.success(), "{name}");
    }
    assert_eq!(hostile.program.sandbox.spent_tokens_seen(), 0);
}

#[test] // A14, RR22
fn a_call_passes_a_large_or_packed_body_on_within_64_mib() {
    let hostile = Hostile::connected();
    let large = |stream: &mut TcpStream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 268435456\r\n\r\n");
        pour(stream, &[b'x'; 1 << 16], 4096);
    };
    let attacks: [(&str, Attack, usize); 2] =
        [("large", large, 256 << 20), ("bomb", bomb, 128 << 20)];
    for (name, attack, length) in attacks {
        hostile.answers(attack);
        let mut call = small(&hostile.program, "call shop GET /orders --retry 0");
        let mut call = call.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let passed = std::io::copy(&mut call.stdout.take().unwrap(), &mut std::io::sink()).unwrap();
        let output = call.wait_with_output().unwrap();
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        assert_eq!(passed, length as u64, "{name}");
    }
}

#[test] // A14, ER8
fn a_call_ends_orderly_whatever_the_api_pours() {
    let hostile = Hostile::connected();
    let refused = |stream: &mut TcpStream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad\r\ncontent-type: application/json\r\n\r\n");
        pour(stream, &[b'['; 1000], 200);
    };
    let cases: [(&str, Attack, &str, i32); 8] = [
        ("brackets", brackets, "", 0),
        ("brackets as a document", brackets, " --json", 0),
        #[cfg(feature = "jq")]
        ("brackets to filter", brackets, " --jq .", 1),
        #[cfg(not(feature = "jq"))]
        ("brackets to filter", brackets, " -i", 0),
        ("brackets in pages", brackets, " --paginate", 0),
        ("brackets in a refusal", refused, "", 8),
        ("headers", headers, "", 7),
        ("one header", one_header, "", 7),
        ("hints", hints, "", 9),
    ];
    for (name, attack, flags, exit) in cases {
        hostile.answers(attack);
        let line = format!("call shop GET /orders --retry 0{flags}");
        let output = small(&hostile.program, &line).stdout(Stdio::null()).output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{name}: {said}");
        assert!(said.len() < 4000, "{name}: {said}");
    }
}

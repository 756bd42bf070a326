//! A call as text: what `--dry-run` shows and the curl command that does the same. No secret is in either.

use super::authorization::Placement;
use super::request::ApiRequest;
use crate::http::{Body, Method};

impl ApiRequest {
    /// The call as it would be sent, the token hidden, for `--dry-run`.
    pub fn shown(&self) -> String {
        let mut text = format!("{} {}\n", self.method, self.shown_url());
        if let Placement::Header { scheme } = &self.placement {
            text.push_str(&format!("Authorization: {scheme} [hidden]\n"));
        }
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\n"));
        }
        match &self.body {
            Body::Empty => {}
            body => text.push_str(&format!("\n{}\n", shown_body(body))),
        }
        text
    }

    fn shown_url(&self) -> String {
        match &self.placement {
            Placement::Header { .. } => self.target.url.to_string(),
            Placement::Query { name } => {
                let sign = if self.target.url.query().is_some() { '&' } else { '?' };
                format!("{}{sign}{name}=[hidden]", self.target.url)
            }
        }
    }

    /// An equal curl command for a POSIX shell; the header lines, and so the token, come from the
    /// command `headers`, and `flags` are curl's own, each with a blank before it.
    pub fn as_curl(&self, headers: &str, flags: &str) -> String {
        let mut words = match self.body {
            // Standard input is taken by the body, so the headers come by another way.
            Body::Stream(_) => vec![format!("curl -g{flags} -H @<({headers})")],
            _ => vec![format!("{headers} | curl -g{flags} -H @-")],
        };
        match (&self.method, self.body.is_empty()) {
            (&Method::GET, true) => {}
            (&Method::HEAD, _) => words.push("--head".into()),
            (method, _) => words.push(format!("-X {}", quoted(method.as_str()))),
        }
        // curl sends a header without a value only when it ends in a semicolon.
        words.extend(self.headers[..self.own].iter().map(|(name, value)| match value.as_str() {
            "" => format!("-H {}", quoted(&format!("{name};"))),
            value => format!("-H {}", quoted(&format!("{name}: {value}"))),
        }));
        words.extend(curl_body(&self.body));
        words.push(quoted(self.target.url.as_str()));
        words.join(" ")
    }
}

fn shown_body(body: &Body) -> String {
    match body {
        Body::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => format!("[{} bytes]", bytes.len()),
        },
        Body::File(path) => format!("[the file {}]", path.display()),
        Body::Stream(_) => "[standard input]".into(),
        Body::Empty | Body::Secret(_) => String::new(),
    }
}

fn curl_body(body: &Body) -> Option<String> {
    match body {
        Body::Bytes(bytes) => Some(match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => format!("--data-raw {}", quoted(text)),
            // No word of a shell holds a NUL, nor bytes that are no text.
            _ => {
                use base64::Engine as _;
                let text = base64::engine::general_purpose::STANDARD.encode(bytes);
                format!("--data-binary @<(printf %s {text} | base64 -d)")
            }
        }),
        Body::File(path) => {
            Some(format!("--data-binary {}", quoted(&format!("@{}", path.display()))))
        }
        Body::Stream(_) => Some("--data-binary @-".into()),
        Body::Empty | Body::Secret(_) => None,
    }
}

/// One word of a POSIX shell.
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+,=".contains(&byte);
    match !text.is_empty() && text.bytes().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::request::tests::{Asked, built};
    use super::*;

    #[test] // RR1, RR23
    fn a_token_for_the_query_is_hidden_there() {
        let call = built("merchantos", Asked { in_query: true, ..Asked::default() }).unwrap();
        assert!(
            call.shown().starts_with(
                "GET https://own.example/API/Account/12/orders?oauth_token=[hidden]\n"
            )
        );
    }

    #[test] // RR23
    fn a_dry_run_shows_everything_but_the_token() {
        let asked = Asked { items: vec!["a=1"], key: Some("k"), ..Asked::default() };
        let shown = built("inkress", asked).unwrap().shown();
        let expected = "POST https://own.example/api/v1/orders\n\
                        Authorization: Bearer [hidden]\n\
                        Content-Type: application/json\n\
                        Idempotency-Key: k\n\n\
                        {\"a\":\"1\"}\n";
        assert_eq!(shown, expected);
    }

    #[test] // RR23
    fn a_body_that_no_word_can_hold_goes_through_base64() {
        for (body, written) in [(&b"a\0b"[..], "YQBi"), (&b"\xff"[..], "/w==")] {
            let words = curl_body(&Body::Bytes(body.into())).unwrap();
            assert_eq!(words, format!("--data-binary @<(printf %s {written} | base64 -d)"));
        }
    }

    #[cfg(unix)]
    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config {
            cases: 60, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(4),
            ..Default::default()
        })]

        #[test] // RR23
        fn a_shell_reads_a_quoted_word_as_it_was(
            words in proptest::collection::vec("[^\0]{0,30}", 1..6)
        ) {
            let all: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            let script = format!("printf '%s\\0' {}", all.join(" "));
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            let read = String::from_utf8(output.stdout).unwrap();
            let read: Vec<&str> = read.strip_suffix('\0').unwrap().split('\0').collect();
            proptest::prop_assert_eq!(read, words);
        }
    }

    #[test] // RR23
    fn a_curl_command_takes_its_headers_from_keyfob() {
        let curl = |name: &str, asked: Asked| {
            built(name, asked).unwrap().as_curl("keyfob header 'my shop'", " --cacert c.pem")
        };
        assert_eq!(
            curl("merchantos", Asked { in_query: true, ..Asked::default() }),
            "keyfob header 'my shop' | curl -g --cacert c.pem -H @- \
             https://own.example/API/Account/12/orders"
        );
        let items = vec!["a=it's", "q==1&2", "X-Empty;"];
        assert_eq!(
            curl("inkress", Asked { items, key: Some("k"), ..Asked::default() }),
            "keyfob header 'my shop' | curl -g --cacert c.pem -H @- -X POST -H 'X-Empty;' \
             -H 'Content-Type: application/json' -H 'Idempotency-Key: k' \
             --data-raw '{\"a\":\"it'\\''s\"}' 'https://own.example/api/v1/orders?q=1%262'"
        );
        let body = Body::Stream(Box::new(std::io::empty()));
        let asked = Asked { method: Some("PUT"), body, key: Some("k"), ..Asked::default() };
        assert!(
            curl("inkress", asked)
                .starts_with("curl -g --cacert c.pem -H @<(keyfob header 'my shop') -X PUT ")
        );
        let head = Asked { method: Some("HEAD"), ..Asked::default() };
        assert!(curl("inkress", head).contains(" --head "));
    }
}

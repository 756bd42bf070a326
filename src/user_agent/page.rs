//! The pages that the user's browser shows after it came back; static, and true.
//!
//! Nothing of a request is ever shown, and every variable word is escaped (RFC 6749 section
//! 3.1.2.5 asks for no third-party content).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// What the browser is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// The connection was made and stored.
    Connected {
        /// The profile's name.
        profile: String,
    },
    /// The vendor came back, but no connection was made.
    Failed {
        /// What happened, as one sentence; may quote the vendor.
        what: String,
    },
    /// The command ended before it knew.
    Interrupted,
    /// An authorization response was taken before.
    AlreadyUsed,
    /// The browser is led to the vendor; a browser shows it for a moment at most.
    Leading,
    /// The address that a browser is started with was opened before.
    StartedBefore,
    /// The request is no authorization response, and the wait goes on.
    Refused {
        /// What is wrong with it.
        what: &'static str,
    },
}

impl Page {
    /// The whole document.
    pub fn html(&self) -> String {
        let (mark, title, text) = self.words();
        let (title, text) = (escaped(&title), text);
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
             <title>{title} · keyfob</title>\n<link rel=\"icon\" href=\"data:,\">\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
             <p class=\"{mark}\" aria-hidden=\"true\">{sign}</p>\n<h1>{title}</h1>\n{text}\n\
             <footer>keyfob</footer>\n</main>\n</body>\n</html>\n",
            sign = mark.sign(),
            mark = mark.class(),
        )
    }

    /// The mark, the heading as plain text, and the body as HTML.
    fn words(&self) -> (Mark, String, String) {
        match self {
            Self::Connected { profile } => (
                Mark::Good,
                "Connected".into(),
                format!(
                    "<p>keyfob has connected <code>{}</code>. You can close this tab and go back \
                     to the terminal.</p>",
                    escaped(profile)
                ),
            ),
            Self::Failed { what } => (
                Mark::Bad,
                "Not connected".into(),
                format!("<p>{}</p>\n<p>The terminal says what to do next.</p>", escaped(what)),
            ),
            Self::Interrupted => (
                Mark::Bad,
                "Not connected".into(),
                "<p>keyfob stopped before the connection was made. Look at the terminal.</p>"
                    .into(),
            ),
            Self::AlreadyUsed => (
                Mark::Neutral,
                "Already used".into(),
                "<p>This answer was taken before and did nothing now. The terminal says how it \
                 went.</p>"
                    .into(),
            ),
            Self::Leading => (
                Mark::Neutral,
                "To the provider".into(),
                "<p>keyfob sends you on to sign in.</p>".into(),
            ),
            Self::StartedBefore => (
                Mark::Bad,
                "Opened before".into(),
                "<p>This address works once. If nothing else opened for you, somebody else on this \
                 machine may have been quicker: stop keyfob with Ctrl-C and start it again.</p>"
                    .into(),
            ),
            Self::Refused { what } => (
                Mark::Neutral,
                "Nothing to do here".into(),
                format!("<p>{}</p>\n<p>keyfob is still waiting.</p>", escaped(what)),
            ),
        }
    }
}

#[derive(Clone, Copy)]
enum Mark {
    Good,
    Bad,
    Neutral,
}

impl Mark {
    fn class(self) -> &'static str {
        match self {
            Self::Good => "mark good",
            Self::Bad => "mark bad",
            Self::Neutral => "mark",
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Good => "✓",
            Self::Bad => "✕",
            Self::Neutral => "–",
        }
    }
}

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1d2330;--soft:#5c6575;--paper:#f4f5f7;--card:#fff;\
--good:#16794c;--bad:#b3261e}\
@media(prefers-color-scheme:dark){:root{--ink:#e8eaee;--soft:#9aa3b2;--paper:#14171d;--card:#1d222b;\
--good:#5fd39a;--bad:#ff8a80}}\
*{box-sizing:border-box}\
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;\
background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}\
main{width:100%;max-width:26rem;padding:2rem;border-radius:1rem;background:var(--card);\
box-shadow:0 1px 3px #0003;overflow-wrap:anywhere}\
h1{margin:.5rem 0;font-size:1.4rem}p{margin:.5rem 0}\
.mark{margin:0;font-size:2rem;line-height:1;color:var(--soft)}.good{color:var(--good)}\
.bad{color:var(--bad)}code{font:.95em ui-monospace,monospace}\
footer{margin-top:1.5rem;font-size:.8rem;color:var(--soft)}";

/// Header fields of every answer: nothing runs, nothing is loaded, kept, framed or passed on.
pub fn header_fields() -> [(&'static str, String); 6] {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    );
    [
        ("content-type", "text/html; charset=utf-8".into()),
        ("content-security-policy", policy),
        ("referrer-policy", "no-referrer".into()),
        ("cache-control", "no-store".into()),
        ("x-content-type-options", "nosniff".into()),
        ("cross-origin-resource-policy", "same-origin".into()),
    ]
}

/// Writes text so that it is text in HTML, inside an attribute too; control characters are left out.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars().filter(|character| !character.is_control()) {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    // RL15, A25
    #[test]
    fn a_script_in_a_vendor_s_words_is_only_text() {
        let hostile = "<script>alert('x')</script>\"&\u{1b}[31m";
        for page in
            [Page::Failed { what: hostile.into() }, Page::Connected { profile: hostile.into() }]
        {
            let html = page.html();
            assert!(!html.contains("<script") && !html.contains('\u{1b}'), "{html}");
            assert!(html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;"));
        }
    }

    // RL17
    #[test]
    fn each_page_tells_its_own_outcome() {
        let connected = Page::Connected { profile: "shop".into() }.html();
        assert!(connected.contains("keyfob has connected <code>shop</code>"), "{connected}");
        let failed = Page::Failed { what: "The vendor refused.".into() }.html();
        assert!(failed.contains("Not connected") && failed.contains("The vendor refused."));
        assert!(Page::Interrupted.html().contains("Not connected"));
        assert!(Page::AlreadyUsed.html().contains("Already used"));
        assert!(Page::StartedBefore.html().contains("Ctrl-C"));
        assert!(Page::Refused { what: "Wrong path." }.html().contains("still waiting"));
    }

    // RL15
    #[test]
    fn the_policy_allows_our_style_and_nothing_else() {
        let fields = header_fields();
        let of = |name| fields.iter().find(|(found, _)| *found == name).unwrap().1.clone();
        assert!(
            of("content-security-policy").starts_with("default-src 'none'; style-src 'sha256-")
        );
        assert!(of("content-security-policy").contains("frame-ancestors 'none'"));
        assert_eq!(of("referrer-policy"), "no-referrer");
        assert_eq!(of("cache-control"), "no-store");
        assert_eq!(of("x-content-type-options"), "nosniff");
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
        assert!(!fields.iter().any(|(name, _)| name.starts_with("access-control")));
    }
}

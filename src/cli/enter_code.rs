//! What a person reads who authorises on another device.

use super::notices::asks;
use super::output::Output;
use super::qr_code::qr_code;
use super::report::{left, span};
use crate::connection::EnterCode;
use crate::system::System;

/// Code and address stand on lines of their own, also where nothing else is said: without them
/// nobody can do anything.
pub fn enter_code(
    output: Output,
    system: &System,
    profile: &str,
    provider: &str,
    code: &EnterCode,
) {
    output.note(system, &asks(profile, provider, &code.scopes));
    output.note(system, "open this address in a browser, on any device:");
    output.say(system, code.verification_uri.as_str());
    output.note(system, "and enter this code there:");
    output.say(system, &code.user_code);
    if let Some(drawn) = drawn(output, system, code) {
        output.note(system, "or scan this, and see that the page shows the same code:");
        output.picture(system, &drawn);
    }
    if code.opens {
        output.note(system, "or press Enter to open it in a browser here");
    }
    output.note(
        system,
        &format!(
            "waiting {} for you to allow it there; Ctrl-C ends it: {}",
            span(code.seconds),
            left(code.leaves)
        ),
    );
}

/// The address as a picture, where it fits and comes out as it should.
fn drawn(output: Output, system: &System, code: &EnterCode) -> Option<String> {
    let unseen = output.quiet || output.json || !output.paint.0 || !system.terminals.stderr;
    if unseen || !writes_unicode(system) {
        return None;
    }
    let address = code.complete.as_ref().unwrap_or(&code.verification_uri);
    qr_code(address.as_str(), system.terminals.window?)
}

/// Whether the terminal is said to draw half blocks: the first of these that is set decides (POSIX).
fn writes_unicode(system: &System) -> bool {
    let set = |name| system.environment.get(name).filter(|value| !value.is_empty());
    match ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set) {
        Some(locale) => {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        }
        None => cfg!(any(windows, target_os = "macos")),
    }
}

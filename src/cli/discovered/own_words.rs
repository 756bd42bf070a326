//! Words of a file about what the server speaks of as well: which of what it offers is used here.
//!
//! A choice among what the server offers stays as the file has it; what the server no longer offers
//! gives way to what it does. Neither happens in silence, since a file does not say who wrote a word.

use super::Found;
use crate::cli::context::Context;
use crate::provider::Provider;
use crate::provider::schema::{
    ClientAuthentication, IdToken, MutualTls, SignatureAlgorithm, SigningAlgorithm,
};

/// What a client signs with; `now` is the provider but for this word.
pub fn assertion_algorithms(
    kept: &Provider,
    now: &Provider,
    found: &Found,
) -> Vec<SigningAlgorithm> {
    let own = &kept.client.assertion_algorithms;
    let signs = now.signs() || now.client.offers(ClientAuthentication::PrivateKeyJwt);
    match (signs, found.server.signing_algorithms.as_slice()) {
        (false, _) => Vec::new(),
        // The server says nothing of it.
        (true, []) => own.clone(),
        (true, offered) => chosen(own, offered, offered),
    }
}

/// What an ID token is signed with: a client may have registered another algorithm than the usual one.
pub fn id_token_algorithms(
    kept: &IdToken,
    now: &IdToken,
    found: &Found,
) -> Vec<SignatureAlgorithm> {
    chosen(&kept.algorithms, &found.server.id_token_offered, &now.algorithms)
}

/// The endpoints are the server's; that tokens are bound stays where the file says so and the server
/// does not.
pub fn mutual_tls(kept: Option<&MutualTls>, found: Option<&MutualTls>) -> Option<MutualTls> {
    match kept.is_some_and(|table| table.binds_tokens) {
        true => Some(MutualTls { binds_tokens: true, ..found.cloned().unwrap_or_default() }),
        false => found.cloned(),
    }
}

fn chosen<T: Copy + PartialEq>(own: &[T], offered: &[T], otherwise: &[T]) -> Vec<T> {
    match !own.is_empty() && own.iter().all(|it| offered.contains(it)) {
        true => own.to_vec(),
        false => otherwise.to_vec(),
    }
}

/// One of these words: as the file had it, as the server has it, and as it is from now on.
struct Word {
    name: &'static str,
    kept: String,
    found: String,
    now: String,
}

/// Tells the words in which the file that was kept and the server are not one.
pub fn tell(context: &Context<'_>, kept: &Provider, found: &Found, now: &Provider) {
    let found = found.provider(&now.name);
    for word in words(kept, &found, now) {
        if let Some(line) = word.line(&now.name) {
            context.output.warn(context.system, &line);
        }
    }
}

fn words(kept: &Provider, found: &Provider, now: &Provider) -> [Word; 3] {
    let word = |name, said: fn(&Provider) -> String| Word {
        name,
        kept: said(kept),
        found: said(found),
        now: said(now),
    };
    [
        word("assertion_algorithms of [client]", signed_with),
        word("algorithms of [id_token]", id_tokens_signed_with),
        word("binds_tokens of [mutual_tls]", binds_tokens),
    ]
}

impl Word {
    /// `None` where they are one, or the file said nothing.
    fn line(&self, name: &str) -> Option<String> {
        let Self { name: word, kept, found, now } = self;
        if kept.is_empty() || kept == found {
            return None;
        }
        let found = if found.is_empty() { "nothing of it" } else { found };
        let now = if now.is_empty() { "left out" } else { now };
        Some(match now == kept {
            true => format!(
                "{word} stays {kept}, as the file of {name} has it; the server says {found}"
            ),
            false => format!(
                "{word} was {kept} in the file of {name}, and is now {now}: that is what the server says"
            ),
        })
    }
}

fn signed_with(provider: &Provider) -> String {
    names(provider.client.assertion_algorithms.iter().map(|it| it.name()))
}

fn id_tokens_signed_with(provider: &Provider) -> String {
    names(provider.id_token.iter().flat_map(|it| &it.algorithms).map(|it| it.name()))
}

/// A provider without the table says nothing.
fn binds_tokens(provider: &Provider) -> String {
    provider.mutual_tls.as_ref().map(|it| it.binds_tokens.to_string()).unwrap_or_default()
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

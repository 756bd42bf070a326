//! Idempotency keys: the same write comes again, the stored answer goes out; the key on another write is refused.

use sha2::{Digest, Sha256};

use super::message::{Answer, Request};
use super::refusal::{Refusal, Refused};
use super::stand_in::Turn;
use super::state::Replay;
use crate::clock::after_seconds;

/// Seconds a key is remembered where the provider does not say.
const LIFETIME: u64 = 86_400;

/// Acts once for each key.
pub fn once(
    turn: &mut Turn<'_>,
    request: &Request,
    act: impl FnOnce(&mut Turn<'_>) -> Result<Answer, Refused>,
) -> Result<Answer, Refused> {
    let Some(rule) = turn.vendor.provider.api.idempotency.as_ref() else { return act(turn) };
    let header = rule.header.to_ascii_lowercase();
    let key = request.header(&header).filter(|_| rule.methods.contains(&request.method));
    let Some(key) = key else { return act(turn) };
    let fingerprint = fingerprint(request);
    if let Some(stored) = turn.state.replays.get(key).filter(|it| turn.now < it.expires_at) {
        if stored.fingerprint != fingerprint {
            let because = "this idempotency key came with another request before";
            return Err(Refused::new(Refusal::IdempotencyKeyReused, because));
        }
        let answer = stored.answer.clone();
        return Ok(match &rule.replay_header {
            Some(name) => answer.with(&name.to_ascii_lowercase(), "true"),
            None => answer,
        });
    }
    let answer = act(turn)?;
    let expires_at = after_seconds(turn.now, rule.lifetime.unwrap_or(LIFETIME));
    let stored = Replay { fingerprint, answer: answer.clone(), expires_at };
    turn.state.replays.insert(key.to_owned(), stored);
    Ok(answer)
}

/// Method, path, query and body as one digest.
fn fingerprint(request: &Request) -> String {
    let mut digest = Sha256::new();
    digest.update(&request.method);
    digest.update([0]);
    digest.update(request.path_and_query());
    digest.update([0]);
    digest.update(&request.body);
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

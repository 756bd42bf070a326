//! The vendor's rate limits: so many requests in any minute, then 429 with `Retry-After`.

use jiff::SignedDuration;

use super::refusal::{Refusal, Refused};
use super::stand_in::Turn;

const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// Counts a request against the limit that fits it best: a path's own, else `fallback` (`*` for the API).
pub fn check(turn: &mut Turn<'_>, path: &str, fallback: &str) -> Result<(), Refused> {
    let limits = &turn.vendor.provider.api.limits;
    let fitting = limits.iter().enumerate().filter(|(_, limit)| fits(&limit.path, path));
    let best = fitting
        .max_by_key(|(_, limit)| limit.path.len())
        .or_else(|| limits.iter().enumerate().find(|(_, limit)| limit.path == fallback));
    let Some((place, limit)) = best else { return Ok(()) };
    let allowed = usize::try_from(limit.per_minute).unwrap_or(usize::MAX);
    let now = turn.now;
    let window = turn.state.windows.entry(place).or_default();
    while window.front().is_some_and(|at| now.duration_since(*at) >= MINUTE) {
        window.pop_front();
    }
    if window.len() < allowed {
        window.push_back(now);
        return Ok(());
    }
    let oldest = window.front().copied().unwrap_or(now);
    let mut refused =
        Refused::new(Refusal::RateLimited, format!("more than {allowed} requests a minute"));
    refused.retry_after = Some(whole_seconds_up(MINUTE - now.duration_since(oldest)));
    Err(refused)
}

fn fits(limit: &str, path: &str) -> bool {
    path.strip_prefix(limit).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn whole_seconds_up(duration: SignedDuration) -> u64 {
    let more = i64::from(duration.subsec_nanos() > 0);
    u64::try_from(duration.as_secs() + more).unwrap_or(0).max(1)
}

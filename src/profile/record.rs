//! What `status` shows, kept beside the profile without any secret, so that it costs neither keychain nor network.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::file::{ProfileError, Profiles, record_file};
use super::lineage::Lineage;
use crate::store::StoreKind;

/// The public side of a connection.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The entry's generation that this record tells of.
    pub generation: u64,
    /// Whether there is a connection at all.
    pub connected: bool,
    /// Whether the provider ended it, so that a person must authorise again.
    pub needs_authorization: bool,
    /// Contexts by name.
    #[serde(default)]
    pub account: BTreeMap<String, Value>,
    /// Scopes that were granted.
    #[serde(default)]
    pub granted: Option<Vec<String>>,
    /// Rights that were granted in detail (RFC 9396).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorization_details: Vec<Value>,
    /// Scopes that were asked for.
    #[serde(default)]
    pub requested: Vec<String>,
    /// Whether an ended access token can be renewed without a person.
    pub renewable: bool,
    /// RFC 3339, UTC.
    #[serde(default)]
    pub access_expires_at: Option<Timestamp>,
    /// RFC 3339, UTC.
    #[serde(default)]
    pub refresh_expires_at: Option<Timestamp>,
    /// RFC 3339, UTC.
    #[serde(default)]
    pub last_refreshed_at: Option<Timestamp>,
    /// When the API refused an access token that nothing can renew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_at: Option<Timestamp>,
    /// Where the connection is kept.
    #[serde(default)]
    pub store: Option<StoreKind>,
    /// What the tokens belong to; unknown in records of before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_for: Option<GivenFor>,
    /// The refresh token that is spent at its use; unknown in records of before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Lineage>,
}

/// For whom and for where tokens were given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenFor {
    /// The client; public.
    #[serde(default)]
    pub client_id: Option<String>,
    /// The token endpoint.
    pub token_endpoint: String,
    /// Scheme, host and port of the resource server.
    pub api_origin: String,
    /// Whether they are bound to a key (RFC 9449).
    pub to_key: bool,
}

/// The state of a profile, as `status` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// A call would work now, perhaps after a refresh.
    Ready,
    /// The access token has ended, and nothing can renew it.
    Expired,
    /// The provider ended the connection.
    AuthorizationNeeded,
    /// Nobody has authorised it, or it was revoked.
    NeverConnected,
}

/// Why a connection wants somebody's attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attention {
    /// The provider ended it.
    Ended,
    /// Its access token has ended, and nothing can renew it.
    Expired,
    /// The API refused its access token then, and nothing can renew it.
    Refused(Timestamp),
    /// Its refresh token ends then.
    RefreshTokenEnds(Timestamp),
    /// Its access token ends then, and nothing can renew it.
    AccessTokenEnds(Timestamp),
}

impl State {
    /// As `status` prints it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Expired => "expired",
            Self::AuthorizationNeeded => "authorization-needed",
            Self::NeverConnected => "never-connected",
        }
    }
}

impl Record {
    /// The state at `now`.
    pub fn state(&self, now: Timestamp) -> State {
        let ended = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        if !self.connected {
            State::NeverConnected
        } else if self.needs_authorization {
            State::AuthorizationNeeded
        } else if ended(self.access_expires_at)
            && (!self.renewable || ended(self.refresh_expires_at))
        {
            State::Expired
        } else {
            State::Ready
        }
    }

    /// Whether a person must act before `until`.
    pub fn needs_attention(&self, now: Timestamp, until: Timestamp) -> bool {
        self.attention(now, until).is_some()
    }

    /// What a person must act upon before `until`.
    pub fn attention(&self, now: Timestamp, until: Timestamp) -> Option<Attention> {
        let ends = |at: &Timestamp| *at <= until;
        match self.state(now) {
            State::NeverConnected => None,
            State::AuthorizationNeeded => Some(Attention::Ended),
            State::Expired => Some(Attention::Expired),
            State::Ready if self.renewable => {
                self.refresh_expires_at.filter(ends).map(Attention::RefreshTokenEnds)
            }
            State::Ready => match self.refused_at {
                Some(at) => Some(Attention::Refused(at)),
                None => self.access_expires_at.filter(ends).map(Attention::AccessTokenEnds),
            },
        }
    }
}

impl Profiles {
    /// Reads the record of a profile; one that was never connected has the empty record.
    ///
    /// A damaged one counts as empty too: the next command that reads the entry writes it anew.
    pub fn record(&self, name: &str) -> Result<Record, ProfileError> {
        Ok(self.readable_record(name)?.unwrap_or_default())
    }

    /// The same; `None` where the file says nothing that can be read.
    pub fn readable_record(&self, name: &str) -> Result<Option<Record>, ProfileError> {
        match self.read_file(&record_file(name))? {
            None => Ok(Some(Record::default())),
            Some(text) => Ok(serde_json::from_slice(&text).ok()),
        }
    }

    /// Writes the record of a profile.
    pub fn write_record(&self, name: &str, record: &Record) -> Result<(), ProfileError> {
        let text = serde_json::to_vec(record).unwrap_or_default();
        self.write_file(&record_file(name), &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_follows_from_the_record_and_the_time() {
        let at = |seconds| Some(Timestamp::from_second(seconds).unwrap());
        let now = Timestamp::from_second(1000).unwrap();
        let connected = Record { connected: true, ..Record::default() };
        let renewable = Record { renewable: true, ..connected.clone() };
        let cases = [
            (Record::default(), State::NeverConnected),
            (connected.clone(), State::Ready),
            (Record { access_expires_at: at(999), ..connected.clone() }, State::Expired),
            (Record { access_expires_at: at(999), ..renewable.clone() }, State::Ready),
            (
                Record {
                    access_expires_at: at(999),
                    refresh_expires_at: at(1000),
                    ..renewable.clone()
                },
                State::Expired,
            ),
            (Record { needs_authorization: true, ..renewable.clone() }, State::AuthorizationNeeded),
        ];
        for (record, state) in cases {
            assert_eq!(record.state(now), state, "{record:?}");
        }
    }

    #[test] // RF19, AT-20
    fn a_refresh_token_that_lapses_soon_wants_attention() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let record = Record {
            connected: true,
            renewable: true,
            refresh_expires_at: Some(at(5000)),
            ..Record::default()
        };
        assert!(!record.needs_attention(at(0), at(4999)));
        assert!(record.needs_attention(at(0), at(5000)));
        let why = record.attention(at(0), at(5000));
        assert_eq!(why, Some(Attention::RefreshTokenEnds(at(5000))));
    }

    #[test] // AT-20
    fn an_access_token_that_nothing_renews_wants_attention_before_it_ends() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let record =
            Record { connected: true, access_expires_at: Some(at(5000)), ..Record::default() };
        assert_eq!(record.attention(at(0), at(4999)), None);
        assert_eq!(record.attention(at(0), at(5000)), Some(Attention::AccessTokenEnds(at(5000))));
        assert_eq!(record.attention(at(5000), at(5000)), Some(Attention::Expired));
    }
}

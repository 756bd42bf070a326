//! A client id as the vendor issues it: public, and yet easily mistaken for something else.

use crate::provider::Provider;

/// Why a client id is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientIdError {
    /// Nothing, or something no vendor issues.
    #[error("the client id is empty or holds a control character")]
    Unusable,
    /// The vendor's own ids look different.
    #[error("this is no client id of the vendor: letters and digits, at most {longest}")]
    Form {
        /// The most characters.
        longest: usize,
    },
}

/// Checks a client id and gives it without the blanks around it.
pub fn check(provider: &Provider, client_id: &str) -> Result<String, ClientIdError> {
    let client_id = client_id.trim();
    if client_id.is_empty() || client_id.chars().any(char::is_control) {
        return Err(ClientIdError::Unusable);
    }
    match provider.setup.client_id_max_length {
        Some(longest) if client_id.len() > longest || !is_alphanumeric(client_id) => {
            Err(ClientIdError::Form { longest })
        }
        _ => Ok(client_id.to_owned()),
    }
}

fn is_alphanumeric(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Tells whether a client id begins as the vendor's do; one that does not may still be right.
pub fn begins_right(provider: &Provider, client_id: &str) -> bool {
    client_id.starts_with(&provider.setup.client_id_prefix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue::shipped;

    #[test]
    fn a_client_id_is_checked_by_the_vendor_s_own_rule() {
        let (inkress, merchantos) =
            (shipped("inkress").unwrap().unwrap(), shipped("merchantos").unwrap().unwrap());
        assert_eq!(check(&inkress, " inkid_1 "), Ok("inkid_1".into()));
        for unusable in ["", "  ", "a\u{1b}b", "i\r\nx"] {
            assert_eq!(check(&inkress, unusable), Err(ClientIdError::Unusable), "{unusable:?}");
        }
        assert!(matches!(check(&merchantos, "my-client"), Err(ClientIdError::Form { .. })));
        assert!(begins_right(&inkress, "inkid_1") && !begins_right(&inkress, "1"));
    }
}

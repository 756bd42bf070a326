//! A flow as it is typed.

use clap::ValueEnum;

use crate::provider::schema::Flow;

/// A flow as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FlowChoice {
    /// The browser (Authorization Code with PKCE)
    Code,
    /// A code typed on another device
    Device,
    /// The client's own credentials
    ClientCredentials,
    /// The account owner's password, for old applications
    Password,
    /// An assertion that is signed with the client's private key, or a ready one
    JwtBearer,
    /// A token that was made elsewhere, such as a CI runner's
    TokenExchange,
}

impl FlowChoice {
    /// The choice that means a flow; `None` for tokens that are made elsewhere.
    pub fn of(flow: Flow) -> Option<Self> {
        let all = Self::value_variants().iter().copied();
        all.into_iter().find(|choice| choice.flow() == flow)
    }

    /// The flow that is meant.
    pub fn flow(self) -> Flow {
        match self {
            Self::Code => Flow::AuthorizationCode,
            Self::Device => Flow::DeviceCode,
            Self::ClientCredentials => Flow::ClientCredentials,
            Self::Password => Flow::Password,
            Self::JwtBearer => Flow::JwtBearer,
            Self::TokenExchange => Flow::TokenExchange,
        }
    }

    /// As it is typed.
    pub fn name(self) -> String {
        self.to_possible_value().map(|it| it.get_name().to_owned()).unwrap_or_default()
    }
}

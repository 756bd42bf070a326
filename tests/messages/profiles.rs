//! A command line that names a wrong profile, provider or flag.

use super::{Failure, in_world};
use crate::support::World;

pub fn failures() -> Vec<Failure> {
    let world = World::new();
    let failed = |name, line| in_world(name, &world, world.line(line));
    vec![
        failed("no profile is named", "token"),
        failed("the profile is unknown", "token shop"),
        failed("the profile's name is none", "token ../shop"),
        failed("the provider is unknown", "connect shop --provider inkres"),
        failed("the client id is missing", "connect shop --provider inkress"),
        failed("a setting is missing", "connect gate --provider inyo --client-id c"),
        failed("a secret in a flag", "connect shop --client-secret x"),
        failed("a flag nobody knows", "connect shop --provder x"),
        failed("the vendor has no code flow", "connect till --provider inventorum"),
        failed(
            "a reserved scope",
            "connect s --provider inkress --client-id i --scope payments:read",
        ),
        failed(
            "a redirect URI without a port",
            "connect s --provider inkress --client-id i --redirect-uri http://127.0.0.1/",
        ),
    ]
}

pub const EXPECTED: &str = r##"
## no profile is named
2
error: no profile was named
hint:  name one, or set KEYFOB_PROFILE
       keyfob profile list

## the profile is unknown
3
error: there is no profile `shop`
hint:  these are the profiles; `keyfob connect` makes one
       keyfob profile list

## the profile's name is none
2
error: `../shop` is no profile name
cause: only lower-case letters, digits, `.`, `_` and `-` are allowed, and a letter or digit comes first
hint:  use `shop`

## the provider is unknown
3
error: there is no provider `inkres`
hint:  did you mean `--provider inkress`? All of them:
       keyfob provider list

## the client id is missing
3
error: there is no client id for `shop`
hint:  give the one that the vendor issued, or set KEYFOB_CLIENT_ID; this shows how to get one
       keyfob provider show inkress
       keyfob connect shop --provider inkress --client-id …

## a setting is missing
2
error: Inyo Payment Gateway needs the setting `host`
cause: Host name that Inyo gave you at onboarding
hint:  give it
       keyfob connect gate --provider inyo --client-id c --set host=…

## a secret in a flag
2
error: no flag takes a secret, so there is no --client-secret
cause: every user of this machine can read the arguments of a process
hint:  use --client-secret-file FILE (`-` is standard input), KEYFOB_CLIENT_SECRET, or the prompt; change a secret that was typed

## a flag nobody knows
2
error: unexpected argument '--provder' found
hint:  a similar argument exists: '--provider'
       keyfob connect --help

## the vendor has no code flow
3
error: Inventorum has no code flow for other programs
cause: its tokens are made at https://connect.inventorum.com/apps
cause: the password flow is for API applications issued before 2019 alone
hint:  make them there, then import them
       keyfob import till --provider inventorum
       keyfob connect till --provider inventorum --flow password

## a reserved scope
2
error: Inkress keeps `payments:read` for itself
cause: reserved: Inkress asks not to request it
hint:  leave it out

## a redirect URI without a port
2
error: Inkress compares redirect URIs exactly
cause: http://127.0.0.1/ names no port
hint:  give the port that is registered, such as http://127.0.0.1:8976/callback
"##;

//! Against parts that nobody here wrote. `tests/all` installs them.

#![expect(clippy::disallowed_methods, reason = "a test reads its own environment and clock")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tables and logs, for who reads them"
)]

mod asking;
mod authority;
mod authorization_server;
mod batch;
mod browser;
mod certificates;
mod certified_server;
mod device;
mod documents;
#[path = "../support/files.rs"]
mod files;
mod folder;
mod guarded;
mod helpers;
mod keychain;
mod keychain_program;
mod keyring;
mod killed;
mod loopback;
mod openid;
#[path = "../support/port_block.rs"]
mod port_block;
#[path = "../support/ports.rs"]
#[expect(dead_code, reason = "no port is listened on in this process, where a copy could keep it")]
mod ports;
mod proof_of_possession;
mod proxy;
mod registering;
mod signed_clients;
mod stand_in;
mod terminal;

//! The whole program, against stand-ins on loopback.

mod support;

mod architecture;
mod bad_input;
mod batch;
#[cfg(unix)]
mod batch_processes;
mod call;
#[cfg(unix)]
mod ci;
mod clock;
mod connect;
#[cfg(unix)]
mod documents;
#[cfg(unix)]
mod exec;
mod helper;
#[cfg(unix)]
mod helper_program;
mod import;
#[cfg(unix)]
mod interruptions;
#[cfg(feature = "jq")]
mod jq;
mod json;
mod limits;
mod messages;
mod offline;
mod paginate;
mod profile;
mod properties;
mod provider;
#[cfg(unix)]
mod proxy;
#[cfg(unix)]
mod races;
mod readme;
mod recipes;
mod redirect;
mod refresh;
mod retries;
mod revoke;
mod rolling;
#[cfg(unix)]
mod save_to;
mod scopes;
#[cfg(unix)]
mod sealed;
mod secrecy;
mod status;
mod sync;
#[cfg(unix)]
mod sync_processes;
mod sync_whole;
#[cfg(unix)]
mod terminal;
mod token_and_header;
mod transient;
mod vendors;
mod webhook;
#[cfg(unix)]
mod webhook_listen;
#[cfg(not(feature = "jq"))]
mod without_jq;

/// A file that nobody names would be compiled by nobody and fail never.
#[test]
fn every_file_in_this_folder_is_named_above() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let named = include_str!("main.rs");
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().file_name().into_string().unwrap();
        let module = file.strip_suffix(".rs").filter(|it| *it != "main");
        if let Some(module) = module {
            assert!(named.contains(&format!("\nmod {module};")), "tests/{file} is forgotten");
        }
    }
}

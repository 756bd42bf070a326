//! The whole program, against stand-ins on loopback.

mod support;

mod answer_sizes;
mod architecture;
mod asserted;
mod authorization_request;
mod bad_input;
mod batch;
#[cfg(unix)]
mod batch_processes;
mod before_the_browser;
mod call;
#[cfg(unix)]
mod ci;
mod client_authentication;
mod client_documents;
mod client_keys;
mod client_methods;
mod clock;
#[cfg(unix)]
mod closed_streams;
mod connect;
mod contract;
mod device;
mod discovery;
#[cfg(unix)]
mod documents;
mod dpop;
mod escapes;
#[cfg(unix)]
mod exec;
#[cfg(unix)]
mod file_safety;
mod flags;
mod former_files;
mod held_twice;
mod help;
mod helper;
#[cfg(unix)]
mod helper_program;
#[cfg(unix)]
mod hostile_bodies;
mod import;
#[cfg(unix)]
mod interruptions;
mod introspect;
#[cfg(feature = "jq")]
mod jq;
mod json;
mod kept_secrets;
mod limits;
mod listener_attacks;
#[cfg(unix)]
mod lock_file;
#[cfg(target_os = "linux")]
mod memory;
mod messages;
mod metadata_changes;
mod mix_up;
mod mutual_tls;
mod narrow;
mod offline;
mod one_issuer_many_clients;
mod openid;
mod other_account;
mod own_words;
mod paginate;
mod par;
#[cfg(target_os = "linux")]
mod processes;
mod profile;
mod properties;
mod protected_resource;
mod provider;
#[cfg(unix)]
mod proxy;
#[cfg(unix)]
mod races;
mod readme;
mod recipes;
mod redirect;
mod refresh;
mod register;
mod register_key;
mod register_more;
mod register_other_key;
mod register_waiting;
mod registration_answers;
mod resource;
mod retries;
mod revoke;
mod rolling;
mod sandbox_lines;
#[cfg(unix)]
mod save_to;
mod scopes;
#[cfg(unix)]
mod sealed;
mod secrecy;
mod standards;
mod status;
mod step_up;
mod sync;
#[cfg(unix)]
mod sync_processes;
mod sync_whole;
#[cfg(unix)]
mod terminal;
#[cfg(unix)]
mod tls;
mod token_and_header;
mod token_response;
#[cfg(unix)]
mod transaction;
mod transient;
mod vendor_words;
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

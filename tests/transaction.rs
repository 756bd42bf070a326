//! What is fixed when the browser opens stays fixed, whatever is changed or sent meanwhile.

use std::os::unix::fs::PermissionsExt as _;

use keyfob::sandbox::walk::{Decision, walk};
use keyfob::sandbox::{Behaviour, Endpoint, Options, Sandbox};
use keyfob::system::Home;

use crate::support::browser;
use crate::support::program::{Program, text};
use crate::support::{Shop, parameters, until};

#[test] // TQ9, A1
fn a_code_goes_to_the_endpoint_that_stood_there_when_the_browser_opened() {
    let program = Program::beside("standard", Behaviour::default());
    let evil = Sandbox::start("standard", Options::default()).unwrap();
    let folder = Home::under(&program.home()).providers();
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::set_permissions(program.home(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let file = folder.join("standard.toml");
    let honest = include_str!("../src/sandbox/vendors/standard_provider.toml");
    std::fs::write(&file, honest).unwrap();
    let seen = program.folder.path().join("seen");
    let browser = program.folder.path().join("browser");
    let script =
        format!("#!/bin/sh\necho \"$1\" > '{0}.new'\nmv '{0}.new' '{0}'\n", seen.display());
    std::fs::write(&browser, script).unwrap();
    std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755)).unwrap();
    let how = program.sandbox.how_to_connect();
    let mut words = vec!["connect", "shop", "--provider", "standard", "--client-id"];
    words.extend([how.client.client_id.as_str(), "--redirect-uri", &how.client.redirect_uri]);
    let settings: Vec<String> =
        how.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
    words.extend(settings.iter().flat_map(|it| ["--set", it.as_str()]));
    let secret = how.client.client_secret.as_ref().unwrap().expose().to_owned();
    let mut command = program.command(words.iter().copied());
    command.env("BROWSER", &browser).env("PATH", "/usr/bin:/bin");
    let child = command.env("KEYFOB_CLIENT_SECRET", &secret).spawn().unwrap();
    until("the browser was started", || seen.exists());
    std::fs::write(
        &file,
        honest.replace("\"{host}/token\"", &format!("\"{}/token\"", evil.origin())),
    )
    .unwrap();
    let address = std::fs::read_to_string(&seen).unwrap();
    walk(address.trim(), Decision::Allow).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(program.sandbox.counts(Endpoint::Token), 1);
    assert!(evil.log().is_empty());
    // And what the changed file says is not believed afterwards either.
    let output = program.run("refresh shop");
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert!(evil.log().is_empty());
}

#[test] // A17, A2
fn a_code_of_somebody_else_is_not_exchanged_and_the_own_one_is() {
    let mut shop = Shop::of("inkress");
    shop.world.browser(browser::Behaviour::stray(|url| {
        let redirect = parameters(url.as_str())["redirect_uri"].clone();
        ["", "&state=", "&state=of-another-login", "&state=x&state=y"]
            .map(|state| format!("{redirect}?code=inkc_injected{state}"))
            .to_vec()
    }));
    shop.connect().ok();
    assert_eq!(shop.world.browser.stray_answers(), [Some(400); 4]);
    let requests = shop.seen(Endpoint::Token);
    assert_eq!(requests.len(), 1);
    assert!(!requests[0].text().contains("inkc_injected"));
    let asked = parameters(&shop.world.browser.opened()[0]);
    assert_eq!(asked["code_challenge_method"], "S256");
    assert!(requests[0].text().contains("code_verifier"));
}

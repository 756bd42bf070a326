//! Links, modes, names and foreign folders: nothing of anybody else's is changed or believed.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use keyfob::sandbox::{Behaviour, Sandbox};

use crate::support::Shop;
use crate::support::browser;
use crate::support::program::{Life, Program, text};

/// Everything below a folder: what it is, its mode, and what is in it.
fn tree(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut tree = BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let facts = std::fs::symlink_metadata(&path).unwrap();
        let content = if facts.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
        if facts.is_dir() {
            tree.extend(self::tree(&path));
        }
        tree.insert(path, (facts.permissions().mode(), content));
    }
    tree
}

/// The program under a shell that prepares something.
fn under(program: &Program, preparation: &str, line: &str) -> Command {
    let model = program.command([]);
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{preparation} exec \"$0\" \"$@\"")])
        .arg(model.get_program())
        .args(line.split(' '))
        .env_clear();
    for (name, value) in model.get_envs() {
        command.env(name, value.unwrap());
    }
    command
}

/// The words that import `shop`, and the tokens that they read.
fn import_line(program: &Program) -> (String, String) {
    let how = program.sandbox.how_to_connect();
    let scopes: Vec<&str> = how.scopes.iter().map(String::as_str).collect();
    let mut tokens = program.sandbox.dashboard_tokens(&scopes);
    tokens["client_secret"] = how.client.client_secret.as_ref().unwrap().expose().into();
    let settings: String =
        how.settings.iter().map(|(name, value)| format!(" --set {name}={value}")).collect();
    let id = &how.client.client_id;
    let line = format!("import shop --provider {}{settings} --client-id {id}", how.provider);
    (line, tokens.to_string())
}

/// A life in which every kind of file is written.
const LIFE: [&str; 5] = [
    "call shop GET /orders",
    "refresh shop",
    "profile set shop scopes=orders:read",
    "profile rename shop other",
    "profile rename other shop",
];

#[test] // ST5, A20
fn everything_is_private_under_an_umask_that_hides_nothing() {
    let program = Program::beside("inkress", Behaviour::default());
    let home = program.home();
    let (import, tokens) = import_line(&program);
    for line in [import.as_str()].into_iter().chain(LIFE) {
        let mut command = under(&program, "umask 000;", line);
        // What a CI job imports is a copy, and never rolled.
        let command = command.env_remove("CI").stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Only the import reads it.
        let _ = child.stdin.take().unwrap().write_all(tokens.as_bytes());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{line}: {}", text(&output.stderr));
        let made = tree(&home);
        assert!(made.len() > 4, "{made:?}");
        for (path, (mode, _)) in made {
            assert_eq!(mode & 0o077, 0, "{line}: {} is {mode:o}", path.display());
        }
        let mode = std::fs::metadata(&home).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{line}: the home itself is {mode:o}");
    }
}

#[test] // ST5
fn a_provider_file_made_under_a_careless_umask_is_refused_with_the_command_that_mends_it() {
    let program = Program::beside("inkress", Behaviour::default());
    program.import_into(&program.home(), "shop", Life::Ahead);
    let folder = program.home().join("providers");
    std::fs::create_dir(&folder).unwrap();
    let shipped = include_str!("../src/provider/catalogue/inkress.toml");
    let file = folder.join("inkress.toml");
    std::fs::write(&file, shipped).unwrap();
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for (folder_mode, file_mode) in [(0o775, 0o664), (0o700, 0o664), (0o777, 0o600)] {
        mode(&folder, folder_mode);
        mode(&file, file_mode);
        let refused = program.run("call shop GET /orders");
        let said = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(6), "{said}");
        assert!(said.contains("others may write to it"), "{said}");
        let command = said.lines().find(|line| line.contains("chmod")).expect(&said);
        assert!(Command::new("sh").args(["-c", command]).status().unwrap().success());
        let called = program.run("call shop GET /orders");
        assert!(called.status.success(), "{}", text(&called.stderr));
    }
}

#[test] // ST5, ST6, A20
fn a_link_planted_in_the_place_of_any_file_leaves_its_victim_alone() {
    let program = Program::beside("inkress", Behaviour::default());
    program.import_into(&program.home(), "shop", Life::Ahead);
    for line in LIFE {
        assert!(program.run(line).status.success(), "{line}");
    }
    let whole = tree(&program.home());
    let files: Vec<&PathBuf> = whole.keys().filter(|path| path.is_file()).collect();
    assert!(files.len() >= 4, "{files:?}");
    let victim = program.folder.path().join("victim");
    for file in files {
        let aside = program.folder.path().join("aside");
        std::fs::rename(file, &aside).unwrap();
        std::fs::write(&victim, "precious").unwrap();
        std::fs::set_permissions(&victim, std::fs::Permissions::from_mode(0o644)).unwrap();
        symlink(&victim, file).unwrap();
        for line in [
            "status",
            "call shop GET /orders",
            "refresh shop",
            "profile set shop scopes=orders:write",
        ] {
            // What is refused and what goes on is each room's affair; the victim is nobody's.
            program.run(line);
            let name = file.display();
            assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious", "{name}: {line}");
            let mode = std::fs::metadata(&victim).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o644, "{name}: {line}");
        }
        // A link that was replaced by a file of the program's own is as good as none.
        let _ = std::fs::remove_file(file);
        std::fs::rename(&aside, file).unwrap();
    }
    assert_eq!(program.sandbox.spent_tokens_seen(), 0);
}

#[test] // ST5, ST6, A20
fn a_place_of_locks_that_is_not_one_s_own_is_told_and_nothing_is_sent() {
    let shop = Shop::connected("inkress");
    let requests = shop.token_requests();
    let locks = shop.world.home().locks();
    let lock = locks.join("shop.lock");
    let aside = shop.world.own_file("aside", "precious");
    std::fs::remove_file(&lock).unwrap();
    symlink(&aside, &lock).unwrap();
    shop.line("refresh shop").exits(6).says("it is a symbolic link").says("ls -ld");
    std::fs::remove_file(&lock).unwrap();
    std::fs::set_permissions(&locks, std::fs::Permissions::from_mode(0o777)).unwrap();
    shop.line("refresh shop").exits(6).says("others may write to it").says("ls -ld");
    assert_eq!(shop.token_requests(), requests);
    assert_eq!(std::fs::read_to_string(&aside).unwrap(), "precious");
    std::fs::set_permissions(&locks, std::fs::Permissions::from_mode(0o700)).unwrap();
    shop.line("refresh shop").ok();
}

#[test] // A19, ST7
fn forty_names_lead_nowhere() {
    let long = "a".repeat(65);
    let names = [
        "",
        ".",
        "..",
        "../x",
        "../../x",
        "../../../../tmp/x",
        "/etc/passwd",
        "/",
        "a/b",
        "a\\b",
        "..\\x",
        "a/../b",
        "./x",
        "~",
        "~root",
        "$HOME",
        "`id`",
        "$(id)",
        "a;b",
        "a|b",
        "a b",
        " a",
        "a\n",
        "a\rb",
        "a\u{1b}[2J",
        "a\u{202e}b",
        "CON",
        "con",
        "nul",
        "aux.txt",
        "com1",
        "lpt9",
        ".hidden",
        "_x",
        "a.",
        "a..b",
        "Shop",
        "sh\u{f6}p",
        "a:b",
        "a*",
        "%2e%2e%2fx",
        "file:///x",
        "\u{430}bc",
        long.as_str(),
    ];
    assert!(names.len() >= 40);
    let mut shop = Shop::connected("inkress");
    shop.world.browser(browser::Behaviour::MustStayClosed);
    let outside = tree(shop.world.folder.path());
    for name in names {
        for words in [
            vec!["token", "--", name],
            vec!["refresh", "--", name],
            vec!["revoke", "--local-only", "--", name],
            vec!["status", "--", name],
            vec!["connect", "--provider", "inkress", "--client-id", "x", "--", name],
            vec!["import", "--provider", "inkress", "--", name],
            vec!["profile", "remove", "--yes", "--", name],
            vec!["profile", "rename", "--", "shop", name],
            vec!["profile", "rename", "--", name, "shop2"],
        ] {
            let ran = shop.world.run(words.iter().copied());
            assert_eq!(ran.exit, 2, "{words:?}: {}", ran.stderr);
            assert_eq!(tree(shop.world.folder.path()), outside, "{words:?}");
        }
    }
}

#[test] // ST9, A16
fn a_project_s_own_files_are_not_read() {
    let evil = Sandbox::start("inkress", Default::default()).unwrap();
    let program = Program::beside("inkress", Behaviour::default());
    program.import_into(&program.home(), "shop", Life::Ahead);
    let project = program.folder.path().join("project");
    let origin = evil.origin();
    let profile = format!(
        "provider = \"inkress\"\nclient_id = \"inkid_evil\"\n[settings]\napi_host = \"{origin}\"\nauth_host = \"{origin}\"\n"
    );
    let provider = include_str!("../src/provider/catalogue/inkress.toml")
        .replace("{api_host}", &origin)
        .replace("{auth_host}", &origin);
    let config = "store = \"memory\"\nsave_to = \"cat > stolen\"\n";
    for folder in ["", ".keyfob", "keyfob", ".config/keyfob", "config"] {
        let folder = project.join(folder);
        for (name, text) in [
            ("profiles/shop.toml", profile.as_str()),
            ("providers/inkress.toml", &provider),
            ("shop.toml", &profile),
            ("inkress.toml", &provider),
            ("config.toml", config),
            ("keyfob.toml", config),
            (".keyfob.toml", config),
            (".env", &format!("KEYFOB_HOME={}\n", project.display())),
        ] {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }
    for line in ["call shop GET /orders", "refresh shop", "token shop", "revoke shop"] {
        let output = program.command(line.split(' ')).current_dir(&project).output().unwrap();
        assert!(output.status.success(), "{line}: {}", text(&output.stderr));
    }
    assert!(evil.log().is_empty());
    assert!(!project.join("stolen").exists());
}

#[test] // ST8, RF14, A16
fn a_provider_file_that_gains_a_host_is_not_believed() {
    let shop = Shop::of("standard");
    let path = shop.world.home().providers().join("standard.toml");
    let shop = shop.and_connected();
    let text = std::fs::read_to_string(&path).unwrap();
    let evil = Sandbox::start("standard", Default::default()).unwrap();
    let origin = evil.origin();
    let before = shop.sandbox.log().len();
    for (old, new) in [
        ("url = \"{host}/token\"", format!("url = \"{origin}/token\"")),
        ("url = \"{host}/revoke\"", format!("url = \"{origin}/revoke\"")),
        ("base_url = \"{host}/api\"", format!("base_url = \"{origin}/api\"")),
        (
            "base_url = \"{host}/api\"",
            format!("base_url = \"{{host}}/api\"\nhosts = [\"{origin}\"]"),
        ),
    ] {
        std::fs::write(&path, text.replace(old, &new)).unwrap();
        // A host that only calls would go to keeps nobody from ending the connection where it was made.
        let may_be_ended = new.contains("hosts");
        let lines = [
            "refresh shop".to_owned(),
            "call shop GET /items".to_owned(),
            format!("call shop GET {origin}/items"),
            "revoke shop".to_owned(),
            "token shop".to_owned(),
        ];
        for line in lines.into_iter().filter(|line| !(may_be_ended && line == "revoke shop")) {
            let ran = shop.line(&line);
            assert!(ran.exit == 3 || ran.exit == 2, "{new}: {line}: {} {}", ran.exit, ran.stderr);
            assert_eq!(ran.stdout, "", "{new}: {line}");
        }
    }
    assert_eq!((evil.log().len(), shop.sandbox.log().len()), (0, before));
    std::fs::write(&path, text).unwrap();
    shop.line("call shop GET /items").ok();
}

#[test] // ST16
fn profiles_that_are_written_at_once_lose_nothing_of_each_other() {
    let program = Program::beside("inkress", Behaviour::default());
    let home = program.home();
    for name in ["a", "b"] {
        program.import_into(&home, name, Life::Ahead);
    }
    std::thread::scope(|scope| {
        for name in ["a", "b"] {
            let program = &program;
            scope.spawn(move || {
                for number in 0..10 {
                    let scope = ["orders:read", "orders:write"][number % 2];
                    let line = format!("profile set {name} scopes={scope}");
                    assert!(program.run(&line).status.success());
                    assert!(program.run(&format!("refresh {name}")).status.success());
                }
            });
        }
    });
    for name in ["a", "b"] {
        let shown = text(&program.run(&format!("profile show {name}")).stdout);
        assert!(shown.contains("orders:write"), "{shown}");
    }
    assert_eq!(program.sandbox.spent_tokens_seen(), 0);
}

#[test] // ST10
fn what_was_forgotten_is_nowhere_below_the_home() {
    let program = Program::beside("inkress", Behaviour::default());
    program.import_into(&program.home(), "shop", Life::Ahead);
    assert!(program.run("refresh shop").status.success());
    let sealed = |tree: &BTreeMap<PathBuf, (u32, Vec<u8>)>| {
        let kept = tree.iter().filter(|(path, _)| {
            let name = path.display().to_string();
            name.ends_with(".sealed") || name.ends_with(".journal") || name.ends_with(".new")
        });
        kept.map(|(path, _)| path.clone()).collect::<Vec<_>>()
    };
    assert_eq!(sealed(&tree(&program.home())).len(), 1);
    assert!(program.run("revoke shop").status.success());
    assert!(program.run("profile remove shop").status.success());
    let left = tree(&program.home());
    assert_eq!(sealed(&left), Vec::<PathBuf>::new());
    for (path, (_, content)) in left {
        let content = String::from_utf8_lossy(&content).into_owned();
        assert!(!content.contains("inka_") && !content.contains("inkr_"), "{}", path.display());
    }
}

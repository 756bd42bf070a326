//! What the sealed file store refuses on Unix: links, foreign owners, open modes, odd files.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use super::*;

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn is_unwritable<T: std::fmt::Debug>(result: Result<T, StoreError>, why: &str) {
    match result {
        Err(StoreError::Unwritable { source, .. }) => assert_eq!(source.to_string(), why),
        other => panic!("{other:?}"),
    }
}

#[test] // ST5, A20
fn a_planted_link_is_refused_and_its_victim_is_untouched() {
    let desk = Desk::new();
    let store = desk.file_store();
    store.write(&desk.lock, &name("shop"), &Secret::new("entry")).unwrap();
    let victim = desk.folder.path().join("victim");
    std::fs::write(&victim, "precious").unwrap();
    let path = desk.sealed().join("shop.sealed");
    std::fs::remove_file(&path).unwrap();
    symlink(&victim, &path).unwrap();
    is_unwritable(store.read(&name("shop")), "it is a symbolic link");
    let refused = store.write(&desk.lock, &name("shop"), &Secret::new("entry"));
    is_unwritable(refused, "it is a symbolic link");
    std::fs::remove_file(&path).unwrap();
    symlink(&victim, desk.sealed().join(".shop.sealed.new")).unwrap();
    store.write(&desk.lock, &name("shop"), &Secret::new("entry")).unwrap();
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
}

#[test] // ST5, A20
fn what_a_crash_left_open_to_others_is_private_when_it_is_used_again() {
    let desk = Desk::new();
    let store = desk.file_store();
    store.write(&desk.lock, &name("shop"), &Secret::new("entry")).unwrap();
    let left = desk.sealed().join(".shop.sealed.new");
    std::fs::write(&left, "half of an entry").unwrap();
    set_mode(&left, 0o644);
    store.write(&desk.lock, &name("shop"), &Secret::new("entry")).unwrap();
    assert_eq!(mode(&desk.sealed().join("shop.sealed")), 0o600);
}

#[test] // ST5, A20
fn a_hard_link_to_an_entry_keeps_the_old_bytes() {
    let desk = Desk::new();
    let store = desk.file_store();
    store.write(&desk.lock, &name("shop"), &Secret::new("old")).unwrap();
    let link = desk.folder.path().join("link");
    std::fs::hard_link(desk.sealed().join("shop.sealed"), &link).unwrap();
    let before = std::fs::read(&link).unwrap();
    store.write(&desk.lock, &name("shop"), &Secret::new("new")).unwrap();
    assert_eq!(std::fs::read(&link).unwrap(), before);
}

#[test] // ST5, A20
fn a_folder_that_is_a_link_or_that_others_may_write_to_is_refused() {
    let desk = Desk::new();
    let real = desk.folder.path().join("real");
    std::fs::create_dir(&real).unwrap();
    symlink(&real, desk.sealed()).unwrap();
    is_unwritable(desk.file_store().prove(), "it is a symbolic link");
    std::fs::remove_file(desk.sealed()).unwrap();
    std::fs::create_dir(desk.sealed()).unwrap();
    for open in [0o770, 0o702, 0o1777] {
        set_mode(&desk.sealed(), open);
        is_unwritable(desk.file_store().prove(), "others may write to it");
        is_unwritable(desk.file_store().read(&name("shop")), "others may write to it");
    }
}

#[test] // ST5, A20
fn a_folder_of_another_user_is_refused() {
    let desk = Desk::new();
    let theirs = match rustix::process::geteuid().is_root() {
        true => {
            std::fs::create_dir(desk.sealed()).unwrap();
            std::os::unix::fs::chown(desk.sealed(), Some(1), None).unwrap();
            desk.sealed()
        }
        false => PathBuf::from("/"),
    };
    let key = FileKey::Text(secret_key("one"));
    let store = FileStore::new(theirs, key, Arc::new(SystemRandom));
    is_unwritable(store.prove(), "it belongs to another user");
}

#[test] // ST5
fn an_entry_that_others_may_write_to_is_refused() {
    let desk = Desk::new();
    desk.file_store().write(&desk.lock, &name("shop"), &Secret::new("entry")).unwrap();
    set_mode(&desk.sealed().join("shop.sealed"), 0o620);
    is_unwritable(desk.file_store().read(&name("shop")), "others may write to it");
}

#[test] // ST5
fn a_pipe_in_the_place_of_an_entry_does_not_block() {
    let desk = Desk::new();
    desk.file_store().prove().unwrap();
    let path = desk.sealed().join("shop.sealed");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    is_unwritable(desk.file_store().read(&name("shop")), "it is no plain file");
}

#[test] // ST5
fn an_entry_of_absurd_length_is_not_read() {
    let desk = Desk::new();
    desk.file_store().prove().unwrap();
    let path = desk.sealed().join("shop.sealed");
    std::fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    set_mode(&path, 0o600);
    is_unwritable(desk.file_store().read(&name("shop")), "it is longer than it may be");
}

#[test] // ST5, A20
fn folders_and_files_are_private_from_their_first_moment() {
    let desk = Desk::new();
    let deep = desk.sealed().join("a/b");
    let store =
        FileStore::new(deep.clone(), FileKey::Text(secret_key("one")), Arc::new(SystemRandom));
    store.write(&desk.lock, &name("shop"), &Secret::new("entry")).unwrap();
    for folder in [&desk.sealed(), &desk.sealed().join("a"), &deep] {
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
    }
    assert_eq!(mode(&deep.join("shop.sealed")), 0o600);
}

#[test] // ST5, A20
fn they_are_private_under_an_umask_that_hides_nothing() {
    let test = "store::contract::on_unix::folders_and_files_are_private_from_their_first_moment";
    // The umask belongs to the whole process, so a process of its own gets this one.
    let output = std::process::Command::new("sh")
        .args(["-c", "umask 000; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test] // T11
fn a_key_file_that_others_may_read_is_refused() {
    let desk = Desk::new();
    let path = desk.folder.path().join("key");
    std::fs::write(&path, format!("{}\n", secret_key("one").expose())).unwrap();
    let store = || desk.file_store_with(FileKey::KeyFile(path.clone()));
    for open in [0o640, 0o604, 0o622] {
        set_mode(&path, open);
        let refused = store().prove();
        assert!(matches!(refused, Err(StoreError::KeyFileUnsafe { .. })), "{refused:?}");
    }
    set_mode(&path, 0o600);
    store().write(&desk.lock, &name("shop"), &Secret::new("entry")).unwrap();
    assert_eq!(desk.file_store().read(&name("shop")).unwrap(), Some(Secret::new("entry")));
}

#[test] // T11
fn a_key_file_that_is_absent_or_no_file_or_no_key_is_refused() {
    let desk = Desk::new();
    let path = desk.folder.path().join("key");
    let store = |path: &Path| desk.file_store_with(FileKey::KeyFile(path.to_owned()));
    for odd in [&path, desk.folder.path()] {
        let refused = store(odd).prove();
        assert!(matches!(refused, Err(StoreError::KeyFileUnsafe { .. })), "{refused:?}");
    }
    for (content, is_short) in [(vec![b'x'; 31], true), (vec![0xff; 40], false)] {
        std::fs::write(&path, content).unwrap();
        set_mode(&path, 0o600);
        match store(&path).prove() {
            Err(StoreError::KeyTooShort { length: 31 }) => assert!(is_short),
            Err(StoreError::KeyFileUnsafe { .. }) => assert!(!is_short),
            other => panic!("{other:?}"),
        }
    }
}

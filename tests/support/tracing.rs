//! What the system of who runs the tests allows.

/// Whether it may look into a process that lets nobody look: it has `CAP_SYS_PTRACE`, which root has too
/// save in a container. Tells where it may not, since less is proved then.
pub fn may_trace() -> bool {
    const CAP_SYS_PTRACE: u64 = 1 << 19;
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
    let may = u64::from_str_radix(effective.trim(), 16).unwrap() & CAP_SYS_PTRACE != 0;
    if !may {
        skipped("only who has CAP_SYS_PTRACE sees this");
    }
    may
}

/// Tells who runs the tests what is not proved here.
#[expect(clippy::print_stderr, reason = "for who runs the tests")]
pub fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

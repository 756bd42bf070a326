//! What keeps other processes and crash dumps away from the secrets in this one's memory.

#[cfg(unix)]
use std::sync::OnceLock;

#[cfg(unix)]
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How large a core file might have been before this process forbade it.
#[cfg(unix)]
static CORE_BEFORE: OnceLock<Rlimit> = OnceLock::new();

/// No core file, and no other process of this user may read the memory or the environment (ST14).
///
/// Where the system refuses, the program is as safe as any other and goes on.
pub fn keep_memory_private() {
    #[cfg(unix)]
    {
        // The hard limit stays: a program that takes this one's place gets its own back.
        let before = CORE_BEFORE.get_or_init(|| getrlimit(Resource::Core));
        let none = Rlimit { current: Some(0), maximum: before.maximum };
        let _ = setrlimit(Resource::Core, none);
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Takes back what another program would inherit from [`keep_memory_private`].
///
/// Linux itself makes a process dumpable again when it becomes another program (PR_SET_DUMPABLE(2const)).
#[cfg(unix)]
pub fn leave_to_successor() {
    if let Some(before) = CORE_BEFORE.get() {
        let _ = setrlimit(Resource::Core, *before);
    }
}

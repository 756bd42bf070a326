//! What keeps other processes and crash dumps away from the secrets in this one's memory.

/// No core file, and no other process of this user may read the memory or the environment (ST14).
///
/// Where the system refuses, the program is as safe as any other and goes on.
pub fn keep_memory_private() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

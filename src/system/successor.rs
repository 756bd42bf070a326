//! A program that takes this one's place, with secrets in its environment and none in its arguments.

use std::ffi::OsString;
use std::io;
use std::process::Command;

use crate::secret::Secret;

/// Which program, and what it is given.
#[derive(Debug)]
pub struct Successor {
    /// Its name, looked for on PATH, or its path.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// What is put into its environment.
    pub secrets: Vec<(String, Secret)>,
    /// What is taken out of its environment.
    pub without: &'static [&'static str],
}

impl Successor {
    /// Becomes the program: the same process, terminal, signals and exit status; comes back only
    /// where that fails.
    ///
    /// The standard library empties the signal mask and gives SIGPIPE its default meaning back;
    /// handlers and descriptors of this program end with it.
    #[cfg(unix)]
    pub fn take_over(self) -> io::Result<u8> {
        use std::os::unix::process::CommandExt as _;
        super::hardening::leave_to_successor();
        let error = self.command().exec();
        super::hardening::keep_memory_private();
        Err(error)
    }

    /// Runs the program to its end and gives its exit code; Ctrl-C is for the program alone.
    #[cfg(not(unix))]
    pub fn take_over(self) -> io::Result<u8> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            // Once somebody listens, Ctrl-C does not end this process before the program.
            let _listening = tokio::spawn(async { while tokio::signal::ctrl_c().await.is_ok() {} });
            tokio::task::yield_now().await;
            let mut child = self.command().spawn()?;
            let status = tokio::task::spawn_blocking(move || child.wait()).await;
            let code = status.map_err(io::Error::other)??.code().unwrap_or(1);
            Ok(u8::try_from(code).unwrap_or(1))
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        for name in self.without {
            command.env_remove(name);
        }
        for (name, secret) in &self.secrets {
            command.env(name, secret.expose());
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn a_secret_is_in_the_environment_and_nowhere_else() {
        let successor = Successor {
            program: "curl".into(),
            arguments: vec!["-v".into()],
            secrets: vec![("TOKEN".into(), Secret::new("hunter2"))],
            without: &["KEYFOB_STORE_KEY"],
        };
        assert!(!format!("{successor:?}").contains("hunter2"));
        let command = successor.command();
        assert_eq!(command.get_args().collect::<Vec<_>>(), ["-v"]);
        let changes: Vec<_> = command.get_envs().collect();
        let expected = [
            (OsStr::new("KEYFOB_STORE_KEY"), None),
            (OsStr::new("TOKEN"), Some(OsStr::new("hunter2"))),
        ];
        assert_eq!(changes, expected);
    }
}

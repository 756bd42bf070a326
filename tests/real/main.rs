//! Against parts that nobody here wrote. `tests/all` installs them.

mod keychain;

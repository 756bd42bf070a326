//! Words that people bring along from other programs, and what they are here.

/// What other programs call it, and the command that does it.
const MEANT: [(&str, &str); 14] = [
    ("auth", "connect"),
    ("authorize", "connect"),
    ("config", "profile"),
    ("curl", "call"),
    ("disconnect", "revoke"),
    ("get", "call"),
    ("init", "connect"),
    ("list", "status"),
    ("login", "connect"),
    ("logout", "revoke"),
    ("ls", "status"),
    ("profiles", "profile list"),
    ("providers", "provider list"),
    ("request", "call"),
];

/// The command that was meant by a first word that is none.
pub fn meant(typed: &[String]) -> Option<&'static str> {
    let word = typed.iter().skip(1).find(|word| !word.starts_with('-'))?;
    MEANT.into_iter().find(|(other, _)| other == word).map(|(_, command)| command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_leads_to_a_command_that_is_there_and_is_none_itself() {
        let known = crate::cli::command();
        for (other, command) in MEANT {
            assert!(known.find_subcommand(other).is_none(), "{other}");
            let mut at = &known;
            for word in command.split(' ') {
                at = at.find_subcommand(word).unwrap_or_else(|| panic!("{command}"));
            }
        }
    }
}

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
    let word = first_word(typed)?;
    MEANT.into_iter().find(|(other, _)| other == word).map(|(_, command)| command)
}

/// The first word behind the program that is neither a flag nor a flag's value.
fn first_word(typed: &[String]) -> Option<&String> {
    let command = crate::cli::command();
    let takes_value = |flag: &str| {
        let mut arguments = command.get_arguments().filter(|it| it.get_action().takes_values());
        arguments.any(|it| match (flag.strip_prefix("--"), flag.strip_prefix('-')) {
            (Some(long), _) => it.get_long() == Some(long),
            (None, Some(short)) => it.get_short().is_some_and(|letter| short == letter.to_string()),
            (None, None) => false,
        })
    };
    let mut words = typed.iter().skip(1);
    while let Some(word) = words.next() {
        match word.starts_with('-') {
            true if takes_value(word) => drop(words.next()),
            true => {}
            false => return Some(word),
        }
    }
    None
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

    #[test]
    fn a_flag_s_value_is_not_the_word() {
        let meant = |line: &str| {
            let typed: Vec<String> = line.split(' ').map(str::to_owned).collect();
            meant(&typed)
        };
        for line in
            ["login", "--store file login", "--store=file --yes login", "--cacert get login"]
        {
            assert_eq!(meant(&format!("keyfob {line}")), Some("connect"), "{line}");
        }
        assert_eq!(meant("keyfob --store login"), None);
    }
}

//! `--help`: what a person must know of a flag stands beside it.

#[test]
fn a_least_life_says_what_a_bare_number_means_wherever_it_can_be_given() {
    fn look(command: &clap::Command, path: &str, seen: &mut Vec<String>) {
        let name = format!("{path} {}", command.get_name());
        for flag in command.get_arguments().filter(|it| it.get_long() == Some("min-ttl")) {
            let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.ends_with("; a bare number is seconds"), "{name}: {help}");
            seen.push(name.clone());
        }
        command.get_subcommands().for_each(|inner| look(inner, &name, seen));
    }
    let mut seen = Vec::new();
    look(&keyfob::cli::command(), "", &mut seen);
    for name in [" keyfob token", " keyfob exec", " keyfob helper git"] {
        assert!(seen.iter().any(|it| it == name), "{name}: {seen:?}");
    }
}

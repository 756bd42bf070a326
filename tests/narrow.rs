//! What people read fits the terminal that shows it, and is never wrapped where none does.

use keyfob::system::{Terminals, Window};

use crate::support::Shop;

const LINES: [&str; 6] = [
    "status",
    "profile list",
    "provider list",
    "provider show inkress",
    "recipes shop",
    "scopes shop",
];

fn shown(shop: &mut Shop, columns: Option<u16>, line: &str) -> String {
    let window = columns.map(|columns| Window { columns, rows: 24 });
    let stdout = columns.is_some();
    shop.world.terminals = Terminals { stdout, window, ..Terminals::default() };
    let ran = shop.line(line);
    shop.world.terminals = Terminals::default();
    ran.stdout
}

#[test] // T18
fn every_table_and_page_fits_its_terminal_and_loses_no_word() {
    let mut shop = Shop::connected("inkress");
    for line in LINES {
        let whole = shown(&mut shop, None, line);
        let words = |text: &str| {
            let mut words: Vec<String> =
                text.split_whitespace().map(str::to_lowercase).filter(|it| it != "-").collect();
            words.sort();
            words.dedup();
            words
        };
        for columns in [40, 60, 80, 200] {
            let fitted = shown(&mut shop, Some(columns), line);
            let is_command = |line: &&str| line.trim_start().starts_with("keyfob ");
            for text in fitted.lines().filter(|text| !is_command(text)) {
                // A word is never broken, however long: it is there to be copied. It stands by itself
                // then, or behind the name of its column.
                let is_one_word = match text.split_whitespace().collect::<Vec<_>>().as_slice() {
                    [_] => true,
                    [_, word] => text.starts_with("  ") && word.len() + 15 > usize::from(columns),
                    _ => false,
                };
                let fits = text.chars().count() <= usize::from(columns);
                assert!(fits || is_one_word, "{line} at {columns}: {text}\n{fitted}");
            }
            let said = words(&fitted);
            // A block has no head: its first line is the row's name.
            let (_, rows) = whole.split_once('\n').unwrap();
            for word in words(rows) {
                assert!(said.contains(&word), "{line} at {columns}: {word} is lost\n{fitted}");
            }
        }
        assert_eq!(shown(&mut shop, Some(1000), line), whole, "{line}");
    }
}

#[test] // T18
fn nothing_is_wrapped_for_a_program_whatever_window_standard_error_has() {
    let mut shop = Shop::connected("inkress");
    let whole = shown(&mut shop, None, "status");
    let window = Some(Window { columns: 40, rows: 24 });
    shop.world.terminals = Terminals { stderr: true, window, ..Terminals::default() };
    assert_eq!(shop.line("status").stdout, whole);
}

#[test] // T18
fn the_words_under_every_command_s_options_fit_eighty_columns() {
    fn look(command: &clap::Command, path: &str) {
        let name = format!("{path} {}", command.get_name());
        let words = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        for line in words.lines() {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
        command.get_subcommands().for_each(|inner| look(inner, &name));
    }
    look(&keyfob::cli::command(), "");
}

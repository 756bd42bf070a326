//! Tables and pages for people, laid out for the width they are read at. Where no terminal shows
//! them nothing is ever wrapped: what a line holds stays on that line.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use unicode_width::UnicodeWidthStr as _;

/// Blanks on both sides of a column, of which the outermost are cut off.
const PADDING: usize = 2;

/// Text in a narrower column is hard to read.
const NARROWEST: usize = 24;

/// A table without lines. Where it is wider than `width` its cells are wrapped between words, and
/// where words do not fit beside each other every row is a block of its own.
pub fn table(width: Option<usize>, head: &[&str], rows: Vec<Vec<String>>) -> String {
    let head: Vec<String> = head.iter().map(|name| name.to_uppercase()).collect();
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head.clone());
    table.add_rows(rows.clone());
    let natural: Vec<usize> =
        table.column_max_content_widths().into_iter().map(usize::from).collect();
    let Some(width) = width.filter(|width| whole(&natural) > *width) else {
        return trimmed(&table.to_string());
    };
    let least = least(&head, &rows, &natural);
    if whole(&least) > width {
        return blocks(width, &head, &rows);
    }
    let granted = shared(width, &natural, &least);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_constraints(granted.into_iter().map(|columns| {
        let columns = u16::try_from(columns + PADDING).unwrap_or(u16::MAX);
        ColumnConstraint::Absolute(Width::Fixed(columns))
    }));
    trimmed(&table.to_string())
}

/// Writes a page of lines; one that is too long goes on below, further in. A command stays on one
/// line, to be pasted.
pub fn page(width: Option<usize>, text: &str) -> String {
    let Some(width) = width else { return text.to_owned() };
    let mut page = String::with_capacity(text.len());
    for line in text.lines() {
        let content = line.trim_start();
        let indent = line.len() - content.len();
        match content.starts_with("keyfob ") {
            true => page.push_str(line),
            false => page.push_str(&wrapped(width, indent, indent + 4, content)),
        }
        page.push('\n');
    }
    page
}

/// How wide a text stands in a terminal, counted as the table does: some letters take two columns, some none.
fn columns(text: &str) -> usize {
    text.width()
}

/// The width of a line of such columns.
fn whole(columns: &[usize]) -> usize {
    (columns.iter().sum::<usize>() + columns.len() * PADDING).saturating_sub(PADDING)
}

/// What each column needs so that no word of it is broken, and text can be read.
fn least(head: &[String], rows: &[Vec<String>], natural: &[usize]) -> Vec<usize> {
    let longest = |text: &str| text.split(' ').map(columns).max().unwrap_or(0);
    let of_column = |(place, name): (usize, &String)| {
        let cells = rows.iter().filter_map(|row| row.get(place)).map(|cell| longest(cell));
        cells.chain([longest(name), natural[place].min(NARROWEST)]).max().unwrap_or(0)
    };
    head.iter().enumerate().map(of_column).collect()
}

/// Gives each column its least, then what is left to those that want more, evenly.
fn shared(width: usize, natural: &[usize], least: &[usize]) -> Vec<usize> {
    let mut granted = least.to_vec();
    let mut left = width - whole(least);
    loop {
        let wanting = |granted: &[usize]| {
            (0..granted.len()).filter(|&it| granted[it] < natural[it]).collect::<Vec<_>>()
        };
        let columns = wanting(&granted);
        if left == 0 || columns.is_empty() {
            return granted;
        }
        for column in columns.into_iter().take(left) {
            granted[column] += 1;
            left -= 1;
        }
    }
}

/// Each row by itself: its first cell, and under it what the others hold.
fn blocks(width: usize, head: &[String], rows: &[Vec<String>]) -> String {
    let name_width = head.iter().skip(1).map(|name| columns(name)).max().unwrap_or(0);
    let inner = name_width + 4;
    let mut text = String::new();
    for row in rows {
        let mut cells = head.iter().zip(row);
        if let Some((_, first)) = cells.next() {
            text.push_str(&wrapped(width, 0, 4, first));
            text.push('\n');
        }
        for (name, cell) in cells.filter(|(_, cell)| !matches!(cell.as_str(), "" | "-")) {
            let cell = wrapped(width, inner, inner, cell);
            let name = format!("  {:name_width$}  ", name.to_lowercase());
            text.push_str(&name);
            text.push_str(cell.trim_start());
            text.push('\n');
        }
    }
    text
}

/// Breaks a line between words, the first part after `first` blanks and the others after `rest`.
fn wrapped(width: usize, first: usize, rest: usize, text: &str) -> String {
    // Where nothing sensible fits the terminal may break it as it likes.
    let rest = if rest + NARROWEST > width { first } else { rest };
    let mut lines = " ".repeat(first);
    let mut column = first;
    for (place, word) in text.split(' ').enumerate() {
        let length = columns(word);
        if place > 0 && column + 1 + length > width {
            lines.push('\n');
            lines.push_str(&" ".repeat(rest));
            column = rest;
        } else if place > 0 {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += length;
    }
    lines
}

/// Without the blanks at both ends that the columns' padding leaves.
fn trimmed(table: &str) -> String {
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end().strip_prefix(' ').unwrap_or(line.trim_end()));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: [&str; 4] = ["name", "does", "needs", "granted"];

    fn rows() -> Vec<Vec<String>> {
        let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
        vec![
            row([
                "@payout",
                "ask for a payout from the wallet to the active bank account of the merchant",
                "payouts:create financial_accounts:read",
                "not known",
            ]),
            row(["@balances", "show the wallet's balances", "-", "yes"]),
        ]
    }

    fn longest(text: &str) -> usize {
        text.lines().map(|line| line.chars().count()).max().unwrap()
    }

    #[test]
    fn no_terminal_and_a_wide_one_show_a_row_on_a_line() {
        let as_it_is = table(None, &HEAD, rows());
        assert_eq!(as_it_is.lines().count(), 3);
        assert_eq!(table(Some(200), &HEAD, rows()), as_it_is);
        assert_eq!(table(Some(longest(&as_it_is)), &HEAD, rows()), as_it_is);
    }

    #[test]
    fn a_narrower_one_wraps_between_words_and_stays_a_table() {
        for width in [81, 90, 120, 130] {
            let shown = table(Some(width), &HEAD, rows());
            assert!(shown.lines().next().unwrap().contains("NEEDS"), "{width}:\n{shown}");
            assert!(longest(&shown) <= width, "{width}:\n{shown}");
            assert!(shown.lines().count() > 3, "{width}:\n{shown}");
            for word in ["payouts:create", "financial_accounts:read", "merchant", "balances"] {
                assert!(shown.contains(word), "{width}: {word}\n{shown}");
            }
        }
    }

    #[test]
    fn a_narrow_one_shows_a_row_as_a_block_without_what_is_not_there() {
        let shown = table(Some(40), &HEAD, rows());
        assert!(longest(&shown) <= 40, "{shown}");
        assert!(shown.starts_with("@payout\n  does     ask for"), "{shown}");
        assert!(
            shown.ends_with("@balances\n  does     show the wallet's balances\n  granted  yes\n")
        );
        assert!(shown.contains("financial_accounts:read\n"), "{shown}");
    }

    #[test]
    fn a_word_of_wide_letters_takes_two_columns_for_each_and_is_not_broken() {
        let word = "東京都渋谷区神宮前一丁目の店舗です";
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        let rows = vec![row([word, "words that go on and on until there is no more room"])];
        for width in [30, 40, 50, 60, 70] {
            let shown = table(Some(width), &["name", "does"], rows.clone());
            assert!(shown.contains(word), "{width}:\n{shown}");
            let widest = shown.lines().map(columns).max().unwrap();
            assert!(widest <= width.max(columns(word)), "{width}:\n{shown}");
        }
    }

    #[test]
    fn a_word_that_is_longer_than_the_terminal_is_left_whole() {
        let shown = table(Some(20), &["a", "b"], vec![vec!["x".repeat(50), "y".repeat(30)]]);
        assert!(shown.contains(&"x".repeat(50)) && shown.contains(&"y".repeat(30)), "{shown}");
    }

    #[test]
    fn a_page_goes_on_further_in_and_a_command_stays_on_its_line() {
        let text = "Head\n  one: words that go on and on until the line has no more room for them\n  keyfob connect PROFILE --provider inkress --client-id ID --scope a\n";
        assert_eq!(page(None, text), text);
        let shown = page(Some(40), text);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[1], "  one: words that go on and on until the");
        assert_eq!(lines[2], "      line has no more room for them");
        assert!(lines[3].ends_with("--scope a"), "{shown}");
        assert_eq!(lines.len(), 4);
    }
}

//! `[api.pages]`: each style has the words it needs, and no word stands there without effect.

use super::Provider;
use super::file::Finding;
use super::schema::{PageStyle, Pages};

/// The words of one style.
struct Words {
    /// As it is written.
    name: &'static str,
    /// What it cannot do without.
    needs: &'static [&'static str],
    /// What it may have besides.
    takes: &'static [&'static str],
}

fn words(style: PageStyle) -> Words {
    match style {
        PageStyle::PageNumber => {
            Words { name: "page_number", needs: &["parameter"], takes: &["first", "items", "more"] }
        }
        PageStyle::Offset => {
            Words { name: "offset", needs: &["parameter"], takes: &["first", "items", "more"] }
        }
        PageStyle::Cursor => Words {
            name: "cursor",
            needs: &["parameter"],
            takes: &["next", "last_item", "items", "more"],
        },
        PageStyle::LinkHeader => Words { name: "link_header", needs: &[], takes: &[] },
        PageStyle::NextUrl => {
            Words { name: "next_url", needs: &["next"], takes: &["items", "more"] }
        }
    }
}

/// The first rule that the table breaks.
pub(super) fn pages(provider: &Provider) -> Option<Finding> {
    let pages = provider.api.pages.as_ref()?;
    missing(pages).or_else(|| without_effect(pages)).or_else(|| together(pages))
}

/// The words that differ from style to style, and whether each is there.
fn given(pages: &Pages) -> [(&'static str, bool); 6] {
    [
        ("parameter", !pages.parameter.is_empty()),
        ("first", pages.first.is_some()),
        ("items", !pages.items.is_empty()),
        ("next", !pages.next.is_empty()),
        ("last_item", !pages.last_item.is_empty()),
        ("more", !pages.more.is_empty()),
    ]
}

fn missing(pages: &Pages) -> Option<Finding> {
    let Words { name, needs, .. } = words(pages.style);
    let lacks = |needed: &&str| given(pages).contains(&(*needed, false));
    needs.iter().copied().find(|needed| lacks(needed)).map(|needed| {
        Finding::at(&["api", "pages", "style"], format!("`style = \"{name}\"` needs `{needed}`"))
    })
}

fn without_effect(pages: &Pages) -> Option<Finding> {
    let Words { name, needs, takes } = words(pages.style);
    let (word, _) = given(pages)
        .into_iter()
        .find(|(word, is_given)| *is_given && !needs.contains(word) && !takes.contains(word))?;
    let message = format!("`{word}` has no effect with `style = \"{name}\"`");
    Some(Finding::at(&["api", "pages", word], message))
}

/// Words that go in pairs, or exclude each other.
fn together(pages: &Pages) -> Option<Finding> {
    let has = |text: &str| !text.is_empty();
    let is_cursor = pages.style == PageStyle::Cursor;
    let rules = [
        (
            has(&pages.size_parameter) != pages.size.is_some(),
            if pages.size.is_some() { "size" } else { "size_parameter" },
            "`size_parameter` and `size` go together",
        ),
        (pages.size == Some(0), "size", "a page has at least one record"),
        (
            has(&pages.size_parameter) && pages.size_parameter == pages.parameter,
            "size_parameter",
            "`size_parameter` and `parameter` are two parameters",
        ),
        (
            is_cursor && has(&pages.next) == has(&pages.last_item),
            if has(&pages.next) { "last_item" } else { "style" },
            "a cursor comes from `next` or from `last_item`: one of the two",
        ),
    ];
    let (_, key, message) = rules.into_iter().find(|(broken, ..)| *broken)?;
    Some(Finding::at(&["api", "pages", key], message))
}

#[cfg(test)]
mod tests {
    use super::super::example;

    /// The message about a file with this table, and the line below the table's head.
    fn finding(table: &str) -> Option<(usize, String)> {
        let (line, message) = example::finding(&format!("[api.pages]\n{table}"))?;
        Some((line - 1, message))
    }

    #[test]
    fn every_style_can_be_written() {
        for table in [
            "style = 'page_number'\nparameter = 'page'",
            "style = 'page_number'\nparameter = 'p'\nfirst = 0\nitems = 'a.b'\nmore = 'more'",
            "style = 'offset'\nparameter = 'o'\nitems = 'x'\nsize_parameter = 'limit'\nsize = 50",
            "style = 'cursor'\nparameter = 'c'\nnext = 'meta.next'",
            "style = 'cursor'\nparameter = 'after'\nitems = 'data'\nlast_item = 'id'\nmore = 'has_more'",
            "style = 'link_header'",
            "style = 'link_header'\nsize_parameter = 'per_page'\nsize = 100",
            "style = 'next_url'\nnext = 'next'\nitems = 'results'",
        ] {
            assert_eq!(finding(table), None, "{table}");
        }
    }

    #[test]
    fn what_is_missing_or_has_no_effect_is_refused_with_its_line() {
        let cases = [
            ("style = 'page_number'", 1, "`style = \"page_number\"` needs `parameter`"),
            ("style = 'next_url'", 1, "`style = \"next_url\"` needs `next`"),
            (
                "style = 'link_header'\nparameter = 'page'",
                2,
                "`parameter` has no effect with `style = \"link_header\"`",
            ),
            (
                "style = 'next_url'\nnext = 'n'\nfirst = 1",
                3,
                "`first` has no effect with `style = \"next_url\"`",
            ),
            (
                "style = 'page_number'\nparameter = 'p'\nlast_item = 'id'",
                3,
                "`last_item` has no effect with `style = \"page_number\"`",
            ),
            (
                "style = 'cursor'\nparameter = 'c'",
                1,
                "a cursor comes from `next` or from `last_item`: one of the two",
            ),
            (
                "style = 'cursor'\nparameter = 'c'\nnext = 'n'\nlast_item = 'id'",
                4,
                "a cursor comes from `next` or from `last_item`: one of the two",
            ),
            ("style = 'link_header'\nsize = 5", 2, "`size_parameter` and `size` go together"),
            (
                "style = 'link_header'\nsize_parameter = 'n'",
                2,
                "`size_parameter` and `size` go together",
            ),
            (
                "style = 'link_header'\nsize_parameter = 'n'\nsize = 0",
                3,
                "a page has at least one record",
            ),
            (
                "style = 'offset'\nparameter = 'n'\nsize_parameter = 'n'\nsize = 5",
                3,
                "`size_parameter` and `parameter` are two parameters",
            ),
        ];
        for (table, line, message) in cases {
            assert_eq!(finding(table), Some((line, message.to_owned())), "{table}");
        }
        let (line, message) = finding("style = 'link_header'\npage = 'p'").unwrap();
        assert_eq!((line, message.as_str()), (2, "unknown key `page`"));
    }
}

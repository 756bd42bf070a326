//! A QR code drawn with half blocks, readable by a camera on dark and light terminals.

use qrcode::{Color, EcLevel, QrCode};

use crate::system::Window;

/// Light modules around it (ISO/IEC 18004 asks for four; cameras read it with two, which fits more windows).
const QUIET: usize = 2;
/// Lines that are left for what is said around it.
const SPARE_LINES: usize = 10;

/// Black on white in any theme: the palette's own colours differ, those of the 256 do not.
const COLOURS: &str = "\x1b[38;5;16;48;5;231m";
const RESET: &str = "\x1b[0m";

/// Draws a text; `None` where it does not fit into the window or is too long for a code.
pub fn qr_code(text: &str, window: Window) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let (side, modules) = (code.width(), code.to_colors());
    let size = side + 2 * QUIET;
    let lines = size.div_ceil(2);
    if usize::from(window.columns) < size || usize::from(window.rows) < lines + SPARE_LINES {
        return None;
    }
    let is_dark = |row: usize, column: usize| {
        let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < side);
        let place = inside(row).zip(inside(column)).map(|(row, column)| row * side + column);
        place.and_then(|place| modules.get(place)) == Some(&Color::Dark)
    };
    let half_block =
        |row: usize, column: usize| match (is_dark(row, column), is_dark(row + 1, column)) {
            (true, true) => '\u{2588}',
            (true, false) => '\u{2580}',
            (false, true) => '\u{2584}',
            (false, false) => ' ',
        };
    let line = |line: usize| {
        let blocks: String = (0..size).map(|column| half_block(2 * line, column)).collect();
        format!("{COLOURS}{blocks}{RESET}")
    };
    Some((0..lines).map(line).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "https://as.example/device?user_code=WDJB-MJHT";

    fn window(columns: u16, rows: u16) -> Window {
        Window { columns, rows }
    }

    /// Dark modules of a drawing, colours taken away.
    fn modules(drawn: &str) -> Vec<Vec<bool>> {
        drawn
            .lines()
            .flat_map(|line| {
                let blocks = line.strip_prefix(COLOURS).unwrap().strip_suffix(RESET).unwrap();
                let half = |dark: [char; 2]| blocks.chars().map(|c| dark.contains(&c)).collect();
                [half(['\u{2588}', '\u{2580}']), half(['\u{2588}', '\u{2584}'])]
            })
            .collect()
    }

    #[test]
    fn every_module_is_where_it_belongs_with_a_quiet_border() {
        let drawn = qr_code(TEXT, window(80, 40)).unwrap();
        let drawn = modules(&drawn);
        let code = QrCode::with_error_correction_level(TEXT, EcLevel::L).unwrap();
        let side = code.width();
        for (row, modules) in drawn.iter().enumerate() {
            assert_eq!(modules.len(), side + 2 * QUIET);
            for (column, dark) in modules.iter().enumerate() {
                let border = [row, column].iter().any(|at| *at < QUIET || *at >= side + QUIET);
                let expected = !border && code[(column - QUIET, row - QUIET)] == Color::Dark;
                assert_eq!(*dark, expected, "row {row}, column {column}");
            }
        }
    }

    #[test]
    fn a_window_that_is_too_small_gets_none_rather_than_a_broken_one() {
        let drawn = qr_code(TEXT, window(200, 200)).unwrap();
        let (columns, lines) = (modules(&drawn)[0].len() as u16, drawn.lines().count() as u16);
        let rows = lines + SPARE_LINES as u16;
        assert!(qr_code(TEXT, window(columns, rows)).is_some());
        assert!(qr_code(TEXT, window(columns - 1, rows)).is_none());
        assert!(qr_code(TEXT, window(columns, rows - 1)).is_none());
        assert!(qr_code(&"x".repeat(4000), window(u16::MAX, u16::MAX)).is_none());
    }

    #[test] // A13
    fn the_drawing_sends_a_terminal_nothing_but_colours() {
        let drawn = qr_code(TEXT, window(80, 40)).unwrap();
        let rest = drawn.replace(COLOURS, "").replace(RESET, "");
        assert!(rest.chars().all(|c| c == '\n' || !c.is_control()), "{rest:?}");
    }
}

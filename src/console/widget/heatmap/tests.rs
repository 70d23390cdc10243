//! The matrix as a person sees it: characters on a buffer.

use super::ramp::{self, RAMP};
use super::{Grid, Heatmap, Look};
use crate::console::palette;
use crate::console::theme::Theme;
use crate::console::widget::text;
use crate::lab::Matrix;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;

fn matrix(rows: usize, cols: usize, value: impl Fn(usize, usize) -> f32) -> Matrix {
    let values = (0..rows * cols).map(|index| value(index / cols, index % cols)).collect();
    let (id, title, caption) = ("a".to_owned(), "exact".to_owned(), "every 4th".to_owned());
    Matrix { id, group: "a".to_owned(), title, rows, cols, values, caption, ..Matrix::default() }
}

fn heatmap<'a>(matrix: &'a Matrix, theme: &'a Theme) -> Heatmap<'a> {
    Heatmap {
        matrix,
        range: None,
        look: Look::Heat,
        cell: None,
        fills: false,
        of: "",
        number: None,
        focused: false,
        theme,
    }
}

fn show(heatmap: &Heatmap<'_>, width: u16, height: u16) -> (String, Option<Grid>) {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    let grid = heatmap.draw(area, &mut buffer);
    (text::screen(&buffer), grid)
}

fn draw(matrix: &Matrix, look: Look, theme: Theme) -> String {
    show(&Heatmap { look, ..heatmap(matrix, &theme) }, 24, 8).0
}

fn mono() -> Theme {
    Theme { mono: true, ..Theme::default() }
}

#[test]
fn a_large_matrix_is_averaged_and_the_scale_printed() {
    let diagonal = matrix(64, 64, |row, column| if row / 8 == column / 8 { 1.0 } else { 0.0 });
    let text = draw(&diagonal, Look::Heat, mono());
    assert!(text.contains("exact") && text.contains("64×64") && text.contains("every 4th"), "{text}");
    assert!(text.contains("0 ") && text.contains(" 1"), "{text}");
    assert!(text.lines().nth(1).unwrap().starts_with("│▒▒▒▒▒░     "), "{text}");
}

/// Layers × heads, with a letter in each cell.
fn lettered(rows: usize, cols: usize) -> Matrix {
    let texts = |count: usize| (0..count).map(|index| index.to_string()).collect();
    let letters = (0..rows * cols).map(|index| ["A", "B"][index % 2].to_owned()).collect();
    let values = matrix(rows, cols, |row, column| (row * cols + column) as f32);
    Matrix { letters, row_names: texts(rows), col_names: texts(cols), ..values }
}

#[test]
fn texts_and_names_stand_where_there_is_room() {
    let text = draw(&lettered(3, 4), Look::Heat, mono());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1].trim_end_matches([' ', '│']), "│   0  1  2  3", "{text}");
    assert_eq!(lines[2].trim_end_matches([' ', '│']), "│0  A  B  A ░B░", "{text}");
    assert_eq!(lines[4].trim_end_matches([' ', '│']), "│2 ▓A▓█B██A██B█", "{text}");
    // More columns than the screen has room for names and texts: the shades alone, as before.
    let text = draw(&lettered(3, 40), Look::Heat, mono());
    assert!(!text.contains('A') && text.contains('█'), "{text}");
    // Two digits stand at every second column of the screen that has one of two.
    let colours = draw(&lettered(3, 14), Look::Heat, Theme::default());
    assert!(colours.contains("│  0  3  6  9  12"), "{colours}");
    assert!(colours.contains("│1 ABABABABABABAB"), "{colours}");
}

/// Test images by true class and class found: 3 classes.
fn confusion() -> Matrix {
    let classes = || ["Coat", "Bag", "Ankle boot"].map(str::to_owned).to_vec();
    let [row_word, col_word, unit] = ["true", "found", "images"].map(str::to_owned);
    let values = matrix(3, 3, |row, column| if row == column { 90.0 } else { (row + column) as f32 });
    Matrix { row_names: classes(), col_names: classes(), row_word, col_word, unit, ..values }
}

#[test]
fn the_cell_under_the_cursor_is_read_in_words() {
    let theme = Theme::default();
    let read = |matrix: &Matrix, cell: (usize, usize), width: u16| {
        show(&Heatmap { cell: Some(cell), ..heatmap(matrix, &theme) }, width, 12).0
    };
    let classes = confusion();
    assert!(read(&classes, (0, 2), 60).contains("true Coat, found Ankle boot: 2 images"));
    assert!(read(&classes, (1, 0), 60).contains("true Bag, found Coat: 1 image "));
    assert!(read(&classes, (9, 9), 60).contains("true Ankle boot, found Ankle boot: 90 images"), "clamped");
    // Where the words have no room the numbers stand.
    assert!(read(&classes, (1, 0), 24).contains("Bag, Coat: 1 image "));
    let [row_word, col_word] = ["query", "key"].map(str::to_owned);
    let attention = Matrix { row_word, col_word, ..matrix(8, 8, |row, column| (row * column) as f32 / 100.0) };
    let text = read(&attention, (3, 7), 40);
    assert!(text.contains("query 3, key 7: 0.21") && text.contains('▾') && text.contains('▸'), "{text}");
    // Journals of earlier versions say no words.
    assert!(read(&matrix(4, 4, |_, _| 0.5), (1, 2), 40).contains("row 1, column 2: 0.5"));
    for theme in [mono(), Theme { glyphs: crate::console::theme::Glyphs::Ascii, ..Theme::default() }] {
        let text = show(&Heatmap { cell: Some((3, 7)), ..heatmap(&attention, &theme) }, 40, 12).0;
        assert!(text.contains("query 3, key 7: 0.21"), "{text}");
    }
}

#[test]
fn axes_are_named_where_there_is_room() {
    let theme = Theme::default();
    let text = show(&heatmap(&confusion(), &theme), 60, 14).0;
    assert!(text.contains("↓ true  → found") && text.contains("Ankle boot"), "{text}");
    let [row_word, col_word] = ["query", "key"].map(str::to_owned);
    let attention = Matrix { row_word, col_word, ..matrix(8, 8, |_, column| column as f32) };
    let text = show(&heatmap(&attention, &theme), 60, 14).0;
    assert!(text.contains("↓ query  → key"), "{text}");
    assert!(text.lines().nth(1).unwrap().contains('7'), "{text}");
}

#[test]
fn a_zoomed_matrix_fills_its_place_and_says_its_values() {
    let classes = confusion();
    for theme in [Theme::default(), mono()] {
        let zoomed = Heatmap { fills: true, ..heatmap(&classes, &theme) };
        let (text, grid) = show(&zoomed, 80, 24);
        let area = grid.unwrap().area();
        // 78 columns without the names, 19 lines without names, scale and caption.
        assert!(area.width >= 78 - 11 - 2 && area.height >= 16, "{area:?}\n{text}");
        assert!(text.matches("90").count() >= 3, "{text}");
        let (_, small) = show(&heatmap(&classes, &theme), 80, 24);
        assert!(small.unwrap().area().width <= area.width);
    }
    // Fractions stand where two digits have room.
    let attention = matrix(4, 4, |row, column| 0.123_456 * (row + column) as f32);
    let of = show(&Heatmap { of: "lr=0.1", ..heatmap(&attention, &Theme::default()) }, 60, 20).0;
    assert!(of.contains(&format!(" lr=0.1: {} ", attention.title)), "{of}");
    let text = show(&Heatmap { fills: true, ..heatmap(&attention, &Theme::default()) }, 60, 20).0;
    assert!(text.contains("0.3704"), "{text}");
    let text = show(&Heatmap { fills: true, ..heatmap(&attention, &Theme::default()) }, 24, 20).0;
    assert!(text.contains("0.37 "), "{text}");
}

#[test]
fn a_click_finds_the_value_that_is_drawn_there() {
    let theme = Theme::default();
    for (rows, cols, width, height) in [(3, 3, 80, 24), (16, 16, 40, 12), (64, 64, 30, 10), (5, 40, 60, 14)] {
        for fills in [false, true] {
            let values = matrix(rows, cols, |row, column| (row * cols + column) as f32);
            let (_, grid) = show(&Heatmap { fills, ..heatmap(&values, &theme) }, width, height);
            let grid = grid.unwrap();
            for (row, column) in [(0, 0), (rows - 1, cols - 1), (rows / 2, cols / 3)] {
                let place = grid.place_of(row, column);
                let (found_row, found_column) = grid.value_at(place.x, place.bottom() - 1).unwrap();
                // Several values may share a place, and two rows a line.
                let shared = (2 * rows.div_ceil(grid.rows.places()) + 1, cols.div_ceil(grid.columns.places()));
                assert!(row.abs_diff(found_row) < shared.0, "{rows}×{cols} {row} {found_row}");
                assert!(column.abs_diff(found_column) < shared.1, "{rows}×{cols} {column} {found_column}");
            }
            let area = grid.area();
            assert_eq!(grid.value_at(area.right(), area.y), None);
            assert_eq!(grid.value_at(area.x, area.bottom()), None);
        }
    }
}

#[test]
fn the_scale_rises_in_luminance_and_texts_are_read_on_it() {
    let luminance = |colour: Color| palette::luminance(palette::parts(colour).unwrap());
    for theme in [Theme::default(), Theme { true_colour: true, ..Theme::default() }] {
        let along = (0..=1000).map(|step| ramp::colour(&theme, Some(step as f32), (0.0, 1000.0)));
        let mut colours: Vec<Color> = along.collect();
        colours.dedup();
        assert!(colours.len() == if theme.true_colour { 64 } else { 12 });
        for pair in colours.windows(2) {
            assert!(luminance(pair[0]) < luminance(pair[1]), "{pair:?}");
        }
        for colour in colours {
            let (one, other) = (luminance(colour), luminance(ramp::ink(colour)));
            let contrast = (one.max(other) + 0.05) / (one.min(other) + 0.05);
            assert!(contrast >= 4.5, "{colour:?}: {contrast}");
        }
    }
    assert_eq!(ramp::colour(&Theme::default(), Some(1.0), (0.0, 1.0)), Color::Indexed(RAMP[11]));
    let fine = Theme { true_colour: true, ..Theme::default() };
    assert_eq!(ramp::colour(&fine, Some(1.0), (0.0, 1.0)), Color::Rgb(253, 231, 37));
    assert_eq!(ramp::colour(&fine, Some(0.0), (0.0, 1.0)), Color::Rgb(68, 1, 84));
}

#[test]
fn bars_share_one_maximum() {
    let rows = matrix(2, 8, |row, column| if row == 0 { column as f32 } else { 3.5 });
    let text = draw(&rows, Look::Bars, Theme::default());
    assert!(text.contains("▁▂▃▄▅▆▇█") || text.contains("▁▂▃▄▅▆▇██"), "{text}");
    assert!(text.contains("full bar 7"), "{text}");
}

#[test]
fn bad_shapes_and_values_draw_no_garbage() {
    let mut bad = matrix(2, 2, |_, _| f32::NAN);
    assert!(draw(&bad, Look::Heat, Theme::default()).contains("no finite values"));
    bad.values.pop();
    assert!(draw(&bad, Look::Heat, Theme::default()).contains("no finite values"));
    assert!(draw(&matrix(0, 0, |_, _| 0.0), Look::Bars, Theme::default()).contains("no finite values"));
    show(&Heatmap { cell: Some((7, 7)), ..heatmap(&bad, &Theme::default()) }, 24, 8);
}

#[test]
fn any_size_draws_without_panic() {
    let classes = confusion();
    for values in [matrix(1, 1, |_, _| 1.0), matrix(1, 200, |_, c| c as f32), matrix(200, 1, |r, _| r as f32), classes]
    {
        for (width, height) in [(9, 4), (10, 5), (11, 6), (24, 8), (80, 24), (200, 60)] {
            for (fills, look, theme) in
                [(false, Look::Heat, mono()), (true, Look::Heat, Theme::default()), (true, Look::Bars, mono())]
            {
                let view = Heatmap { fills, look, cell: Some((0, 0)), ..heatmap(&values, &theme) };
                show(&view, width, height);
            }
        }
    }
}

//! The plot as a person sees it: characters on a buffer.

use super::curve::smooth;
use super::{DrawnCurve, PlotPlaces, PlotWidget, Prominence};
use crate::console::theme::{Glyphs, Theme};
use crate::console::widget::text::screen;
use crate::lab::{Axis, CurveSummary, Sample, Scale, Style};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

fn samples(points: impl IntoIterator<Item = (f64, f64)>) -> Vec<Sample> {
    points.into_iter().map(|(x, y)| Sample { x, y, lo: None, hi: None }).collect()
}

struct Case {
    x: Axis,
    y: Axis,
    smoothing: f64,
    cursor: Option<f64>,
    part: Option<(f64, f64)>,
    outliers: bool,
    legend_below: bool,
    theme: Theme,
}

impl Case {
    fn new() -> Self {
        let (x, y) = (Axis::linear("images"), Axis::linear("loss"));
        Self {
            x,
            y,
            smoothing: 0.0,
            cursor: None,
            part: None,
            outliers: false,
            legend_below: false,
            theme: Theme::default(),
        }
    }

    fn log_log() -> Self {
        Self { x: Axis::log("features"), y: Axis::log("error"), ..Self::new() }
    }

    fn draw(&self, width: u16, height: u16, curves: &[DrawnCurve<'_>]) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        self.draw_on(&mut buffer, curves);
        screen(&buffer)
    }

    fn places(&self, width: u16, height: u16, curves: &[DrawnCurve<'_>]) -> PlotPlaces {
        self.draw_on(&mut Buffer::empty(Rect::new(0, 0, width, height)), curves).unwrap()
    }

    fn draw_on(&self, buffer: &mut Buffer, curves: &[DrawnCurve<'_>]) -> Option<PlotPlaces> {
        let plot = PlotWidget {
            title: "Training",
            x: &self.x,
            y: &self.y,
            curves,
            scales: (self.x.scale, self.y.scale),
            smoothing: self.smoothing,
            summary: CurveSummary::Last,
            cursor: self.cursor,
            part: self.part,
            outliers: self.outliers,
            legend_below: self.legend_below,
            focused: false,
            hint: "press r",
            theme: &self.theme,
        };
        plot.draw(buffer.area, buffer)
    }
}

fn line<'a>(label: &'a str, points: &'a [Sample], number: usize) -> DrawnCurve<'a> {
    DrawnCurve { label, points, style: Style::Line, ink: Some(number), symbol: number, prominence: Prominence::Plain }
}

/// Column of the first `mark` on the line of `screen` that holds the horizontal axis.
fn columns_of(screen: &str, mark: char) -> Vec<usize> {
    let axis = screen.lines().find(|line| line.contains('└') && line.contains('─')).unwrap_or_default();
    axis.chars().enumerate().filter(|(_, character)| *character == mark).map(|(column, _)| column).collect()
}

#[test]
fn ticks_stand_under_their_points() {
    for width in 30..90 {
        let points = samples((0..=16).map(|x| (f64::from(x) / 2.0, f64::from(x % 3))));
        let mut case = Case::new();
        case.x = Axis::linear("x").over(0.0, 8.0);
        let curve = DrawnCurve { style: Style::Points, ..line("a", &points, 0) };
        let screen = case.draw(width, 12, &[curve]);
        let marks: std::collections::HashSet<usize> = screen
            .lines()
            .skip(1)
            .take_while(|line| !line.contains('└'))
            .flat_map(|line| line.chars().enumerate().filter(|(_, c)| *c == '●').map(|(column, _)| column))
            .collect();
        let ticks = columns_of(&screen, '┬');
        assert!(!ticks.is_empty(), "{screen}");
        for tick in ticks {
            assert!(marks.contains(&tick), "no point above the tick at column {tick}:\n{screen}");
        }
    }
}

#[test]
fn log_axes_make_a_power_law_straight() {
    let points = samples((0..7).map(|power| (16.0 * 2_f64.powi(power), 2_f64.powi(-power))));
    let screen = Case::log_log().draw(60, 16, &[line("iid", &points, 0)]);
    assert!(screen.contains("10") && screen.contains("100") && screen.contains("1000"), "{screen}");
    assert!(screen.contains("0.01") || screen.contains("0.02"), "{screen}");
    assert!(screen.contains("error, log"), "{screen}");
}

#[test]
fn what_a_log_axis_cannot_show_is_counted() {
    let points = samples([(1.0, 0.5), (2.0, 0.0), (3.0, -1.0), (4.0, f64::NAN), (5.0, f64::INFINITY), (6.0, 0.1)]);
    let screen = Case::log_log().draw(70, 12, &[line("a", &points, 0)]);
    assert!(screen.contains("2 points ≤ 0 not shown, 1 point infinite not shown"), "{screen}");
}

#[test]
fn a_gap_is_a_gap() {
    let mut points = samples((0..100).map(|x| (f64::from(x), 1.0)));
    points.iter_mut().skip(30).take(40).for_each(|point| point.y = f64::NAN);
    let mut case = Case::new();
    case.x = Axis::linear("x").over(0.0, 99.0);
    let screen = case.draw(70, 9, &[line("a", &points, 0)]);
    let curve = screen.lines().skip(1).find(|line| line.contains(['⠒', '⠤', '⠉', '⣀'])).unwrap_or_default();
    let body: Vec<char> = curve.chars().collect();
    assert!(body[32..40].iter().all(|character| *character == ' '), "{screen}");
}

#[test]
fn no_spike_is_lost_among_a_hundred_thousand_points() {
    let mut points = samples((0..100_000).map(|x| (f64::from(x), 0.0)));
    points[61_803].y = 1.0;
    let screen = Case::new().draw(80, 20, &[line("a", &points, 0)]);
    let above = screen.lines().skip(2).take(8).filter(|line| line.contains(['⡇', '⢸', '⠸', '⠇'])).count();
    assert!(above >= 6, "{screen}");
}

#[test]
fn the_legend_never_vanishes() {
    let points = samples([(0.0, 1.0), (1.0, 2.0)]);
    let labels: Vec<String> = (0..12).map(|number| format!("series number {number}")).collect();
    let curves: Vec<_> = labels.iter().enumerate().map(|(number, label)| line(label, &points, number)).collect();
    for (width, height) in [(14, 6), (30, 8), (60, 12), (80, 8), (120, 30)] {
        for count in [1, 4, 12] {
            let screen = Case::new().draw(width, height, &curves[..count]);
            assert!(screen.contains('●'), "{width}×{height}, {count} curves:\n{screen}");
            let every_one = labels[..count].iter().all(|label| screen.contains(label.as_str()));
            assert!(every_one || screen.contains('+') || screen.contains('…'), "{width}×{height}:\n{screen}");
        }
    }
}

#[test]
fn the_axis_grows_in_steps() {
    let axis = |count: u32| {
        let points = samples((0..=count).map(|x| (f64::from(x), 1.0)));
        let screen = Case::new().draw(60, 12, &[line("a", &points, 0)]);
        screen.lines().rev().nth(2).unwrap_or_default().to_owned()
    };
    assert_eq!(axis(110), axis(199));
    assert_ne!(axis(199), axis(210));
}

#[test]
fn smoothing_keeps_the_raw_points_and_the_cursor_reads_out() {
    let points = samples((0..200).map(|x| (f64::from(x), if x % 2 == 0 { 0.4 } else { 0.6 })));
    let mut case = Case::new();
    case.y = Axis::linear("loss").over(0.0, 1.0);
    case.smoothing = 0.9;
    case.cursor = Some(100.3);
    let screen = case.draw(80, 16, &[line("a", &points, 0)]);
    assert!(screen.contains("images = 100"), "{screen}");
    assert!(screen.contains("0.4"), "{screen}");
    let smoothed = smooth(&points, 0.9, Scale::Linear);
    assert!((smoothed[199] - 0.5).abs() < 0.02 && (smoothed[0] - 0.4).abs() < 1e-12);
}

#[test]
fn a_value_from_another_place_than_the_cursor_says_where() {
    let dense = samples((0..=40).map(|x| (f64::from(x), 0.5)));
    let sparse = samples([(0.0, 0.9), (20.0, 0.8), (40.0, 0.7)]);
    let case = Case { cursor: Some(23.0), ..Case::new() };
    let screen = case.draw(100, 16, &[line("dense", &dense, 0), line("sparse", &sparse, 1)]);
    assert!(screen.contains("images = 23") && screen.contains("0.8 at 20"), "{screen}");
    assert!(!screen.contains("0.5 at"), "{screen}");
}

#[test]
fn a_part_of_the_axis_has_heights_of_its_own() {
    // From 1000 down to 1, and far below in the part that is looked at.
    let points = samples((0..=100).map(|x| (f64::from(x), if x < 50 { 1000.0 } else { 1.0 + f64::from(x) / 100.0 })));
    let mut case = Case::new();
    assert!(case.draw(80, 20, &[line("a", &points, 0)]).contains("1000"));
    case.part = Some((60.0, 80.0));
    let screen = case.draw(80, 20, &[line("a", &points, 0)]);
    assert!(screen.contains("1.60") && screen.contains("1.80") && !screen.contains("1000"), "{screen}");
    assert!(screen.contains("images, part") && screen.contains(" 70 ") && !screen.contains(" 50 "), "{screen}");
    // A cursor that lies elsewhere is not drawn.
    case.cursor = Some(10.0);
    assert!(!case.draw(80, 20, &[line("a", &points, 0)]).contains("images ="));
    // A part that cannot be is no part, one without points has the heights of all.
    for part in [(5.0, 5.0), (9.0, 2.0), (f64::NAN, 2.0), (200.0, 300.0)] {
        case.part = Some(part);
        assert!(case.draw(80, 20, &[line("a", &points, 0)]).contains("1000"), "{part:?}");
    }
}

#[test]
fn a_few_points_far_off_are_cut_and_counted() {
    let calm = |x: u32| 1.0 + f64::from(x * 37 % 100) / 100.0;
    let points = samples((0..400).map(|x| (f64::from(x), if x == 77 || x == 301 { 500.0 } else { calm(x) })));
    let mut case = Case::new();
    let screen = case.draw(80, 20, &[line("a", &points, 0)]);
    assert!(screen.contains("2 points far off not shown") && !screen.contains("500┤"), "{screen}");
    case.outliers = true;
    let screen = case.draw(80, 20, &[line("a", &points, 0)]);
    assert!(!screen.contains("not shown") && screen.contains("500┤"), "{screen}");
    // Where everything falls from high to low, nothing is cut.
    case.outliers = false;
    let falling = samples((0..400).map(|x| (f64::from(x), 2.3 * (-f64::from(x) / 80.0).exp())));
    assert!(!case.draw(80, 20, &[line("a", &falling, 0)]).contains("not shown"));
}

#[test]
fn the_legend_of_a_zoomed_plot_leaves_the_width_to_the_curves() {
    let points = samples([(0.0, 1.0), (1.0, 2.0)]);
    let place = |legend_below: bool| {
        let case = Case { legend_below, ..Case::new() };
        let curves = [line("first run", &points, 0), line("second run", &points, 1)];
        case.places(100, 20, &curves)
    };
    let (beside, below) = (place(false), place(true));
    assert!(below.canvas.width > beside.canvas.width + 10 && below.canvas.height + 1 == beside.canvas.height);
    for (places, rows) in [(&beside, 2), (&below, 1)] {
        let entries: std::collections::BTreeSet<usize> = places.legend.iter().map(|(_, curve)| *curve).collect();
        let lines: std::collections::BTreeSet<u16> = places.legend.iter().map(|(place, _)| place.y).collect();
        assert_eq!((entries.len(), lines.len()), (2, rows));
    }
}

#[test]
fn intervals_are_bars_or_bands() {
    let interval = |count: u32| -> Vec<Sample> {
        let sample = |x: u32| Sample { x: f64::from(x), y: 5.0, lo: Some(2.0), hi: Some(8.0) };
        (0..count).map(sample).collect()
    };
    let mut case = Case::new();
    case.y = Axis::linear("error").over(0.0, 10.0);
    let (few, many) = (interval(4), interval(100));
    let bars = case.draw(60, 16, &[line("a", &few, 0)]);
    let band = case.draw(60, 16, &[line("a", &many, 0)]);
    let dots = |screen: &str| screen.chars().filter(|c| ('\u{2801}'..'\u{28ff}').contains(c)).count();
    assert!(dots(&bars) > 0 && dots(&band) > 4 * dots(&bars), "{bars}\n{band}");
    case.theme.glyphs = Glyphs::Ascii;
    assert!(case.draw(60, 16, &[line("a", &many, 0)]).contains(':'));
}

#[test]
fn ascii_and_dot_curves_need_no_braille() {
    let points = samples((0..50).map(|x| (f64::from(x), f64::from(x * x))));
    for (glyphs, mark) in [(Glyphs::Ascii, '*'), (Glyphs::Dot, '•')] {
        let mut case = Case::new();
        case.theme.glyphs = glyphs;
        let screen = case.draw(50, 12, &[line("a", &points, 0)]);
        assert!(screen.contains(mark), "{screen}");
        assert!(!screen.contains(|c: char| ('\u{2800}'..='\u{28ff}').contains(&c)), "{screen}");
    }
}

#[test]
fn any_size_and_any_numbers_draw_without_panic() {
    let wild = samples([(0.0, f64::MAX), (1.0, f64::MIN), (2.0, 1e-320), (f64::NAN, 1.0), (3.0, f64::NEG_INFINITY)]);
    let one = samples([(5.0, 5.0)]);
    for width in [0, 1, 11, 12, 20, 72, 200] {
        for height in [0, 1, 4, 5, 6, 24] {
            for case in [Case::new(), Case::log_log()] {
                case.draw(width, height, &[line("wild", &wild, 0), line("one", &one, 1), line("none", &[], 2)]);
            }
        }
    }
    assert!(Case::new().draw(40, 8, &[]).contains("press r"));
}

#[test]
fn titles_without_room_end_with_an_ellipsis() {
    let points = samples([(1.0, 0.0), (2.0, 2.0)]);
    let x = Axis::log("features M (columns of the map)");
    let case = Case { x, y: Axis::log("of the estimate (median)"), ..Case::new() };
    let text = case.draw(40, 12, &[line("a", &points, 0)]);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].ends_with("… ╮"), "{text}");
    assert!(lines[11].contains(" 1 point ≤ 0 not shown ") && lines[11].ends_with("… ╯"), "{text}");
    // What the cursor reads covers no word.
    let text = Case { cursor: Some(2.0), ..case }.draw(40, 12, &[line("a", &points, 0)]);
    assert!(text.lines().next().unwrap().contains("es…  features M = 2 ─╮"), "{text}");
}

//! Figures as they are printed: sizes, legends that cover nothing, points without a place on an axis, panels, matrices.

use crate::slope::places;
use attnlab::lab::export::{FigureLook, Format, LegendPlace, RunSource, export, length};
use attnlab::lab::{
    Axis, Column, Estimate, Event, Matrix, Param, ParamError, Params, Plot, Point, Problem, Queue, RunContext,
    RunError, RunSpec, Schema, Series, Style, common,
};
use std::f64::consts::PI;
use std::fs;
use std::path::Path;

/// A problem whose plots have everything that is hard to draw.
struct Waves;

static WAVES: Waves = Waves;
const PROBLEMS: &[&dyn Problem] = &[&WAVES];
const PARAMS: &[Param] = &[
    common::SEED,
    Param::int("m", "features", 1, 1024, "16"),
    Param::float("rate", "rate", 0.1, 4.0, "1"),
    Param::int("series", "series", 1, 20, "2"),
];

impl Problem for Waves {
    fn name(&self) -> &'static str {
        "waves"
    }
    fn title(&self) -> &'static str {
        "Waves"
    }
    fn about(&self) -> &'static str {
        "waves and ends"
    }
    fn schema(&self) -> Schema {
        Schema(PARAMS)
    }
    fn columns(&self) -> &'static [Column] {
        const LAST: Column = Column::new("last", "last").digits(3).brief();
        &[LAST]
    }
    fn headline(&self) -> &'static str {
        "last"
    }
    fn label(&self, params: &Params) -> String {
        format!("m={}", params.int("m"))
    }
    fn check(&self, _: &Params) -> Result<(), ParamError> {
        Ok(())
    }
    fn estimate(&self, _: &Params) -> Estimate {
        Estimate { rows: 1, seconds: Some(0.01), bytes: None }
    }
    fn run(&self, params: &Params, context: &mut RunContext) -> Result<(), RunError> {
        let seed = params.int("seed") as f64;
        let (rate, m) = (params.float("rate"), params.int("m") as f64);
        let angle = Axis::linear("angle between x and y (radians)").over(0.0, 3.2);
        let plot = |id: &str, x, y| Plot { id: id.into(), title: format!("The {id}"), x, y };
        context.emit(Event::Plot(plot("mse", angle, Axis::log("E (estimate − K)²/K²"))));
        let wide = Axis::linear("a title of an axis that says at length what it is that is measured here");
        context.emit(Event::Plot(plot("loss", Axis::linear("step"), wide)));
        for number in 0..params.int("series") {
            let id = format!("s{number}");
            context.emit(Event::Series(Series::new(&id, "mse", format!("estimator {number} of many"))));
            for step in 0..=19 {
                let x = PI * f64::from(step) / 19.0;
                // Both ends are exact.
                let y =
                    if step % 19 == 0 { 0.0 } else { (number + 1) as f64 * rate * x.sin().powi(2) / m + 0.01 * seed };
                context.emit(Event::Point(Point::new(&id, x, y).within(y - 0.4 / m, y + 0.4 / m)));
            }
        }
        context.emit(Event::Series(Series::new("theory", "mse", "theory").drawn(Style::Dashed).beside("s0")));
        for step in 1..19 {
            let x = PI * f64::from(step) / 19.0;
            context.emit(Event::Point(Point::new("theory", x, rate * x.sin().powi(2) / m)));
        }
        context.emit(Event::Series(Series::new("loss", "loss", "training loss")));
        let mut last = 0.0;
        for step in 0..300 {
            last = 2.0 * (-rate * f64::from(step) / 100.0).exp() + 0.1 * (seed + f64::from(step)).sin() + 0.5;
            context.emit(Event::Point(Point::new("loss", f64::from(step), last)));
        }
        for (id, bias) in [("exact", 0.0), ("estimate", 0.5)] {
            context.emit(Event::Matrix(Matrix {
                id: id.into(),
                group: "attention".into(),
                title: id.into(),
                rows: 16,
                cols: 16,
                values: (0..256).map(|index| (index % 17) as f32 + bias).collect(),
                row_word: "query".into(),
                col_word: "key".into(),
                ..Matrix::default()
            }));
        }
        context.emit(Event::Row { row: [("last".to_owned(), last.into())].into_iter().collect() });
        Ok(())
    }
}

fn runs(root: &Path, changes: &[&[(&str, &str)]]) -> Vec<RunSource> {
    let queue = Queue::new(places(root), 1).unwrap();
    let start = |changes: &&[(&str, &str)]| {
        let run = queue.submit(RunSpec::new(&WAVES, Params::with(&WAVES.schema(), changes).unwrap()).unwrap()).unwrap();
        run.wait();
        RunSource::read(run.folder(), PROBLEMS).unwrap()
    };
    changes.iter().map(start).collect()
}

/// The drawings of an export by their endings.
fn drawings(runs: &[RunSource], look: &FigureLook) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let files = export(runs, &[Format::Svg], look, folder.path()).unwrap();
    files.iter().map(|file| (file.to_string_lossy().into_owned(), fs::read_to_string(file).unwrap())).collect()
}

fn drawing(runs: &[RunSource], look: &FigureLook, id: &str) -> String {
    let look = FigureLook { figures: vec![id.to_owned()], ..look.clone() };
    drawings(runs, &look).remove(0).1
}

/// The numbers of an attribute of a line of a drawing.
fn numbers(line: &str, name: &str) -> Vec<f64> {
    let Some((_, rest)) = line.split_once(&format!(" {name}=\"")) else { return Vec::new() };
    let text = rest.split('"').next().unwrap();
    text.split([' ', ',']).map(|number| number.trim_end_matches("pt").parse().unwrap()).collect()
}

/// Checks what holds for every figure. Returns how many points of data there are.
fn check(name: &str, svg: &str, look: &FigureLook) -> usize {
    let (mut data, mut boxes, mut inside) = (Vec::new(), Vec::new(), "");
    let size = (numbers(svg, "width")[0], numbers(svg, "height")[0]);
    assert!((size.0 - look.width).abs() < 0.01, "{name}: {size:?}");
    for line in svg.lines() {
        for size in numbers(line, "font-size") {
            assert!(size >= 7.0, "{name}: text of {size} pt: {line}");
        }
        match line {
            "<g class=\"data\">" => inside = "data",
            "<g class=\"legend\">" => inside = "box",
            "</g>" => inside = "",
            _ => {}
        }
        let points = numbers(line, "points");
        if inside == "box" && !points.is_empty() {
            let even = points.iter().step_by(2).copied();
            let odd = points.iter().skip(1).step_by(2).copied();
            boxes.push((
                even.clone().fold(f64::MAX, f64::min),
                even.fold(f64::MIN, f64::max),
                odd.clone().fold(f64::MAX, f64::min),
                odd.fold(f64::MIN, f64::max),
            ));
            inside = "legend";
        } else if inside == "data" {
            data.extend(points.chunks(2).map(|pair| (pair[0], pair[1])));
            data.extend(numbers(line, "cx").iter().zip(numbers(line, "cy")).map(|(x, y)| (*x, y)));
        }
    }
    for (left, right, top, bottom) in boxes {
        let covered = data.iter().find(|(x, y)| *x > left && *x < right && *y > top && *y < bottom);
        assert_eq!(covered, None, "{name}: the legend covers data");
        assert!(
            left >= 0.0 && right <= size.0 + 0.01 && top >= -0.01 && bottom <= size.1 + 0.01,
            "{name}: the legend is cut off"
        );
    }
    assert!(
        data.iter().all(|(x, y)| *x >= 0.0 && *x <= size.0 && *y >= 0.0 && *y <= size.1),
        "{name}: data off the sheet"
    );
    data.len()
}

#[test]
fn no_legend_covers_data_and_no_text_is_small_at_any_width() {
    let root = tempfile::tempdir().unwrap();
    let sweep: Vec<Vec<(&str, &str)>> = ["0", "1", "2"]
        .iter()
        .flat_map(|seed| ["8", "64", "512"].iter().map(move |m| vec![("seed", *seed), ("m", *m)]))
        .collect();
    let sweep: Vec<&[(&str, &str)]> = sweep.iter().map(Vec::as_slice).collect();
    let all = [
        runs(root.path(), &[&[("series", "12")]]),
        runs(root.path(), &[&[("rate", "0.5")], &[("rate", "2")]]),
        runs(root.path(), &sweep),
    ];
    for (set, runs) in all.iter().enumerate() {
        for width in ["3.3in", "6.5in", "12cm"] {
            for legend in [LegendPlace::Outside, LegendPlace::Inside, LegendPlace::Direct, LegendPlace::Nowhere] {
                let look = FigureLook { width: length(width).unwrap(), legend, caption: true, ..FigureLook::default() };
                let figures = drawings(runs, &look);
                assert!(figures.len() >= 2, "{figures:?}");
                for (name, svg) in figures {
                    let points = check(&format!("set {set}, {width}, {legend:?}: {name}"), &svg, &look);
                    assert!(points > 0 || svg.contains("<image"), "{name} is empty");
                    assert_eq!(
                        svg.contains("class=\"legend\""),
                        legend != LegendPlace::Nowhere && !svg.contains("<image")
                    );
                }
            }
        }
    }
}

#[test]
fn exact_ends_stand_in_a_strip_and_intervals_to_zero_end_with_an_arrow() {
    let root = tempfile::tempdir().unwrap();
    let runs = runs(root.path(), &[&[]]);
    let svg = drawing(&runs, &FigureLook::default(), "mse");
    assert!(svg.contains(">≤ 0<") && svg.contains("4 points ≤ 0 stand in the strip"), "{svg}");
    for tick in [">0<", ">π/4<", ">π/2<", ">3π/4<", ">π<"] {
        assert!(svg.contains(tick), "no tick {tick}");
    }
    let arrows = svg
        .lines()
        .filter(|line| line.starts_with("<polygon") && numbers(line, "points").len() == 6 && !line.contains("stroke"));
    assert!(arrows.count() > 4, "intervals that reach 0 have a head");
    let linear = FigureLook { y: Some(attnlab::lab::Scale::Linear), ..FigureLook::default() };
    assert!(!drawing(&runs, &linear, "mse").contains("≤ 0"));
}

#[test]
fn seeds_are_a_mean_with_a_band_called_by_what_differs() {
    let root = tempfile::tempdir().unwrap();
    let all: Vec<[(&str, &str); 2]> =
        ["0", "1", "2"].iter().flat_map(|seed| ["8", "64"].map(|m| [("m", m), ("seed", *seed)])).collect();
    let changes: Vec<&[(&str, &str)]> = all.iter().map(|change| change.as_slice()).collect();
    let runs = runs(root.path(), &changes);
    let svg = drawing(&runs, &FigureLook::default(), "loss");
    assert!(
        svg.contains(">m=8<")
            && svg.contains(">m=64<")
            && !svg.lines().any(|line| line.starts_with("<text") && line.contains("seed")),
        "{svg}"
    );
    assert_eq!(svg.matches("fill-opacity").count(), 2, "a band for each variant");
    let faceted = FigureLook { facet: Some("m".into()), ..FigureLook::default() };
    let panels = drawing(&runs, &faceted, "loss");
    check("facets", &panels, &faceted);
    assert!(panels.contains(">m=8<") && panels.contains(">m=64<") && panels.matches("class=\"data\"").count() == 2);
}

#[test]
fn many_series_differ_by_colour_marker_and_dash() {
    let root = tempfile::tempdir().unwrap();
    let runs = runs(root.path(), &[&[("series", "16")]]);
    let svg = drawing(&runs, &FigureLook::default(), "mse");
    let legend = svg.split("class=\"legend\"").nth(1).unwrap();
    // The shape of a key without its places.
    let look = |line: &str| {
        let marker = line.split(' ').next().unwrap().to_owned() + &numbers(line, "points").len().to_string();
        marker + line.split_once(" fill=").map_or("", |(_, rest)| rest)
    };
    let lines: Vec<&str> =
        legend.lines().filter(|line| line.starts_with("<poly") || line.starts_with("<circle")).skip(1).collect();
    let mut keys: Vec<String> =
        lines.chunks(2).take(16).map(|pair| pair.iter().map(|line| look(line)).collect()).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 16, "{keys:#?}");
}

#[test]
fn matrices_share_a_scale_and_have_axes() {
    let root = tempfile::tempdir().unwrap();
    let runs = runs(root.path(), &[&[]]);
    let svg = drawing(&runs, &FigureLook::default(), "attention");
    assert_eq!(svg.matches("<image").count(), 3, "exact, estimate and one bar of colours");
    for words in [">exact<", ">estimate<", ">query<", ">key<", ">0<", ">10<"] {
        assert!(svg.contains(words), "no {words}");
    }
}

#[test]
fn a_page_of_pdf_holds_text_and_letters() {
    let root = tempfile::tempdir().unwrap();
    let runs = runs(root.path(), &[&[]]);
    let files = export(&runs, &[Format::Pdf, Format::Tikz], &FigureLook::default(), &root.path().join("out")).unwrap();
    for file in &files {
        let bytes = fs::read(file).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("attnlab run waves"), "{}", file.display());
        if file.extension().unwrap() == "pdf" {
            assert!(bytes.starts_with(b"%PDF-") && text.contains("/ToUnicode") && text.contains("/FontFile2"));
            assert!(text.contains("BT") && text.contains(" TJ"), "text is shown as text");
            assert!(bytes.len() < 120_000, "{} bytes: only the letters that are used are inside", bytes.len());
        } else {
            assert!(
                text.contains("\\begin{tikzpicture}")
                    && text.matches("\\begin").count() == text.matches("\\end").count()
            );
        }
    }
}

#[test]
fn what_is_not_there_is_refused_with_what_there_is() {
    let root = tempfile::tempdir().unwrap();
    let runs = runs(root.path(), &[&[("m", "8")], &[("m", "64")]]);
    let refused = |look: FigureLook| {
        let error = export(&runs, &[Format::Svg], &look, &root.path().join("out")).unwrap_err();
        assert!(error.is_bad_input());
        error.to_string()
    };
    let words = refused(FigureLook { figures: vec!["none".into()], ..FigureLook::default() });
    assert!(words.starts_with("figure: found `none`, these runs have: mse, loss, sweep"), "{words}");
    let words = refused(FigureLook { facet: Some("colour".into()), ..FigureLook::default() });
    assert_eq!(words, "facet: found `colour`, allowed: `problem` or a parameter of the runs; these differ: m");
    let words = refused(FigureLook { width: 30.0, ..FigureLook::default() });
    assert!(words.starts_with("width: found 0.42 in, allowed"), "{words}");
    assert!(!root.path().join("out").exists(), "nothing is written");
}

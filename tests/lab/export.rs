//! Runs as files for others.

use crate::slope::{SLOPE, places, spec};
use attnlab::lab::export::{FigureLook, Format, RunSource, export};
use attnlab::lab::{
    Axis, Column, Estimate, Event, Matrix, Param, ParamError, Params, Plot, Point, Problem, Queue, Row, RunContext,
    RunError, RunSpec, Scale, Schema, Series, Style, common,
};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A problem that shows everything a figure has: two axes with decades, intervals, theory, a gap, a matrix.
struct Decay(&'static str);

static DECAY: Decay = Decay("decay");
/// Another problem with the same figures.
static RUST: Decay = Decay("rust");
const PROBLEMS: &[&dyn Problem] = &[&DECAY, &RUST, &SLOPE];
const PARAMS: &[Param] =
    &[common::SEED, Param::float("rate", "rate", 0.1, 2.0, "0.5"), Param::int("points", "points", 1, 100_000, "12")];

impl Problem for Decay {
    fn name(&self) -> &'static str {
        self.0
    }
    fn title(&self) -> &'static str {
        "Decay"
    }
    fn about(&self) -> &'static str {
        "falls by a power"
    }
    fn schema(&self) -> Schema {
        Schema(PARAMS)
    }
    fn columns(&self) -> &'static [Column] {
        const WORD: Column = Column::new("word", "word").brief();
        const LAST: Column = Column::new("last", "last").unit("m").digits(3).brief();
        &[WORD, LAST]
    }
    fn headline(&self) -> &'static str {
        "last"
    }
    fn label(&self, params: &Params) -> String {
        format!("rate {}", params.float("rate"))
    }
    fn check(&self, _: &Params) -> Result<(), ParamError> {
        Ok(())
    }
    fn estimate(&self, _: &Params) -> Estimate {
        Estimate { rows: 1, seconds: Some(0.01), bytes: None }
    }
    fn run(&self, params: &Params, context: &mut RunContext) -> Result<(), RunError> {
        let (x, y) = (Axis::log("features m"), Axis::log("relative error"));
        let title = "Error against features".to_owned();
        context.emit(Event::Plot(Plot { id: "error".into(), title, x, y }));
        for (id, label, style) in [("mean", "median & quartiles", Style::Line), ("theory", "theory", Style::Dashed)] {
            context.emit(Event::Series(Series::new(id, "error", label).drawn(style)));
        }
        let count = params.int("points");
        let mut last = f64::NAN;
        for index in 0..count {
            let x = 2_f64.powf(4.0 + 8.0 * index as f64 / count as f64);
            last = x.powf(-params.float("rate"));
            let y = if index == 5 { f64::NAN } else { last };
            context.emit(Event::Point(Point::new("mean", x, y).within(last * 0.7, last * 1.5)));
            context.emit(Event::Point(Point::new("theory", x, last * 1.2)));
        }
        context.emit(Event::Matrix(Matrix {
            id: "exact".into(),
            group: "attention".into(),
            title: "exact".into(),
            rows: 8,
            cols: 8,
            values: (0..64).map(|index| (index % 9) as f32).collect(),
            caption: "thinned".into(),
            ..Matrix::default()
        }));
        context.emit(Event::Matrix(Matrix {
            id: "heads".into(),
            group: "heads".into(),
            title: "heads".into(),
            rows: 2,
            cols: 3,
            values: vec![0.0, 0.2, 0.4, 0.6, 1.0, f32::NAN],
            letters: ["A", "B", "A", "<", "B", ""].map(str::to_owned).to_vec(),
            row_names: vec!["3".into(), "5".into()],
            col_names: vec!["0".into(), "1".into(), "10".into()],
            caption: "A positive, B gerf".into(),
            ..Matrix::default()
        }));
        context.note("a <remark> & more");
        let row: Row = [("word".to_owned(), "a,\"b\"|".into()), ("last".to_owned(), last.into())].into_iter().collect();
        context.emit(Event::Row { row });
        Ok(())
    }
}

fn sources(root: &Path, changes: &[&[(&str, &str)]]) -> Vec<RunSource> {
    let queue = Queue::new(places(root), 1).unwrap();
    let specs = changes.iter().map(|changes| Params::with(&DECAY.schema(), changes).unwrap());
    specs
        .map(|params| {
            let run = queue.submit(RunSpec::new(&DECAY, params).unwrap()).unwrap();
            run.wait();
            RunSource::read(run.folder(), PROBLEMS).unwrap()
        })
        .collect()
}

fn text(files: &[PathBuf], ending: &str) -> String {
    fs::read_to_string(files.iter().find(|file| file.to_string_lossy().ends_with(ending)).unwrap()).unwrap()
}

#[test]
fn every_file_says_where_it_comes_from() {
    let root = tempfile::tempdir().unwrap();
    let runs = sources(root.path(), &[&[("seed", "7"), ("rate", "0.25")]]);
    let formats = EVERY.map(|format| if format == Format::Csv { Format::CommentedCsv } else { format });
    let files = export(&runs, &formats, &FigureLook::default(), &root.path().join("out")).unwrap();
    assert_eq!(files.len(), 19, "{files:?}");
    let runs_table = text(&files, "-runs.csv");
    assert!(
        runs_table.starts_with("run,problem,command,seed,") && runs_table.contains(",a <remark> & more"),
        "{runs_table}"
    );
    for file in files.iter().filter(|file| !file.to_string_lossy().ends_with("-runs.csv")) {
        let bytes = fs::read(file).unwrap();
        for words in ["attnlab run decay --set seed=7 --set rate=0.25", "param rate: 0.25", "seed: 7", "attnlab 0."] {
            let found = bytes.windows(words.len()).any(|window| window == words.as_bytes());
            let marked = [words.replace(": ", "</th><td><code>"), words.replace(": ", ": `")];
            let found = found || marked.iter().any(|m| bytes.windows(m.len()).any(|window| window == m.as_bytes()));
            assert!(found, "{} lacks `{words}`", file.display());
        }
    }
}

#[test]
fn tables_hold_every_number() {
    let root = tempfile::tempdir().unwrap();
    let runs = sources(root.path(), &[&[("rate", "0.5")], &[("rate", "1")]]);
    let formats = [Format::Csv, Format::Markdown, Format::Latex];
    let files = export(&runs, &formats, &FigureLook::default(), &root.path().join("out")).unwrap();
    let series = text(&files, "-series.csv");
    let lines: Vec<&str> = series.lines().collect();
    assert_eq!(lines[0], "run,plot,series,label,x,y,lo,hi");
    assert_eq!(lines.len(), 1 + 2 * 2 * 12);
    assert!(lines[1].ends_with(",error,mean,median & quartiles,16,0.25,0.175,0.375"), "{}", lines[1]);
    assert!(lines.iter().any(|line| line.contains(",NaN,")), "a gap stays one");
    let rows = text(&files, "-rows.csv");
    assert!(rows.starts_with("run,word,last\n"), "{rows}");
    assert_eq!(rows.matches(",\"a,\"\"b\"\"|\",").count(), 2, "{rows}");
    let page = text(&files, ".md");
    assert!(page.contains("| run | last m |\n| --- | ---: |\n| rate=0.5 | "), "{page}");
    assert!(page.contains("In all rows: word = a,\"b\"\\|.") && page.contains("- a &lt;remark> & more"), "{page}");
    let tex = text(&files, ".tex");
    assert!(tex.contains("\\toprule\nrun & last m \\\\\n\\midrule\nrate=0.5 & "), "{tex}");
    assert!(tex.contains("% remark: a <remark> & more"), "{tex}");
}

#[test]
fn runs_of_a_problem_share_a_figure_with_axes_legend_and_intervals() {
    let root = tempfile::tempdir().unwrap();
    let runs = sources(root.path(), &[&[("rate", "0.5")], &[("rate", "1"), ("points", "90000")]]);
    let files = export(&runs, &[Format::Svg, Format::Png], &FigureLook::default(), &root.path().join("out")).unwrap();
    let svg = text(&files, "-error.svg");
    for words in
        ["Error against features", "features m", "relative error", "median &amp; quartiles", "rate=1 points=90000"]
    {
        assert!(svg.contains(words), "no `{words}`");
    }
    assert!(svg.len() < 2_000_000, "{} bytes: long series are reduced to what can be seen", svg.len());
    let drawn = files.iter().find(|file| file.to_string_lossy().ends_with("-error.png")).unwrap();
    let png = png::Decoder::new(std::io::BufReader::new(fs::File::open(drawn).unwrap())).read_info().unwrap();
    assert_eq!(png.info().width, 1950, "6.5 inches at 300 pixels an inch");

    // What the runs differ in has a figure of its own.
    assert!(files.iter().any(|file| file.to_string_lossy().ends_with("-sweep.svg")), "{files:?}");
    let linear = FigureLook { y: Some(Scale::Linear), ..FigureLook::default() };
    let files = export(&runs[..1], &[Format::Svg], &linear, &root.path().join("out")).unwrap();
    assert!(text(&files, ".svg").contains(">0.1<"), "ticks of a linear axis");
}

#[test]
fn a_page_needs_nothing_beside_it() {
    let root = tempfile::tempdir().unwrap();
    let runs = sources(root.path(), &[&[]]);
    let files = export(&runs, &[Format::Html], &FigureLook::default(), &root.path().join("out")).unwrap();
    let page = text(&files, ".html");
    assert!(page.contains("<svg") && page.contains("data:image/png;base64,"), "figure and matrix are inside");
    assert!(page.contains("a &lt;remark&gt; &amp; more"));
    // A map with letters has them in its cells, and the numbers of rows and columns beside it.
    for words in [">A</text>", ">B</text>", ">&lt;</text>", ">5</text>", ">10</text>", "A positive, B gerf"] {
        assert!(page.contains(words), "no `{words}`: {}", page.split("<svg").last().unwrap());
    }
    let foreign = ["src=\"http", "href=\"http", "@import"];
    assert!(foreign.iter().all(|words| !page.contains(words)), "no word of other places");
}

#[test]
fn events_for_tensorboard_are_whole_frames() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let run = queue.submit(spec(&[("steps", "5")])).unwrap();
    run.wait();
    let source = [RunSource::read(run.folder(), PROBLEMS).unwrap()];
    let files = export(&source, &[Format::TensorBoard], &FigureLook::default(), &root.path().join("tb")).unwrap();
    assert!(files[0].to_string_lossy().contains("/events.out.tfevents."));
    let bytes = fs::read(&files[0]).unwrap();
    let (mut at, mut frames) = (0, 0);
    while at < bytes.len() {
        let length = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
        at += 8 + 4 + length + 4;
        frames += 1;
    }
    let results = source[0].view.rows[0].values().filter(|value| value.is_number()).count();
    let expected = 2 + 3 + 5 + results;
    assert_eq!((at, frames), (bytes.len(), expected), "version, provenance, hyperparameters, five points, the row");
}

/// The interpreter that `ATTNLAB_PYTHON` names reads what is exported, if it has TensorBoard.
#[test]
fn tensorboard_reads_what_is_exported() {
    // Past the test harness, which keeps what a test that passes prints.
    let tell = |line: &str| std::io::stderr().write_all(format!("tensorboard: {}\n", line.trim()).as_bytes()).unwrap();
    let Some(python) = std::env::var_os("ATTNLAB_PYTHON") else {
        return tell("skipped: ATTNLAB_PYTHON names no interpreter that has it");
    };
    let root = tempfile::tempdir().unwrap();
    let runs = sources(root.path(), &[&[("seed", "7")], &[("rate", "1"), ("points", "3000")]]);
    let out = root.path().join("out");
    export(&runs, &[Format::Csv, Format::TensorBoard], &FigureLook::default(), &out).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/check_tensorboard.py");
    let read = Command::new(python).arg(script).arg(&out).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let said = String::from_utf8_lossy(&read.stdout);
    assert!(said.contains("2 runs, 6024 scalars, 2 results: as exported") || said.contains("skipped"), "{said}");
    tell(&said);
}

#[test]
fn what_cannot_be_written_is_named() {
    let root = tempfile::tempdir().unwrap();
    let runs = sources(root.path(), &[&[]]);
    let file = root.path().join("a file");
    fs::write(&file, "").unwrap();
    let error = export(&runs, &[Format::Csv], &FigureLook::default(), &file).unwrap_err().to_string();
    assert!(error.contains("a file") && error.lines().count() == 1, "{error}");
    assert!(export(&[], &[Format::Csv], &FigureLook::default(), root.path()).is_err());
}

/// The files below a folder, by their paths from there.
fn below(folder: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            all.extend(below(&path).into_iter().map(|inner| format!("{name}/{inner}")));
        } else {
            all.push(name);
        }
    }
    all.sort();
    all
}

const EVERY: [Format; 9] = [
    Format::Csv,
    Format::Svg,
    Format::Png,
    Format::Pdf,
    Format::Tikz,
    Format::Markdown,
    Format::Latex,
    Format::TensorBoard,
    Format::Html,
];

#[test]
fn no_file_of_an_export_takes_the_place_of_another() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let runs = [&DECAY, &RUST].map(|problem| {
        let params = Params::with(&problem.schema(), &[]).unwrap();
        let run = queue.submit(RunSpec::new(problem, params).unwrap()).unwrap();
        run.wait();
        run.folder().to_owned()
    });
    // A copy of the first, as somebody else might have been given it.
    let copy = root.path().join("elsewhere").join(runs[0].file_name().unwrap());
    fs::create_dir_all(&copy).unwrap();
    below(&runs[0]).iter().for_each(|file| assert!(fs::copy(runs[0].join(file), copy.join(file)).is_ok()));
    let sources = [&runs[0], &runs[1], &copy].map(|folder| RunSource::read(folder, PROBLEMS).unwrap());
    let out = root.path().join("out");
    let files = export(&sources, &EVERY, &FigureLook::default(), &out).unwrap();
    assert_eq!(below(&out).len(), files.len(), "{files:?}");
    let names: Vec<_> = files.iter().map(|file| file.to_string_lossy().into_owned()).collect();
    for ending in ["-decay-error.svg", "-rust-error.svg", "-decay-error.png", "-rust-error.png"] {
        assert_eq!(names.iter().filter(|name| name.ends_with(ending)).count(), 1, "{ending}: {names:?}");
    }
    let rows = text(&files, "-rows.csv");
    let id = runs[0].file_name().unwrap().to_string_lossy();
    assert!(rows.contains(&format!("\n{id},")) && rows.contains(&format!("\n{id}-2,")), "{rows}");
}

#[test]
fn other_files_of_the_same_name_stay_and_earlier_exports_are_replaced() {
    let root = tempfile::tempdir().unwrap();
    let runs = sources(root.path(), &[&[("rate", "0.5")], &[("rate", "1")], &[("rate", "2")]]);
    let out = root.path().join("out");
    let first = export(&runs[..2], &[Format::Csv], &FigureLook::default(), &out).unwrap();
    assert_eq!(export(&runs[..2], &[Format::Csv], &FigureLook::default(), &out).unwrap(), first, "the same runs again");
    let before = fs::read(&first[1]).unwrap();
    // The first and one more: the same words, but other runs.
    let [a, _, c] = <[RunSource; 3]>::try_from(runs).ok().unwrap();
    let second = export(&[a, c], &[Format::Csv], &FigureLook::default(), &out).unwrap();
    assert!(second.iter().all(|file| !first.contains(file)), "{second:?}");
    assert_eq!(fs::read(&first[1]).unwrap(), before);
}

/// A run whose folder says what a stranger would write into it.
fn hostile(root: &Path, change: impl Fn(&str, String) -> String) -> RunSource {
    let queue = Queue::new(places(root), 1).unwrap();
    let run = queue.submit(RunSpec::new(&DECAY, Params::with(&DECAY.schema(), &[]).unwrap()).unwrap()).unwrap();
    run.wait();
    for name in ["run.toml", "events.jsonl"] {
        let path = run.folder().join(name);
        let text = change(name, fs::read_to_string(&path).unwrap());
        fs::write(&path, text).unwrap();
    }
    RunSource::read(run.folder(), PROBLEMS).unwrap()
}

#[test]
fn nothing_is_written_outside_of_the_folder() {
    let root = tempfile::tempdir().unwrap();
    for id in ["/elsewhere/X", "../../X", "..", "", "a\\u0000b", "x/../../../y"] {
        let source = hostile(root.path(), |name, text| match name {
            "run.toml" => {
                let lines = text
                    .lines()
                    .map(|line| if line.starts_with("id = ") { format!("id = \"{id}\"") } else { line.to_owned() });
                lines.collect::<Vec<_>>().join("\n")
            }
            _ => text.replace("\"error\"", &format!("\"{id}\"")),
        });
        let desk = tempfile::tempdir().unwrap();
        let out = desk.path().join("a/b/out");
        let files = export(&[source], &EVERY, &FigureLook::default(), &out).unwrap();
        assert!(files.len() > 4, "{files:?}");
        assert!(files.iter().all(|file| file.starts_with(&out) && file.is_file()), "{id}: {files:?}");
        assert_eq!(below(desk.path()).len(), files.len(), "{id}: only what was named is there");
    }
    assert!(!Path::new("/elsewhere").exists());
}

#[test]
fn nothing_in_a_file_is_obeyed_by_what_opens_it() {
    let root = tempfile::tempdir().unwrap();
    let source = hostile(root.path(), |name, text| match name {
        "run.toml" => text.replacen("problem = \"decay\"", "problem = \"decay\"\ntitle = \"<i>\\u001B[2J\"", 1),
        _ => text
            .replace("a,\\\"b\\\"|", "=HYPERLINK(1)<img src=x>[l](u)")
            .replace("median & quartiles", "@SUM(A1) \\u001b]52;c;eA==\\u0007<script>\\u202e")
            .replace("a <remark> & more", "\\u001b[31m<script>"),
    });
    let files = export(&[source], &EVERY, &FigureLook::default(), &root.path().join("out")).unwrap();
    let series = text(&files, "-series.csv");
    assert!(series.contains(",'@SUM(A1) ") && !series.contains(",@SUM"), "{series}");
    let rows = text(&files, "-rows.csv");
    assert!(rows.contains(",'=HYPERLINK(1)<img src=x>[l](u),"), "{rows}");
    let page = text(&files, ".md");
    assert!(page.contains("=HYPERLINK(1)&lt;img src=x>\\[l](u)"), "{page}");
    for ending in [".svg", ".html", ".md", ".tikz", "-series.csv", "-runs.csv", ".tex"] {
        let text = text(&files, ending);
        let obeyed = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!text.contains(obeyed), "{ending} has a control character");
        assert!(
            ["-series.csv", "-runs.csv", ".tex"].contains(&ending) || !text.contains("<script>"),
            "{ending} has a script"
        );
    }
}

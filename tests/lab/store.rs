//! Lists of runs.

use crate::slope::{SLOPE, places, spec, until};
use attnlab::lab::store::{self, Plan, delete, list, rename, tag};
use attnlab::lab::{
    Draft, Filter, Problem, Queue, RunSpec, RunState, RunSummary, RunView, Scale, Store, Study, StudyRun, Sweep,
    estimate,
};
use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

const PROBLEMS: &[&dyn Problem] = &[&SLOPE];

#[test]
fn runs_are_listed_with_what_they_are_and_what_is_wrong() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 2).unwrap();
    let logs = &queue.places().logs;
    assert!(list(logs).unwrap().is_empty());
    let fine = queue.submit(spec(&[("angle", "45"), ("seed", "3")])).unwrap();
    fine.wait();
    let panicked = queue.submit(spec(&[("mode", "panic")])).unwrap();
    panicked.wait();
    let running = queue.submit(spec(&[("pause", "0.01"), ("steps", "100000")])).unwrap();
    until("it runs", || running.state() == RunState::Running);

    let damaged = |name: &str, file: &str, text: &str| {
        let folder = logs.join(name);
        fs::create_dir_all(&folder).unwrap();
        for file in ["run.toml", "summary.json", "events.jsonl"] {
            fs::copy(fine.folder().join(file), folder.join(file)).unwrap();
        }
        if text.is_empty() {
            fs::remove_file(folder.join(file)).unwrap();
        } else {
            fs::write(folder.join(file), text).unwrap();
        }
    };
    fs::create_dir(logs.join("empty")).unwrap();
    damaged("half", "summary.json", "{\"schema\":1,\n\"problem\":\"slo");
    damaged("newer", "summary.json", "{\"schema\":9}");
    damaged("cut", "events.jsonl", "{\"t\":0.1,\"e\":");
    damaged("bare", "run.toml", "");
    damaged("mute", "events.jsonl", "");
    fs::write(logs.join("a file"), "no run").unwrap();

    let mut store = Store::open(logs);
    let runs = store.refresh().unwrap();
    assert_eq!(runs.len(), 9);
    let find = |id: &str| runs.iter().find(|run| run.id == id).unwrap();
    for (id, words) in [
        ("empty", "run.toml"),
        ("half", "summary.json:2"),
        ("newer", "form 9"),
        ("cut", "cut short"),
        ("bare", "run.toml"),
        ("mute", "events.jsonl"),
    ] {
        let damage = find(id).damage.clone().unwrap();
        assert!(damage.contains(words) && !damage.contains('\n'), "{id}: {damage}");
    }
    let told = find(fine.id());
    assert_eq!((told.problem.as_str(), told.state, told.damage.as_ref()), ("slope", RunState::Finished, None));
    assert_eq!(told.label, "walk at 45°");
    assert_eq!(told.headline, fine.rows()[0]["depth"].as_f64());
    assert_eq!(told.get("angle").unwrap(), 45.0);
    // The last word comes a moment after the summary.
    assert_eq!(RunSummary { seconds: told.seconds, ..RunSummary::from(fine.document()) }, **told);
    assert_eq!(find(panicked.id()).message, "panicked: slipped at 0");
    assert_eq!(find(running.id()).state, RunState::Running);

    running.control().stop();
    running.wait();
    let runs = store.refresh().unwrap();
    assert_eq!(runs.iter().find(|run| run.id == running.id()).unwrap().state, RunState::Stopped);
    for broken in ["", "{\"attnlab index\":1}\n{\"changed\":12,", "\u{0}\u{1}", "{\"attnlab index\":2}\nx"] {
        fs::write(logs.join(".index.jsonl"), broken).unwrap();
        assert_eq!(list(logs).unwrap(), runs);
    }
}

#[test]
fn the_index_notices_every_change() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 2).unwrap();
    let logs = &queue.places().logs;
    let run = queue.submit(spec(&[])).unwrap();
    run.wait();
    // As if the run were older than the doubt about times.
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(100);
    let age = || fs::File::open(run.folder()).unwrap().set_modified(old).unwrap();
    age();
    list(logs).unwrap();
    let index = || fs::read_to_string(logs.join(".index.jsonl")).unwrap();
    assert!(index().contains(run.id()));
    // What is in the index is not read again: a change that leaves the folder's time alone goes unseen.
    let path = run.folder().join("summary.json");
    let changed = fs::read_to_string(&path).unwrap().replace("\"slope\"", "\"hill\"");
    fs::write(&path, changed).unwrap();
    age();
    assert_eq!(list(logs).unwrap()[0].problem, "slope");
    rename(run.folder(), "The long way").unwrap();
    tag(run.folder(), &["good".into(), "old".into()]).unwrap();
    let told = &list(logs).unwrap()[0];
    assert_eq!((told.title.as_str(), told.tags.len(), told.problem.as_str()), ("The long way", 2, "hill"));
    assert!(tag(run.folder(), &["two words".into()]).is_err());
    let trashed = delete(run.folder()).unwrap();
    assert!(trashed.join("run.toml").is_file());
    assert!(list(logs).unwrap().is_empty() && !index().contains(run.id()));
}

#[test]
fn a_run_that_is_worked_on_is_not_thrown_away() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let run = queue.submit(spec(&[("pause", "0.01"), ("steps", "100000")])).unwrap();
    assert!(delete(run.folder()).unwrap_err().to_string().contains("works on this run"));
    queue.shutdown(true);
    delete(run.folder()).unwrap();
}

#[test]
fn filters_find_and_sort_orders() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 1).unwrap();
    for changes in
        [[("angle", "10"), ("sizes", "4,8")], [("angle", "20"), ("sizes", "8")], [("angle", "80"), ("mode", "panic")]]
    {
        queue.submit(spec(&changes)).unwrap().wait();
    }
    let mut runs = list(&queue.places().logs).unwrap();
    tag(&queue.places().logs.join(&runs[0].id), &["odd".into()]).unwrap();
    runs = list(&queue.places().logs).unwrap();
    let angles = |filter: &str| {
        let filter = Filter::parse(filter, PROBLEMS).unwrap();
        let mut angles: Vec<_> = runs
            .iter()
            .filter(|run| filter.admits(run))
            .map(|run| run.params.text("angle").parse::<f64>().unwrap())
            .collect();
        angles.sort_by(f64::total_cmp);
        angles
    };
    assert_eq!(angles(""), [10.0, 20.0, 80.0]);
    assert_eq!(angles("problem=slope angle>=20"), [20.0, 80.0]);
    assert_eq!(angles("state=finished"), [10.0, 20.0]);
    assert_eq!(angles("state!=finished"), [80.0]);
    assert_eq!(angles("angle=10,80"), [10.0, 80.0]);
    assert_eq!(angles("angle=2e1"), [20.0]);
    assert_eq!(angles("sizes=4"), [10.0]);
    assert_eq!(angles("sizes=8"), [10.0, 20.0]);
    assert_eq!(angles("depth>0"), [10.0, 20.0]);
    assert_eq!(angles("headline<0"), [] as [f64; 0]);
    assert_eq!(angles("PANIC"), [80.0]);
    assert_eq!(angles("label~\"at 1\""), [10.0]);
    assert_eq!(angles("tag=odd"), [80.0]);
    assert_eq!(angles("\"walk at 20\""), [20.0]);

    for (text, position, words) in [
        ("angel>3", 0, "did you mean `angle`?"),
        ("problem=slope  =3", 15, "key is missing"),
        ("problem=slope angle>", 20, "value is missing"),
        ("ä angle>steep", 8, "a number"),
        ("state=runing", 6, "running"),
        ("a \"b c", 2, "not closed"),
    ] {
        let error = Filter::parse(text, PROBLEMS).unwrap_err();
        assert_eq!(error.position, position, "{text}: {error}");
        assert!(error.to_string().contains(words), "{error}");
    }

    store::sort(&mut runs, "depth", true);
    assert!(runs[0].headline > runs[1].headline && runs[2].headline.is_none());
    store::sort(&mut runs, "depth", false);
    assert!(runs[0].headline < runs[1].headline && runs[2].headline.is_none());
}

#[test]
fn a_finished_point_is_not_done_again_and_an_unfinished_one_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let point = |seed: &str, changes: &[(&str, &str)]| spec(&[&[("seed", seed)], changes].concat());
    let endless = [("steps", "100000"), ("pause", "0.01")];
    queue.submit(point("1", &[])).unwrap().wait();
    queue.submit(point("2", &[("mode", "panic")])).unwrap().wait();
    let running = queue.submit(point("3", &endless)).unwrap();
    until("it runs", || running.state() == RunState::Running);
    let specs = || {
        let threads = point("1", &[("threads", "2")]);
        vec![threads, point("2", &[("mode", "panic")]), point("3", &endless), point("4", &[])]
    };
    let plan = Plan::new(specs(), &list(&queue.places().logs).unwrap());
    let seeds = |runs: &[std::sync::Arc<RunSummary>]| {
        runs.iter().map(|run| run.params.text("seed").parse::<i64>().unwrap()).collect::<Vec<_>>()
    };
    let early = |plan: &Plan| plan.unfinished.iter().map(|(spec, _)| spec.seed()).collect::<Vec<_>>();
    assert_eq!((seeds(&plan.finished), early(&plan), seeds(&plan.underway)), (vec![1], vec![2], vec![3]));
    assert_eq!(plan.fresh.iter().map(RunSpec::seed).collect::<Vec<_>>(), [4]);
    running.control().stop();
    running.wait();
    let plan = Plan::new(specs(), &list(&queue.places().logs).unwrap());
    assert_eq!((early(&plan), seeds(&plan.underway)), (vec![2, 3], vec![]));
}

#[test]
fn repeats_of_a_point_make_a_mean_with_an_interval() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 2).unwrap();
    let schema = SLOPE.schema();
    let mut draft = Draft::new(&schema);
    draft.set(&schema, "angle", "10,20").unwrap();
    draft.set(&schema, "steps", "5,50").unwrap();
    let specs = Sweep::new(&SLOPE, draft).repeated(3).specs().unwrap();
    assert_eq!(estimate(&specs, 2).rows, 12);
    let handles: Vec<_> = specs.into_iter().map(|spec| queue.submit(spec).unwrap()).collect();
    queue.shutdown(false);
    let runs: Vec<_> = handles
        .iter()
        .map(|handle| (handle.spec().params.stored(&schema), RunView::read(handle.folder()).unwrap()))
        .collect();
    let runs: Vec<_> = runs.iter().map(|(params, view)| StudyRun { params, view }).collect();
    let study = Study::new(&SLOPE, &runs, &BTreeMap::from([("angle".to_owned(), Some(Scale::Linear))]));
    assert_eq!(study.keys.len(), 2);
    assert!(study.variants.len() == 4 && study.variants.iter().all(|variant| variant.runs.len() == 3));
    // One curve for each number of steps, over the angle that is known to be swept.
    let sweep = study.sweep.unwrap();
    assert_eq!((sweep.plot.x.range, sweep.curves.len()), (Some((10.0, 20.0)), 2));
    for curve in &sweep.curves {
        assert_eq!(curve.points.iter().map(|point| point.x).collect::<Vec<_>>(), [10.0, 20.0]);
        assert!(curve.points.iter().all(|point| point.lo.unwrap() < point.y && point.y < point.hi.unwrap()));
    }
    let map = study.map.unwrap();
    assert_eq!((map.rows, map.cols), (2, 2));
    assert_eq!(map.values[3], sweep.curves[0].points[1].y as f32, "the fewest steps stand below");
}

/// `cargo test --release --test lab -- --ignored --nocapture measure`
#[test]
#[ignore = "a measurement"]
fn measure() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 2).unwrap();
    let count = 10_000;
    let since = Instant::now();
    for seed in 0..count {
        queue.submit(spec(&[("seed", &seed.to_string()), ("steps", "1")])).unwrap();
    }
    queue.shutdown(false);
    println!("a point costs {:.2} ms beside its work", since.elapsed().as_secs_f64() * 1e3 / f64::from(count));
    let logs = &queue.places().logs;
    std::thread::sleep(std::time::Duration::from_secs(3));
    for what in ["without an index", "with an index", "with an index"] {
        let since = Instant::now();
        assert_eq!(list(logs).unwrap().len(), count as usize);
        println!("{count} runs are listed {what} in {:.3} s", since.elapsed().as_secs_f64());
    }
    let mut store = Store::open(logs);
    store.refresh().unwrap();
    let since = Instant::now();
    store.refresh().unwrap();
    println!("{count} runs are looked through again in {:.3} s", since.elapsed().as_secs_f64());

    let queue = Queue::new(places(&root.path().join("small")), 2).unwrap();
    let since = Instant::now();
    for seed in 0..64 {
        queue.submit(spec(&[("seed", &seed.to_string()), ("steps", "1"), ("pause", "0.1")])).unwrap();
    }
    queue.shutdown(false);
    println!("64 points of 0.1 s keep 2 workers busy {:.1} % of the time", 320.0 / since.elapsed().as_secs_f64());

    let queue = Queue::new(places(&root.path().join("long")), 1).unwrap();
    let since = Instant::now();
    let run = queue.submit(spec(&[("steps", "1000000")])).unwrap();
    run.wait();
    println!("a million points are run and kept in {:.2} s", since.elapsed().as_secs_f64());
    let since = Instant::now();
    let view = RunView::read(run.folder()).unwrap();
    assert_eq!(view.series[0].points.len(), 1_000_000);
    println!("a million points are read in {:.3} s", since.elapsed().as_secs_f64());
}

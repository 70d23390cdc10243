//! Peak memory of the real program while it trains, against what was said before.

#[path = "support/peak.rs"]
mod peak;

use attnlab::lab::Params;
use attnlab::problems;

const MIB: f64 = 1048576.0;

/// What a run of `vit` on the built-in digits was said to take, and the most that it took, in MiB; none where the system does
/// not tell.
fn measure(changes: &[(&str, &str)]) -> Option<(f64, f64)> {
    let problem = problems::find("vit").expect("vit is registered");
    let few = [("train_images", "8"), ("validation", "0"), ("test_images", "8"), ("epochs", "1"), ("threads", "2")];
    let kept = few.iter().filter(|(key, _)| !changes.iter().any(|(changed, _)| changed == key));
    let changes: Vec<(&str, &str)> = kept.chain(changes).copied().collect();
    let params = Params::with(&problem.schema(), &changes).unwrap();
    let said = problem.estimate(&params).bytes.expect("an estimate") as f64 / MIB;

    let set = changes.iter().flat_map(|(key, value)| ["--set".to_owned(), format!("{key}={value}")]);
    let most = peak::peak(["vit".to_owned()].into_iter().chain(set))?;
    Some((said, most / MIB))
}

#[test]
fn a_run_takes_the_memory_that_was_said() {
    // What the program takes whatever it does.
    let Some((said, most)) = measure(&[("dim", "4"), ("depth", "1"), ("heads", "1"), ("batch", "1")]) else {
        eprintln!("skipped: this system does not tell how much memory a process takes");
        return;
    };
    let base = most - said;
    assert!(base < 64.0, "the program alone takes {base:.0} MiB");
    let shapes: &[&[(&str, &str)]] = &[
        // Parameters weigh most.
        &[("attention", "relu"), ("dim", "448"), ("depth", "6"), ("heads", "7"), ("batch", "8")],
        &[
            ("attention", "softmax"),
            ("dim", "512"),
            ("depth", "3"),
            ("heads", "8"),
            ("mlp_ratio", "4"),
            ("batch", "32"),
        ],
        // Activations weigh most.
        &[("attention", "exp"), ("dim", "128"), ("depth", "8"), ("image_size", "64"), ("patch", "2"), ("batch", "8")],
        &[
            ("attention", "hedgehog"),
            ("dim", "96"),
            ("depth", "8"),
            ("image_size", "64"),
            ("patch", "2"),
            ("batch", "4"),
        ],
        // The attention that is looked at weighs most.
        &[("attention", "relu"), ("dim", "16"), ("depth", "1"), ("image_size", "128"), ("patch", "2"), ("batch", "2")],
        // The composed network keeps its whole graph.
        &[("kernels", "composed"), ("attention", "softmax"), ("image_size", "32"), ("patch", "2"), ("batch", "8")],
        &[("kernels", "composed"), ("attention", "relu"), ("image_size", "32"), ("patch", "2"), ("batch", "8")],
    ];
    let mut wrong = Vec::new();
    for shape in shapes {
        let Some((said, most)) = measure(shape) else { return };
        let line = format!("{shape:?}: said {:.0} MiB with the program's own {base:.0}, took {most:.0}", said + base);
        println!("{line}");
        if ((said + base) / most - 1.0).abs() > 0.2 {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn threads_beyond_the_work_are_not_made() {
    let few = [("dim", "8"), ("depth", "1"), ("heads", "1"), ("batch", "4")];
    let (Some((_, alone)), Some((_, many))) =
        (measure(&[&few[..], &[("threads", "1")]].concat()), measure(&[&few[..], &[("threads", "4096")]].concat()))
    else {
        return;
    };
    assert!(many < alone + 64.0, "4096 threads take {many:.0} MiB, one {alone:.0}");
}

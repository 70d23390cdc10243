//! Trainings that start from the weights of another run.

#[path = "support/answers.rs"]
mod answers;
#[path = "support/killed.rs"]
mod killed;
#[path = "support/program.rs"]
mod program;
#[path = "support/results.rs"]
mod results;

use answers::{call, json};
use attnlab::vision::{Attention, AttentionKernel, BlockSet, Parameters, Transfer, VitConfig};
use killed::killed;
use results::{run_folders, timeless};
use serde_json::Value;
use std::fs;
use std::path::Path;

const QUICK: &[&str] = &["dim=16", "depth=1", "heads=2", "train_images=256", "test_images=128", "threads=1", "lr=0.01"];

fn train<'a>(settings: &[&'a str]) -> Vec<&'a str> {
    let settings = QUICK.iter().chain(settings).flat_map(|setting| ["--set", *setting]);
    ["run", "vit", "--json"].into_iter().chain(settings).collect()
}

fn id(desk: &Path, index: usize) -> String {
    run_folders(desk)[index].file_name().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn a_softmax_model_is_trained_on_under_another_attention() {
    let desk = tempfile::tempdir().unwrap();
    let softmax = json(desk.path(), &train(&["attention=softmax", "epochs=20"]));
    let trained = softmax["rows"][0]["test_accuracy"].as_f64().unwrap();
    assert!(trained > 0.4, "{trained}");
    assert!(softmax["rows"][0]["initial_accuracy"].is_null() && softmax["rows"][0]["init"].is_null());
    let first = format!("init={}", id(desk.path(), 0));

    // The same attention: the accuracy before training is that of the run it starts from.
    let same = json(desk.path(), &train(&["attention=softmax", "epochs=1", &first]));
    assert_eq!(same["rows"][0]["initial_accuracy"].as_f64().unwrap(), trained);
    // Another one: worse before, and better after an epoch than a fresh model.
    let tuned = json(desk.path(), &train(&["attention=relu", "epochs=1", &first]));
    let fresh = json(desk.path(), &train(&["attention=relu", "epochs=1"]));
    let accuracy = |document: &Value, key: &str| document["rows"][0][key].as_f64().unwrap();
    assert!(accuracy(&tuned, "initial_accuracy") <= trained);
    assert!(accuracy(&tuned, "test_accuracy") > accuracy(&fresh, "test_accuracy") + 0.05);
    // What has no place starts anew and is named, as is what is left out.
    let events = |document: &Value| {
        let folder = desk.path().join("logs").join(document["id"].as_str().unwrap());
        fs::read_to_string(folder.join("events.jsonl")).unwrap()
    };
    let hedgehog = json(desk.path(), &train(&["attention=hedgehog", "epochs=1", &first]));
    let events_of_it = events(&hedgehog);
    let said = "trained with softmax; start anew: blocks.0.attention.feature";
    assert!(events_of_it.contains(said), "{events_of_it}");
    let hedgehog = format!("init={}", hedgehog["id"].as_str().unwrap());
    let events = events(&json(desk.path(), &train(&["attention=elu", "epochs=1", &hedgehog])));
    assert!(events.contains("are left out: blocks.0.attention.feature"), "{events}");
}

#[test]
fn a_resumed_fine_tuning_is_the_same_to_the_bit() {
    let desk = tempfile::tempdir().unwrap();
    json(desk.path(), &train(&["attention=softmax", "epochs=1"]));
    let first = fs::canonicalize(&run_folders(desk.path())[0]).unwrap();
    let init = format!("init={}", first.display());
    let arguments = train(&["attention=exp", "epochs=40", &init]);
    let whole = json(desk.path(), &arguments);
    let other = tempfile::tempdir().unwrap();
    let id = killed(other.path(), &arguments, "p", 4);
    let resumed = json(other.path(), &["resume", &id, "--json"]);
    assert_eq!(timeless(&whole), timeless(&resumed));
}

#[test]
fn models_that_do_not_fit_are_named_with_the_tensor() {
    let desk = tempfile::tempdir().unwrap();
    json(desk.path(), &train(&["attention=softmax", "epochs=1"]));
    let first = format!("init={}", id(desk.path(), 0));
    for (settings, said) in [
        (["dim=32", first.as_str()], "its `patch.weight` is [16, 4], and this model's is [32, 4]"),
        (["depth=2", first.as_str()], "its `blocks.1.norm1.weight` is not there"),
        (["dim=16", "init=nowhere"], "nowhere: cannot read"),
        (["dim=16", "init=Cargo.toml"], "init: found `Cargo.toml`"),
    ] {
        let (status, out, error) = call(desk.path(), &train(&settings));
        assert_eq!((status, out.as_str()), (2, ""), "{error}");
        assert!(error.contains(said) && error.trim().lines().count() == 1, "{said}: {error}");
    }
    // Patches of another size are seen once the data are read, or before.
    let (status, _, error) = call(desk.path(), &train(&["patch=4", &first]));
    assert_eq!(status, 2);
    assert!(error.contains("its `patch.weight` is [16, 4], and this model's is [16, 16]"), "{error}");
}

#[test]
fn a_head_for_other_classes_starts_anew() {
    let config = |classes: usize| VitConfig {
        channels: 1,
        image_size: 8,
        patch: 2,
        dim: 8,
        depth: 1,
        heads: 2,
        mlp_ratio: 2,
        classes,
        attention: Attention::from(AttentionKernel::Softmax),
        softmax_blocks: BlockSet::NONE,
        mask_dim: 0,
    };
    let (ten, three) = (config(10), config(3));
    let transfer = Transfer::new(&three, &ten, false).unwrap();
    assert_eq!(transfer.anew, ["head.weight", "head.bias"]);
    assert!(transfer.left.is_empty());
    let (from, fresh) = (Parameters::new(&ten, 1).unwrap(), Parameters::new(&three, 2).unwrap());
    let started = transfer.apply(&fresh, &from).unwrap();
    let (started, from, fresh) = (started.values().unwrap(), from.values().unwrap(), fresh.values().unwrap());
    let head = fresh.len() - 3 * 8 - 3;
    assert_eq!(started[..head], from[..head]);
    assert_eq!(started[head..], fresh[head..]);
    let misfit = Transfer::new(&three, &ten, true).unwrap_err().to_string();
    assert_eq!(misfit, "its `head.weight` is [10, 8], and this model's is [3, 8]");
}

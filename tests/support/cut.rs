//! What cuts a run of a problem down to a moment.

/// Settings that come last and so count.
pub fn cut(problem: &str) -> &'static [&'static str] {
    match problem {
        "vit" => &[
            "dataset=digits",
            "train_images=64",
            "test_images=32",
            "epochs=1",
            "dim=8",
            "depth=1",
            "heads=2",
            "patch=2",
            "image_size=0",
        ],
        "random-features" => &["length=32", "dim=8", "m=4,8", "trials=2"],
        "masked" => &["length=32", "dim=8", "features=64,128", "trials=2"],
        "hybrid" => &["angles=3", "trials=20"],
        other => panic!("say here how a run of `{other}` is cut down to a moment"),
    }
}

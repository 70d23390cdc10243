//! Reading figures: with few keys, with the mouse, in the colours that the terminal has.

use super::home::{Home, choose_preset, leave, wait_until};
use std::path::Path;

const LEFT: &str = "\x1b[D";
const END: &str = "\x1b[F";

#[test]
fn a_person_reads_a_curve_and_looks_closer() {
    let home = Home::new();
    let preset = "schema = 1\nproblem = \"random-features\"\ntitle = \"aaa curve\"\n[params]\nlength = 16\ndim = 2\n\
                  trials = 1\nm = \"16,32,64,128,256,512,1024\"\n";
    std::fs::create_dir_all(home.path().join("presets")).unwrap();
    std::fs::write(home.path().join("presets/aaa-curve.toml"), preset).unwrap();
    let mut session = home.console_with((120, 36), &[("COLORTERM", Path::new("truecolor"))]);
    choose_preset(&mut session, "aaa-curve");
    session.press("r");
    wait_until("the run", || home.states() == ["finished"]);
    session.wait_until("the curves", |screen| screen.contains("✔"));
    // A value at m = 256, four keys from the form.
    let keys = ["\t", END, LEFT, LEFT];
    assert!(keys.len() <= 4);
    keys.iter().for_each(|key| session.press(key));
    session.wait_for("m = 256 ");
    // A click places the cursor, the wheel over a zoomed plot shows a part of its axis, a key all of it.
    session.press("\x1b[<0;48;6M\x1b[<0;48;6m");
    session.wait_until("another point", |screen| !screen.contains("m = 256 "));
    session.press("z");
    session.wait_until("the zoom", |screen| !screen.contains("Parameters"));
    session.press("\x1b[<64;60;10M");
    session.wait_for("log, part");
    session.press("0");
    session.wait_until("the whole axis", |screen| !screen.contains("log, part"));
    // Past the means, the row-normalised errors, the bias, the costs and the sorted entries to the first matrix.
    (0..7).for_each(|_| session.press("n"));
    session.wait_for("query");
    let written = String::from_utf8_lossy(&session.written()).into_owned();
    assert!(written.contains("38;2;"), "the matrix has no colour of 24 bits");
    leave(&mut session);
    session.assert_restored();
}

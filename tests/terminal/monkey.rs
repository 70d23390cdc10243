//! Keys pressed at random: the program neither panics nor stops answering, and gives the terminal back.

use super::home::{Home, choose_preset};
use super::pty::Session;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How many keys are pressed; fixed, as the seed is.
const KEYS: usize = 2000;
/// Keys between two looks whether the program still answers.
const BURST: usize = 50;
const SIZES: [(u16, u16); 6] = [(120, 36), (80, 24), (56, 14), (20, 5), (200, 60), (1, 1)];

/// Every key of the table but digits, which would make parameters that take hours, but `l`, which leaves a process in the
/// background, and but Ctrl-C and Ctrl-Z; escape sequences of keys that have names; a letter that means nothing.
const ALPHABET: [&str; 49] = [
    "r", "p", "x", "X", " ", "z", "c", "y", "Y", "m", "n", "v", "i", "o", "a", "+", "-", "w", "e", "s", "k", "j", "h",
    "d", "D", "u", "t", "f", "g", "/", ":", "O", "?", "q", "]", "[", "\t", "\x1b[Z", "\r", "\x1b[A", "\x1b[B",
    "\x1b[C", "\x1b[D", "\x1b[5~", "\x1b[6~", "\x7f", "\x1b[3~", "\x0c", "ü",
];

#[test]
fn two_thousand_random_keys_do_no_harm() {
    let home = Home::new();
    home.quick_preset(2000);
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut session = start(&home);
    let (mut pressed, mut sessions) = (0, 1);
    while pressed < KEYS {
        let size = *SIZES.choose(&mut random).unwrap();
        session.resize(size);
        for _ in 0..BURST {
            // The program may have been left by now: then nobody takes the key.
            session.try_press(ALPHABET.choose(&mut random).unwrap());
            pressed += 1;
            if random.random_bool(0.1) {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
        if session.status().is_none() {
            session.resize((120, 36));
            session.wait_until_or_end("an answer", |screen| screen.contains("attnlab"));
        }
        if let Some(status) = session.status() {
            // Left by its own keys: `q`, or what the question offers.
            assert!([0, 130].contains(&status.exit_code()), "{status:?} after {pressed} keys:\n{}", session.text());
            session.assert_restored();
            session = start(&home);
            sessions += 1;
        }
    }
    session.try_press("\x03");
    session.try_press("\x03");
    let status = session.wait_for_end();
    assert!([0, 130].contains(&status.exit_code()), "{status:?}:\n{}", session.text());
    session.assert_restored();
    assert!(!String::from_utf8_lossy(&session.written()).contains("panicked"));
    println!("{pressed} keys in {sessions} sessions");
}

/// A console with a run under way.
fn start(home: &Home) -> Session {
    let mut session = home.console((120, 36));
    choose_preset(&mut session, "aaa-quick");
    session.press("r");
    // What was saved at random may come first in the list, and stand for several runs.
    session.wait_until("a run or a question", |screen| screen.contains("running") || screen.contains("Sweep: "));
    session
}

//! How many keys a session takes: what is asked of the console is counted, not only that it can be done.

use super::home::{Home, runs_key, wait_until};
use super::pty::Session;

/// Presses one key after the other and counts them.
struct Counted {
    session: Session,
    keys: usize,
}

impl Counted {
    fn new(session: Session) -> Self {
        Self { session, keys: 0 }
    }

    fn press(&mut self, keys: &[&str]) {
        for key in keys {
            self.session.press(key);
            self.keys += 1;
        }
    }
}

fn count(home: &Home, state: &str) -> usize {
    home.states().iter().filter(|found| *found == state).count()
}

#[test]
fn a_search_for_the_learning_rate_with_three_seeds_takes_at_most_fifteen_keys() {
    let home = Home::new();
    let mut counted = Counted::new(home.ready(1));
    counted.press(&["/", "l", "r", "\r"]);
    counted.session.wait_for("▸learning rate");
    counted.press(&["s", "\r", "+", "+", "r"]);
    counted.session.wait_for("Sweep: Vision");
    counted.session.wait_for("18 new");
    counted.press(&["\r"]);
    wait_until("every run", || count(&home, "finished") == 18);
    // The best value stands above the results, whatever pane has the keys.
    counted.session.wait_until("the best value", |screen| {
        screen.lines().any(|line| line.contains("★ lr=") && line.contains("test accuracy") && line.contains("3 seeds"))
    });
    assert!(counted.keys <= 15, "{} keys", counted.keys);
}

#[test]
fn fifteen_runs_are_deleted_with_at_most_five_keys() {
    let home = Home::new();
    super::sweeps::write_preset(&home, "random-features", "length = 16\nm = 8\ntrials = 2\nseed = \"0..14 +1\"");
    let mut session = home.console((120, 36));
    super::sweeps::fill(&mut session);
    session.press("r");
    session.wait_for("15 new");
    session.press("\r");
    wait_until("every run", || count(&home, "finished") == 15);
    let mut counted = Counted::new(session);
    counted.press(&[&runs_key()]);
    counted.session.wait_for("Runs: 15 of 15");
    counted.press(&["M", "D"]);
    counted.session.wait_for("15 runs");
    counted.press(&["D"]);
    wait_until("their end", || home.states().is_empty());
    assert!(counted.keys <= 5, "{} keys", counted.keys);
}

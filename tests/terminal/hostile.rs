//! Text from a stranger: folders whose titles, notes and names hold what a terminal would obey.

use super::home::{Home, PROGRAM, log_key};
use std::io::Write;
use std::process::Command;

/// A window's title, a colour, the clipboard, the other direction of writing, a C1 control, a zero-width space.
const HOSTILE: &str = "evil\u{1b}]0;title\u{7}\u{1b}[31m\u{1b}]52;c;Zm9v\u{7}\u{202e}txt\u{9b}2J\u{200b}end";

fn attnlab(home: &Home, arguments: &[&str]) -> (String, String) {
    let output = Command::new(PROGRAM).envs(home.environment()).current_dir(home.path()).args(arguments).output();
    let output = output.unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

fn assert_harmless(what: &str, text: &str) {
    let obeyed = |character: &char| {
        (character.is_control() && !matches!(character, '\n' | '\t')) || "\u{202e}\u{200b}".contains(*character)
    };
    assert_eq!(text.chars().find(obeyed), None, "{what}:\n{text:?}");
}

/// A finished run with a hostile title, tag, note and message, and a copy of it in a folder with a hostile name.
fn make(home: &Home) -> String {
    attnlab(home, &["run", "hybrid", "--set", "trials=2", "--set", "angles=2", "--quiet"]);
    let logs = home.path().join("logs");
    let folders = std::fs::read_dir(&logs).unwrap().flatten();
    let id = folders.map(|entry| entry.file_name().into_string().unwrap()).find(|name| !name.starts_with('.')).unwrap();
    let run = logs.join(&id);
    attnlab(home, &["tag", &id, "--title", HOSTILE, HOSTILE]);
    let note = serde_json::json!({"t": 9.0, "e": "note", "text": HOSTILE});
    let mut journal = std::fs::OpenOptions::new().append(true).open(run.join("events.jsonl")).unwrap();
    writeln!(journal, "{note}").unwrap();
    let copy = logs.join(format!("x{}", HOSTILE.replace('/', "_")));
    std::fs::create_dir(&copy).unwrap();
    for file in std::fs::read_dir(&run).unwrap().flatten() {
        if file.path().is_file() {
            std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        }
    }
    id
}

#[test]
fn hostile_text_is_shown_and_not_obeyed() {
    let home = Home::new();
    let id = make(&home);
    let (list, trouble) = attnlab(&home, &["list"]);
    assert!(list.contains("evil␛]0;title␇"), "{list}\n{trouble}");
    for arguments in [vec!["list"], vec!["show", &id], vec!["list", "--json"], vec!["show", &id, "--json"]] {
        let (out, trouble) = attnlab(&home, &arguments);
        assert_harmless(&format!("{arguments:?}, standard output"), &out);
        assert_harmless(&format!("{arguments:?}, standard error"), &trouble);
        assert!(!out.is_empty(), "{arguments:?}: {trouble}");
    }
    let (_, trouble) = attnlab(&home, &["show", &format!("{HOSTILE} nobody")]);
    assert!(trouble.contains("evil␛"), "{trouble}");
    assert_harmless("a message about a name", &trouble);
    let (json, _) = attnlab(&home, &["list", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(document["runs"].as_array().unwrap().iter().any(|run| run["title"] == HOSTILE), "{json}");
}

#[test]
fn hostile_text_is_shown_and_not_obeyed_by_the_console() {
    let home = Home::new();
    make(&home);
    let mut session = home.console((200, 60));
    session.press("[[");
    session.wait_for("evil␛]0;title␇");
    session.press("\r");
    session.wait_for("Results");
    session.press(&format!("n{}", log_key()));
    session.wait_for("Log  [log");
    session.press("q");
    session.wait_for_end();
    // The console's own question about the colour of the paper.
    let written = String::from_utf8_lossy(&session.written()).replacen("\u{1b}]11;?\u{7}", "", 1);
    for obeyed in ["\u{1b}]", "\u{202e}", "\u{9b}", "\u{200b}"] {
        assert!(!written.contains(obeyed), "{obeyed:?} reached the terminal");
    }
}

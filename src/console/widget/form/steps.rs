//! The values that ←→ step through.

use crate::function::GALLERY;
use crate::lab::{Kind, Param};

/// The text one step up (or down) from `now`: the next declared step, name or round number; none at the last one.
#[must_use]
pub fn step(param: &Param, now: &str, up: bool) -> Option<String> {
    let now = param.plain(now);
    match param.kind {
        Kind::Choice(choices) => {
            let names: Vec<&str> = choices.iter().map(|choice| choice.name).collect();
            Some(turn(&names, now, up).to_owned())
        }
        Kind::Flag => Some(turn(&["no", "yes"], now, up).to_owned()),
        Kind::Text { .. } if param.steps.is_empty() => None,
        Kind::Text { .. } => Some(turn(param.steps, now, up).to_owned()),
        Kind::Function => {
            let texts: Vec<&str> = GALLERY.iter().map(|ready| ready.text).collect();
            Some(turn(&texts, now, up).to_owned())
        }
        // Words among the steps have no size: their place counts.
        Kind::Int { .. } if param.words.contains(&now) => {
            let at = param.steps.iter().position(|step| *step == now)?;
            let next = if up { at + 1 } else { at.checked_sub(1)? };
            param.steps.get(next).map(|step| (*step).to_owned())
        }
        Kind::Int { .. } | Kind::Float { .. } => {
            // A list or a range steps to its first value's neighbour.
            let text = now.split([',', ' ']).next().unwrap_or(now);
            let value: f64 = text.split("..").next().unwrap_or(text).replace('_', "").parse().ok()?;
            let next = declared(param, value, up).or_else(|| round(param, value, up))?;
            param.parse(&next).is_ok().then_some(next)
        }
    }
}

/// A list or range to start a sweep from: every name of a choice, the declared steps, or a few round numbers.
#[must_use]
pub fn sweep(param: &Param, now: &str) -> String {
    let now = param.plain(now);
    if !matches!(param.kind, Kind::Function) && (now.contains([',', ' ']) || now.contains("..")) {
        return now.to_owned();
    }
    match param.kind {
        Kind::Choice(choices) => choices.iter().map(|choice| choice.name).collect::<Vec<_>>().join(","),
        Kind::Flag => "no,yes".to_owned(),
        Kind::Text { .. } => now.to_owned(),
        Kind::Function if now.contains('|') => now.to_owned(),
        Kind::Function => [now]
            .into_iter()
            .chain(GALLERY.iter().take(4).map(|ready| ready.text).filter(|text| *text != now))
            .collect::<Vec<_>>()
            .join(" | "),
        Kind::Int { .. } | Kind::Float { .. } if !param.steps.is_empty() => param.steps.join(","),
        Kind::Int { .. } | Kind::Float { .. } => {
            let mut values = vec![now.to_owned()];
            while values.len() < 4 {
                let Some(next) = step(param, &values[values.len() - 1], true) else { break };
                values.push(next);
            }
            values.join(",")
        }
    }
}

/// The neighbour of `now` in a circle of names.
fn turn<'a>(names: &[&'a str], now: &str, up: bool) -> &'a str {
    let count = names.len();
    let at = names.iter().position(|name| *name == now);
    match at {
        Some(at) => names[(at + if up { 1 } else { count - 1 }) % count],
        None => names[0],
    }
}

fn declared(param: &Param, value: f64, up: bool) -> Option<String> {
    let number = |text: &str| text.parse::<f64>().ok();
    let mut steps = param.steps.iter().filter_map(|text| Some((number(text)?, *text)));
    let found = if up { steps.find(|(step, _)| *step > value) } else { steps.rfind(|(step, _)| *step < value) };
    found.map(|(_, text)| text.to_owned())
}

/// Beyond the declared steps: whole numbers by one up to ten, then everything by 1-2-5.
fn round(param: &Param, value: f64, up: bool) -> Option<String> {
    let whole = matches!(param.kind, Kind::Int { .. });
    if whole && (value < 10.0 || (!up && value <= 10.0)) {
        return Some(format!("{}", value + if up { 1.0 } else { -1.0 }));
    }
    if value == 0.0 {
        return up.then(|| "0.1".to_owned());
    }
    let power = value.abs().log10().floor() as i32;
    let grows = up == (value > 0.0);
    let mut candidates = (power - 1..=power + 1)
        .flat_map(|power| [1, 2, 5].map(|digit| format!("{digit}e{power}").parse::<f64>().unwrap_or(f64::NAN)));
    let size = if grows {
        candidates.find(|candidate| *candidate > value.abs() * (1.0 + 1e-9))?
    } else {
        candidates.rfind(|candidate| *candidate < value.abs() * (1.0 - 1e-9))?
    };
    let next = size.copysign(value);
    Some(if next.abs() < 1e-3 { format!("{next:e}") } else { format!("{next}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::choice;

    const KINDS: &[crate::lab::Choice] = &[choice("softmax", ""), choice("relu", ""), choice("exp", "")];

    #[test]
    fn steps_follow_the_declaration() {
        let attention = Param::choice("attention", "attention", KINDS, "softmax");
        assert_eq!(step(&attention, "softmax", true).as_deref(), Some("relu"));
        assert_eq!(step(&attention, "softmax", false).as_deref(), Some("exp"));
        let features = Param::int("features", "features", 1, 4096, "64").steps(&["16", "64", "256"]);
        assert_eq!(step(&features, "64", true).as_deref(), Some("256"));
        assert_eq!(step(&features, "100", false).as_deref(), Some("64"));
        assert_eq!(step(&features, "256", true).as_deref(), Some("500"));
        assert_eq!(step(&features, "4096", true), None);
        assert_eq!(step(&features, "16..256 x2", true).as_deref(), Some("64"));
    }

    #[test]
    fn numbers_without_declared_steps_step_roundly() {
        let depth = Param::int("depth", "depth", 1, 64, "4");
        assert_eq!(step(&depth, "4", true).as_deref(), Some("5"));
        assert_eq!(step(&depth, "1", false), None);
        let rate = Param::float("rate", "rate", 0.0, 1.0, "1e-3");
        assert_eq!(step(&rate, "0.001", true).as_deref(), Some("0.002"));
        assert_eq!(step(&rate, "0.001", false).as_deref(), Some("5e-4"));
        assert_eq!(step(&rate, "0.6", true).as_deref(), Some("1"));
    }

    #[test]
    fn a_sweep_starts_from_what_is_known() {
        let attention = Param::choice("attention", "attention", KINDS, "softmax");
        assert_eq!(sweep(&attention, "relu"), "softmax,relu,exp");
        assert_eq!(sweep(&attention, "relu,exp"), "relu,exp");
        assert_eq!(sweep(&Param::float("rate", "rate", 0.0, 1.0, "0.1"), "0.1"), "0.1,0.2,0.5,1");
    }
}

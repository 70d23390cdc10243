//! Presets: the list, and what fills the form.

use crate::console::app::overlay::Overlay;
use crate::console::app::state::App;
use crate::console::app::tab::{Asked, Pane};
use crate::console::app::toast::Tone;
use crate::console::keymap::Action;
use crate::lab::{LabError, Preset, preset};

/// A preset with its name, or why it cannot be read, and the seconds that its runs take.
type Offer = ((String, Result<Preset, LabError>), Option<f64>);

impl App {
    /// Opens the list of presets and starts a task that reads them and estimates how long they take: those of the problem on
    /// screen come first, the cheapest first.
    pub(super) fn list_presets(&mut self) {
        self.overlay = Some(Overlay::Presets { list: None, seconds: Vec::new(), chosen: 0 });
        let problems: Vec<_> = self.tabs.iter().map(|tab| tab.problem).collect();
        let here = self.problem().map_or("", |tab| tab.problem.name());
        let places = self.places.clone();
        let read = move || {
            let time = |found: (String, Result<Preset, LabError>)| {
                let sweep = found.1.as_ref().ok().map(|preset| &preset.sweep);
                let seconds = sweep.and_then(|sweep| Asked::of(sweep).ok()?.cost.seconds);
                // What reads files that are not here is not known.
                let seconds = seconds.filter(|seconds| *seconds > 0.0);
                (found, seconds)
            };
            let mut offers: Vec<Offer> = preset::all(&places, &problems).into_iter().map(time).collect();
            let rank = |((_, preset), _): &Offer| match preset {
                Ok(preset) if preset.sweep.problem.name() == here => 0,
                Ok(preset) => {
                    1 + problems.iter().position(|known| known.name() == preset.sweep.problem.name()).unwrap_or(0)
                }
                Err(_) => usize::MAX,
            };
            let cost = |offer: &Offer| offer.1.unwrap_or(f64::INFINITY);
            offers.sort_by(|a, b| rank(a).cmp(&rank(b)).then(cost(a).total_cmp(&cost(b))));
            Ok::<_, String>(offers)
        };
        self.start("reading the presets", read, move |app, offers| {
            if let Some(Overlay::Presets { list, seconds, .. }) = &mut app.overlay {
                let (found, times): (Vec<_>, Vec<_>) = offers.into_iter().unzip();
                (*list, *seconds) = (Some(found), times);
            }
        });
    }

    /// Does what a key stands for in the list of presets. Returns what lies over the tab afterwards.
    pub(super) fn act_on_presets(&mut self, mut overlay: Overlay, action: Action) -> Option<Overlay> {
        let Overlay::Presets { list: Some(list), chosen, .. } = &mut overlay else { return Some(overlay) };
        match action {
            Action::Up => *chosen = chosen.saturating_sub(1),
            Action::Down => *chosen = (*chosen + 1).min(list.len().saturating_sub(1)),
            Action::Edit => {
                match list.get(*chosen) {
                    Some((_, Ok(preset))) => self.load(preset),
                    Some((_, Err(error))) => self.say(error.to_string(), Tone::Bad),
                    None => {}
                }
                return None;
            }
            _ => {}
        }
        Some(overlay)
    }

    /// Fills the form of a preset's problem and goes there.
    pub(super) fn load(&mut self, preset: &Preset) {
        let Some(index) = self.tab_of(preset.sweep.problem.name()) else { return };
        self.tab = index;
        let tab = &mut self.tabs[index];
        tab.refill_with(&preset.sweep);
        (tab.pane, tab.zoom) = (Pane::Form, false);
        let run = self.keymap.key(self.place(), Action::Run);
        let here = match (&preset.sweep.halved_within, preset.sweep.interleaved) {
            (Some(_), _) => ", every point to its end (`attnlab sweep` halves)",
            (None, true) => ", its points in turns",
            (None, false) => "",
        };
        self.say(format!("{}: press {run} to run it{here}", preset.title), Tone::Good);
    }

    /// Fills the form of the problem that can examine what the run `id` of problem `index` has left in its folder.
    pub(super) fn follow_up(&mut self, index: usize, id: &str) {
        let here = self.tabs[index].problem;
        let Some((name, changes)) = here.follow_up(id) else {
            return self.say(format!("no other problem looks into runs of {}", here.title()), Tone::Info);
        };
        let Some(index) = self.tab_of(name) else { return };
        let tab = &mut self.tabs[index];
        if let Err(error) = tab.change(&changes) {
            return self.say(error.to_string(), Tone::Bad);
        }
        tab.pane = Pane::Form;
        self.tab = index;
        let run = self.keymap.key(self.place(), Action::Run);
        self.say(format!("with what {id} has learned: press {run} to run it"), Tone::Good);
    }
}

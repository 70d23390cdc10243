//! What texts are typed for, in fields over a tab.

use crate::console::app::overlay::{Field, Overlay, Purpose};
use crate::console::app::state::App;
use crate::console::app::task::Origin;
use crate::console::app::toast::Tone;
use crate::lab::{Filter, Preset, RunSummary, preset, store};

impl App {
    /// Filters the list of runs by what has been typed so far, where that is a filter. Names the keys that what is being
    /// typed may become.
    pub(super) fn filter_by_field(&mut self) {
        let problems = self.problems();
        let Some(Overlay::Typing(field)) = &mut self.overlay else { return };
        if field.purpose == Purpose::Lines
            && let Some(tab) = self.tabs.get_mut(self.tab)
        {
            return tab.filter_lines(field.input.value());
        }
        if field.purpose != Purpose::Filter || field.is_waiting {
            return;
        }
        // What cannot be read yet leaves the list as it is.
        let _ = self.runs.set_filter(field.input.value(), &problems);
        let start = field.word();
        field.choices = if start.is_empty() { Vec::new() } else { Filter::keys_from(start, &problems) };
    }

    /// Does what a text was typed for. The field stays on screen until that is done. If the text is refused, the field
    /// says why.
    pub(super) fn take(&mut self, mut field: Field) -> Option<Overlay> {
        if field.is_waiting {
            return Some(Overlay::Typing(field));
        }
        let text = field.input.value().trim().to_owned();
        let refused = match field.purpose.clone() {
            Purpose::Preset => return self.save_preset(field, &text),
            Purpose::Name(folder) => {
                return self.write(field, "naming the run", move || {
                    store::rename(&folder, &text).map(|()| None).map_err(|error| error.to_string())
                });
            }
            Purpose::Tags(folders) => {
                return self.write(field, "tagging", move || {
                    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
                    for folder in &folders {
                        let mut tags = if folders.len() > 1 { RunSummary::read(folder).tags } else { Vec::new() };
                        tags.extend(words.iter().filter(|word| !tags.contains(word)).cloned().collect::<Vec<_>>());
                        store::tag(folder, &tags).map_err(|error| error.to_string())?;
                    }
                    Ok(None)
                });
            }
            Purpose::Filter => self.runs.set_filter(&text, &self.problems()).map_err(|error| error.to_string()),
            Purpose::Lines => {
                self.tabs[self.tab].filter_lines(&text);
                Ok(())
            }
            Purpose::Throttle(_) => self.throttle_sweep(&text),
        };
        match refused {
            Ok(()) => matches!(field.purpose, Purpose::Throttle(_)).then_some(Overlay::Sweeps),
            Err(reason) => {
                field.error = Some(reason);
                Some(Overlay::Typing(field))
            }
        }
    }

    /// Starts a task that does `work` for a field. When it is done, the field closes and the message that `work`
    /// returns is shown. If it fails, the field says why.
    fn write(
        &mut self,
        mut field: Field,
        name: &str,
        work: impl FnOnce() -> Result<Option<String>, String> + Send + 'static,
    ) -> Option<Overlay> {
        let purpose = field.purpose.clone();
        field.is_waiting = true;
        self.tasks.start(
            name,
            Origin::User,
            move |_| work(),
            move |app: &mut Self, outcome| {
                app.has_changed = true;
                let field = match &mut app.overlay {
                    Some(Overlay::Typing(field)) if field.purpose == purpose => Some(field),
                    _ => None,
                };
                match (outcome, field) {
                    (Ok(said), field) => {
                        if field.is_some() {
                            app.overlay = None;
                        }
                        if let Some(said) = said {
                            app.say(said, Tone::Good);
                        }
                        app.list_runs();
                    }
                    (Err(reason), Some(field)) => (field.error, field.is_waiting) = (Some(reason), false),
                    (Err(reason), None) => app.say(reason, Tone::Bad),
                }
            },
        );
        Some(Overlay::Typing(field))
    }

    fn save_preset(&mut self, mut field: Field, name: &str) -> Option<Overlay> {
        let tab = self.tabs.get(self.tab)?;
        // Asked once already.
        let sure = field.asked.replace(name.to_owned()).is_some_and(|asked| asked == name);
        let preset = Preset {
            name: name.to_owned(),
            title: name.to_owned(),
            about: String::new(),
            sweep: tab.sweep(),
            file: None,
        };
        let places = self.places.clone();
        self.write(field, "saving the preset", move || {
            if let Some(what) = preset::replaced_by(&preset.name, &places).filter(|_| !sure) {
                return Err(format!("Enter once more replaces {what}"));
            }
            let path = preset.save(&places).map_err(|error| error.to_string())?;
            Ok(Some(format!("saved as {}", path.display())))
        })
    }
}

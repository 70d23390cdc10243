//! When training stops before its last epoch, and which of its weights are tested.

use crate::lab::{ParamError, Params, RunContext, decimal};
use crate::vision::{Evaluation, Trainer};
use serde::{Deserialize, Serialize};

/// What parameters ask for.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoppingRule {
    /// Evaluations without a better one after which training stops; 0 never stops it.
    patience: u64,
    /// The validation accuracy to reach.
    target: Option<f64>,
    /// Whether training goes on past the target.
    goes_on: bool,
}

impl StoppingRule {
    pub fn of(params: &Params) -> Self {
        Self {
            patience: params.int("patience").unsigned_abs(),
            target: Some(params.float("target_accuracy")).filter(|target| *target > 0.0),
            goes_on: params.flag("past_target"),
        }
    }

    /// Whether the weights of the best evaluation are kept, and tested in the end.
    pub const fn keeps_best(&self) -> bool {
        self.patience > 0
    }

    /// Whether there is anything to stop for.
    const fn is_off(&self) -> bool {
        self.patience == 0 && self.target.is_none()
    }
}

/// Refuses a rule without images to evaluate, and one that says nothing.
pub(super) fn check(params: &Params) -> Result<(), ParamError> {
    let rule = StoppingRule::of(params);
    let refuse = |key: &str, allowed: String| Err(ParamError::new(key, params.typed(key), allowed));
    if params.float("validation") == 0.0 && !rule.is_off() {
        let (key, word) = if rule.patience > 0 { ("patience", "off") } else { ("target_accuracy", "none") };
        return refuse(key, format!("{word} with validation=0: no images are held out to evaluate"));
    }
    if rule.goes_on && rule.target.is_none() {
        return refuse("past_target", "no without a target_accuracy".to_owned());
    }
    Ok(())
}

/// The same for the images that are there: few of them can round to none held out.
pub(super) fn check_held_out(params: &Params, held_out: usize) -> Result<(), ParamError> {
    if held_out > 0 || StoppingRule::of(params).is_off() {
        return Ok(());
    }
    let allowed = "a share that holds an image out, where patience or target_accuracy is set";
    Err(ParamError::new("validation", params.typed("validation"), allowed))
}

/// Refuses what a sweep that halves cannot rank at equal budgets.
pub(super) fn check_halving(params: &Params) -> Result<(), ParamError> {
    let refuse = |key: &str, allowed: &str| Err(ParamError::new(key, params.typed(key), allowed));
    if params.float("validation") == 0.0 {
        return refuse("validation", "a share above 0 in a sweep that halves, which ranks by validation accuracy");
    }
    if params.int("patience") > 0 {
        return refuse("patience", "off in a sweep that halves, where every point has the same budget");
    }
    if params.float("target_accuracy") > 0.0 {
        return refuse("target_accuracy", "none in a sweep that halves, where every point has the same budget");
    }
    Ok(())
}

/// The best evaluation so far.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct BestEvaluation {
    epoch: f64,
    accuracy: f64,
    /// None where it is no finite number.
    loss: Option<f64>,
}

/// Why training stopped before its last epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StopReason {
    Patience,
    Target,
}

/// What the evaluations have shown. It is saved with a checkpoint, so that a continued run stops where it would have.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct EvaluationWatch {
    /// Accuracy of the newest evaluation.
    newest: Option<f64>,
    best: Option<BestEvaluation>,
    /// Evaluations since the best one.
    waited: u64,
    /// Steps and seconds of training to the target.
    target: Option<(u64, f64)>,
    /// Why training stopped, and after how many epochs.
    stopped: Option<(StopReason, f64)>,
}

impl EvaluationWatch {
    /// Takes an evaluation in, `epoch` epochs into the training. Returns whether it is the best so far: its accuracy is
    /// higher, or the same with a lower loss.
    pub fn take(&mut self, rule: &StoppingRule, trainer: &Trainer, epoch: f64, found: &Evaluation) -> bool {
        self.newest = Some(found.accuracy);
        let loss = Some(found.loss).filter(|loss| loss.is_finite());
        let is_best = self.best.is_none_or(|best| {
            let lower = loss.is_some_and(|loss| best.loss.is_none_or(|best| loss < best));
            found.accuracy > best.accuracy || (found.accuracy == best.accuracy && lower)
        });
        if is_best {
            self.best = Some(BestEvaluation { epoch, accuracy: found.accuracy, loss });
            self.waited = 0;
        } else {
            self.waited += 1;
        }
        if self.target.is_none() && rule.target.is_some_and(|target| found.accuracy >= target) {
            self.target = Some((trainer.position.step, trainer.position.seconds));
        }
        if self.target.is_some() && !rule.goes_on {
            self.stopped = Some((StopReason::Target, epoch));
        } else if rule.patience > 0 && self.waited >= rule.patience {
            self.stopped = Some((StopReason::Patience, epoch));
        }
        is_best
    }

    /// After how many epochs training stopped, where that was before its end.
    pub fn stopped(&self) -> Option<f64> {
        self.stopped.map(|(_, epoch)| epoch)
    }

    /// Says why training stopped and what is tested, where there is a rule.
    pub fn tell(&self, rule: &StoppingRule, context: &mut RunContext, epochs: u64) {
        if rule.is_off() {
            return;
        }
        let target = rule.target.unwrap_or_default();
        let mut words = match self.stopped {
            None => format!("trained all {epochs} epochs"),
            Some((reason, epoch)) => {
                let why = match reason {
                    StopReason::Patience => {
                        format!("{} evaluations brought no better validation accuracy", rule.patience)
                    }
                    StopReason::Target => format!("validation accuracy reached the target, {target}"),
                };
                format!("stopped after {} of {epochs} epochs: {why}", decimal(epoch, 2))
            }
        };
        if rule.target.is_some() && self.target.is_none() {
            words += &format!("; validation accuracy did not reach the target, {target}");
        }
        if let Some(best) = self.best.filter(|_| rule.keeps_best()) {
            let (epoch, accuracy) = (decimal(best.epoch, 2), decimal(best.accuracy, 4));
            words += &format!("; the weights of epoch {epoch} are tested, whose validation accuracy is {accuracy}");
        }
        context.note(words);
    }

    /// What the row says of it, as key and value, after `epochs` epochs.
    pub fn columns(&self, rule: &StoppingRule, epochs: f64) -> [(&'static str, serde_json::Value); 5] {
        let best = self.best.filter(|_| rule.keeps_best());
        [
            ("validation_accuracy", best.map_or(self.newest, |best| Some(best.accuracy)).into()),
            ("trained_epochs", Some(epochs).filter(|_| !rule.is_off()).into()),
            ("best_epoch", best.map(|best| best.epoch).into()),
            ("steps_to_target", self.target.map(|(steps, _)| steps).into()),
            ("seconds_to_target", self.target.map(|(_, seconds)| seconds).into()),
        ]
    }
}

//! What is happening while an operation runs: a bar on a terminal, plain lines elsewhere; everything on stderr.

use std::collections::HashSet;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use menagerie_lifecycle::{Progress, Step};
use menagerie_naming::EnvName;
use menagerie_plan::{Event, PlannedAction, Severity};

use crate::output::{self, Terminal};

/// Shows the progress of an operation.
pub(crate) struct Display {
    voice: Voice,
    verbose: bool,
    /// Whether the current step changes resources, which are then counted.
    counts: bool,
    /// Warnings that were told: plan and apply each give them.
    told: HashSet<String>,
}

/// Speaks without tearing the bar; other threads may have one.
#[derive(Clone)]
pub(crate) struct Voice {
    terminal: Terminal,
    bar: Option<ProgressBar>,
}

impl Display {
    pub(crate) fn new(terminal: Terminal, verbose: bool) -> Self {
        let bar = terminal.is_interactive().then(|| {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
                .with_style(style(STEP))
        });
        Self { voice: Voice { terminal, bar }, verbose, counts: false, told: HashSet::new() }
    }

    pub(crate) fn voice(&self) -> Voice {
        self.voice.clone()
    }

    /// Shows that something begins.
    pub(crate) fn begin(&mut self, text: String) {
        self.counts = false;
        match &self.voice.bar {
            Some(bar) => {
                bar.set_message(text);
                bar.set_style(style(STEP));
                bar.unset_length();
                bar.reset();
                bar.enable_steady_tick(Duration::from_millis(100));
            }
            None => output::say(&text),
        }
    }

    /// Says that something begins which writes to the terminal itself, so that no bar may be drawn over it.
    fn give_way(&self, text: &str) {
        self.end();
        output::say(text);
    }

    /// Shows what an operation tells.
    pub(crate) fn observe(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress::Step { name, step: Step::Build } => {
                self.give_way(&step_text(Step::Build, name));
            }
            Progress::Step { name, step } => {
                self.begin(step_text(*step, name));
                self.counts = matches!(step, Step::Apply | Step::Destroy);
            }
            Progress::Note(text) => self.voice.note(text),
            Progress::Event(event) => self.event(event),
            Progress::AtRisk => self.voice.warn(AT_RISK),
        }
    }

    fn event(&mut self, event: &Event) {
        if let (true, Some(bar)) = (self.counts, &self.voice.bar) {
            count(bar, event);
        }
        match event {
            Event::Diagnostic(diagnostic) if diagnostic.severity == Severity::Warning => {
                let text = diagnostic.to_string();
                if self.told.insert(text.clone()) {
                    self.voice.say(&text);
                }
            }
            _ => {
                if self.verbose || is_result(event) {
                    let text = without_styles(&event.message());
                    text.lines()
                        .filter(|line| !line.trim().is_empty())
                        .for_each(|line| self.voice.say(&format!("  {}", line.trim_end())));
                }
            }
        }
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        if let Some(bar) = &self.voice.bar {
            bar.disable_steady_tick();
            bar.finish_and_clear();
        }
    }
}

/// What a second interrupt can cost: Terraform then leaves at once, without writing what the providers are still doing.
const AT_RISK: &str = "stopped at once: a resource that was being created may be missing from the state; `cargo xtask env destroy` \
                       looks for what was left running";

impl Voice {
    pub(crate) fn say(&self, text: &str) {
        self.aside(|| output::say(text));
    }

    pub(crate) fn note(&self, text: &str) {
        self.aside(|| self.terminal.note(text));
    }

    pub(crate) fn warn(&self, text: &str) {
        self.aside(|| self.terminal.warn(text));
    }

    /// Has something printed without tearing the bar.
    pub(crate) fn aside(&self, say: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(say),
            None => say(),
        }
    }
}

const STEP: &str = "{spinner} {msg} ({elapsed})";
const COUNTED: &str = "{spinner} {msg} [{bar:20}] {pos}/{len} ({elapsed})";

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("both templates are right, which a test shows")
        .progress_chars("=> ")
}

/// An apply repeats its plan before it starts, so what was announced is what there is to do.
fn count(bar: &ProgressBar, event: &Event) {
    match event {
        Event::PlannedChange(change) if change.action != PlannedAction::NoOp => {
            let parts = if change.action == PlannedAction::Replace { 2 } else { 1 };
            bar.set_length(bar.length().unwrap_or(0) + parts);
            bar.set_style(style(COUNTED));
        }
        Event::ApplyComplete(_) => bar.inc(1),
        _ => {}
    }
}

/// Returns whether an event is worth a line that stays.
fn is_result(event: &Event) -> bool {
    matches!(event, Event::ApplyComplete(_) | Event::ApplyErrored(_) | Event::ProvisionErrored(_))
}

/// Removes the styles that `terraform init` prints even where nothing is a terminal, in the escaped form of
/// [`Event::message`].
fn without_styles(text: &str) -> String {
    const START: &str = "\\u{1b}[";
    let mut parts = text.split(START);
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_parameter = |character: char| character.is_ascii_digit() || character == ';';
        if let Some(rest) = part.trim_start_matches(is_parameter).strip_prefix('m') {
            plain.push_str(rest);
        } else {
            plain.push_str(START);
            plain.push_str(part);
        }
    }
    plain
}

fn step_text(step: Step, name: &EnvName) -> String {
    match step {
        Step::Build => "Building the application".to_owned(),
        Step::Initialise => format!("Initialising `{name}`"),
        Step::Plan => format!("Planning `{name}`"),
        Step::Apply => format!("Applying the plan of `{name}`"),
        Step::Wait => {
            format!("Waiting for the Terraform that an earlier run left working on `{name}`")
        }
        Step::Rehearse(what) => format!("REHEARSAL: {what} of `{name}`"),
        Step::Destroy => format!("Destroying `{name}`"),
        Step::Sweep => format!("Looking for what is left of `{name}`"),
        Step::BackUp => format!("Backing up the database of `{name}`"),
        Step::Restore => format!("Restoring the database of `{name}`"),
        Step::Probe => format!("Asking `{name}` whether it answers"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates() {
        let _ = (style(STEP), style(COUNTED));
    }

    #[test]
    fn styles_are_removed_and_other_escapes_are_kept() {
        let message = Event::from_line("\u{1b}[0m\u{1b}[1;32mready\u{1b}[2J").unwrap().message();
        assert_eq!(without_styles(&message), "ready\\u{1b}[2J");
        assert_eq!(without_styles("plain"), "plain");
    }

    #[test]
    fn an_apply_is_counted_by_its_plan() {
        let bar = ProgressBar::hidden();
        bar.unset_length();
        let event = |line: &str| Event::from_line(line).unwrap();
        let resource = r#""resource":{"addr":"a.b","module":"","resource":"a.b","resource_type":"a","resource_name":"b"}"#;
        for action in ["create", "replace", "noop"] {
            let line = format!(
                r#"{{"@message":"m","type":"planned_change","change":{{{resource},"action":"{action}"}}}}"#
            );
            count(&bar, &event(&line));
        }
        assert_eq!(bar.length(), Some(3));
        let done = event(&format!(
            r#"{{"@message":"m","type":"apply_complete","hook":{{{resource},"action":"create","elapsed_seconds":0}}}}"#
        ));
        count(&bar, &done);
        assert_eq!(bar.position(), 1);
        assert!(is_result(&done));
    }
}

//! Has Terraform validate root modules.

use super::{Rendered, TemplateProblem};
use crate::run::RunError;
use menagerie_naming::EnvName;
use menagerie_plan::{Diagnostic, Severity};
use menagerie_template::Templates;
use menagerie_terraform::{Cancel, Ended, InitOptions, Notice, Terraform, Workdir};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Has Terraform validate the root modules, as many at a time as there are processors.
pub(super) fn validate_all(
    workdir: &Workdir,
    terraform: &Terraform,
    cancel: &Cancel,
    templates: &Templates,
    rendered: &[Rendered],
) -> Result<Vec<TemplateProblem>, RunError> {
    let next = AtomicUsize::new(0);
    let work = |worker: usize| {
        let mut judged = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(root) = rendered.get(index) else { return Ok::<_, RunError>(judged) };
            // One data directory for all that a worker judges: they call the same modules from the same place, so that
            // only the first needs `init`.
            let data = format!("{worker}-{}", root.case.hosting);
            let workdir = Workdir {
                directory: workdir.directory.join(root.case.name.as_str()),
                data_directory: workdir.data_directory.join(data),
                ..workdir.clone()
            };
            let diagnostics = validate(&workdir, &root.case.name, terraform, cancel)?;
            let errors =
                diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
            judged.extend(errors.map(|error| (index, problem(templates, root, error))));
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(rendered.len());
    let mut judged = std::thread::scope(|scope| {
        let spawn = |worker| scope.spawn(move || work(worker));
        let running: Vec<_> = (0..workers).map(spawn).collect();
        let mut judged = Vec::new();
        for worker in running {
            judged.extend(worker.join().expect("a worker does not panic")?);
        }
        Ok::<_, RunError>(judged)
    })?;
    // In the order of the cases, whoever was quicker.
    judged.sort_by_key(|(index, _)| *index);
    Ok(judged.into_iter().map(|(_, problem)| problem).collect())
}

/// Returns what Terraform has to say of a root module.
fn validate(
    workdir: &Workdir,
    name: &EnvName,
    terraform: &Terraform,
    cancel: &Cancel,
) -> Result<Vec<Diagnostic>, RunError> {
    let failed = |command, source| RunError::Terraform { name: name.clone(), command, source };
    let notices = &mut |_: Notice<'_>| {};
    let run = |notices: &mut dyn FnMut(Notice<'_>)| {
        workdir.validate(terraform, notices, cancel).map_err(|source| failed("validate", source))
    };
    let mut ended = run(notices)?;
    if let Ended::NeedsInit(_) = ended {
        // No state is read, and the one of a cloud is elsewhere.
        let options = InitOptions { without_backend: true, ..InitOptions::default() };
        let initialised = workdir.init(terraform, &options, notices, cancel);
        match initialised.map_err(|source| failed("init", source))? {
            Ended::Done(()) => ended = run(notices)?,
            Ended::Failed(failure) if !failure.diagnostics.is_empty() => {
                return Ok(failure.diagnostics);
            }
            other => return Err(unexpected(name, "init", &other)),
        }
    }
    match ended {
        Ended::Done(validation) => Ok(validation.diagnostics),
        Ended::Failed(failure) if !failure.diagnostics.is_empty() => Ok(failure.diagnostics),
        other => Err(unexpected(name, "validate", &other)),
    }
}

pub(super) fn unexpected<T>(name: &EnvName, command: &'static str, ended: &Ended<T>) -> RunError {
    match ended {
        Ended::Cancelled { .. } => {
            RunError::Interrupted { name: name.clone(), during: "the check" }
        }
        Ended::TimedOut { .. } => RunError::TimedOut { name: name.clone(), command },
        other => RunError::Failed { name: name.clone(), command, diagnostics: other.to_string() },
    }
}

fn problem(templates: &Templates, root: &Rendered, diagnostic: &Diagnostic) -> TemplateProblem {
    // Without the rendered code, which holds values; and with what a terminal can't take escaped.
    let mut bare = diagnostic.clone();
    (bare.range, bare.snippet) = (None, None);
    let message = bare.to_string().replacen("\n\n", "\n", 1);
    let place = diagnostic.range.as_ref().map(|range| (range.filename.as_str(), range.start.line));
    TemplateProblem::at(
        templates,
        root,
        place,
        message.strip_prefix("error: ").unwrap_or(&message).to_owned(),
    )
}

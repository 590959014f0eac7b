//! Has Terraform look at the format of what was rendered.

use super::judge::unexpected;
use super::{Rendered, TemplateProblem};
use crate::run::RunError;
use menagerie_template::Templates;
use menagerie_terraform::{Cancel, Ended, FormatMode, FormatOptions, Terraform, Workdir};

/// Finds the lines that `terraform fmt` would change, in one run for all.
pub(super) fn check_all(
    workdir: &Workdir,
    terraform: &Terraform,
    cancel: &Cancel,
    templates: &Templates,
    rendered: &[Rendered],
) -> Result<Vec<TemplateProblem>, RunError> {
    let Some(first) = rendered.first() else { return Ok(Vec::new()) };
    let name = &first.case.name;
    let options =
        FormatOptions { mode: FormatMode::Diff, recursive: true, ..FormatOptions::default() };
    let ended = workdir.format(terraform, &options, &mut |_| {}, cancel);
    let failed = |source| RunError::Terraform { name: name.clone(), command: "fmt", source };
    let formatted = match ended.map_err(failed)? {
        Ended::Done(formatted) => formatted,
        // What is no HCL at all, the validation has told.
        Ended::Failed(_) => return Ok(Vec::new()),
        other => return Err(unexpected(name, "fmt", &other)),
    };
    let problem = |changed: Changed<'_>| {
        let (environment, file) = changed.path.split_once('/')?;
        let root = rendered.iter().find(|root| root.case.name.as_str() == environment)?;
        let message = match changed.to {
            Some(to) => format!("`terraform fmt` would make `{}` of it", to.trim_start()),
            None => "`terraform fmt` would take this line away".to_owned(),
        };
        Some(TemplateProblem::at(templates, root, Some((file, changed.line)), message))
    };
    Ok(changes(&formatted.diff).into_iter().filter_map(problem).collect())
}

/// A line that is changed.
#[derive(Debug, PartialEq, Eq)]
struct Changed<'a> {
    path: &'a str,
    /// Its number before the change.
    line: usize,
    /// What it becomes; none where it is only taken away.
    to: Option<&'a str>,
}

/// Returns the first changed line of each run of them in a unified difference.
fn changes(diff: &str) -> Vec<Changed<'_>> {
    let mut changes: Vec<Changed<'_>> = Vec::new();
    let (mut path, mut line) = ("", 0);
    // A run of lines that go is followed by the run that comes in their place.
    let (mut is_going, mut has_come) = (false, true);
    for text in diff.lines() {
        if let Some(old) = text.strip_prefix("--- ") {
            path = old.strip_prefix("old/").unwrap_or(old);
        } else if text.starts_with("+++ ") {
        } else if let Some(hunk) = text.strip_prefix("@@ -") {
            let number = hunk.split([',', ' ']).next().and_then(|number| number.parse().ok());
            line = number.unwrap_or(1);
            is_going = false;
        } else if text.starts_with('-') {
            if !is_going {
                changes.push(Changed { path, line, to: None });
            }
            (is_going, has_come) = (true, false);
            line += 1;
        } else if let Some(new) = text.strip_prefix('+') {
            match changes.last_mut() {
                Some(change) if is_going && !has_come => change.to = Some(new),
                // A line that comes before one that stays.
                _ if has_come && !is_going => changes.push(Changed { path, line, to: Some(new) }),
                _ => {}
            }
            has_come = true;
        } else {
            (is_going, has_come) = (false, true);
            line += 1;
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_lines() {
        let diff = "--- old/local-00/main.tf\n+++ new/local-00/main.tf\n@@ -3,7 +3,7 @@\n \n a = 1\n-b   = 1\n-c = 2\n+b = 1\n+c = 2\n d = 1\n-\n e = 1\n\
                    --- old/local-01/main.tf\n+++ new/local-01/main.tf\n@@ -1 +1 @@\n-x= 1\n+x = 1\n";
        assert_eq!(
            changes(diff),
            [
                Changed { path: "local-00/main.tf", line: 5, to: Some("b = 1") },
                Changed { path: "local-00/main.tf", line: 8, to: None },
                Changed { path: "local-01/main.tf", line: 1, to: Some("x = 1") },
            ]
        );
    }
}

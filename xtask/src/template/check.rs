//! `template check`.

use std::fmt::Write as _;

use clap::Args;
use menagerie_config::Hosting;
use menagerie_lifecycle::{CheckedTemplates, Progress, TemplateProblem};
use serde::Serialize;

use crate::env::facts::VERSION;
use crate::exit;
use crate::output::{self, Format, Terminal};
use crate::report::Problem;
use crate::session::{self, Verbosity};

/// Render everything that the templates can render, and have Terraform judge it
///
/// Every hosting, size and setting is rendered, with the templates of `tf/templates` in their places and with texts that
/// would be something else if they were pasted into HCL. Nothing is deployed. docs/templates.md describes templates.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Print in this format
    #[arg(long, default_value = "text")]
    format: Format,
}

#[derive(Serialize)]
struct Shown<'a> {
    version: u32,
    valid: bool,
    hostings: Vec<ShownHosting>,
    files: usize,
    overrides: &'a [String],
    problems: Vec<ShownProblem<'a>>,
}

#[derive(Serialize)]
struct ShownHosting {
    hosting: Hosting,
    environments: usize,
}

#[derive(Serialize)]
struct ShownProblem<'a> {
    message: &'a str,
    template: Option<&'a str>,
    template_line: Option<usize>,
    file: Option<&'a str>,
    file_line: Option<usize>,
    environments: &'a [String],
}

impl Check {
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<()> {
        let repository = session::repository()?;
        // Before Terraform is looked for and the provider built: a typing error is told at once.
        repository.templates().map_err(menagerie_lifecycle::CheckTemplatesError::from)?;
        let checked = session::with(terminal, &repository, Verbosity::default(), |session| {
            (session.observer)(Progress::Note("rendering every hosting, size and setting"));
            Ok(menagerie_lifecycle::check_templates(session)?)
        })?;
        match self.format {
            Format::Json => output::print_json(&shown(&checked))?,
            Format::Text => output::print(&render(&checked))?,
        }
        match checked.problems.len() {
            0 => {
                output::say("the templates hold");
                Ok(())
            }
            count => {
                let problems = if count == 1 { "problem" } else { "problems" };
                Err(Problem::new(exit::INVALID, format!("the templates have {count} {problems}"))
                    .hint("docs/templates.md describes their variables, blocks and filters")
                    .into())
            }
        }
    }
}

fn render(checked: &CheckedTemplates) -> String {
    let overrides =
        if checked.overrides.is_empty() { "none".to_owned() } else { checked.overrides.join(", ") };
    let cases: Vec<_> =
        checked.cases.iter().map(|(hosting, count)| format!("{count} on {hosting}")).collect();
    let mut text = output::rows(&[
        ("environments", cases.join(", ")),
        ("files", checked.files.to_string()),
        ("overrides", overrides),
        ("problems", checked.problems.len().to_string()),
    ]);
    for problem in &checked.problems {
        write!(text, "\n{}\n", render_problem(problem)).expect("writing to a string can't fail");
    }
    text
}

fn render_problem(problem: &TemplateProblem) -> String {
    let mut text = match &problem.template {
        Some(line) => {
            format!("{}:{}: {}", line.path, line.line, problem.message.replace('\n', "\n  "))
        }
        None => problem.message.clone(),
    };
    if let Some((file, line)) = &problem.rendered {
        let line = line.map(|line| format!(":{line}")).unwrap_or_default();
        write!(text, "\n  rendered as {file}{line}").expect("writing to a string can't fail");
    }
    let (first, more) = problem.cases.split_first().expect("a problem is one of some case");
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    write!(text, "\n  with {first}{more}").expect("writing to a string can't fail");
    text
}

fn shown(checked: &CheckedTemplates) -> Shown<'_> {
    Shown {
        version: VERSION,
        valid: checked.problems.is_empty(),
        hostings: checked
            .cases
            .iter()
            .map(|(hosting, environments)| ShownHosting {
                hosting: *hosting,
                environments: *environments,
            })
            .collect(),
        files: checked.files,
        overrides: &checked.overrides,
        problems: checked.problems.iter().map(shown_problem).collect(),
    }
}

fn shown_problem(problem: &TemplateProblem) -> ShownProblem<'_> {
    let rendered = problem.rendered.as_ref();
    ShownProblem {
        message: &problem.message,
        template: problem.template.as_ref().map(|line| line.path.as_str()),
        template_line: problem.template.as_ref().map(|line| line.line),
        file: rendered.map(|(file, _)| file.as_str()),
        file_line: rendered.and_then(|(_, line)| *line),
        environments: &problem.cases,
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use menagerie_template::TemplateLine;

    use super::*;

    fn checked() -> CheckedTemplates {
        CheckedTemplates {
            cases: [(Hosting::Local, 19)].into(),
            files: 114,
            overrides: vec!["local/main.tf.tera".to_owned()],
            problems: vec![TemplateProblem {
                message: "Unsupported argument\nAn argument named \"colour\" is not expected here."
                    .to_owned(),
                template: Some(TemplateLine {
                    path: "tf/templates/local/main.tf.tera".to_owned(),
                    line: 3,
                }),
                rendered: Some(("main.tf".to_owned(), Some(27))),
                cases: vec!["size small".to_owned(), "size large".to_owned()],
            }],
        }
    }

    #[test]
    fn text() {
        assert_snapshot!(render(&checked()), @r#"
        environments  19 on local
        files         114
        overrides     local/main.tf.tera
        problems      1

        tf/templates/local/main.tf.tera:3: Unsupported argument
          An argument named "colour" is not expected here.
          rendered as main.tf:27
          with size small and 1 more
        "#);
    }

    #[test]
    fn json() {
        assert_snapshot!(output::json(&shown(&checked())), @r#"
        {
          "version": 1,
          "valid": false,
          "hostings": [
            {
              "hosting": "local",
              "environments": 19
            }
          ],
          "files": 114,
          "overrides": [
            "local/main.tf.tera"
          ],
          "problems": [
            {
              "message": "Unsupported argument\nAn argument named \"colour\" is not expected here.",
              "template": "tf/templates/local/main.tf.tera",
              "template_line": 3,
              "file": "main.tf",
              "file_line": 27,
              "environments": [
                "size small",
                "size large"
              ]
            }
          ]
        }
        "#);
    }
}

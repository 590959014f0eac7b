//! [`render`]: what an environment is meant to be → the files of its root module.

use std::collections::BTreeMap;
use std::io;

use menagerie_config::{DatabaseEngine, Hosting, Project, Settings, Size};
use menagerie_naming::EnvName;
use tera::{Context, Kwargs, State, Tera, TeraResult, Value, context};
use thiserror::Error;

use crate::literal::literal;
use crate::size::Replica;
use crate::{File, Rendered, checksum};

/// The version of the templates: raised with every change to what they render.
const VERSION: u32 = 1;

/// How many days logs are kept, where the settings do not say.
const LOG_RETENTION_DAYS: u32 = 7;

/// What an environment is meant to be.
#[derive(Clone, Copy, Debug)]
pub struct Root<'a> {
    /// Its name.
    pub name: &'a EnvName,
    /// Where it runs.
    pub hosting: Hosting,
    /// How much it gets.
    pub size: Size,
    /// What it has otherwise than the others.
    pub settings: &'a Settings,
    /// What all environments of the project have.
    pub project: &'a Project,
}

/// A template does not render, which is a mistake in the template.
#[derive(Debug, Error)]
#[error("failed to render `{template}`")]
pub struct TemplateError {
    template: &'static str,
    #[source]
    source: Box<tera::Error>,
}

macro_rules! templates {
    ($($file:literal),+ $(,)?) => {
        /// The files of a root module with the templates that they are rendered from.
        const TEMPLATES: &[(&str, &str)] = &[$(($file, include_str!(concat!("../templates/", $file, ".tera")))),+];
    };
}
templates!["terraform.tf", "backend.tf", "providers.tf", "variables.tf", "main.tf", "outputs.tf"];

/// Renders the root module of an environment.
pub fn render(root: &Root<'_>) -> Result<Rendered, TemplateError> {
    let context = root.context();
    let mut engine = engine();
    let mut files = Vec::with_capacity(TEMPLATES.len());
    for (path, template) in TEMPLATES {
        let body = render_one(&mut engine, path, template, &context)
            .map_err(|source| TemplateError { template: path, source: Box::new(source) })?;
        let header = format!(
            "# Generated once by `cargo xtask env new` from template version {VERSION}; yours to edit."
        );
        files.push(File { path: (*path).to_owned(), text: format!("{header}\n\n{body}") });
    }
    let checksums = files.iter().map(|file| (file.path.clone(), checksum(&file.text))).collect();
    Ok(Rendered { files, version: VERSION, checksums })
}

impl Root<'_> {
    fn context(&self) -> Context {
        let Self { name, hosting, size, settings, project } = self;
        let replica = Replica::of(*size);
        let (development_source, hosting_source) = sources(*hosting);
        let engine = settings.database_engine.or(project.database.engine);
        let health_check_path =
            settings.health_check_path.as_ref().unwrap_or(&project.application.health_check_path);
        // The environment's own variables come last, so they win.
        let environment: BTreeMap<&str, &str> =
            [&project.application.environment, &settings.environment]
                .into_iter()
                .flatten()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
        context! {
            development_source => development_source,
            hosting_source => hosting_source,
            name => name.as_str(),
            database_engine => &engine.map(DatabaseEngine::as_str),
            cpu => &replica.cpu,
            memory => &replica.memory,
            desired_count => &settings.desired_count.unwrap_or(replica.desired_count),
            port => &settings.port,
            health_check_path => health_check_path.as_str(),
            log_retention_days => &settings.log_retention_days.unwrap_or(LOG_RETENTION_DAYS),
            environment => &environment,
        }
    }
}

/// Returns the sources of the modules `development` and `application_hosting`, which are never a user's text.
const fn sources(hosting: Hosting) -> (&'static str, &'static str) {
    match hosting {
        Hosting::Local => ("../../development/local", "../../modules/application_hosting/local"),
    }
}

/// Returns Tera with the one way in which templates may print a value.
fn engine() -> Tera {
    let mut tera = Tera::new();
    tera.autoescape_on([".tf"]);
    tera.set_escape_fn(|_, _| Err(io::Error::other("a value is printed without the filter `hcl`")));
    tera.register_filter("hcl", hcl);
    // It would get around the escape function.
    tera.register_filter("safe", |_: &Value, _: Kwargs, _: &State| -> TeraResult<Value> {
        Err(tera::Error::message("`safe` would paste a value into HCL: use the filter `hcl`"))
    });
    tera
}

#[expect(clippy::needless_pass_by_value, reason = "Tera passes arguments by value")]
fn hcl(value: &Value, arguments: Kwargs, _: &State) -> TeraResult<Value> {
    let indent = arguments.get::<usize>("indent")?.unwrap_or(0);
    Ok(Value::safe_string(&literal(value, indent)?))
}

fn render_one(
    engine: &mut Tera,
    path: &'static str,
    template: &str,
    context: &Context,
) -> TeraResult<String> {
    engine.add_raw_template(path, template)?;
    engine.render(path, context)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Renders a template in which `text` is a text, `list` a list and `map` a map.
    #[track_caller]
    fn check(template: &str, expected: Result<&str, &str>) {
        let context = context! {
            text => "${x}",
            list => &["${x}"],
            map => &BTreeMap::from([("${x}", 1)]),
        };
        let rendered = render_one(&mut engine(), "main.tf", template, &context);
        let error = |error: tera::Error| {
            let chain = std::iter::successors(Some(&error as &dyn std::error::Error), |error| {
                error.source()
            });
            chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
        };
        match (rendered.map_err(error), expected) {
            (Err(actual), Err(expected)) => assert!(actual.contains(expected), "{actual}"),
            (actual, expected) => {
                assert_eq!(actual, expected.map(str::to_owned).map_err(str::to_owned));
            }
        }
    }

    #[test]
    fn values_are_printed_by_the_filter_only() {
        check("v = {{ text | hcl }}", Ok(r#"v = "$${x}""#));
        check("v = {{ list | hcl(indent=2) }}", Ok(r#"v = ["$${x}"]"#));
        check("v = {{ map | hcl }}", Ok("v = {\n  \"$${x}\" = 1\n}"));
        for value in ["text", "list", "map", "text | upper", "'${' ~ text", "list | join(sep=',')"]
        {
            check(&format!("v = {{{{ {value} }}}}"), Err("without the filter `hcl`"));
        }
        // Tera drops the message here.
        check("v = {{ text | escape }}", Err("Io error"));
        check("v = {{ text | safe }}", Err("`safe` would paste a value into HCL"));
        check("v = {{ absent | hcl }}", Err("absent"));
    }

    /// A number that is printed without the filter is no danger, but null would be nothing at all.
    #[test]
    fn templates_print_nothing_without_the_filter() {
        for (file, template) in TEMPLATES {
            for printed in template.split("{{").skip(1) {
                let (printed, _) =
                    printed.split_once("}}").expect("Tera would not take it otherwise");
                let (_, filter) = printed.rsplit_once('|').unwrap_or_default();
                assert!(
                    ["hcl", "hcl(indent=4)"].contains(&filter.trim()),
                    "`{file}` prints `{printed}`"
                );
            }
        }
    }
}

//! [`Templates`]: the built-in templates and the ones of a project that take their places.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;

use menagerie_config::{Hosting, Problem};
use tera::{Context, Kwargs, State, Tera, TeraResult, Value};

use crate::builtin::{self, SUFFIX};
use crate::error::{BUILTIN, OVERRIDES, Said, TemplateError, UNFILTERED};
use crate::literal::literal;
use crate::splice::{Literals, MARK, Misplaced};
use crate::variables::{Root, VARIABLES};
use crate::{File, Rendered, checksum};

/// The version of the built-in templates: raised with every change to what they render.
const VERSION: u32 = 2;

/// What root modules are rendered from: the built-in templates, and a project's own in the place of some.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    overrides: BTreeMap<String, String>,
}

impl Templates {
    /// Takes a project's own templates: path below [`OVERRIDES`], such as `local/main.tf.tera`, and text.
    ///
    /// Each is read here, so that a mistake is told before anything is made of it.
    pub fn new(overrides: BTreeMap<String, String>) -> Result<Self, TemplateError> {
        for (path, text) in &overrides {
            check_path(path)?;
            if let Some(at) = text.find(MARK) {
                let message = "a template can't hold a zero byte".to_owned();
                let problem = Problem::at(text, &(at..at + 1), message, None);
                return Err(TemplateError::new(path, true, problem));
            }
        }
        let templates = Self { overrides };
        for hosting in Hosting::ALL {
            let engine = templates.engine(*hosting, &Literals::default())?;
            for file in builtin::files(*hosting) {
                templates.check_variables(&engine, *hosting, &templates.entry(*hosting, file))?;
            }
        }
        Ok(templates)
    }

    /// Returns the paths of the project's own templates.
    pub fn overrides(&self) -> impl Iterator<Item = &str> {
        self.overrides.keys().map(String::as_str)
    }

    /// Renders the root module of an environment.
    pub fn render(&self, root: &Root<'_>) -> Result<Rendered, TemplateError> {
        let hosting = root.hosting;
        let context = root.context();
        let literals = Literals::default();
        let engine = self.engine(hosting, &literals)?;
        let mut files = Vec::new();
        for file in builtin::files(hosting) {
            let entry = self.entry(hosting, file);
            let marked = engine
                .render(&entry, &context)
                .map_err(|error| self.error(hosting, &entry, &error, &context))?;
            let body = literals
                .insert(&marked)
                .map_err(|misplaced| self.misplaced(hosting, &entry, &misplaced))?;
            files.push(File { path: file.to_owned(), text: self.header(hosting, file) + &body });
        }
        let checksums =
            files.iter().map(|file| (file.path.clone(), checksum(&file.text))).collect();
        let used = self.overrides.iter().filter(|(path, _)| is_used(hosting, path));
        let overrides = used.map(|(path, text)| (path.clone(), checksum(text))).collect();
        Ok(Rendered { files, version: VERSION, checksums, overrides })
    }

    pub(crate) fn has_override(&self, path: &str) -> bool {
        self.overrides.contains_key(path)
    }

    /// Returns the template that a file of a root module is rendered from.
    fn entry(&self, hosting: Hosting, file: &str) -> String {
        let is_known = |path: &String| {
            self.overrides.contains_key(path)
                || builtin::of(hosting).any(|(known, _)| known == path)
        };
        let layers = builtin::layers(hosting).iter();
        let mut candidates = layers.map(|layer| format!("{layer}/{file}{SUFFIX}"));
        candidates.find(is_known).expect("it is a file of one of the layers")
    }

    fn header(&self, hosting: Hosting, file: &str) -> String {
        let layers = builtin::layers(hosting).iter();
        let mut candidates = layers.map(|layer| format!("{layer}/{file}{SUFFIX}"));
        let used = candidates.find(|path| self.overrides.contains_key(path));
        let with = used.map(|path| format!(" and `{OVERRIDES}/{path}`")).unwrap_or_default();
        format!(
            "# Generated once by `cargo xtask env new` from template version {VERSION}{with}; yours to edit.\n\n"
        )
    }

    /// Returns all templates of a hosting by the names under which they call each other.
    pub(crate) fn sources(&self, hosting: Hosting) -> BTreeMap<String, String> {
        let own = self.overrides.iter().filter(|(path, _)| is_used(hosting, path));
        builtin::of(hosting)
            .flat_map(|(path, text)| [(path.to_owned(), text), (format!("{BUILTIN}/{path}"), text)])
            .map(|(name, text)| (name, text.to_owned()))
            .chain(own.map(|(path, text)| (path.clone(), text.clone())))
            .collect()
    }

    /// Returns Tera with the templates of a hosting, and with the one way in which they may print a value.
    fn engine(&self, hosting: Hosting, literals: &Literals) -> Result<Tera, TemplateError> {
        let mut tera = bare_engine(literals);
        let sources = self.sources(hosting);
        // All at once: they refer to each other.
        let added = tera.add_raw_templates(&sources);
        added.map_err(|error| self.error(hosting, "", &error, &Context::new()))?;
        Ok(tera)
    }

    /// Refuses what no template has, also where it would not be reached.
    fn check_variables(
        &self,
        engine: &Tera,
        hosting: Hosting,
        entry: &str,
    ) -> Result<(), TemplateError> {
        let used = engine.get_template_variables(entry);
        let used = used.map_err(|error| self.error(hosting, entry, &error, &Context::new()))?;
        let mut unknown: Vec<_> = used
            .into_iter()
            .filter(|used| !VARIABLES.iter().any(|(name, _)| name == used))
            .collect();
        unknown.sort_unstable();
        let Some(name) = unknown.first() else { return Ok(()) };
        let message = format!("there is no variable `{name}`");
        let place = self.sources(hosting).into_iter().rev().find_map(|(path, text)| {
            tags(&text).find_map(|tag| Some((path.clone(), word(&text, tag, name)?)))
        });
        let (path, span) = place.unwrap_or_else(|| (entry.to_owned(), 0..0));
        let names: Vec<&str> = VARIABLES.iter().map(|(name, _)| *name).collect();
        Err(self.at(hosting, &path, &span, message, Some(hint(&names.join("`, `")))))
    }

    fn misplaced(&self, hosting: Hosting, entry: &str, misplaced: &Misplaced) -> TemplateError {
        let Misplaced { within, before } = misplaced;
        let message = format!("a value is printed {within}, behind `{}`", before.trim_start());
        let hint = "a value stands where HCL expects an expression; parts are joined in Tera: `{{ (\"app-\" ~ name) | hcl }}`";
        let place = self.sources(hosting).into_iter().rev().find_map(|(path, text)| {
            // The text before it, as far as it is the template's own, ends right before the tag.
            let span = tags(&text).find(|tag| {
                let line = text[..tag.start].rsplit('\n').next().unwrap_or_default();
                let own = line.rsplit("}}").next().unwrap_or_default();
                !own.trim().is_empty() && before.ends_with(own)
            })?;
            Some((path, span))
        });
        let (path, span) = place.unwrap_or_else(|| (entry.to_owned(), 0..0));
        self.at(hosting, &path, &span, message, Some(hint.to_owned()))
    }

    fn error(
        &self,
        hosting: Hosting,
        entry: &str,
        error: &tera::Error,
        context: &Context,
    ) -> TemplateError {
        let sources = self.sources(hosting);
        let Said { message, place } = Said::of(error, |name| sources.get(name).cloned());
        let hint = (message == UNFILTERED).then(|| "write `{{ … | hcl }}`".to_owned());
        let place = place.or_else(|| unfiltered(&sources, context));
        let (path, span) = place.unwrap_or_else(|| (entry.to_owned(), 0..0));
        self.at(hosting, &path, &span, message, hint)
    }

    fn at(
        &self,
        hosting: Hosting,
        name: &str,
        span: &Range<usize>,
        message: String,
        hint: Option<String>,
    ) -> TemplateError {
        let problem = match self.sources(hosting).get(name) {
            Some(text) if *span != (0..0) => Problem::at(text, span, message, hint),
            _ => Problem::of_file(message, hint),
        };
        TemplateError::new(name, self.overrides.contains_key(name), problem)
    }
}

fn check_path(path: &str) -> Result<(), TemplateError> {
    let known: Vec<String> = builtin::overridable().collect();
    if known.iter().any(|known| known == path) {
        return Ok(());
    }
    let nearest = known
        .iter()
        .map(|known| (strsim::osa_distance(path, known), known))
        .min()
        .filter(|(distance, _)| *distance <= path.len() / 2);
    let hint = match nearest {
        Some((_, meant)) => format!("did you mean `{meant}`?"),
        None => hint(&known.join("`, `")),
    };
    let message = "there is no built-in template of this name".to_owned();
    Err(TemplateError::new(path, true, Problem::of_file(message, Some(hint))))
}

fn hint(names: &str) -> String {
    format!("there is `{names}`")
}

/// Returns whether an override is one of a hosting's.
fn is_used(hosting: Hosting, path: &str) -> bool {
    path.split_once('/').is_some_and(|(place, _)| builtin::layers(hosting).contains(&place))
}

/// Returns Tera without templates.
fn bare_engine(literals: &Literals) -> Tera {
    let mut tera = Tera::new();
    // Every name ends with it.
    tera.autoescape_on([""]);
    tera.set_escape_fn(|_, _| Err(io::Error::other(UNFILTERED)));
    let literals = literals.clone();
    tera.register_filter(
        "hcl",
        move |value: &Value, arguments: Kwargs, _: &State| -> TeraResult<Value> {
            let indent = arguments.get::<usize>("indent")?.unwrap_or(0);
            Ok(Value::safe_string(&literals.keep(literal(value, indent)?)))
        },
    );
    // It would get around the escape function.
    tera.register_filter("safe", |_: &Value, _: Kwargs, _: &State| -> TeraResult<Value> {
        Err(tera::Error::message("`safe` would paste a value into HCL: use the filter `hcl`"))
    });
    tera
}

/// Returns the spans of the tags of a template, `{{ … }}` and `{% … %}`.
fn tags(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = ["{{", "{%"].iter().filter_map(|open| text[from..].find(open)).min()? + from;
        let close = if text[start..].starts_with("{{") { "}}" } else { "%}" };
        let end = text[start..].find(close).map_or(text.len(), |end| start + end + close.len());
        from = end;
        Some(start..end)
    })
}

/// Returns where a word stands in a span.
fn word(text: &str, span: Range<usize>, word: &str) -> Option<Range<usize>> {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    let found = text[span.clone()].match_indices(word).map(|(at, _)| span.start + at);
    found.map(|start| start..start + word.len()).find(|found| {
        !text[..found.start].ends_with(is_part) && !text[found.end..].starts_with(is_part)
    })
}

/// Returns the first value that is printed without the filter, for which Tera tells no place.
fn unfiltered(
    sources: &BTreeMap<String, String>,
    context: &Context,
) -> Option<(String, Range<usize>)> {
    let candidates = sources.iter().rev().flat_map(|(path, text)| {
        tags(text)
            .filter(|tag| text[tag.clone()].starts_with("{{"))
            .map(move |tag| (path, text, tag))
    });
    let mut tera = bare_engine(&Literals::default());
    // What is printed in a loop is not known outside of it.
    let mut local = None;
    for (path, text, tag) in candidates {
        if tera.add_raw_template("tag", &text[tag.clone()]).is_err() {
            continue;
        }
        match tera.render("tag", context).map_err(|error| Said::of(&error, |_| None)) {
            Err(Said { message, place: None }) if message == UNFILTERED => {
                return Some((path.clone(), tag));
            }
            Err(_) if !text[tag.clone()].contains("hcl") => {
                local = local.or_else(|| Some((path.clone(), tag)));
            }
            _ => {}
        }
    }
    local
}

//! Where a rendered line comes from: the line of a template whose own text is in it.

use menagerie_config::Hosting;

use crate::Templates;
use crate::error::{BUILTIN, OVERRIDES};

/// A line of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateLine {
    /// The template: `tf/templates/local/main.tf.tera`, or `builtin/local/main.tf.tera`.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
}

impl Templates {
    /// Returns the line that a line of a rendered file most likely comes from; none for one that is all values.
    pub fn locate(&self, hosting: Hosting, file: &str, rendered: &str) -> Option<TemplateLine> {
        let suffix = format!("/{file}{}", crate::builtin::SUFFIX);
        let mut best: Option<(usize, TemplateLine)> = None;
        for (name, text) in self.sources(hosting) {
            // The built-in one under the name by which others extend it counts where another took its place.
            if !name.ends_with(&suffix) {
                continue;
            }
            for (index, line) in text.lines().enumerate() {
                let Some(length) = own_text(line, rendered.trim()) else { continue };
                let is_better = best.as_ref().is_none_or(|(longest, _)| length >= *longest);
                if is_better {
                    let path = if self.has_override(&name) {
                        format!("{OVERRIDES}/{name}")
                    } else {
                        format!("{BUILTIN}/{}", name.trim_start_matches("builtin/"))
                    };
                    best = Some((length, TemplateLine { path, line: index + 1 }));
                }
            }
        }
        best.map(|(_, line)| line)
    }
}

/// Returns how much of a rendered line is a template line's own text, where the one can come from the other.
fn own_text(template: &str, rendered: &str) -> Option<usize> {
    let mut rest = rendered;
    let mut length = 0;
    let mut is_first = true;
    let mut parts = parts(template.trim()).into_iter().peekable();
    while let Some(part) = parts.next() {
        let at = match (is_first, parts.peek().is_none()) {
            (true, true) => (rest == part).then_some(0),
            (true, false) => rest.starts_with(part).then_some(0),
            (false, true) => rest.ends_with(part).then(|| rest.len() - part.len()),
            (false, false) => rest.find(part),
        }?;
        rest = &rest[at + part.len()..];
        length += part.trim().len();
        is_first = false;
    }
    // Braces alone are everywhere.
    (length > 2).then_some(length)
}

/// Returns what stands between the tags of a line, with an empty part beside one at an end.
fn parts(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = line;
    while let Some((start, close)) = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")]
        .iter()
        .filter_map(|(open, close)| Some((rest.find(open)?, close)))
        .min()
    {
        parts.push(&rest[..start]);
        rest = rest[start..].split_once(close).map_or("", |(_, after)| after);
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(templates: &Templates, rendered: &str, expected: Option<(&str, usize)>) {
        let located = templates.locate(Hosting::Local, "main.tf", rendered);
        let expected = expected.map(|(path, line)| TemplateLine { path: path.to_owned(), line });
        assert_eq!(located, expected, "{rendered}");
    }

    #[test]
    fn lines_of_built_in_templates() {
        let templates = Templates::default();
        check(&templates, "  name = \"calm-otter\"", Some(("builtin/base/main.tf.tera", 4)));
        check(
            &templates,
            "  port                     = 8080",
            Some(("builtin/base/main.tf.tera", 32)),
        );
        check(
            &templates,
            "  size                     = { cpu = 256, memory = 512 }",
            Some(("builtin/base/main.tf.tera", 29)),
        );
        check(&templates, "    \"TEXT\" = \"a\"", None);
        check(&templates, "}", None);
    }

    #[test]
    fn lines_of_overrides() {
        let text = "{% extends \"builtin/local/main.tf.tera\" %}\n{% block more %}\nwrong {{ name | hcl }} {}\n{% endblock %}";
        let overrides = [("local/main.tf.tera".to_owned(), text.to_owned())].into();
        let templates = Templates::new(overrides).unwrap();
        check(&templates, "wrong \"calm-otter\" {}", Some(("tf/templates/local/main.tf.tera", 3)));
        check(&templates, "  name = \"calm-otter\"", Some(("builtin/base/main.tf.tera", 4)));
    }
}

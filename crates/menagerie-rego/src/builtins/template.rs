//! `strings.render_template`: Go's templates as far as they put values in.

use anyhow::{Context as _, bail};
use regorus::Value;

use super::text;

pub(super) fn render(values: &[Value]) -> anyhow::Result<Value> {
    let [template, variables] = values else {
        bail!("`strings.render_template` takes 2 arguments")
    };
    let mut rest = text("strings.render_template", template)?;
    let mut rendered = String::new();
    while let Some((before, after)) = rest.split_once("{{") {
        let (action, after) = after.split_once("}}").context("a `{{` is not closed")?;
        let (is_cut_before, action) = cut(action.strip_prefix("- "), action);
        let (is_cut_after, action) = cut(action.strip_suffix(" -"), action);
        rendered.push_str(if is_cut_before { before.trim_end() } else { before });
        if !action.starts_with("/*") {
            rendered.push_str(&shown(find(variables, action.trim())?));
        }
        rest = if is_cut_after { after.trim_start() } else { after };
    }
    rendered.push_str(rest);
    Ok(Value::from(rendered))
}

fn cut<'a>(stripped: Option<&'a str>, whole: &'a str) -> (bool, &'a str) {
    stripped.map_or((false, whole), |stripped| (true, stripped))
}

/// Returns what `.a.b` leads to.
fn find<'v>(variables: &'v Value, path: &str) -> anyhow::Result<&'v Value> {
    let is_name = |part: &str| {
        !part.is_empty() && part.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
    };
    let parts: Vec<&str> = path.strip_prefix('.').unwrap_or_default().split('.').collect();
    if !parts.iter().all(|part| is_name(part)) {
        bail!(
            "of templates only `{{{{.name}}}}` is understood here, not `{}`",
            path.escape_debug()
        );
    }
    let found = parts.iter().fold(variables, |value, part| &value[*part]);
    if matches!(found, Value::Undefined | Value::Null) {
        bail!("the template asks for `{path}`, which is not there");
    }
    Ok(found)
}

/// Returns a value as Go prints it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string(),
        Value::Array(list) => {
            format!("[{}]", list.iter().map(shown).collect::<Vec<_>>().join(" "))
        }
        Value::Object(fields) => {
            let fields =
                fields.iter_sorted().map(|(key, value)| format!("{}:{}", shown(key), shown(value)));
            format!("map[{}]", fields.collect::<Vec<_>>().join(" "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use crate::builtins::tests::check;

    /// What is no error is what OPA 1.20.2 says.
    #[test]
    fn as_in_opa() {
        check(
            r#"strings.render_template("hello {{.name}} {{ .a.b }}", {"name": "w", "a": {"b": [1, "x"]}})"#,
            r#""hello w [1 x]""#,
        );
        check(
            r#"strings.render_template("{{.a}}{{/* c */}}- {{- .b -}} x", {"a": 1.5, "b": true})"#,
            r#""1.5-truex""#,
        );
        check(r#"strings.render_template("{{.a}}", {"a": {"k": "v"}})"#, r#""map[k:v]""#);
        check(
            r#"strings.render_template("{{.nope}}", {})"#,
            "error: the template asks for `.nope`…",
        );
        check(
            r#"strings.render_template("{{range .l}}{{end}}", {"l": []})"#,
            "error: of templates only…",
        );
        check(r#"strings.render_template("{{", {})"#, "error: a `{{` is not closed");
    }
}

//! `glob.match`, as OPA's library for it has it.

use std::fmt::Write as _;

use anyhow::{Context as _, bail};
use regex::Regex;
use regorus::Value;

use super::text;

/// `glob.match`; without separators given, a dot is one, and with null there is none.
pub(super) fn matches(values: &[Value]) -> anyhow::Result<Value> {
    let [pattern, separators, whole] = values else { bail!("`glob.match` takes 3 arguments") };
    let (pattern, whole) = (text("glob.match", pattern)?, text("glob.match", whole)?);
    let mut given = Vec::new();
    match separators {
        Value::Null => {}
        Value::Array(list) if list.is_empty() => given.push('.'),
        Value::Array(list) => {
            for separator in list.iter() {
                let mut characters = text("glob.match", separator)?.chars();
                match (characters.next(), characters.next()) {
                    (Some(separator), None) => given.push(separator),
                    _ => bail!("a separator of `glob.match` is one character"),
                }
            }
        }
        _ => bail!("the separators of `glob.match` are a list or null"),
    }
    let regex = Regex::new(&regex(pattern, &given)?)
        .with_context(|| format!("`{}` is no pattern", pattern.escape_debug()))?;
    Ok(Value::from(regex.is_match(whole)))
}

/// `glob.quote_meta`.
pub(super) fn quote_meta(values: &[Value]) -> anyhow::Result<Value> {
    let [whole] = values else { bail!("`glob.quote_meta` takes 1 argument") };
    let mut quoted = String::new();
    for character in text("glob.quote_meta", whole)?.chars() {
        if "*?\\[]{}".contains(character) {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    Ok(Value::from(quoted))
}

/// Returns the pattern as a regular expression.
fn regex(pattern: &str, separators: &[char]) -> anyhow::Result<String> {
    let one = if separators.is_empty() {
        "(?s:.)".to_owned()
    } else {
        let separators: Vec<String> = separators.iter().map(|one| in_class(*one)).collect();
        format!("[^{}]", separators.concat())
    };
    let mut regex = String::from("^");
    let mut characters = pattern.chars().peekable();
    let mut depth = 0_usize;
    while let Some(character) = characters.next() {
        match character {
            '*' => {
                if characters.next_if_eq(&'*').is_some() {
                    regex.push_str("(?s:.*)");
                } else {
                    write!(regex, "{one}*")?;
                }
            }
            '?' => regex.push_str(&one),
            '\\' => regex.push_str(&regex::escape(&characters.next().unwrap_or('\\').to_string())),
            '{' => {
                depth += 1;
                regex.push_str("(?:");
            }
            ',' if depth > 0 => regex.push('|'),
            '}' if depth > 0 => {
                depth -= 1;
                regex.push(')');
            }
            '[' => class(&mut characters, &mut regex)?,
            other => regex.push_str(&regex::escape(&other.to_string())),
        }
    }
    // What is not closed ends with the pattern.
    regex.push_str(&")".repeat(depth));
    regex.push('$');
    Ok(regex)
}

/// Reads `[abc]`, `[!abc]` or `[a-c]` after the bracket.
fn class(
    characters: &mut std::iter::Peekable<std::str::Chars<'_>>,
    regex: &mut String,
) -> anyhow::Result<()> {
    let negation = if characters.next_if_eq(&'!').is_some() { "^" } else { "" };
    let mut inside: Vec<char> = Vec::new();
    loop {
        match characters.next().context("a `[` of the pattern is not closed")? {
            ']' => break,
            '\\' => inside.push(characters.next().context("the pattern ends in a `\\`")?),
            character => inside.push(character),
        }
    }
    let class = match inside[..] {
        [] => bail!("a `[]` of the pattern holds nothing"),
        [from, '-', to] => {
            if from > to {
                bail!("a range of the pattern has its ends the wrong way round");
            }
            format!("{}-{}", in_class(from), in_class(to))
        }
        [_, '-', ..] => bail!("a range of the pattern is not closed"),
        _ => inside.into_iter().map(in_class).collect::<Vec<_>>().concat(),
    };
    write!(regex, "[{negation}{class}]")?;
    Ok(())
}

/// Returns a character as it may stand in a class.
fn in_class(character: char) -> String {
    if character.is_ascii_punctuation() { format!("\\{character}") } else { character.to_string() }
}

#[cfg(test)]
mod tests {
    use crate::builtins::tests::check;

    /// Each of them is what OPA 1.20.2 says.
    #[test]
    fn as_in_opa() {
        for (pattern, separators, text, expected) in [
            ("*.github.com", "[]", "api.github.com", true),
            ("*.github.com", "[]", "api.cdn.github.com", false),
            ("*:github:com", r#"[":"]"#, "api:github:com", true),
            ("api.**.com", r#"["."]"#, "api.cdn.github.com", true),
            ("*", "null", "a.b/c", true),
            ("?at", "[]", "cat", true),
            ("[abc]at", "[]", "bat", true),
            ("[!abc]at", "[]", "cat", false),
            ("[!abc]at", "[]", "lat", true),
            ("[a-c]at", "[]", "cat", true),
            ("{cat,bat,[fr]at}", "[]", "rat", true),
            ("{cat,bat}", "[]", "dog", false),
            ("arn:aws:*", r#"["/"]"#, "arn:aws:iam/x", false),
            ("arn:aws:**", r#"["/"]"#, "arn:aws:iam/x", true),
            (r"a\\*b", "[]", "a*b", true),
            (r"a\\*b", "[]", "axb", false),
            ("{a,{b,c}}d", "[]", "cd", true),
            ("{a", "[]", "a", true),
            ("a?c", r#"["."]"#, "a.c", false),
            ("[a.]c", r#"["."]"#, ".c", true),
            ("*ü", "[]", "xü", true),
            ("", "[]", "", true),
            ("[^a]c", "[]", "^c", true),
            ("[^a]c", "[]", "bc", false),
            ("[-a]c", "[]", "-c", true),
            ("[ab-d]x", "[]", "cx", false),
            ("{,a}", "[]", "", true),
            ("a}", "[]", "a}", true),
            ("*", "[]", r"a\nb", true),
        ] {
            let expression = format!(r#"glob.match("{pattern}", {separators}, "{text}")"#);
            check(&expression, &expected.to_string());
        }
        check(r#"glob.match("a[", [], "a[")"#, "error: a `[` of the pattern is not closed");
        check(r#"glob.match("[]a]c", [], "]c")"#, "error: a `[]`…");
        check(r#"glob.match("[a-]c", [], "-c")"#, "error: a range…");
        check(r#"glob.match("a*", ["ab"], "aab")"#, "error: a separator…");
        check(r#"glob.quote_meta("*.g[i]t{h}?\\ub!-")"#, r#""\\*.g\\[i\\]t\\{h\\}\\?\\\\ub!-""#);
    }
}

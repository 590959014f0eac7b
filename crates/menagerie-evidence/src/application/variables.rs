//! [`Variables`]: what `$NAME` stands for in a Dockerfile, as far as the file says it.

use std::collections::HashMap;

/// A longer value is taken for unknown: each may repeat the ones before.
const LONGEST: usize = 4096;

/// How deep defaults may lie in each other.
const DEEPEST: usize = 8;

/// Values by name; those of a build alone are none.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables(HashMap<String, Option<String>>);

impl Variables {
    pub(super) fn get(&self, name: &str) -> Option<&Option<String>> {
        self.0.get(name)
    }

    pub(super) fn set(&mut self, name: &str, value: Option<String>) {
        self.0.insert(name.to_owned(), value.filter(|value| value.len() <= LONGEST));
    }

    /// Returns a text with values in the places of names; none where one is not known.
    pub(super) fn substitute(&self, text: &str) -> Option<String> {
        self.at_depth(text, 0)
    }

    fn at_depth(&self, text: &str, depth: usize) -> Option<String> {
        if depth > DEEPEST {
            return None;
        }
        let mut result = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['$', '\\']) {
            result.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            rest = if rest[at..].starts_with('\\') {
                let escaped = after.chars().next()?;
                result.push(escaped);
                &after[escaped.len_utf8()..]
            } else if let Some(inner) = after.strip_prefix('{') {
                let end = closing(inner)?;
                result.push_str(&self.braced(&inner[..end], depth)?);
                &inner[end + 1..]
            } else {
                let name = name(after);
                result.push_str(&self.value(name)?);
                &after[name.len()..]
            };
            if result.len() > LONGEST {
                return None;
            }
        }
        result.push_str(rest);
        Some(result)
    }

    /// Returns what stands between braces: a name, or a name with what is to be taken where it is not set, or is.
    fn braced(&self, inner: &str, depth: usize) -> Option<String> {
        let name = name(inner);
        let rest = &inner[name.len()..];
        let word = |prefix: &str| rest.strip_prefix(prefix);
        // A name that was declared without a value may be given one by each build.
        let is_open = matches!(self.get(name), Some(None));
        let value = self.value(name);
        if rest.is_empty() {
            return value;
        }
        if is_open {
            return None;
        }
        if let Some(default) = word(":-") {
            return match value.filter(|value| !value.is_empty()) {
                Some(value) => Some(value),
                None => self.at_depth(default, depth + 1),
            };
        }
        if let Some(default) = word("-") {
            return value.or_else(|| self.at_depth(default, depth + 1));
        }
        let other = word(":+").or_else(|| word("+"))?;
        match value.filter(|value| !value.is_empty() || rest.starts_with('+')) {
            Some(_) => self.at_depth(other, depth + 1),
            None => Some(String::new()),
        }
    }

    fn value(&self, name: &str) -> Option<String> {
        self.get(name).cloned().flatten()
    }
}

fn name(text: &str) -> &str {
    let end = text.find(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    &text[..end.unwrap_or(text.len())]
}

/// Returns where the brace ends that is open.
fn closing(text: &str) -> Option<usize> {
    let mut open = 1_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}

/// Returns the words of an instruction, as `NAME=VALUE` or `NAME`, without their quotes.
pub(super) fn assignments(text: &str) -> Vec<(String, Option<String>)> {
    let mut words = vec![String::new()];
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let word = words.last_mut().expect("there always is one");
        match character {
            _ if quote == Some(character) => quote = None,
            '"' | '\'' if quote.is_none() => quote = Some(character),
            // Escapes are undone where values take the places of names.
            '\\' => {
                word.push('\\');
                word.extend(characters.next());
            }
            _ if character.is_whitespace() && quote.is_none() => words.push(String::new()),
            _ => word.push(character),
        }
    }
    let words = words.into_iter().filter(|word| !word.is_empty());
    words
        .map(|word| match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, None),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let mut variables = Variables::default();
        variables.set("A", Some("1".to_owned()));
        variables.set("EMPTY", Some(String::new()));
        variables.set("OPEN", None);
        assert_eq!(variables.substitute(text).as_deref(), expected);
    }

    #[test]
    fn what_names_stand_for() {
        check("a:$A-${A}x", Some("a:1-1x"));
        check("$NONE", None);
        check("$OPEN", None);
        check("${NONE:-x}${EMPTY:-y}${EMPTY-z}", Some("xy"));
        check("${NONE:-${A}}", Some("1"));
        check("${OPEN:-x}", None);
        check("${A:+yes}${EMPTY:+no}${EMPTY+set}", Some("yesset"));
        check(r"\$A", Some("$A"));
        check("${A", None);
        check("${A#x}", None);
        check(&format!("{}x{}", "${N:-".repeat(20), "}".repeat(20)), None);
    }

    #[test]
    fn words() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            assignments(r#"A=1 B="x y" C D='z'"#),
            [
                ("A".into(), some("1")),
                ("B".into(), some("x y")),
                ("C".into(), None),
                ("D".into(), some("z"))
            ]
        );
    }

    #[test]
    fn values_do_not_grow_without_end() {
        let mut variables = Variables::default();
        variables.set("A", Some("x".repeat(LONGEST)));
        assert_eq!(variables.substitute("$A$A"), None);
    }
}

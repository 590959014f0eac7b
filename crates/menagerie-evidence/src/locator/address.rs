//! An address and the path of an attribute, taken apart as far as a configuration knows them.

/// The address of a resource, without the keys of instances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// The names of the modules on the way, from the root.
    pub(crate) modules: Vec<String>,
    /// The block in the last one: `aws_s3_bucket.logs`, `data.aws_ami.this`.
    pub(crate) block: String,
}

/// A step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
    /// Into a text that is JSON.
    Json,
}

impl Address {
    /// Takes an address apart; whatever it is, there are parts.
    pub(crate) fn parse(address: &str) -> Self {
        let parts: Vec<&str> = split(address).into_iter().map(without_key).collect();
        let mut rest = parts.as_slice();
        let mut modules = Vec::new();
        while let ["module", name, after @ ..] = rest {
            modules.push((*name).to_owned());
            rest = after;
        }
        Self { modules, block: rest.join(".") }
    }
}

fn without_key(part: &str) -> &str {
    part.split('[').next().unwrap_or_default()
}

/// Splits at the dots that stand in no brackets.
fn split(address: &str) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut is_quoted, mut is_escaped, mut depth) = (false, false, 0_usize);
    for (at, byte) in address.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            b'[' => depth += 1,
            b']' => depth = depth.saturating_sub(1),
            b'.' if depth == 0 => {
                parts.push(&address[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&address[start..]);
    parts
}

/// Returns the steps of an attribute's path, up to the first that names no one place.
pub(crate) fn steps(path: &str) -> Vec<Step> {
    let (mut steps, mut rest) = (Vec::new(), path);
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("::") {
            steps.push(Step::Json);
            rest = after;
        } else if rest.starts_with("[\"") {
            let mut parser = serde_json::Deserializer::from_str(&rest[1..]).into_iter::<String>();
            let Some(Ok(key)) = parser.next() else { break };
            let after = &rest[1 + parser.byte_offset()..];
            let Some(after) = after.strip_prefix(']') else { break };
            steps.push(Step::Key(key));
            rest = after;
        } else if let Some(after) = rest.strip_prefix('[') {
            let Some((index, after)) = after.split_once(']') else { break };
            let Ok(index) = index.parse() else { break };
            steps.push(Step::Index(index));
            rest = after;
        } else {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest.find(['.', '[', ':']).unwrap_or(rest.len());
            if end == 0 || &rest[..end] == "*" {
                break;
            }
            steps.push(Step::Key(rest[..end].to_owned()));
            rest = &rest[end..];
            if rest.starts_with(':') && !rest.starts_with("::") {
                break;
            }
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(address: &str, modules: &str, block: &str) {
        let found = Address::parse(address);
        assert_eq!((found.modules.join(" ").as_str(), &*found.block), (modules, block));
    }

    #[test]
    fn addresses() {
        check("aws_s3_bucket.logs", "", "aws_s3_bucket.logs");
        check("data.aws_ami.this[0]", "", "data.aws_ami.this");
        check(
            r#"module.a["x.y\"]"].module.b[0].aws_s3_bucket.logs["k.[1]"]"#,
            "a b",
            "aws_s3_bucket.logs",
        );
        check("module.a.data.b.c", "a", "data.b.c");
        check("module", "", "module");
        check("", "", "");
    }

    #[track_caller]
    fn path(path: &str, expected: &str) {
        let shown: Vec<String> = steps(path)
            .iter()
            .map(|step| match step {
                Step::Key(key) => key.clone(),
                Step::Index(index) => format!("#{index}"),
                Step::Json => "json".to_owned(),
            })
            .collect();
        assert_eq!(shown.join(" "), expected);
    }

    #[test]
    fn paths() {
        path("a", "a");
        path("a.b[0][\"c.d\"].e", "a b #0 c.d e");
        path("policy::Statement[1].Action", "policy json Statement #1 Action");
        path("policy::[0].a", "policy json #0 a");
        path("a[*].b", "a");
        path("a.*.b", "a");
        path("a[\"b", "a");
        path("a:b", "a");
        path("..", "");
        path("", "");
    }

    proptest! {
        #[test]
        fn never_panics(text in "[a-c0-9.:*\"\\\\\\[\\]ü]{0,24}") {
            let _ = (Address::parse(&text), steps(&text));
        }
    }
}

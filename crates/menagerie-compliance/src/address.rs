//! The parts of a resource's address.

/// An address, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// The module, `module.a["x"].module.b`; empty for the root.
    pub(crate) module: String,
    /// The same without the keys of instances, as the configuration has it.
    pub(crate) module_block: String,
    /// The block in it, `aws_s3_bucket.logs`.
    pub(crate) block: String,
    pub(crate) kind: String,
    pub(crate) is_data: bool,
}

impl Address {
    /// Takes an address apart; whatever it is, there are parts.
    pub(crate) fn parse(address: &str) -> Self {
        let parts = split(address);
        let mut modules = Vec::new();
        let mut rest = parts.as_slice();
        while let [module, name, after @ ..] = rest
            && *module == "module"
        {
            modules.push(*name);
            rest = after;
        }
        let is_data = rest.first() == Some(&"data");
        if is_data {
            rest = &rest[1..];
        }
        let join = |of: fn(&str) -> &str| {
            let names: Vec<String> =
                modules.iter().map(|name| format!("module.{}", of(name))).collect();
            names.join(".")
        };
        let kind = rest.first().copied().unwrap_or_default();
        let name = rest.get(1).copied().unwrap_or_default();
        Self {
            module: join(|name| name),
            module_block: join(without_key),
            block: format!("{}{kind}.{}", if is_data { "data." } else { "" }, without_key(name)),
            kind: kind.to_owned(),
            is_data,
        }
    }
}

fn without_key(name: &str) -> &str {
    name.find('[').map_or(name, |at| &name[..at])
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(address: &str, module: &str, module_block: &str, block: &str) {
        let found = Address::parse(address);
        assert_eq!(
            (&*found.module, &*found.module_block, &*found.block),
            (module, module_block, block)
        );
    }

    #[test]
    fn parts() {
        check("aws_s3_bucket.logs", "", "", "aws_s3_bucket.logs");
        check("data.aws_ami.this[0]", "", "", "data.aws_ami.this");
        check(
            r#"module.a["x.y\"]"].module.b[0].aws_s3_bucket.logs["k.[1]"]"#,
            r#"module.a["x.y\"]"].module.b[0]"#,
            "module.a.module.b",
            "aws_s3_bucket.logs",
        );
        check("", "", "", ".");
    }

    proptest! {
        #[test]
        fn never_panics(address in "[a-c.\"\\\\\\[\\]ü]{0,20}") {
            let _ = Address::parse(&address);
        }
    }
}

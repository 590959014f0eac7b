//! Addresses of resource instances, as they stand behind `to` in an `import` block: checked, since there they are code.

use std::fmt;

/// The address of one managed resource instance: `module.vpc.aws_subnet.private["a"]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Address {
    text: String,
    kind: String,
}

impl Address {
    /// Reads an address from the beginning of a text, and returns what follows it.
    pub(crate) fn split(text: &str) -> Result<(Self, &str), &'static str> {
        let mut rest = text;
        let mut module = take_word(&mut rest);
        while module == "module" {
            take_name(&mut rest)?;
            take_key(&mut rest)?;
            rest = rest.strip_prefix('.').ok_or("a resource follows the module")?;
            module = take_word(&mut rest);
        }
        let kind = module;
        if kind == "data" || kind == "ephemeral" {
            return Err("only managed resources can be imported");
        }
        let starts = kind.chars().next().is_some_and(|first| first.is_ascii_lowercase());
        if !starts || !kind.contains('_') {
            return Err("an address has the form `TYPE.NAME`, and modules before it");
        }
        take_name(&mut rest)?;
        take_key(&mut rest)?;
        let length = text.len() - rest.len();
        Ok((Self { text: text[..length].to_owned(), kind: kind.to_owned() }, rest))
    }

    /// Makes the address of a resource that has no name yet.
    pub(crate) fn new(kind: &str, name: &str) -> Self {
        let mut label: String = name
            .chars()
            .map(
                |letter| {
                    if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' }
                },
            )
            .collect();
        if !label.starts_with(|first: char| first.is_ascii_lowercase()) {
            label.insert_str(0, "this_");
        }
        Self { text: format!("{kind}.{label}"), kind: kind.to_owned() }
    }

    /// Returns the type of the resource.
    pub(crate) fn kind(&self) -> &str {
        &self.kind
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

fn take_word<'a>(rest: &mut &'a str) -> &'a str {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
    let (word, behind) = rest.split_at(end);
    *rest = behind;
    word
}

fn take_name(rest: &mut &str) -> Result<(), &'static str> {
    *rest = rest.strip_prefix('.').ok_or("a name follows the type, behind a dot")?;
    let name = take_word(rest);
    let starts =
        name.chars().next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    starts.then_some(()).ok_or("a name starts with a letter")
}

/// Takes `[0]` or `["key"]`, where one is there.
fn take_key(rest: &mut &str) -> Result<(), &'static str> {
    const FORM: &str = "a key has the form `[0]` or `[\"key\"]`";
    let Some(inner) = rest.strip_prefix('[') else { return Ok(()) };
    let end = match inner.strip_prefix('"') {
        None => {
            let end = inner.find(']').ok_or(FORM)?;
            let is_number = end > 0 && inner[..end].bytes().all(|byte| byte.is_ascii_digit());
            is_number.then_some(end).ok_or(FORM)?
        }
        Some(text) => {
            let end = text.find('"').ok_or(FORM)?;
            let key = &text[..end];
            if key.contains(['\\', '$', '%']) || key.contains(char::is_control) {
                return Err("a key holds neither `\\`, `$` nor `%`");
            }
            end + 2
        }
    };
    *rest = inner[end..].strip_prefix(']').ok_or(FORM)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<(&str, &str, &str), &str>) {
        let found = Address::split(text);
        let found = found.as_ref().map(|(address, rest)| (&*address.text, &*address.kind, *rest));
        assert_eq!(found.map_err(|error| *error), expected, "{text}");
    }

    #[test]
    fn addresses() {
        check("aws_vpc.this = x", Ok(("aws_vpc.this", "aws_vpc", " = x")));
        check("aws_subnet.a[0]", Ok(("aws_subnet.a[0]", "aws_subnet", "")));
        let deep = "module.a[\"b c\"].module.d.aws_subnet.e-f[\"g = h\"]";
        check(&format!("{deep} i"), Ok((deep, "aws_subnet", " i")));
        check("data.aws_vpc.this", Err("only managed resources can be imported"));
        check("aws_vpc", Err("a name follows the type, behind a dot"));
        check("aws_vpc.0", Err("a name starts with a letter"));
        check("module.a", Err("a resource follows the module"));
        for text in ["", "vpc-1", "Aws_vpc.a", "moduleaws.a"] {
            check(text, Err("an address has the form `TYPE.NAME`, and modules before it"));
        }
        check(
            "aws_vpc.a[\"${file(\"/etc/passwd\")}\"]",
            Err("a key holds neither `\\`, `$` nor `%`"),
        );
        for text in ["aws_vpc.a[", "aws_vpc.a[]", "aws_vpc.a[b]", "aws_vpc.a[0", "aws_vpc.a[\"b\""]
        {
            check(text, Err("a key has the form `[0]` or `[\"key\"]`"));
        }
    }

    #[test]
    fn names_for_what_has_none() {
        assert_eq!(Address::new("aws_vpc", "vpc-0A1").to_string(), "aws_vpc.vpc_0a1");
        assert_eq!(Address::new("aws_lb", "50x/é").to_string(), "aws_lb.this_50x__");
    }
}

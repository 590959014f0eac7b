//! [`read`]: the blocks of a configuration file as Terraform sees them, without its expressions.
//!
//! Nothing of a file can hide from it in a comment, a text, a heredoc or an interpolation: what is no structure for HCL is
//! none here. A file that it can't read is refused as a whole.
//! HCL's syntax: <https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md>.

/// A block: `resource "aws_instance" "this" { … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// `resource`.
    pub(super) kind: String,
    /// `aws_instance` and `this`.
    pub(super) labels: Vec<String>,
    /// The line that it begins on, from 1.
    pub(super) line: usize,
    pub(super) attributes: Vec<Attribute>,
    pub(super) blocks: Vec<Self>,
}

/// An attribute: `source = "../vpc"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) line: usize,
    /// The expression as it is written.
    pub(super) value: String,
}

/// A file that can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) line: usize,
}

/// Reads all blocks of a file.
pub(super) fn read(text: &str) -> Result<Vec<Block>, Unreadable> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { text, at: 0 };
    let (_, blocks) = reader.body(0)?;
    if reader.at < text.len() { Err(reader.unreadable()) } else { Ok(blocks) }
}

impl Attribute {
    /// Returns the text that the attribute is, where it is nothing but a text in quotes without anything to evaluate.
    pub(super) fn literal(&self) -> Option<&str> {
        let inner = self.value.trim().strip_prefix('"')?.strip_suffix('"')?;
        let is_plain =
            !inner.contains(['"', '\\', '\n']) && !inner.contains("${") && !inner.contains("%{");
        is_plain.then_some(inner)
    }
}

/// How deep blocks and expressions can be in each other; no file that a person wrote comes near.
const DEPTH: usize = 64;

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads attributes and blocks up to the end of the file, or in a block up to its brace.
    fn body(&mut self, depth: usize) -> Result<(Vec<Attribute>, Vec<Block>), Unreadable> {
        let (mut attributes, mut blocks) = (Vec::new(), Vec::new());
        if depth > DEPTH {
            return Err(self.unreadable());
        }
        loop {
            self.space(true)?;
            if self.rest().is_empty() || (depth > 0 && self.rest().starts_with('}')) {
                return Ok((attributes, blocks));
            }
            let line = self.line();
            let name = self.identifier().ok_or_else(|| self.unreadable())?;
            self.space(false)?;
            if self.rest().starts_with('=') && !self.rest().starts_with("==") {
                self.at += 1;
                let start = self.at;
                self.expression(None, depth)?;
                attributes.push(Attribute {
                    name,
                    line,
                    value: self.text[start..self.at].to_owned(),
                });
                continue;
            }
            let mut labels = Vec::new();
            while !self.take("{") {
                labels.push(self.label().ok_or_else(|| self.unreadable())?);
                self.space(false)?;
            }
            let (attributes, inner) = self.body(depth + 1)?;
            if !self.take("}") {
                return Err(self.unreadable());
            }
            blocks.push(Block { kind: name, labels, line, attributes, blocks: inner });
        }
    }

    /// Passes an expression: up to the end of its line, or to the bracket that closes what it stands in.
    fn expression(&mut self, close: Option<char>, depth: usize) -> Result<(), Unreadable> {
        if depth > DEPTH {
            return Err(self.unreadable());
        }
        loop {
            let Some(next) = self.rest().chars().next() else {
                return if close.is_none() { Ok(()) } else { Err(self.unreadable()) };
            };
            match next {
                '\n' if close.is_none() => return Ok(()),
                '}' | ')' | ']' => match close {
                    Some(expected) if next == expected => return Ok(()),
                    // The end of a block of one line.
                    None if next == '}' => return Ok(()),
                    _ => return Err(self.unreadable()),
                },
                '{' | '(' | '[' => {
                    self.at += 1;
                    let close = match next {
                        '{' => '}',
                        '(' => ')',
                        _ => ']',
                    };
                    self.expression(Some(close), depth + 1)?;
                    self.at += 1;
                }
                '"' => {
                    self.at += 1;
                    self.quoted(depth + 1)?;
                }
                '<' if self.rest().starts_with("<<") => self.heredoc(depth + 1)?,
                // The rest of the line is none of it.
                '#' | '/'
                    if close.is_none()
                        && !self.rest().starts_with("/*")
                        && (next == '#' || self.rest().starts_with("//")) =>
                {
                    return Ok(());
                }
                '#' | '/' => {
                    if !self.comment()? {
                        self.at += 1;
                    }
                }
                _ => self.at += next.len_utf8(),
            }
        }
    }

    /// Passes a text in quotes, behind the first one.
    fn quoted(&mut self, depth: usize) -> Result<(), Unreadable> {
        loop {
            let rest = self.rest();
            match rest.chars().next() {
                None | Some('\n') => return Err(self.unreadable()),
                Some('"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some('\\') => {
                    self.at += 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
                }
                Some(_) => self.template(depth)?,
            }
        }
    }

    /// Passes a text up to the line that is its word alone.
    fn heredoc(&mut self, depth: usize) -> Result<(), Unreadable> {
        let unreadable = self.unreadable();
        let first = self.rest().lines().next().unwrap_or_default();
        let word =
            first[2..].strip_prefix('-').unwrap_or(&first[2..]).trim_end_matches('\r').to_owned();
        let is_word = !word.is_empty() && word.chars().all(is_part);
        if !is_word {
            return Err(unreadable);
        }
        self.at += first.len();
        loop {
            // At the end of a line.
            if !self.take("\n") {
                return Err(unreadable);
            }
            let line = self.rest().split('\n').next().unwrap_or_default();
            if line.trim_matches([' ', '\t', '\r']) == word {
                self.at += line.len();
                return Ok(());
            }
            while !self.rest().is_empty() && !self.rest().starts_with('\n') {
                self.template(depth)?;
            }
        }
    }

    /// Passes one character of a template, or what is interpolated there.
    fn template(&mut self, depth: usize) -> Result<(), Unreadable> {
        let rest = self.rest();
        if rest.starts_with("$$${") || rest.starts_with("%%%{") {
            // Which of them escapes which is not worth being wrong about.
            return Err(self.unreadable());
        }
        if rest.starts_with("$${") || rest.starts_with("%%{") {
            self.at += 3;
        } else if rest.starts_with("${") || rest.starts_with("%{") {
            self.at += 2;
            self.expression(Some('}'), depth + 1)?;
            self.at += 1;
        } else {
            self.at += rest.chars().next().map_or(0, char::len_utf8);
        }
        Ok(())
    }

    /// Passes spaces and comments.
    fn space(&mut self, with_lines: bool) -> Result<(), Unreadable> {
        loop {
            let rest = self.rest();
            if rest.starts_with([' ', '\t', '\r']) || (with_lines && rest.starts_with('\n')) {
                self.at += 1;
            } else if !(rest.starts_with(['#', '/']) && self.comment()?) {
                return Ok(());
            }
        }
    }

    /// Passes a comment, where one begins; the end of its line is not a part of it.
    fn comment(&mut self) -> Result<bool, Unreadable> {
        let rest = self.rest();
        if rest.starts_with('#') || rest.starts_with("//") {
            self.at += rest.find('\n').unwrap_or(rest.len());
            return Ok(true);
        }
        if rest.starts_with("/*") {
            self.at += rest.find("*/").ok_or_else(|| self.unreadable())? + 2;
            return Ok(true);
        }
        Ok(false)
    }

    fn label(&mut self) -> Option<String> {
        if !self.rest().starts_with('"') {
            return self.identifier();
        }
        let inner = &self.rest()[1..];
        let label = &inner[..inner.find('"')?];
        let is_plain = !label.contains(['\\', '\n', '$', '%']);
        self.at += label.len() + 2;
        is_plain.then(|| label.to_owned())
    }

    fn identifier(&mut self) -> Option<String> {
        let rest = self.rest();
        let length = rest.find(|character| !is_part(character)).unwrap_or(rest.len());
        self.at += length;
        (length > 0).then(|| rest[..length].to_owned())
    }

    fn take(&mut self, token: &str) -> bool {
        let takes = self.rest().starts_with(token);
        self.at += if takes { token.len() } else { 0 };
        takes
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn line(&self) -> usize {
        self.text[..self.at].matches('\n').count() + 1
    }

    fn unreadable(&self) -> Unreadable {
        Unreadable { line: self.line() }
    }
}

fn is_part(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '-'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;
    use std::path::Path;

    /// Writes the blocks of a text as `kind label(attribute…){inner…}`.
    fn shown(blocks: &[Block]) -> String {
        let one = |block: &Block| {
            let names: Vec<_> = block.attributes.iter().map(|attribute| &*attribute.name).collect();
            let inner = shown(&block.blocks);
            format!(
                "{}@{}[{}]({}){{{inner}}}",
                block.kind,
                block.line,
                block.labels.join(","),
                names.join(",")
            )
        };
        blocks.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    fn check(text: &str, expected: Result<&str, usize>) {
        let blocks = read(text).map(|blocks| shown(&blocks)).map_err(|unreadable| unreadable.line);
        assert_eq!(blocks, expected.map(str::to_owned), "{text}");
    }

    #[test]
    fn structure() {
        check("", Ok(""));
        check(
            "a \"b\" c {\n  d = 1\n  e { f = { g = 2 }\n }\n}\nh {}",
            Ok("a@1[b,c](d){e@3[](f){}} h@6[](){}"),
        );
        check("a { b = \"x\" }", Ok("a@1[](b){}"));
        check("\u{feff}a {\r\n  b = [\r\n 1,\n 2 ]\r\n}\r\n", Ok("a@1[](b){}"));
        check("a {\n  b = c == d ? e : f\n  g {}\n}", Ok("a@1[](b){g@3[](){}}"));
    }

    #[test]
    fn what_is_no_structure() {
        check("# a {\n// b {\n/* c {\n} */ d /* e */ {}", Ok("d@4[](){}"));
        check("a {\n  b = \"c { \\\" ${ d(\"}\") } $${\"\n}", Ok("a@1[](b){}"));
        check(
            "a {\n  b = <<-EOT\n  c {\n  EOT x\n  ${<<E\n}\nE\n}\n  EOT\n  d {}\n}",
            Ok("a@1[](b){d@10[](){}}"),
        );
        check("a {\n  b = 1 # } c {\n}", Ok("a@1[](b){}"));
        check("a {\n  b = 1 / 2\n c {}\n}", Ok("a@1[](b){c@3[](){}}"));
        check("a {\n  b = \"%{ if x == \"}\" }y%{ endif }\"\n}", Ok("a@1[](b){}"));
    }

    #[test]
    fn what_can_not_be_read() {
        check("a {\n", Err(2));
        check("a {}\n}", Err(2));
        check("a = (\n", Err(2));
        check("a \"b\\u0065\" {}", Err(1));
        check("a \"${b}\" {}", Err(1));
        check("a = \"b\n\"", Err(1));
        check("a = <<EOT\nb", Err(1));
        check("/* a", Err(1));
        check("a \"b\" = 1", Err(1));
        check("a\n{}", Err(1));
        check("\"a\" {}", Err(1));
        check(&"a {\n".repeat(1000), Err(65));
    }

    #[test]
    fn literals() {
        let literal = |text: &str| {
            let blocks = read(&format!("a {{\n b = {text}\n}}")).unwrap();
            blocks[0].attributes[0].literal().map(str::to_owned)
        };
        assert_eq!(literal("\"../a\""), Some("../a".to_owned()));
        assert_eq!(literal("\"../a\" # b"), Some("../a".to_owned()));
        for text in
            ["\"../${b}\"", "\"a\\u002f\"", "b", "\"a\" + \"b\"", "\"a\" /* c */", "<<E\na\nE"]
        {
            assert_eq!(literal(text), None, "{text}");
        }
    }

    /// What is refused in a stranger's files must not stand in ours.
    #[test]
    fn the_modules_can_be_read() {
        let mut directories = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tf")];
        let mut files = 0;
        while let Some(directory) = directories.pop() {
            for path in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    directories.push(path);
                } else if path.extension().is_some_and(|kind| kind == "tf" || kind == "hcl") {
                    let found = read(&fs::read_to_string(&path).unwrap());
                    assert!(found.is_ok(), "{}: {found:?}", path.display());
                    files += 1;
                }
            }
        }
        assert!(files > 100, "{files} files were found");
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "(\\PC|[a-c{}()\\[\\]\"#/*<=$%\\\\\n -]){0,60}") {
            let _ = read(&text);
        }
    }
}

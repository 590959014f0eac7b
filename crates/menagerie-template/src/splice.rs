//! [`Literals`]: keeps literals apart from the text of a template until it is known where in HCL each would stand.
//!
//! A literal is code-proof only where HCL expects an expression. Inside of quotes its own quotes would end them, and
//! the value behind them would be code; a block comment ends at the first `*/` in a value. So a template is rendered with
//! marks in their places, its text is read as HCL reads it, and a mark at a wrong place is refused.

use std::sync::{Arc, Mutex, PoisonError};

/// Stands before and after the number of a literal; a template can't hold it, and a value is not printed but by a literal.
pub(crate) const MARK: char = '\0';

/// Literals that were printed, each with a mark in its place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Literals(Arc<Mutex<Vec<String>>>);

/// A literal stands where it can't.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misplaced {
    /// What it stands in.
    pub(crate) within: &'static str,
    /// The text of its line up to it.
    pub(crate) before: String,
}

/// What HCL is reading.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Mode {
    /// Expressions and structure; in an interpolation, with how many braces are open.
    Code { braces: usize },
    /// A text in quotes.
    Quote,
    /// A text that ends with a line of this word.
    Heredoc(String),
    /// A comment up to the end of the line.
    Line,
    /// A comment up to `*/`.
    Block,
}

impl Literals {
    /// Keeps a literal, and returns the mark that stands for it.
    pub(crate) fn keep(&self, literal: String) -> String {
        let mut literals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        literals.push(literal);
        format!("{MARK}{}{MARK}", literals.len() - 1)
    }

    /// Returns the text with each literal in its place.
    pub(crate) fn insert(&self, text: &str) -> Result<String, Misplaced> {
        let literals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reader = Reader { text, at: 0, modes: vec![Mode::Code { braces: 0 }] };
        let mut inserted = String::with_capacity(text.len());
        while reader.at < text.len() {
            let rest = &text[reader.at..];
            if !rest.starts_with(MARK) {
                let length = reader.step();
                inserted.push_str(&rest[..length]);
                reader.at += length;
                continue;
            }
            let misplaced = |within| {
                let line = inserted.rsplit_once('\n').map_or(&*inserted, |(_, line)| line);
                Misplaced { within, before: line.to_owned() }
            };
            let (number, _) = rest[1..].split_once(MARK).ok_or_else(|| misplaced(CHANGED))?;
            let literal = number.parse().ok().and_then(|number: usize| literals.get(number));
            let literal = literal.ok_or_else(|| misplaced(CHANGED))?;
            if let Some(within) = reader.refuses(literal) {
                return Err(misplaced(within));
            }
            inserted.push_str(literal);
            reader.at += number.len() + 2;
        }
        Ok(inserted)
    }
}

/// What is said of a mark that a filter behind `hcl` has cut.
const CHANGED: &str = "changed after the filter `hcl`";

struct Reader<'a> {
    text: &'a str,
    at: usize,
    modes: Vec<Mode>,
}

impl Reader<'_> {
    fn mode(&self) -> &Mode {
        self.modes.last().expect("the outermost one is never left")
    }

    /// Returns why a literal can't stand here.
    fn refuses(&self, literal: &str) -> Option<&'static str> {
        match self.mode() {
            Mode::Code { .. } => None,
            Mode::Quote => Some("inside of quotes"),
            Mode::Heredoc(_) => Some("inside of a heredoc"),
            Mode::Block => Some("inside of a block comment"),
            Mode::Line => literal.contains('\n').then_some("as several lines in a comment of one"),
        }
    }

    /// Returns how many bytes the next token has, with the mode changed to what is read after it.
    fn step(&mut self) -> usize {
        let rest = &self.text[self.at..];
        let starts = |token: &str| rest.starts_with(token);
        let first = rest.chars().next().map_or(1, char::len_utf8);
        match self.mode().clone() {
            Mode::Code { .. } if starts("#") || starts("//") => self.enter(Mode::Line, first),
            Mode::Code { .. } if starts("/*") => self.enter(Mode::Block, 2),
            Mode::Code { .. } if starts("\"") => self.enter(Mode::Quote, 1),
            Mode::Code { .. } if starts("<<") => match heredoc(rest) {
                Some((word, length)) => self.enter(Mode::Heredoc(word), length),
                None => 2,
            },
            Mode::Code { braces } if starts("{") => self.replace(Mode::Code { braces: braces + 1 }),
            Mode::Code { braces: 0 } if starts("}") => {
                if self.modes.len() > 1 {
                    self.modes.pop();
                }
                1
            }
            Mode::Code { braces } if starts("}") => self.replace(Mode::Code { braces: braces - 1 }),
            Mode::Quote if starts("\\") => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            Mode::Quote if starts("\"") => self.leave(1),
            Mode::Quote | Mode::Heredoc(_) if starts("$${") || starts("%%{") => 3,
            Mode::Quote | Mode::Heredoc(_) if starts("${") || starts("%{") => {
                self.enter(Mode::Code { braces: 0 }, 2)
            }
            Mode::Heredoc(word) if starts("\n") => {
                let line = rest[1..].lines().next().unwrap_or_default();
                if line.trim() == word { self.leave(1 + line.len()) } else { 1 }
            }
            Mode::Line if starts("\n") => self.leave(1),
            Mode::Block if starts("*/") => self.leave(2),
            _ => first,
        }
    }

    fn enter(&mut self, mode: Mode, length: usize) -> usize {
        self.modes.push(mode);
        length
    }

    fn replace(&mut self, mode: Mode) -> usize {
        self.modes.pop();
        self.enter(mode, 1)
    }

    fn leave(&mut self, length: usize) -> usize {
        self.modes.pop();
        length
    }
}

/// Returns the word that ends a heredoc, and the length of what starts it without the end of its line.
fn heredoc(text: &str) -> Option<(String, usize)> {
    let line = text.lines().next()?;
    let word = line.trim_start_matches("<<").trim_start_matches('-').trim_end();
    let is_word = !word.is_empty()
        && word.chars().all(|character| character.is_alphanumeric() || "_-".contains(character));
    is_word.then(|| (word.to_owned(), line.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Inserts the literal `"*/ ${x}"`, or one of two lines, at `@` and `&`.
    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let literals = Literals::default();
        let one = literals.keep(r#""*/ $${x}""#.to_owned());
        let two = literals.keep("{\n}".to_owned());
        let inserted = literals.insert(&text.replace('@', &one).replace('&', &two));
        assert_eq!(
            inserted.map_err(|misplaced| misplaced.within),
            expected.map(str::to_owned),
            "{text}"
        );
    }

    #[test]
    fn where_an_expression_is_expected() {
        check("a = @\nb = [@, &]", Ok("a = \"*/ $${x}\"\nb = [\"*/ $${x}\", {\n}]"));
        check(r#"a = "b ${f(@)} c""#, Ok(r#"a = "b ${f("*/ $${x}")} c""#));
        check(r#"a = "${ { b = "}" } }" == @"#, Ok(r#"a = "${ { b = "}" } }" == "*/ $${x}""#));
        check("a = \"\\\"\"\nb = @", Ok("a = \"\\\"\"\nb = \"*/ $${x}\""));
        check("a = <<-EOT\n  \"b\n  EOT\nc = @", Ok("a = <<-EOT\n  \"b\n  EOT\nc = \"*/ $${x}\""));
        check("/* \" */ a = @", Ok("/* \" */ a = \"*/ $${x}\""));
        check("# it's \"\na = @", Ok("# it's \"\na = \"*/ $${x}\""));
        check("}}} a = @", Ok("}}} a = \"*/ $${x}\""));
    }

    #[test]
    fn where_none_is() {
        check(r#"a = "b @""#, Err("inside of quotes"));
        check(r#"a = "$${ @ }""#, Err("inside of quotes"));
        check(r#"a = "${b}@""#, Err("inside of quotes"));
        check(r#"a = "${"@"}""#, Err("inside of quotes"));
        check("a = <<EOT\n@\nEOT\n", Err("inside of a heredoc"));
        check("a = <<EOT\n x EOT\n@\nEOT\n", Err("inside of a heredoc"));
        check("/* @ */", Err("inside of a block comment"));
        check("# & \n", Err("as several lines in a comment of one"));
    }

    #[test]
    fn a_comment_of_one_line_may_name_a_value() {
        check("# for @\n", Ok("# for \"*/ $${x}\"\n"));
        check("// for @\n", Ok("// for \"*/ $${x}\"\n"));
    }

    #[test]
    fn what_a_filter_has_cut() {
        let literals = Literals::default();
        let mark = literals.keep("1".to_owned());
        for text in [&mark[..1], "\0", "\x007\0", "\0x\0", "\0\0"] {
            let misplaced = literals.insert(&format!("a = {text}")).unwrap_err();
            assert_eq!(misplaced, Misplaced { within: CHANGED, before: "a = ".to_owned() });
        }
    }
}

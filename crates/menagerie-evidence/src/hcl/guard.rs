//! What keeps the parser from texts that it would take hours for.
//!
//! hcl-edit 0.10 tries the same again where what is in a bracket is no expression: an index once more for each unary operator
//! before its term, and an operand once more if two or more binary operators stand before it. `!a.b[!a.b[…` and `a+a+(a+a+(…`
//! double its work with each bracket. And it compares each key of an object with all before it. Nothing that a person wrote
//! comes near; whoever proposes a change could write it.

/// The most bytes of a file of HCL; the largest that anybody maintains are a tenth of it.
const LONGEST: usize = 8 << 20;

/// How often the parser may try the same text.
const TRIES: u64 = 1 << 10;

/// How many comparisons of keys a file may need: one object of 20,000 keys.
const COMPARISONS: u64 = 20_000 * 20_000;

/// What is open at a place of a text.
#[derive(Debug)]
enum Open<'a> {
    /// A bracket or an interpolation, and what is in it.
    Bracket(Bracket),
    /// A text: a heredoc with its delimiter, or one in quotes.
    Text(Option<&'a str>),
}

#[derive(Debug, Clone, Copy)]
struct Bracket {
    close: u8,
    /// How often the parser may come here.
    tries: u64,
    /// Whether it is a block, or what is around all of them, where a line ends an expression.
    is_block: bool,
    /// The operators before the term that may be unary.
    unary: u64,
    /// The operators since the beginning of the expression that may be binary.
    binary: u64,
    /// The keys, if it is an object.
    keys: Option<u64>,
    /// The last byte that is no space.
    last: u8,
}

/// Returns why a text is not parsed and at which byte, if it is not.
pub(crate) fn refuse(text: &str) -> Option<(usize, &'static str)> {
    if text.len() > LONGEST {
        return Some((0, "is longer than 8 MiB"));
    }
    let current = Bracket { is_block: true, ..Bracket::new(0, 1) };
    let mut scan = Scan { text, at: 0, open: Vec::new(), current, comparisons: 0 };
    while scan.at < text.len() {
        let at = scan.at;
        let stop = match scan.open.last() {
            Some(Open::Text(heredoc)) => {
                let heredoc = *heredoc;
                scan.literal(heredoc)
            }
            Some(Open::Bracket(_)) | None => scan.expression(),
        };
        match stop {
            Ok(()) => {}
            Err(Stop::Unparsable) => return None,
            Err(Stop::Refused(reason)) => return Some((at, reason)),
        }
    }
    None
}

/// Why a text is read no further.
enum Stop {
    /// The parser stops here as well.
    Unparsable,
    Refused(&'static str),
}

const TOO_DEEP: Stop = Stop::Refused("has brackets that are too deep in each other");
const TOO_MANY: Stop = Stop::Refused("has maps of too many keys");
const NO_END: Stop = Stop::Refused("has a heredoc whose end can't be told");

struct Scan<'a> {
    text: &'a str,
    at: usize,
    /// What is open around the current bracket, and the text in it if it is in one.
    open: Vec<Open<'a>>,
    current: Bracket,
    comparisons: u64,
}

impl Scan<'_> {
    /// Passes a piece of an expression or of the structure around it.
    fn expression(&mut self) -> Result<(), Stop> {
        match &self.text.as_bytes()[self.at..] {
            [b'#', ..] | [b'/', b'/', ..] => self.skip_to("\n"),
            [b'/', b'*', ..] => self.skip_to("*/"),
            [b'<', b'<', ..] if self.heredoc() => {}
            [b'"', ..] => {
                self.open.push(Open::Text(None));
                self.at += 1;
                self.current.last = b'"';
            }
            [open @ (b'[' | b'(' | b'{'), ..] => return self.bracket(*open),
            [close @ (b']' | b')' | b'}'), ..] => return self.close(*close),
            [byte, ..] => return self.operator(*byte),
            [] => {}
        }
        Ok(())
    }

    fn skip_to(&mut self, end: &str) {
        let bytes = &self.text.as_bytes()[self.at..];
        let found = bytes.windows(end.len()).position(|window| window == end.as_bytes());
        // The end of a line ends more than the comment.
        let behind = if end == "\n" { 0 } else { end.len() };
        self.at += found.map_or(bytes.len(), |found| found + behind);
    }

    /// Passes the beginning of a heredoc, if it is one.
    fn heredoc(&mut self) -> bool {
        let rest = &self.text[self.at + 2..];
        let rest = rest.strip_prefix('-').unwrap_or(rest);
        let Some((delimiter, _)) = rest.split_once('\n') else { return false };
        let delimiter = delimiter.trim_end_matches('\r');
        let is_name = !delimiter.is_empty() && !delimiter.contains(char::is_whitespace);
        if is_name {
            // The end of this line may be that of the last one.
            self.at = self.text.len() - rest.len() + delimiter.len();
            self.open.push(Open::Text(Some(delimiter)));
        }
        is_name
    }

    /// Passes a piece of a text, up to its end or to an expression in it.
    fn literal(&mut self, heredoc: Option<&str>) -> Result<(), Stop> {
        match &self.text.as_bytes()[self.at..] {
            [b'$', b'$', b'{', ..] | [b'%', b'%', b'{', ..] => self.at += 3,
            [b'$' | b'%', b'{', ..] => {
                self.at += 2;
                return self.enter(Bracket::new(b'}', self.current.tries_of_operand()));
            }
            [b'\\', _, ..] if heredoc.is_none() => self.at += 2,
            [b'"', ..] if heredoc.is_none() => {
                self.open.pop();
                self.at += 1;
            }
            [b'\n', line @ ..] => {
                self.at += 1;
                let Some(delimiter) = heredoc else { return Ok(()) };
                let spaces = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                let Some(after) = line[spaces..].strip_prefix(delimiter.as_bytes()) else {
                    return Ok(());
                };
                match after.first() {
                    // A longer name is no end; which letters beyond ASCII would make one is not known here.
                    Some(byte) if !byte.is_ascii() => return Err(NO_END),
                    Some(byte) if is_name(*byte) || *byte == b'-' => {}
                    _ => {
                        self.open.pop();
                        self.at += spaces + delimiter.len();
                        self.current.last = b'"';
                    }
                }
            }
            _ => self.at += 1,
        }
        Ok(())
    }

    fn bracket(&mut self, open: u8) -> Result<(), Stop> {
        let last = self.current.last;
        let is_index = open == b'[' && is_end(last);
        let indexes = if is_index { 1 + self.current.unary } else { 1 };
        let tries = self.current.tries_of_operand().saturating_mul(indexes);
        // A block's brace follows a name, an object's an operator or another bracket.
        let is_block = open == b'{' && (is_name(last) || b"-\"".contains(&last));
        let close = match open {
            b'[' => b']',
            b'(' => b')',
            _ => b'}',
        };
        self.at += 1;
        let keys = (open == b'{' && !is_block).then_some(0);
        self.enter(Bracket { is_block, keys, ..Bracket::new(close, tries) })
    }

    fn enter(&mut self, bracket: Bracket) -> Result<(), Stop> {
        self.open.push(Open::Bracket(self.current));
        self.current = bracket;
        if bracket.tries > TRIES { Err(TOO_DEEP) } else { Ok(()) }
    }

    fn close(&mut self, close: u8) -> Result<(), Stop> {
        let Some(Open::Bracket(outer)) = self.open.pop() else { return Err(Stop::Unparsable) };
        let Bracket { close: expected, keys, .. } = self.current;
        if expected != close {
            return Err(Stop::Unparsable);
        }
        let keys = keys.unwrap_or_default();
        self.comparisons = self.comparisons.saturating_add(keys.saturating_mul(keys));
        self.current = outer;
        self.current.last = close;
        self.at += 1;
        if self.comparisons > COMPARISONS { Err(TOO_MANY) } else { Ok(()) }
    }

    /// Passes what is neither a text nor a bracket.
    fn operator(&mut self, byte: u8) -> Result<(), Stop> {
        let bytes = self.text.as_bytes();
        let before = self.at.checked_sub(1).map_or(b'\n', |before| bytes[before]);
        let next = bytes.get(self.at + 1).copied().unwrap_or(b'\n');
        let is_double = matches!(
            (byte, next),
            (b'=' | b'!' | b'<' | b'>', b'=') | (b'&', b'&') | (b'|', b'|') | (b'=', b'>')
        );
        self.at += if is_double { 2 } else { 1 };
        let Bracket { is_block, unary, binary, keys, last, .. } = &mut self.current;
        match byte {
            b'-' if is_name(before) && is_name(next) => {}
            // Behind a word such as `in` it is unary, behind a name it is not.
            b'-' if is_end(*last) => (*unary, *binary) = (1, *binary + 1),
            b'-' => *unary += 1,
            b'!' if !is_double => *unary += 1,
            b'*' if matches!(*last, b'.' | b'[') => {}
            b':' | b'=' if !is_double || next == b'>' => {
                (*unary, *binary) = (0, 0);
                *keys = keys.map(|keys| keys + 1);
            }
            b',' | b'?' => (*unary, *binary) = (0, 0),
            b'\n' if *is_block => (*unary, *binary) = (0, 0),
            b'=' | b'!' | b'&' | b'|' | b'+' | b'*' | b'/' | b'%' | b'<' | b'>' => {
                (*unary, *binary) = (0, *binary + 1);
            }
            _ => {}
        }
        let keys = keys.unwrap_or_default();
        if keys.saturating_mul(keys) > COMPARISONS {
            return Err(TOO_MANY);
        }
        if !byte.is_ascii_whitespace() {
            *last = byte;
        }
        Ok(())
    }
}

impl Bracket {
    fn new(close: u8, tries: u64) -> Self {
        let (unary, binary, keys) = (0, 0, None);
        Self { close, tries, is_block: false, unary, binary, keys, last: b'\n' }
    }

    /// Returns how often the parser may come to an operand that begins here.
    fn tries_of_operand(&self) -> u64 {
        self.tries.saturating_mul(if self.binary >= 2 { 2 } else { 1 })
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// Returns whether a term can end with it.
fn is_end(byte: u8) -> bool {
    is_name(byte) || b"])}*\"".contains(&byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(refuse(text).map(|(_, reason)| reason), expected, "{text:.80}");
    }

    #[test]
    fn what_takes_hours_is_refused() {
        let deep = Some("has brackets that are too deep in each other");
        for term in [
            "!a.b[",
            "- a.*.b[",
            "!!!a[0][",
            "!(a.b)[",
            "\"${!a.b[",
            "[!a.b[",
            "{a = !f()\n[",
            "a+a+(",
            "a == a - \"${",
            "[for x in -a.b[",
        ] {
            check(&format!("a = {}", term.repeat(32)), deep);
            check(&format!("x {{\n  /* [ */\n  a = <<E\n${{{}", term.repeat(32)), deep);
        }
        let keys = "key = 1\n".repeat(30_000);
        check(&format!("a = {{{keys}}}"), Some("has maps of too many keys"));
        check(&format!("a = {{{keys}"), Some("has maps of too many keys"));
        check(&format!("a {{{keys}}}"), None);
        check("a = <<E\nEü", Some("has a heredoc whose end can't be told"));
        let hidden = "a = <<E\nE2 \"\nE\n";
        check(&format!("{hidden}a = {}", "!a.b[".repeat(32)), deep);
        check(&" ".repeat(LONGEST + 1), Some("is longer than 8 MiB"));
    }

    #[test]
    fn what_people_write_is_not() {
        check(&"a = !b.c[d[e[-1] - 1] - length(f) - 1]\n".repeat(1000), None);
        check(&"a = \"[-![![![!\" # !a.b[\n/* !a[ */ // !a.b[\n".repeat(1000), None);
        check(&"a = <<-EOT\n  !a.b[ \\\" $${ ${b[0]} \"\n EOT\n".repeat(1000), None);
        check(&"resource \"a\" \"b\" {\n  c = { d = -1 }\n}\n".repeat(1000), None);
    }

    proptest! {
        #[test]
        fn never_panics(text in "([\\[\\](){}\"$%<>E\n\\\\!\\-.,=:ü/*# a]|\\$\\{|<<E\n){0,40}") {
            let _ = refuse(&text);
        }
    }
}

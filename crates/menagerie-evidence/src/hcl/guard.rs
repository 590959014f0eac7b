//! What keeps the parser from texts that it would take hours for.
//!
//! hcl-edit 0.10 tries an index again for each unary operator before its term when what is in the brackets is no expression:
//! `!a.b[!a.b[…` doubles its work with each bracket. And it compares each key of an object with all before it. Neither is in
//! anything that a person wrote; whoever proposes a change could write either.

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
    /// A text in quotes.
    Quotes,
    /// A heredoc with its delimiter.
    Heredoc(&'a str),
}

#[derive(Debug, Clone, Copy)]
struct Bracket {
    close: u8,
    /// How often the parser may come here.
    tries: u64,
    /// The operators since the beginning of the term that may be unary.
    operators: u64,
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
    let bytes = text.as_bytes();
    let mut scan = Scan { text, at: 0, open: Vec::new(), comparisons: 0 };
    let mut current = Bracket { close: 0, tries: 1, operators: 0, keys: None, last: b'\n' };
    while scan.at < bytes.len() {
        let (at, rest) = (scan.at, &bytes[scan.at..]);
        match scan.open.last() {
            Some(Open::Quotes) => {
                scan.literal(&mut current, None);
            }
            Some(Open::Heredoc(delimiter)) => {
                let delimiter = *delimiter;
                if !scan.literal(&mut current, Some(delimiter)) {
                    return Some((at, "has a heredoc whose end can't be told"));
                }
            }
            Some(Open::Bracket(_)) | None => match rest {
                [b'#', ..] | [b'/', b'/', ..] => scan.skip_to("\n"),
                [b'/', b'*', ..] => scan.skip_to("*/"),
                [b'<', b'<', ..] if scan.heredoc() => {}
                [b'"', ..] => {
                    scan.open.push(Open::Quotes);
                    scan.at += 1;
                    current.last = b'"';
                }
                [open @ (b'[' | b'(' | b'{'), ..] => {
                    if let Some(reason) = scan.bracket(&mut current, *open) {
                        return Some((at, reason));
                    }
                }
                [close @ (b']' | b')' | b'}'), ..] => {
                    // What closes nothing is where the parser stops.
                    if !scan.close(&mut current, *close) {
                        return None;
                    }
                    if scan.comparisons > COMPARISONS {
                        return Some((at, "has maps of too many keys"));
                    }
                }
                [byte, ..] => {
                    scan.expression(&mut current, *byte);
                    scan.at += 1;
                    let keys = current.keys.unwrap_or_default();
                    if keys.saturating_mul(keys) > COMPARISONS {
                        return Some((at, "has maps of too many keys"));
                    }
                }
                [] => {}
            },
        }
    }
    None
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    open: Vec<Open<'a>>,
    comparisons: u64,
}

impl Scan<'_> {
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
            self.open.push(Open::Heredoc(delimiter));
            // The end of this line may be that of the last one.
            self.at = self.text.len() - rest.len() + delimiter.len();
        }
        is_name
    }

    /// Passes a piece of a text, up to its end or to an expression in it; returns whether it can be told what is its end.
    fn literal(&mut self, current: &mut Bracket, heredoc: Option<&str>) -> bool {
        let rest = &self.text.as_bytes()[self.at..];
        match rest {
            [b'$', b'$', b'{', ..] | [b'%', b'%', b'{', ..] => self.at += 3,
            [b'$' | b'%', b'{', ..] => {
                self.at += 2;
                self.open.push(Open::Bracket(*current));
                let (tries, keys) = (current.tries, None);
                *current = Bracket { close: b'}', tries, operators: 0, keys, last: b'{' };
            }
            [b'\\', _, ..] if heredoc.is_none() => self.at += 2,
            [b'"', ..] if heredoc.is_none() => {
                self.open.pop();
                self.at += 1;
            }
            [b'\n', line @ ..] => {
                self.at += 1;
                let Some(delimiter) = heredoc else { return true };
                let spaces = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                if let Some(after) = line[spaces..].strip_prefix(delimiter.as_bytes()) {
                    match after.first() {
                        // A longer name is no end; which letters beyond ASCII would make one is not known here.
                        Some(byte) if byte.is_ascii_alphanumeric() || b"_-".contains(byte) => {
                            return true;
                        }
                        Some(byte) if !byte.is_ascii() => return false,
                        _ => {}
                    }
                    self.open.pop();
                    self.at += spaces + delimiter.len();
                    current.last = b'"';
                }
            }
            _ => self.at += 1,
        }
        true
    }

    fn bracket(&mut self, current: &mut Bracket, open: u8) -> Option<&'static str> {
        let last = current.last;
        let is_index = open == b'['
            && (last.is_ascii_alphanumeric() || !last.is_ascii() || b"_])}*\"".contains(&last));
        let tries = if is_index {
            current.tries.saturating_mul(1 + current.operators)
        } else {
            current.tries
        };
        if tries > TRIES {
            return Some("has indexes that are too deep in each other");
        }
        // A block's brace follows a name, an object's an operator or another bracket.
        let is_block = last.is_ascii_alphanumeric() || b"_-\"".contains(&last);
        let (close, keys) = match open {
            b'[' => (b']', None),
            b'(' => (b')', None),
            _ => (b'}', (!is_block).then_some(0)),
        };
        self.open.push(Open::Bracket(*current));
        *current = Bracket { close, tries, operators: 0, keys, last: open };
        self.at += 1;
        None
    }

    fn close(&mut self, current: &mut Bracket, close: u8) -> bool {
        if current.close != close {
            return false;
        }
        let keys = current.keys.unwrap_or_default();
        self.comparisons = self.comparisons.saturating_add(keys.saturating_mul(keys));
        if let Some(Open::Bracket(outer)) = self.open.pop() {
            *current = outer;
        }
        // An interpolation goes back into its text, whose end is that of a term.
        current.last = close;
        self.at += 1;
        true
    }

    fn expression(&self, current: &mut Bracket, byte: u8) {
        let next = self.text.as_bytes().get(self.at + 1).copied().unwrap_or(b'\n');
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii();
        match byte {
            b'-' if is_name(current.last) && is_name(next) => {}
            b'!' | b'-' => current.operators = current.operators.saturating_add(1),
            b',' | b'=' | b'?' | b':' | b'&' | b'|' | b'+' | b'*' | b'/' | b'%' | b'<' | b'>' => {
                if byte != b'*' || current.last != b'.' {
                    current.operators = 0;
                }
                if matches!(byte, b'=' | b':')
                    && let Some(keys) = &mut current.keys
                {
                    *keys += 1;
                }
            }
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            current.last = byte;
        }
    }
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
        let deep = Some("has indexes that are too deep in each other");
        for term in
            ["!a.b[", "- a.*.b[", "!!!a[0][", "!(a.b)[", "\"${!a.b[", "[!a.b[", "{a = !f()\n["]
        {
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

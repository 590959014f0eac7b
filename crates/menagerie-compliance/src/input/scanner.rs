//! [`Scanner`]: JSON, read forwards; what is passed over is checked as what is read is.
//!
//! Reading by `serde` costs a fifth more, and cannot go back to what stood before the type of a resource, so that all of it
//! would have to be read that any rule reads of any type.

mod bytes;

use std::borrow::Cow;

use serde_json::Value;

use bytes::{after, blank, plain, string};

/// A place in JSON.
pub(super) struct Scanner<'j> {
    json: &'j str,
    at: usize,
    /// How many maps and lists are being read.
    depth: usize,
    /// Of what is passed over, which maps (true) and lists are open; kept for its memory.
    open: Vec<bool>,
}

/// Why reading ended; it is small, since each step returns whether it did.
#[derive(Debug)]
pub(super) struct Fault(Box<Reason>);

#[derive(Debug)]
pub(super) enum Reason {
    /// It is not JSON, or it ends too early.
    Syntax,
    /// There should be something else at this place.
    Expected { at: usize, what: &'static str },
    /// What is at this place can't be.
    Wrong { at: usize, why: String },
}

impl Fault {
    #[cold]
    pub(super) fn syntax() -> Self {
        Self(Box::new(Reason::Syntax))
    }

    #[cold]
    pub(super) fn expected(at: usize, what: &'static str) -> Self {
        Self(Box::new(Reason::Expected { at, what }))
    }

    #[cold]
    pub(super) fn wrong(at: usize, why: impl Into<String>) -> Self {
        Self(Box::new(Reason::Wrong { at, why: why.into() }))
    }

    pub(super) fn reason(self) -> Reason {
        *self.0
    }
}

/// What [`Scanner::map`] and [`Scanner::list`] go into at most, as `serde_json` does.
const DEEPEST: usize = 127;

impl<'j> Scanner<'j> {
    pub(super) fn new(json: &'j str) -> Self {
        Self { json, at: 0, depth: 0, open: Vec::new() }
    }

    /// Returns the place, to which [`Scanner::back_to`] goes back.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Calls `read` at an earlier place, and goes on from here.
    pub(super) fn back_to<T>(
        &mut self,
        at: usize,
        read: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let here = std::mem::replace(&mut self.at, at);
        let done = read(self);
        self.at = here;
        done
    }

    /// Returns that there should be something else.
    pub(super) fn expected(&self, what: &'static str) -> Fault {
        Fault::expected(self.at, what)
    }

    /// Returns that what is here can't be.
    pub(super) fn wrong(&self, why: &str) -> Fault {
        Fault::wrong(self.at, why)
    }

    /// Reads a map, or null as an empty one; `each` reads the value of a key.
    pub(super) fn map(
        &mut self,
        what: &'static str,
        mut each: impl FnMut(&mut Self, &str) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        match self.peek()? {
            b'{' => {}
            b'n' => return self.skip(),
            _ => return Err(self.expected(what)),
        }
        self.deeper()?;
        if self.peek()? == b'}' {
            self.leave();
            return Ok(());
        }
        loop {
            let key = match self.peek()? {
                b'"' => self.text()?,
                _ => return Err(Fault::syntax()),
            };
            if self.peek()? != b':' {
                return Err(Fault::syntax());
            }
            self.at += 1;
            self.peek()?;
            each(self, &key)?;
            if !self.goes_on(b'}')? {
                self.leave();
                return Ok(());
            }
        }
    }

    /// Reads a list, or null as an empty one; `each` reads an element.
    pub(super) fn list(
        &mut self,
        what: &'static str,
        mut each: impl FnMut(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        match self.peek()? {
            b'[' => {}
            b'n' => return self.skip(),
            _ => return Err(self.expected(what)),
        }
        self.deeper()?;
        if self.peek()? == b']' {
            self.leave();
            return Ok(());
        }
        loop {
            self.peek()?;
            each(self)?;
            if !self.goes_on(b']')? {
                self.leave();
                return Ok(());
            }
        }
    }

    /// Reads a text.
    pub(super) fn text(&mut self) -> Result<Cow<'j, str>, Fault> {
        if self.peek()? != b'"' {
            return Err(self.expected("a text"));
        }
        let start = self.at;
        let bytes = self.json.as_bytes();
        let end = plain(bytes, start + 1);
        if bytes.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(Cow::Borrowed(&self.json[start + 1..end]));
        }
        self.at = string(bytes, end).ok_or_else(Fault::syntax)?;
        self.parse(start).map(Cow::Owned)
    }

    /// Reads a text or null, which is none.
    pub(super) fn optional_text(&mut self) -> Result<Option<Cow<'j, str>>, Fault> {
        match self.peek()? {
            b'n' => self.skip().map(|()| None),
            _ => self.text().map(Some),
        }
    }

    /// Reads true, false or null, which is none.
    pub(super) fn boolean(&mut self) -> Result<Option<bool>, Fault> {
        let is_true = match self.peek()? {
            b't' => Some(true),
            b'f' => Some(false),
            b'n' => None,
            _ => return Err(self.expected("true or false")),
        };
        self.skip()?;
        Ok(is_true)
    }

    /// Reads a value.
    pub(super) fn value(&mut self) -> Result<Value, Fault> {
        match self.peek()? {
            b'"' => Ok(Value::String(self.text()?.into_owned())),
            b't' | b'f' | b'n' => Ok(self.boolean()?.map_or(Value::Null, Value::Bool)),
            _ => {
                let start = self.at;
                self.skip()?;
                self.parse(start)
            }
        }
    }

    /// Returns the first byte of what comes next.
    pub(super) fn peek(&mut self) -> Result<u8, Fault> {
        self.at = blank(self.json.as_bytes(), self.at);
        self.json.as_bytes().get(self.at).copied().ok_or_else(Fault::syntax)
    }

    /// Returns whether nothing comes any more.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.at = blank(self.json.as_bytes(), self.at);
        self.at == self.json.len()
    }

    /// Passes over a value.
    pub(super) fn skip(&mut self) -> Result<(), Fault> {
        self.open.clear();
        let end = after(self.json.as_bytes(), self.at, &mut self.open);
        self.at = end.ok_or_else(Fault::syntax)?;
        Ok(())
    }

    fn deeper(&mut self) -> Result<(), Fault> {
        if self.depth == DEEPEST {
            return Err(self.wrong("it is nested too deeply"));
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
        self.at += 1;
    }

    /// Returns whether another entry comes, and not the end, at which it stays.
    fn goes_on(&mut self, end: u8) -> Result<bool, Fault> {
        match self.peek()? {
            b',' => {
                self.at += 1;
                Ok(true)
            }
            byte if byte == end => Ok(false),
            _ => Err(Fault::syntax()),
        }
    }

    /// Parses what stands from a place to here.
    fn parse<T: serde::de::DeserializeOwned>(&self, start: usize) -> Result<T, Fault> {
        serde_json::from_str(&self.json[start..self.at]).map_err(|error| {
            // "unexpected end of hex escape at line 1 column 9", of which only the reason is right here.
            let text = error.to_string();
            Fault::wrong(start, text.split(" at line ").next().unwrap_or_default())
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Map;

    use super::*;

    /// Reads a value by maps and lists, down to what is neither.
    fn read(scanner: &mut Scanner<'_>) -> Result<Value, Fault> {
        match scanner.peek()? {
            b'{' => {
                let mut map = Map::new();
                scanner.map("a map", |scanner, key| {
                    map.insert(key.to_owned(), read(scanner)?);
                    Ok(())
                })?;
                Ok(Value::Object(map))
            }
            b'[' => {
                let mut list = Vec::new();
                scanner.list("a list", |scanner| {
                    list.push(read(scanner)?);
                    Ok(())
                })?;
                Ok(Value::Array(list))
            }
            _ => scanner.value(),
        }
    }

    /// Checks that what is read is what `serde_json` reads, in parts and as a whole.
    #[track_caller]
    fn check(json: &str) {
        let expected = serde_json::from_str::<Value>(json).ok();
        let whole = |scanner: &mut Scanner<'_>| scanner.value();
        for read in [read, whole] {
            let mut scanner = Scanner::new(json);
            let actual = read(&mut scanner).ok().filter(|_| scanner.is_at_end());
            assert_eq!(actual, expected, "{json:?}");
        }
    }

    #[test]
    fn what_is_read() {
        for json in [
            "{\"a\": 1, \"a\": 2}",
            "{\"\\u0061\": 1, \"a\": 2}",
            "{\"\\ud800\": 1}",
            "[\"\\ud83d\\udc3b\"]",
            "[\"\\ud83d\"]",
            "1e400",
            "-0",
            "-0.0",
            "18446744073709551615",
            "18446744073709551616",
            "0.1",
            "[1, \"\\n\", {}]",
            " { } ",
            "[null, true, false]",
            "{\"a\": nul}",
        ] {
            check(json);
        }
        check(&format!("{}{}", "[".repeat(127), "]".repeat(127)));
        check(&format!("{}{}", "[".repeat(128), "]".repeat(128)));
        check(&"[".repeat(100_000));
        check(&"{\"a\":".repeat(100_000));
    }

    #[test]
    fn what_is_expected() {
        let mut scanner = Scanner::new("  1");
        let fault = scanner.map("a plan", |scanner, _| scanner.skip()).unwrap_err();
        assert!(matches!(fault.reason(), Reason::Expected { at: 2, what: "a plan" }));
        let mut scanner = Scanner::new("[1, \"\\ud800\"]");
        let fault = read(&mut scanner).unwrap_err().reason();
        assert!(
            matches!(&fault, Reason::Wrong { at: 4, why } if why == "unexpected end of hex escape"),
            "{fault:?}"
        );
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_is_written(
            json in crate::arbitrary::json(),
            at in any::<prop::sample::Index>(),
            with in "[\\[\\]{},:\"\\\\0-9eE.ntfu \n\u{1}ü]{0,2}",
        ) {
            check(&json);
            let at = json.floor_char_boundary(at.index(json.len()));
            check(&format!("{}{with}{}", &json[..at], &json[at..]));
        }
    }
}

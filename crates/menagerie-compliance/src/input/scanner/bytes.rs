//! Where a part of JSON ends: the places in its bytes, or none where it is no JSON.

/// Returns the place after a value; `open` is empty, and only there for its memory.
pub(super) fn after(bytes: &[u8], mut at: usize, open: &mut Vec<bool>) -> Option<usize> {
    // Whether it is in a map; what encloses that is in `open`, but for the outermost value, which nothing encloses.
    let mut is_map = false;
    let mut depth = 0_usize;
    'value: loop {
        at = blank(bytes, at);
        match bytes.get(at) {
            Some(b'"') => at = string(bytes, at + 1)?,
            Some(b'{') => {
                at = blank(bytes, at + 1);
                if bytes.get(at) == Some(&b'}') {
                    at += 1;
                } else {
                    open.push(is_map);
                    (is_map, depth) = (true, depth + 1);
                    at = key(bytes, at)?;
                    continue 'value;
                }
            }
            Some(b'[') => {
                at = blank(bytes, at + 1);
                if bytes.get(at) == Some(&b']') {
                    at += 1;
                } else {
                    open.push(is_map);
                    (is_map, depth) = (false, depth + 1);
                    continue 'value;
                }
            }
            Some(b't') => at = word(bytes, at, b"true")?,
            Some(b'f') => at = word(bytes, at, b"false")?,
            Some(b'n') => at = word(bytes, at, b"null")?,
            Some(b'-' | b'0'..=b'9') => at = number(bytes, at)?,
            _ => return None,
        }
        while depth > 0 {
            at = blank(bytes, at);
            match bytes.get(at) {
                Some(b',') if is_map => {
                    at = key(bytes, blank(bytes, at + 1))?;
                    continue 'value;
                }
                Some(b',') => {
                    at += 1;
                    continue 'value;
                }
                Some(b'}') if is_map => {}
                Some(b']') if !is_map => {}
                _ => return None,
            }
            at += 1;
            is_map = open.pop().unwrap_or_default();
            depth -= 1;
        }
        return Some(at);
    }
}

/// Returns the place of the next byte that is no blank.
#[inline]
pub(super) fn blank(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\t' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Returns the place after a key and its colon.
#[inline]
fn key(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    let at = blank(bytes, string(bytes, at + 1)?);
    if bytes.get(at) != Some(&b':') {
        return None;
    }
    Some(at + 1)
}

fn word(bytes: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    let is_there = bytes.get(at..at + word.len()) == Some(word);
    if is_there { Some(at + word.len()) } else { None }
}

/// Returns the place after a text, whose first character is at `at`.
#[inline]
pub(super) fn string(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at = plain(bytes, at);
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at = escape(bytes, at + 1)?,
            _ => return None,
        }
    }
}

/// Returns the place of the next byte that is a quote, a backslash or a control character, or the end.
#[inline]
pub(super) fn plain(bytes: &[u8], mut at: usize) -> usize {
    const EACH: u64 = u64::MAX / 255;
    // Eight bytes at once; a byte above the first that is found may be marked wrongly, so only the first counts:
    // <https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord>.
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let chunk = u64::from_le_bytes(*chunk);
        let zero = |word: u64| word.wrapping_sub(EACH) & !word;
        let quote = zero(chunk ^ (EACH * u64::from(b'"')));
        let backslash = zero(chunk ^ (EACH * u64::from(b'\\')));
        let control = chunk.wrapping_sub(EACH * 0x20) & !chunk;
        let found = (quote | backslash | control) & (EACH << 7);
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(byte) = bytes.get(at)
        && !matches!(byte, b'"' | b'\\' | ..0x20)
    {
        at += 1;
    }
    at
}

/// Returns the place after an escape, whose backslash is before `at`.
fn escape(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Some(at + 1),
        Some(b'u') => match bytes.get(at + 1..at + 5) {
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => Some(at + 5),
            _ => None,
        },
        _ => None,
    }
}

fn number(bytes: &[u8], mut at: usize) -> Option<usize> {
    if bytes.get(at) == Some(&b'-') {
        at += 1;
    }
    at = match bytes.get(at) {
        Some(b'0') => at + 1,
        _ => digits(bytes, at)?,
    };
    if bytes.get(at) == Some(&b'.') {
        at = digits(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        at = digits(bytes, at)?;
    }
    Some(at)
}

/// Returns the place after digits, of which there must be one.
fn digits(bytes: &[u8], mut at: usize) -> Option<usize> {
    if !bytes.get(at).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::*;

    /// Checks that exactly that is accepted which `serde_json` accepts.
    #[track_caller]
    fn check(json: &str) {
        let bytes = json.as_bytes();
        let is_json =
            after(bytes, 0, &mut Vec::new()).is_some_and(|end| blank(bytes, end) == bytes.len());
        let expected = serde_json::from_str::<IgnoredAny>(json);
        assert_eq!(is_json, expected.is_ok(), "{json:?}: {expected:?}");
    }

    #[test]
    fn what_is_json_and_what_is_not() {
        for json in [
            "",
            " ",
            "null",
            "nul",
            "nulll",
            "true",
            "True",
            "false",
            "NaN",
            "Infinity",
            "-Infinity",
            "-",
            "0",
            "-0",
            "00",
            "01",
            "1.",
            ".5",
            "1.5",
            "1e5",
            "1E+5",
            "1e-",
            "1e999",
            "-1.25e-7",
            "1_000",
            "0x10",
            "+1",
            "123456789012345678901234567890",
            "\"\"",
            "\"",
            "\"\\",
            "\"\\\"",
            "\"\\\"\"",
            "\"\\x\"",
            "\"\\u00e4\"",
            "\"\\ud800\"",
            "\"\\u12\"",
            "\"\\u12g4\"",
            "\"\n\"",
            "\"\u{0}\"",
            "\"\u{1f}........\"",
            "\"\u{7f}\"",
            "\"\u{2028}ü\u{1f43b}\"",
            "'a'",
            "[]",
            "[ ]",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[1",
            "[}",
            "{]",
            "{}",
            "{ }",
            "{\"a\":1}",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "{\"a\"}",
            "{a:1}",
            "{1:1}",
            "{\"a\":}",
            "{\"a\":1 \"b\":2}",
            "{\"a\":1}}",
            "{\"a\":1} x",
            "[] []",
            " \t\r\n[ 1 , { \"a\" : [ ] } ] \n",
            "\u{feff}{}",
            "\u{b}[]",
            "\u{a0}[]",
            "// no\n[]",
            "[{\"a\":[{\"b\":[{}]}]}]",
            "[{\"a\":[{\"b\":[{}]}}]",
        ] {
            check(json);
        }
        // Of any depth: nothing is called again.
        check(&"[".repeat(1_000_000));
        check(&format!("{}{}", "[{\"a\":".repeat(200_000), "}]".repeat(200_000)));
    }

    #[test]
    fn the_end_of_a_text_is_found_wherever_it_is() {
        for length in 0..40 {
            for end in ["\"", "\\\"\"", "\\", "\\n\"", "\u{1}\"", "ü\"", ""] {
                let text = format!("\"{}{end}", "x".repeat(length));
                check(&text);
                check(&format!("[{text}, {text}]"));
                check(&format!("{{{text}: {text}}}"));
            }
        }
    }

    proptest! {
        #[test]
        fn what_looks_like_json_is_accepted_if_it_is(json in "([\\[\\]{},:]|\"|\\\\|null|true|false|-?[0-9]{1,2}|[.eE+]|[ \n]|\"[a-z]{0,9}\"(:)?|\\\\u[0-9a-f]{3,4}|\\PC){0,12}") {
            check(&json);
        }

        #[test]
        fn what_is_damaged_is_refused_if_it_is_no_json(
            json in crate::arbitrary::json(),
            at in any::<prop::sample::Index>(),
            length in 0..3_usize,
            with in "[\\[\\]{},:\"\\\\0-9eE.ntfu \n\u{1}ü]{0,2}",
        ) {
            check(&json);
            let start = json.floor_char_boundary(at.index(json.len()));
            let end = json.ceil_char_boundary((start + length).min(json.len()));
            check(&format!("{}{with}{}", &json[..start], &json[end..]));
            check(&json[..start]);
        }
    }
}

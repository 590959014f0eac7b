//! [`Glob`]: a pattern for addresses, types and tags.

use std::fmt;

/// A pattern in which `*` is any text, dots and brackets too, and `?` any one character. Everything else is itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(String);

impl Glob {
    /// Returns the pattern of a text; each text is one.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// Returns the pattern's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether all of `text` is what the pattern says.
    pub fn matches(&self, text: &str) -> bool {
        // Only the last `*` is ever gone back to, so that the work is bounded by the product of both lengths.
        let (pattern, text) = (self.0.as_bytes(), text.as_bytes());
        let (mut at, mut place, mut star) = (0, 0, None);
        while place < text.len() {
            match pattern.get(at) {
                Some(b'*') => {
                    star = Some((at, place));
                    at += 1;
                }
                Some(b'?') => {
                    at += 1;
                    place += character(text, place);
                }
                Some(byte) if *byte == text[place] => {
                    at += 1;
                    place += 1;
                }
                _ => {
                    let Some((star_at, star_place)) = star else { return false };
                    star = Some((star_at, star_place + 1));
                    (at, place) = (star_at + 1, star_place + 1);
                }
            }
        }
        pattern[at..].iter().all(|byte| *byte == b'*')
    }
}

/// Returns how many bytes the character that starts here has.
fn character(text: &[u8], place: usize) -> usize {
    1 + text[place + 1..].iter().take_while(|byte| (**byte & 0b1100_0000) == 0b1000_0000).count()
}

impl fmt::Display for Glob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: bool) {
        assert_eq!(Glob::new(pattern).matches(text), expected, "{pattern} {text}");
    }

    #[test]
    fn patterns() {
        check("", "", true);
        check("", "a", false);
        check("aws_s3_*", "aws_s3_bucket", true);
        check("aws_s3_*", "aws_s3", false);
        check("*", "", true);
        check("module.*.aws_instance.web[*]", "module.a.module.b[\"x\"].aws_instance.web[0]", true);
        check("a.b[0]", "a.b[0]", true);
        check("a.b[0]", "a.b0", false);
        check("a?c", "aüc", true);
        check("a?c", "ac", false);
        check("*a*b*c*", "xaxbxcx", true);
        check("*a*b*c*", "xaxcxbx", false);
    }

    proptest! {
        #[test]
        fn a_text_is_its_own_pattern(text in "[^*?]{0,20}") {
            prop_assert!(Glob::new(text.clone()).matches(&text));
        }

        #[test]
        fn never_panics(pattern in "[*?aü]{0,12}", text in "[aüb]{0,20}") {
            let _ = Glob::new(pattern).matches(&text);
        }
    }
}

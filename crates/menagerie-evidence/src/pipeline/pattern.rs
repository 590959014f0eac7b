//! [`Pattern`]: which files a line of CODEOWNERS is about. It is not what `.gitignore` has: `docs/*` is no directory's.

/// A pattern of CODEOWNERS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// `**`: any number of directories.
    Any,
    /// One name, in which `*` is any text and `?` any character.
    Name(Vec<Part>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Text,
    One,
    Exactly(char),
}

impl Pattern {
    /// Parses a pattern, or says why GitHub passes over its line.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.starts_with('!') {
            return Err("a pattern can't begin with `!`");
        }
        if text.contains(['[', ']']) {
            return Err("a pattern has no `[` and `]`");
        }
        if text.contains("***") {
            return Err("a pattern has no `***`");
        }
        let is_rooted = text.trim_end_matches('/').contains('/');
        let is_directory = text.ends_with('/');
        let names = text.trim_matches('/');
        let mut segments = Vec::new();
        if !is_rooted && !names.is_empty() {
            segments.push(Segment::Any);
        }
        for name in names.split('/').filter(|name| !name.is_empty()) {
            segments.push(if name == "**" { Segment::Any } else { Segment::Name(parts(name)) });
        }
        // What names a directory is about all in it; `*` as the last name is about files only.
        let is_everything_below = match segments.last() {
            Some(Segment::Name(parts)) => is_directory || parts != &[Part::Text],
            Some(Segment::Any) | None => false,
        };
        if is_directory && is_everything_below {
            // One name at least, so that a file of the directory's name is not meant.
            segments.push(Segment::Name(vec![Part::Text]));
        }
        if is_everything_below {
            segments.push(Segment::Any);
        }
        Ok(Self { segments })
    }

    /// Returns whether it is about a file.
    pub(super) fn matches(&self, path: &str) -> bool {
        let names: Vec<&str> = path.split('/').collect();
        // For each number of names, whether the segments so far match so many: each of both is looked at once.
        let mut is_reached = vec![false; names.len() + 1];
        is_reached[0] = true;
        for segment in &self.segments {
            match segment {
                Segment::Any => {
                    let first = is_reached.iter().position(|reached| *reached);
                    if let Some(first) = first {
                        is_reached[first..].fill(true);
                    }
                }
                Segment::Name(parts) => {
                    for count in (1..=names.len()).rev() {
                        is_reached[count] =
                            is_reached[count - 1] && name_matches(parts, names[count - 1]);
                    }
                    is_reached[0] = false;
                }
            }
        }
        !self.segments.is_empty() && is_reached[names.len()]
    }
}

/// Returns the parts of a name; what follows a backslash stands for itself.
fn parts(name: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut characters = name.chars();
    while let Some(character) = characters.next() {
        parts.push(match character {
            '*' => Part::Text,
            '?' => Part::One,
            '\\' => Part::Exactly(characters.next().unwrap_or('\\')),
            other => Part::Exactly(other),
        });
    }
    // Several have the meaning of one, which the last name of a pattern is compared with.
    parts.dedup_by(|one, other| *one == Part::Text && *other == Part::Text);
    parts
}

/// Matches by going back to the last `*` only, so that it takes no more than the product of both lengths.
fn name_matches(parts: &[Part], name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let (mut part, mut at) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while at < name.len() {
        match parts.get(part) {
            Some(Part::Text) => {
                retry = Some((part, at));
                part += 1;
                continue;
            }
            Some(Part::One) => {
                part += 1;
                at += 1;
                continue;
            }
            Some(Part::Exactly(character)) if *character == name[at] => {
                part += 1;
                at += 1;
                continue;
            }
            _ => {}
        }
        let Some((text, from)) = retry else { return false };
        retry = Some((text, from + 1));
        part = text + 1;
        at = from + 1;
    }
    parts[part..].iter().all(|part| *part == Part::Text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(pattern: &str, about: &[&str], not_about: &[&str]) {
        let parsed = Pattern::parse(pattern).unwrap();
        for path in about {
            assert!(parsed.matches(path), "{pattern} is about {path}");
        }
        for path in not_about {
            assert!(!parsed.matches(path), "{pattern} is not about {path}");
        }
    }

    /// The examples of GitHub's page about code owners, and what follows from them.
    #[test]
    fn what_patterns_are_about() {
        check("*", &["a", "a/b/c.tf", ".github/x"], &[]);
        check("*.js", &["a.js", "a/b.js"], &["a.jsx", "a.js.map"]);
        check(
            "/build/logs/",
            &["build/logs/a", "build/logs/a/b"],
            &["x/build/logs/a", "build/logs"],
        );
        check(
            "docs/*",
            &["docs/getting-started.md"],
            &["docs/build-app/troubleshooting.md", "x/docs/a"],
        );
        check("apps/", &["apps/a", "x/apps/a/b"], &["apps"]);
        check("/docs/", &["docs/a", "docs/a/b"], &["x/docs/a"]);
        check("/scripts/", &["scripts/a"], &[]);
        check("**/logs", &["logs", "build/logs", "build/logs/a", "logs/a"], &["logsx"]);
        check("/apps/github", &["apps/github", "apps/github/a"], &["apps/githubx"]);
        check("tf", &["tf/a", "x/tf/a", "tf"], &["tfx/a"]);
        check("/tf/**", &["tf/a", "tf/a/b"], &["x/tf/a"]);
        check("/tf/**/main.tf", &["tf/main.tf", "tf/a/b/main.tf"], &["tf/a/main.tfx"]);
        check("/tf/*/", &["tf/a/b", "tf/a/b/c"], &["tf/a"]);
        check("/*", &["a"], &["a/b"]);
        check("**", &["a", "a/b"], &[]);
        check("a?c", &["abc"], &["ac", "abbc"]);
        check(r"a\*c", &["a*c"], &["abc"]);
        check("/", &[], &["a", ""]);
    }

    #[test]
    fn what_github_passes_over() {
        for text in ["!a", "[ab].tf", "a***b"] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_path_matches_itself(path in "[a-z.]{1,5}(/[a-z.]{1,5}){0,4}") {
            let pattern = Pattern::parse(&format!("/{path}")).unwrap();
            prop_assert!(pattern.matches(&path));
        }

        #[test]
        fn nothing_panics_or_hangs(pattern in "[a*?/\\\\]{0,300}", path in "[a/]{0,300}") {
            if let Ok(pattern) = Pattern::parse(&pattern) {
                pattern.matches(&path);
            }
        }
    }
}

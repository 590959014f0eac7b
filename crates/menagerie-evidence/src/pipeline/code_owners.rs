//! Code owners: who must be asked about which files.

use std::collections::BTreeSet;
use std::io;

use super::pattern::Pattern;
use crate::fields::Fields;
use crate::text::Text;
use crate::{Evidence, Files, tree};

/// Where GitHub looks for the file; the first one counts.
pub(super) const PLACES: [&str; 3] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];

/// What must have an owner, by the name of the attribute that says whether it has.
const AREAS: [(&str, &str); 3] =
    [("covers_tf", "tf/"), ("covers_rules", "tf/compliance/"), ("covers_workflows", ".github/")];

/// Files that nobody has made yet; somebody must answer for them as well.
const NEW_FILES: [&str; 2] = ["new.file", "new/new.file"];

/// How many files without an owner are told.
const TOLD: usize = 10;

struct Line {
    pattern: Pattern,
    is_owned: bool,
}

/// GitHub passes over a larger file. With this many lines all is still judged in no time.
const LARGEST: usize = 3 << 20;
const MOST_LINES: usize = 20_000;

/// `github` are the files below `.github`.
pub(super) fn read(files: &dyn Files, github: &[String], evidence: &mut Evidence) {
    let is_there = |place: &&str| !matches!(files.read(place), Err(error) if error.kind() == io::ErrorKind::NotFound);
    let file = PLACES.iter().copied().find(is_there);
    let mut fields = Fields::default();
    fields.set("exists", file.is_some());
    fields.set("path", file);
    let (mut lines, mut place) = (Vec::new(), None);
    if let Some(path) = file {
        let Some(text) = tree::read(files, path, evidence) else { return };
        let text = Text::new(path, &text);
        if text.content.len() > LARGEST || text.content.lines().count() > MOST_LINES {
            text.refuse(evidence, 0, format!("there are more than 3 MiB or {MOST_LINES} lines"));
            return;
        }
        lines = read_lines(&text, evidence);
        place = Some(text.place_of_line(1));
    }
    let mut paths = tree::walk(files, "tf", |name| name == ".terraform", evidence);
    paths.extend_from_slice(github);
    let mut unowned = Unowned { lines: &lines, paths: BTreeSet::new() };
    for (name, area) in AREAS {
        fields.set(name, unowned.covers(area, &paths));
    }
    fields.set("covers_itself", file.is_some_and(|path| is_owned(&lines, path)));
    fields.set("unowned", unowned.paths.into_iter().take(TOLD).collect::<Vec<_>>());
    let address = format!("{}:codeowners", file.unwrap_or(PLACES[0]));
    evidence.records.push(fields.into_record("codeowners", address, place));
}

struct Unowned<'a> {
    lines: &'a [Line],
    paths: BTreeSet<&'a str>,
}

impl<'a> Unowned<'a> {
    /// Returns whether all files of an area have an owner, those to come as well.
    fn covers(&mut self, area: &str, paths: &'a [String]) -> bool {
        let there = paths.iter().map(String::as_str).filter(|path| path.starts_with(area));
        let unowned: Vec<&str> = there.filter(|path| !is_owned(self.lines, path)).collect();
        let new = NEW_FILES.iter().all(|name| is_owned(self.lines, &format!("{area}{name}")));
        let is_covered = new && unowned.is_empty();
        self.paths.extend(unowned);
        is_covered
    }
}

/// Returns whether the last line about a file names an owner.
fn is_owned(lines: &[Line], path: &str) -> bool {
    lines.iter().rev().find(|line| line.pattern.matches(path)).is_some_and(|line| line.is_owned)
}

fn read_lines(text: &Text<'_>, evidence: &mut Evidence) -> Vec<Line> {
    let mut lines = Vec::new();
    for (index, line) in text.content.lines().enumerate() {
        let Some((pattern_text, owners)) = split(line) else { continue };
        let place = text.place_of_line(index + 1);
        let refused = match Pattern::parse(&pattern_text) {
            Ok(pattern) => match owners.iter().find(|owner| !is_owner(owner)) {
                None => {
                    lines.push(Line { pattern, is_owned: !owners.is_empty() });
                    None
                }
                Some(_) => Some("an owner is `@user`, `@organisation/team` or an address of mail"),
            },
            Err(message) => Some(message),
        };
        if let Some(message) = refused {
            let offset = text.offset(index + 1, 1);
            text.refuse(evidence, offset, format!("GitHub passes over this line: {message}"));
            continue;
        }
        let mut fields = Fields::default();
        let address = format!("{}:{pattern_text}", text.path);
        fields.set("pattern", pattern_text);
        fields.set("owners", owners);
        evidence.records.push(fields.into_record("code_owner", address, Some(place)));
    }
    lines
}

/// Returns pattern and owners of a line; none of an empty one and of a comment.
fn split(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let mut pattern = String::new();
    let mut rest = line.char_indices();
    let mut end = line.len();
    while let Some((at, character)) = rest.next() {
        match character {
            // A space that belongs to the name.
            '\\' => {
                pattern.push(character);
                pattern.extend(rest.next().map(|(_, escaped)| escaped));
            }
            _ if character.is_whitespace() => {
                end = at;
                break;
            }
            _ => pattern.push(character),
        }
    }
    if pattern.is_empty() {
        return None;
    }
    let owners = line[end..].split_whitespace().take_while(|word| !word.starts_with('#'));
    Some((pattern, owners.map(str::to_owned).collect()))
}

fn is_owner(text: &str) -> bool {
    match text.strip_prefix('@') {
        Some(name) => {
            let mut parts = name.splitn(2, '/');
            parts.all(|part| !part.is_empty() && !part.contains(['/', '@']))
        }
        None => text.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && !host.is_empty() && !host.contains('@')
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Texts;

    fn read_text(text: &str, paths: &[&str]) -> Evidence {
        let others = paths.iter().map(|path| (*path, ""));
        let files: Texts = others.chain([("CODEOWNERS", text)]).collect();
        let mut evidence = Evidence::default();
        read(&files, &[], &mut evidence);
        evidence
    }

    #[track_caller]
    fn check(text: &str, paths: &[&str], covers: [bool; 4], unowned: &Value) {
        let evidence = read_text(text, paths);
        let values = &evidence.records.last().unwrap().values;
        let names = ["covers_tf", "covers_rules", "covers_workflows", "covers_itself"];
        assert_eq!(names.map(|name| values[name] == true), covers);
        assert_eq!(&values["unowned"], unowned);
    }

    #[test]
    fn what_is_covered() {
        check("* @ada", &["tf/a.tf"], [true; 4], &json!([]));
        check("tf/ @org/platform", &["tf/a.tf"], [true, true, false, false], &json!([]));
        // The last line counts, also where it takes the owner away.
        check(
            "* @ada\n/tf/compliance/\n",
            &["tf/compliance/A-1.toml"],
            [false, false, true, true],
            &json!(["tf/compliance/A-1.toml"]),
        );
        check("/tf/*.tf @ada", &["tf/a.tf", "tf/b/c.tf"], [false; 4], &json!(["tf/b/c.tf"]));
        check(
            "/tf/ @ada # as long as she is here\n/.github/ ada@example.com",
            &[],
            [true, true, true, false],
            &json!([]),
        );
        check("# * @ada\n\n", &[], [false; 4], &json!([]));
    }

    #[test]
    fn lines() {
        let evidence = read_text("  a\\ b.tf   @ada\tgrace@example.com\n!x @ada\nx ada\n", &[]);
        assert_eq!(
            evidence.records[0].values,
            json!({"pattern": "a\\ b.tf", "owners": ["@ada", "grace@example.com"]})
        );
        assert_eq!(evidence.records.len(), 2);
        let places: Vec<_> = evidence.unreadable.iter().map(|it| (it.line, it.column)).collect();
        assert_eq!(places, [(2, 1), (3, 1)]);
    }

    #[test]
    fn no_file() {
        let mut evidence = Evidence::default();
        read(&Texts::default(), &[], &mut evidence);
        let [record] = &evidence.records[..] else { panic!("one record") };
        assert_eq!(record.address, ".github/CODEOWNERS:codeowners");
        assert_eq!(
            (&record.values["exists"], &record.values["covers_tf"]),
            (&json!(false), &json!(false))
        );
        assert_eq!(record.place, None);
    }
}

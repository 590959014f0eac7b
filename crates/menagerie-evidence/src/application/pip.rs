//! `requirements.txt`, as pip reads it, without the files that it refers to.

use super::{Dependency, Origin, is_git};
use crate::Evidence;
use crate::text::Text;

pub(super) fn read(text: &Text<'_>, evidence: &mut Evidence) {
    for (offset, line) in logical_lines(text.content) {
        let mut words = line.split_whitespace();
        let Some(first) = words.next() else { continue };
        let (requirement, is_editable) = match first {
            "-e" | "--editable" => (words.next().unwrap_or_default().to_owned(), true),
            // An option: files that are read as well, where packages come from, and so on.
            _ if first.starts_with('-') => continue,
            _ => (requirement(&line), false),
        };
        let checksum = line.split_whitespace().find_map(|word| word.strip_prefix("--hash="));
        let (name, version, source) = split(&requirement);
        let origin = match source {
            None => Origin::Registry,
            Some(source) if is_git(source) => Origin::Git,
            Some(source) if is_editable || is_path(source) => Origin::Local,
            Some(_) => Origin::Elsewhere,
        };
        let dependency = Dependency { ecosystem: "pip", name, version, source, checksum, origin };
        dependency.add(text, offset, first.len(), evidence);
    }
}

/// Returns lines without comments, put together where a backslash says so, each with the offset of its first word.
fn logical_lines(content: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    let mut offset = 0;
    for line in content.split_inclusive('\n') {
        let start = offset + (line.len() - line.trim_start().len());
        offset += line.len();
        let line = line.trim_end_matches(['\n', '\r']);
        let (line, goes_on) = match line.strip_suffix('\\') {
            Some(line) => (line, true),
            None => (line, false),
        };
        let code = match line.find(" #").or_else(|| line.trim_start().starts_with('#').then_some(0))
        {
            Some(comment) => &line[..comment],
            None => line,
        };
        let (_, text) = open.get_or_insert_with(|| (start, String::new()));
        text.push_str(code);
        text.push(' ');
        if !goes_on {
            lines.extend(open.take());
        }
    }
    lines.extend(open);
    lines
}

/// Returns a line without its options and without the condition under which it counts.
fn requirement(line: &str) -> String {
    let line = line.split(" --").next().unwrap_or(line);
    line.split(" ;").next().unwrap_or(line).trim().to_owned()
}

/// Returns name, version and address of a requirement.
fn split(requirement: &str) -> (&str, Option<&str>, Option<&str>) {
    if let Some((name, source)) = requirement.split_once(" @ ") {
        return (bare(name), None, Some(source.trim()));
    }
    if requirement.contains("://") || is_path(requirement) {
        let name = requirement.rsplit_once("#egg=").map_or(requirement, |(_, name)| name);
        return (name, None, Some(requirement));
    }
    let requirement = requirement.split(';').next().unwrap_or(requirement).trim();
    let end = requirement.find(['=', '<', '>', '!', '~', ' ']).unwrap_or(requirement.len());
    let version = requirement[end..].trim().strip_prefix("==").map(|it| it.trim_start_matches('='));
    // Neither `==1.*` nor several conditions are one version.
    let is_one = |version: &&str| !version.contains(['*', ',']);
    (bare(&requirement[..end]), version.map(str::trim).filter(is_one), None)
}

/// Returns a name without its extras.
fn bare(name: &str) -> &str {
    name.split('[').next().unwrap_or(name).trim()
}

fn is_path(text: &str) -> bool {
    text.starts_with(['.', '/']) || text.starts_with("file:")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Texts, read_application};

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let files: Texts = [("requirements.txt", text)].into_iter().collect();
        let found: Vec<String> = read_application(&files)
            .records
            .iter()
            .map(|record| {
                let is = |name: &str| record.values[name] == true;
                let origin =
                    ["is_registry", "is_git", "is_local"].into_iter().find(|name| is(name));
                let place = record.place.as_ref().unwrap();
                let what = record.address.strip_prefix("requirements.txt:").unwrap();
                format!(
                    "{}:{} {what} {} {}",
                    place.line,
                    place.column,
                    origin.unwrap_or("-"),
                    record.values["checksum"]
                )
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn dependencies() {
        check(
            "# tools\n--require-hashes\na==1.2 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb # why\n  b[x,y] >= 2 ; python_version > '3'\n",
            &["3:1 a@1.2 is_registry \"sha256:aa\"", "6:3 b is_registry null"],
        );
        check(
            "a @ https://example.com/a.whl\nb @ git+https://example.com/b@main\n-e ./c\ngit+https://example.com/d#egg=d\n./e\nf==1.*\ng;os_name=='nt'\n-r other.txt\n",
            &[
                "1:1 a - null",
                "2:1 b is_git null",
                "3:1 ./c is_local null",
                "4:1 d is_git null",
                "5:1 ./e is_local null",
                "6:1 f is_registry null",
                "7:1 g is_registry null",
            ],
        );
    }

    #[test]
    fn lines_that_go_on() {
        assert_eq!(logical_lines("a\\\nb\n\\").len(), 2);
    }
}

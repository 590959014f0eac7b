//! The documents: complete, linked, and true where a test can tell.

use super::{assert_none, crates, files, files_with, normal, read, root};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A link as it stands in a Markdown file.
struct Link {
    line: usize,
    /// Relative to the top of the work tree; the file itself for a bare `#anchor`.
    target: PathBuf,
    anchor: Option<String>,
}

/// Returns the links of a Markdown file to files of this repository.
fn links(path: &Path, text: &str) -> Vec<Link> {
    let mut links = Vec::new();
    for (line, text) in prose(text) {
        for (at, _) in text.match_indices("](") {
            let rest = &text[at + 2..];
            let destination = rest.split([')', ' ']).next().unwrap_or(rest);
            if destination.contains("://") || destination.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = match destination.split_once('#') {
                Some((file, anchor)) => (file, Some(anchor.to_owned())),
                None => (destination, None),
            };
            let directory = path.parent().unwrap_or(Path::new(""));
            let target =
                if file.is_empty() { path.to_owned() } else { normal(&directory.join(file)) };
            links.push(Link { line, target, anchor });
        }
    }
    links
}

/// Returns the numbered lines that are not in a fenced block.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let is_fence = line.trim_start().starts_with("```");
        is_fenced ^= is_fence;
        (!is_fenced && !is_fence).then_some((index + 1, line))
    })
}

/// Returns the anchors that a Markdown file's headings make.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).filter(|(_, line)| line.starts_with('#'));
    headings.map(|(_, line)| anchor(line.trim_start_matches('#').trim())).collect()
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn a_link_leads_somewhere() {
    let mut violations = Vec::new();
    for path in files_with("md") {
        let text = read(&path);
        for Link { line, target, anchor } in links(&path, &text) {
            let place = format!("{}:{line}", path.display());
            if !root().join(&target).exists() {
                violations.push(format!("{place}: there is no `{}`", target.display()));
            } else if let Some(anchor) = anchor
                && !anchors(&read(&target)).contains(&anchor)
            {
                violations.push(format!(
                    "{place}: `{}` has no heading for `#{anchor}`",
                    target.display()
                ));
            }
        }
    }
    assert_none("a link leads somewhere", &violations);
}

#[test]
fn links_are_found_in_prose_only() {
    let text = "See [a](b.md#c-d) and [e](https://example.com).\n```\n[f](g)\n```\n![h](../i.png \"j\") [k](#l)\n";
    let found: Vec<String> = links(Path::new("docs/x.md"), text)
        .iter()
        .map(|link| {
            format!(
                "{} {} {}",
                link.line,
                link.target.display(),
                link.anchor.as_deref().unwrap_or("-")
            )
        })
        .collect();
    assert_eq!(found, ["1 docs/b.md c-d", "5 i.png -", "5 docs/x.md l"]);
    assert!(anchors("# What `kill -9` does\n").contains("what-kill--9-does"));
}

#[test]
fn the_readme_leads_to_every_page() {
    let mut seen = BTreeSet::new();
    let mut next = vec![PathBuf::from("README.md")];
    while let Some(path) = next.pop() {
        let is_page = path.extension().is_some_and(|extension| extension == "md");
        if seen.insert(path.clone()) && is_page {
            next.extend(links(&path, &read(&path)).into_iter().map(|link| link.target));
        }
    }
    let pages = files().into_iter().filter(|path| {
        path.starts_with("docs")
            || (path.components().count() == 1
                && path.extension().is_some_and(|extension| extension == "md"))
    });
    let violations: Vec<String> =
        pages.filter(|path| !seen.contains(path)).map(|path| path.display().to_string()).collect();
    assert_none("a reader who starts at the README finds every page", &violations);
}

#[test]
fn every_crate_is_described() {
    let readme = read("README.md");
    let architecture = read("docs/architecture.md");
    let mut violations = Vec::new();
    let names = crates::names();
    for name in &names {
        if !readme.lines().any(|line| line.starts_with(&format!("| [`{name}`]"))) {
            violations.push(format!("README.md has no row for `{name}`"));
        }
        match section(&architecture, &format!("### `{name}`")) {
            None => violations.push(format!("docs/architecture.md has no section for `{name}`")),
            Some(text) if !text.contains("**Invariant:** ") => {
                violations.push(format!("`{name}` has no invariant"));
            }
            Some(_) => {}
        }
    }
    for heading in
        architecture.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'))
    {
        if !names.iter().any(|name| name == heading) {
            violations
                .push(format!("docs/architecture.md describes `{heading}`, which is no crate"));
        }
    }
    assert_none("every crate has its row and its section", &violations);
}

/// Returns the text below a heading, up to the next one.
fn section<'a>(text: &'a str, heading: &str) -> Option<&'a str> {
    let start = text.find(&format!("{heading}\n"))? + heading.len();
    let rest = &text[start..];
    Some(rest.find("\n#").map_or(rest, |end| &rest[..end]))
}

#[test]
fn every_exit_code_is_documented() {
    let source = read("xtask/src/exit.rs") + &read("crates/menagerie-comply/src/exit.rs");
    let constants: BTreeSet<u8> = source
        .lines()
        .filter_map(|line| {
            line.trim()
                .strip_prefix("pub(crate) const ")?
                .split_once(": u8 = ")?
                .1
                .strip_suffix(';')?
                .parse()
                .ok()
        })
        .collect();
    assert!(constants.len() > 2, "xtask/src/exit.rs holds the constants");
    let page = read("docs/exit-codes.md");
    // Success is the standard library's own.
    let rows: BTreeSet<u8> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(' ').next()?.parse().ok())
        .filter(|code| *code != 0)
        .collect();
    assert_eq!(constants.into_iter().filter(|code| *code != 0).collect::<BTreeSet<_>>(), rows);
}

#[test]
fn the_readme_knows_every_command() {
    let readme = read("README.md");
    for parent in [&[][..], &["env"]] {
        let arguments = [parent, &["--help"]].concat();
        let help =
            duct::cmd(env!("CARGO_BIN_EXE_xtask"), arguments).read().expect("help is printed");
        let commands = help
            .lines()
            .skip_while(|line| *line != "Commands:")
            .skip(1)
            .take_while(|line| !line.is_empty());
        let commands: BTreeSet<&str> = commands
            .filter_map(|line| line.split_whitespace().next())
            .filter(|name| !["env", "help"].contains(name))
            .collect();
        assert!(!commands.is_empty(), "the help lists the commands:\n{help}");
        let begin = ["| `cargo xtask "].iter().chain(parent).copied().collect::<String>();
        let begin = if parent.is_empty() { begin } else { begin + " " };
        let rows: BTreeSet<&str> = readme
            .lines()
            .filter_map(|line| line.strip_prefix(&begin)?.split([' ', '`']).next())
            .filter(|name| *name != "env")
            .collect();
        assert_eq!(commands, rows, "README.md has a row for each command");
    }
}

#[test]
fn the_changelog_has_a_place_for_the_next_change() {
    assert!(
        read("CHANGELOG.md").contains("\n## [Unreleased]\n"),
        "CHANGELOG.md has no `## [Unreleased]`"
    );
}

#[test]
fn decisions_are_numbered_without_a_gap() {
    let names: Vec<String> = files()
        .iter()
        .filter(|path| path.starts_with("docs/adr"))
        .map(|path| path.file_name().expect("a file has a name").to_string_lossy().into_owned())
        .collect();
    assert!(!names.is_empty(), "docs/adr/ holds the decisions");
    for (index, name) in names.iter().enumerate() {
        assert!(
            name.starts_with(&format!("{:04}-", index + 1)),
            "`{name}` should be number {}",
            index + 1
        );
        assert!(
            read(Path::new("docs/adr").join(name)).starts_with(&format!("# {}. ", index + 1)),
            "`{name}` says another number"
        );
    }
}

//! [`read_application`]: what the application is made of, by its lock files and Dockerfiles.

mod cargo;
mod dockerfile;
mod npm;
mod pip;
mod variables;

use crate::fields::Fields;
use crate::text::Text;
use crate::{Evidence, Files, tree};

/// Reads the lock files and Dockerfiles of a repository.
///
/// Directories that begin with a dot are passed over, and those that tools fill: `node_modules`, `target`, `vendor`, `venv`.
///
/// ```
/// use menagerie_evidence::{Texts, read_application};
///
/// let files: Texts = [("Dockerfile", "ARG V=3.20\nFROM alpine:$V\nUSER 65532\n")].into_iter().collect();
/// let evidence = read_application(&files);
/// let [image, dockerfile] = &evidence.records[..] else { panic!("there are two") };
/// assert_eq!((&image.values["tag"], &image.values["is_pinned"]), (&"3.20".into(), &false.into()));
/// assert_eq!(dockerfile.values["user"], "65532");
/// ```
pub fn read_application(files: &dyn Files) -> Evidence {
    let mut evidence = Evidence::default();
    for path in tree::walk(files, "", is_skipped, &mut evidence) {
        let name = path.rsplit('/').next().unwrap_or(&path);
        let Some(read) = reader(name) else { continue };
        let Some(text) = tree::read(files, &path, &mut evidence) else { continue };
        read(&Text::new(&path, &text), &mut evidence);
    }
    evidence
}

fn is_skipped(directory: &str) -> bool {
    directory.starts_with('.') || ["node_modules", "target", "vendor", "venv"].contains(&directory)
}

fn reader(name: &str) -> Option<fn(&Text<'_>, &mut Evidence)> {
    match name {
        "Cargo.lock" => Some(cargo::read),
        "package-lock.json" | "npm-shrinkwrap.json" => Some(npm::read),
        _ if name.starts_with("requirements") && has_extension(name, "txt") => Some(pip::read),
        _ if is_dockerfile(name) => Some(dockerfile::read),
        _ => None,
    }
}

/// What becomes a Dockerfile by another tool only, or says what a build may not see.
const NO_DOCKERFILES: [&str; 5] = ["dockerignore", "j2", "template", "tera", "tmpl"];

fn is_dockerfile(name: &str) -> bool {
    match name.split_once('.') {
        None => ["Dockerfile", "Containerfile"].contains(&name),
        Some(("Dockerfile" | "Containerfile", _)) => {
            !NO_DOCKERFILES.iter().any(|extension| has_extension(name, extension))
        }
        Some(_) => has_extension(name, "dockerfile"),
    }
}

fn has_extension(name: &str, extension: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, found)| found.eq_ignore_ascii_case(extension))
}

/// Something that the application uses.
struct Dependency<'a> {
    ecosystem: &'static str,
    name: &'a str,
    /// None where it is not tied to one.
    version: Option<&'a str>,
    /// Where it comes from, as the file says it.
    source: Option<&'a str>,
    checksum: Option<&'a str>,
    origin: Origin,
}

/// Which kind of place something comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Registry,
    Git,
    /// This repository.
    Local,
    /// Some address.
    Elsewhere,
}

impl Dependency<'_> {
    fn add(&self, text: &Text<'_>, offset: usize, length: usize, evidence: &mut Evidence) {
        let mut fields = Fields::default();
        fields.set("ecosystem", self.ecosystem);
        fields.set("name", self.name);
        fields.set("version", self.version);
        fields.set("source", self.source);
        fields.set("checksum", self.checksum);
        fields.set("is_registry", self.origin == Origin::Registry);
        fields.set("is_git", self.origin == Origin::Git);
        fields.set("is_local", self.origin == Origin::Local);
        let version = self.version.map(|version| format!("@{version}")).unwrap_or_default();
        let address = format!("{}:{}{version}", text.path, self.name);
        let place = text.place(&(offset..offset + length));
        evidence.records.push(fields.into_record("dependency", address, Some(place)));
    }
}

/// Returns whether an address leads to a repository of git.
fn is_git(source: &str) -> bool {
    source.starts_with("git+") || source.starts_with("git:") || source.starts_with("git@")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Texts;

    #[test]
    fn which_files_are_read() {
        let names = [
            "Cargo.lock",
            "package-lock.json",
            "requirements.txt",
            "requirements-dev.txt",
            "Dockerfile",
            "Dockerfile.dev",
            "web.Dockerfile",
            "Containerfile",
        ];
        for name in names {
            assert!(reader(name).is_some(), "{name}");
        }
        for name in [
            "Cargo.toml",
            "Dockerfile.dockerignore",
            "Dockerfile.template",
            "Dockerfile.web.tmpl",
            "requirements.in",
            "a.dockerfile.txt",
            "MyDockerfile",
        ] {
            assert!(reader(name).is_none(), "{name}");
        }
        let files: Texts = [
            ("a/Dockerfile", "FROM a"),
            ("node_modules/x/Dockerfile", "FROM b"),
            (".x/Dockerfile", "FROM c"),
        ]
        .into_iter()
        .collect();
        let addresses: Vec<_> =
            read_application(&files).records.into_iter().map(|record| record.address).collect();
        assert_eq!(addresses, ["a/Dockerfile:stage[0]", "a/Dockerfile:dockerfile"]);
    }

    proptest! {
        // Each case is twenty files.
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn whatever_stands_there_nothing_panics(
            text in "(?s)(\\PC|[\n\t\r\\\\]){0,80}",
            docker in "(?s)((ONBUILD )?(FROM|USER|ADD|COPY|ARG|ENV|RUN|HEALTHCHECK|VOLUME|SHELL|CMD|FROMFROM) ?|--from=|--mount=|\\[\"|\"\\]|,|<<E|E\n|\\$\\{?|:-|\\}|AS|=|\"|'|\\\\|`|#|escape=|\n| |\t|a|http://|\u{e9}){0,40}",
            lock in "(?s)(\\[\\[package\\]\\]\n|name = \"a\"\n|version = \"1\"\n|source = \"x\"\n|=|\"|\n){0,20}",
            json in "(\\{|\\}|\"packages\"|\"a\"|\"version\"|:|,|null|1| ){0,30}",
        ) {
            for name in ["Cargo.lock", "package-lock.json", "requirements.txt", "Dockerfile"] {
                for text in [&text, &docker, &lock, &json, &format!("FROM a\n{docker}")] {
                    let files: Texts = [(name, text.as_str())].into_iter().collect();
                    for record in read_application(&files).records {
                        prop_assert!(record.place.is_some());
                    }
                }
            }
        }
    }
}

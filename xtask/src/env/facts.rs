//! What is known of an environment, for people and for programs.

use std::borrow::Cow;
use std::path::Path;

use jiff::Timestamp;
use menagerie_config::{Hosting, Owner, Size};
use menagerie_lifecycle::{Entry, Health};
use menagerie_naming::EnvName;
use serde::Serialize;

use crate::expiry;

/// The version of all JSON that `env` prints; it changes when a field is taken away or means something else.
pub(crate) const VERSION: u32 = 1;

/// What each command that prints an environment prints of it.
///
/// What comes from `env.toml` is null where no readable one is left.
#[derive(Debug, Serialize)]
pub(crate) struct Facts<'a> {
    name: &'a EnvName,
    phase: &'static str,
    url: Option<&'a str>,
    /// `tf/envs/<name>`, where this checkout has it; absolute.
    path: Option<Cow<'a, str>>,
    owner: Option<&'a Owner>,
    created: Option<Timestamp>,
    expires: Option<Timestamp>,
    expired: bool,
    hosting: Option<Hosting>,
    size: Option<Size>,
    /// How many resources its state holds.
    resources: usize,
    /// What a person should know beside.
    notes: &'a [String],
}

impl<'a> Facts<'a> {
    pub(crate) fn of(entry: &'a Entry) -> Self {
        let environment = entry.environment.as_ref();
        Self {
            name: &entry.name,
            phase: entry.phase.as_str(),
            url: entry.url.as_deref(),
            path: entry.directory.as_deref().map(Path::to_string_lossy),
            owner: environment.map(|environment| &environment.owner),
            created: environment.map(|environment| environment.created),
            expires: environment.map(|environment| environment.expires),
            expired: entry.expired,
            hosting: environment.map(|environment| environment.hosting),
            size: environment.map(|environment| environment.size),
            resources: entry.resources,
            notes: &entry.notes,
        }
    }

    /// Returns the lines that `show`, `status` and `up` begin with; `root` is what paths are shown relative to.
    pub(crate) fn rows(&self, root: &Path, now: Timestamp) -> Vec<(&'static str, String)> {
        let mut rows = vec![("name", self.name.to_string()), ("phase", self.phase.to_owned())];
        rows.extend(self.url.map(|url| ("url", url.to_owned())));
        rows.extend(self.owner.map(|owner| ("owner", owner.to_string())));
        rows.extend(self.created.map(|created| ("created", expiry::absolute(created, now))));
        rows.extend(self.expires.map(|expires| ("expires", expiry::absolute(expires, now))));
        rows.extend(self.hosting.map(|hosting| ("hosting", hosting.to_string())));
        rows.extend(self.size.map(|size| ("size", size.to_string())));
        rows.extend(self.path.as_deref().map(|path| ("path", relative(Path::new(path), root))));
        rows
    }
}

/// Returns a path as it is shown to people: from the repository's root on.
pub(crate) fn relative(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

/// Returns the word for a program.
pub(crate) fn health_word(health: &Health) -> &'static str {
    match health {
        Health::Healthy(_) => "healthy",
        Health::Unhealthy(_) => "unhealthy",
        Health::Silent(_) => "silent",
    }
}

/// Returns the words for a person.
pub(crate) fn health_text(health: Option<&Health>) -> String {
    match health {
        Some(Health::Healthy(status)) => format!("healthy (answers {status})"),
        Some(Health::Unhealthy(status)) => format!("unhealthy (answers {status})"),
        Some(Health::Silent(reason)) => format!("silent ({reason})"),
        None => "not known: it has no URL".to_owned(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use insta::assert_snapshot;
    use menagerie_config::Environment;
    use menagerie_lifecycle::Phase;

    use super::*;
    use crate::output;

    pub(crate) fn now() -> Timestamp {
        "2026-07-24T10:00:05Z".parse().unwrap()
    }

    pub(crate) const ROOT: &str = "/repository";

    /// A deployed environment with nothing to note.
    pub(crate) fn deployed(name: &str) -> Entry {
        let text = format!(
            "name = \"{name}\"\nowner = \"ada@example.com\"\ncreated = 2026-07-24T10:00:00Z\nexpires = 2026-07-24T18:00:00Z\n\
             hosting = \"local\"\nsize = \"small\"\n[settings]\ndesired_count = 2\nenvironment = {{ LOG_LEVEL = \"debug\" }}\n\
             [template]\nversion = 1\n"
        );
        Entry {
            name: name.parse().unwrap(),
            phase: Phase::Deployed,
            directory: Some(Path::new(ROOT).join("tf/envs").join(name)),
            environment: Some(Environment::parse(&text, Path::new("env.toml")).unwrap()),
            url: Some("http://127.0.0.1:40001".to_owned()),
            resources: 2,
            expired: false,
            notes: Vec::new(),
        }
    }

    /// An environment of which hardly anything is left.
    pub(crate) fn failed(name: &str) -> Entry {
        Entry {
            name: name.parse().unwrap(),
            phase: Phase::DestroyFailed,
            directory: None,
            environment: None,
            url: None,
            resources: 1,
            expired: false,
            notes: vec!["the last destroy failed: no\nwonder".to_owned()],
        }
    }

    #[test]
    fn lines() {
        let entry = deployed("calm-otter");
        assert_snapshot!(output::rows(&Facts::of(&entry).rows(Path::new(ROOT), now())), @"
        name     calm-otter
        phase    deployed
        url      http://127.0.0.1:40001
        owner    ada@example.com
        created  2026-07-24T10:00:00Z (5 seconds ago)
        expires  2026-07-24T18:00:00Z (in 8 hours)
        hosting  local
        size     small
        path     tf/envs/calm-otter
        ");
        let entry = failed("lost-lynx");
        assert_snapshot!(output::rows(&Facts::of(&entry).rows(Path::new(ROOT), now())), @"
        name   lost-lynx
        phase  destroy-failed
        ");
    }

    #[test]
    fn json() {
        assert_snapshot!(output::json(&Facts::of(&deployed("calm-otter"))), @r#"
        {
          "name": "calm-otter",
          "phase": "deployed",
          "url": "http://127.0.0.1:40001",
          "path": "/repository/tf/envs/calm-otter",
          "owner": "ada@example.com",
          "created": "2026-07-24T10:00:00Z",
          "expires": "2026-07-24T18:00:00Z",
          "expired": false,
          "hosting": "local",
          "size": "small",
          "resources": 2,
          "notes": []
        }
        "#);
        assert_snapshot!(output::json(&Facts::of(&failed("lost-lynx"))), @r#"
        {
          "name": "lost-lynx",
          "phase": "destroy-failed",
          "url": null,
          "path": null,
          "owner": null,
          "created": null,
          "expires": null,
          "expired": false,
          "hosting": null,
          "size": null,
          "resources": 1,
          "notes": [
            "the last destroy failed: no\nwonder"
          ]
        }
        "#);
    }
}

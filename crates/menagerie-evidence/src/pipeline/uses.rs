//! [`Uses`]: which action, workflow or image a `uses` names, and whether that can change without this repository.

use crate::fields::Fields;
use crate::image::ImageName;

/// What `uses` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Uses<'a> {
    text: &'a str,
    /// Without its version.
    action: &'a str,
    /// Branch, tag, commit or digest.
    version: Option<&'a str>,
    is_local: bool,
    is_pinned: bool,
}

impl<'a> Uses<'a> {
    pub(super) fn parse(text: &'a str) -> Self {
        if let Some(image) = text.strip_prefix("docker://") {
            let image = ImageName::parse(image);
            let version = image.digest.or(image.tag);
            let is_pinned = image.is_pinned();
            return Self { text, action: image.name, version, is_local: false, is_pinned };
        }
        if text.starts_with("./") {
            // It is of the same commit as the workflow.
            return Self { text, action: text, version: None, is_local: true, is_pinned: true };
        }
        let (action, version) = match text.rsplit_once('@') {
            Some((action, version)) => (action, Some(version)),
            None => (text, None),
        };
        Self { text, action, version, is_local: false, is_pinned: version.is_some_and(is_commit) }
    }

    pub(super) fn action(&self) -> &'a str {
        self.action
    }

    pub(super) fn set(&self, fields: &mut Fields) {
        fields.set("uses", self.text);
        fields.set("action", self.action);
        fields.set("ref", self.version);
        fields.set("is_local", self.is_local);
        fields.set("is_pinned", self.is_pinned);
    }
}

fn is_commit(version: &str) -> bool {
    version.len() == 40 && version.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, action: &str, version: Option<&str>, is_pinned: bool) {
        let uses = Uses::parse(text);
        assert_eq!((uses.action, uses.version, uses.is_pinned), (action, version, is_pinned));
    }

    #[test]
    fn what_is_named() {
        let commit = "3d3c42e5aac5ba805825da76410c181273ba90b1";
        check(&format!("actions/checkout@{commit}"), "actions/checkout", Some(commit), true);
        check("actions/checkout@v7", "actions/checkout", Some("v7"), false);
        check("actions/checkout", "actions/checkout", None, false);
        check("a/b/c/d.yml@main", "a/b/c/d.yml", Some("main"), false);
        check("./.github/actions/x", "./.github/actions/x", None, true);
        check("docker://alpine:3.20", "alpine", Some("3.20"), false);
        let digest = format!("sha256:{}", "ab".repeat(32));
        check(&format!("docker://alpine@{digest}"), "alpine", Some(&digest), true);
        check("docker://alpine@sha256:ab", "alpine", Some("sha256:ab"), false);
        check("a/b@${{ github.sha }}", "a/b", Some("${{ github.sha }}"), false);
    }
}

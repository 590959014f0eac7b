//! [`ModuleSource`]: where a `module` block says that its module comes from.

/// Where a module comes from. <https://developer.hashicorp.com/terraform/language/modules/sources>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ModuleSource<'a> {
    pub(crate) kind: SourceKind,
    /// `ref` of git, `rev` of Mercurial.
    pub(crate) reference: Option<&'a str>,
    /// Whether the same text can only ever mean the same files, but for what `version` says.
    pub(crate) is_fixed: bool,
}

/// What fetches a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SourceKind {
    Local,
    Registry,
    Git,
    Mercurial,
    Archive,
    Bucket,
    /// A package of an OCI registry, for OpenTofu.
    Image,
    Other,
}

impl SourceKind {
    /// Returns the word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Registry => "registry",
            Self::Git => "git",
            Self::Mercurial => "mercurial",
            Self::Archive => "archive",
            Self::Bucket => "bucket",
            Self::Image => "image",
            Self::Other => "other",
        }
    }
}

/// What a getter that is named before `::` fetches.
const GETTERS: &[(&str, SourceKind)] = &[
    ("git::", SourceKind::Git),
    ("hg::", SourceKind::Mercurial),
    ("http::", SourceKind::Archive),
    ("https::", SourceKind::Archive),
    ("s3::", SourceKind::Bucket),
    ("gcs::", SourceKind::Bucket),
];

impl<'a> ModuleSource<'a> {
    /// Takes a source apart; whatever it is, there is a kind.
    pub(crate) fn parse(source: &'a str) -> Self {
        let kind = kind(source);
        let query = source.split_once('?').map_or("", |(_, query)| query);
        let parameter = |name: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            // Of several the first one counts, for what asks; one that is fixed and one that is not are not fixed.
            let mut values = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
            values.next().filter(|value| !value.is_empty() && values.next().is_none())
        };
        let (reference, is_fixed) = match kind {
            SourceKind::Git => {
                let reference = parameter("ref");
                (reference, reference.is_some_and(is_commit))
            }
            SourceKind::Mercurial => {
                let reference = parameter("rev");
                (reference, reference.is_some_and(is_commit))
            }
            SourceKind::Archive => (None, parameter("checksum").is_some()),
            SourceKind::Image => {
                (None, source.contains("@sha256:") || parameter("digest").is_some())
            }
            SourceKind::Local => (None, true),
            SourceKind::Registry | SourceKind::Bucket | SourceKind::Other => (None, false),
        };
        Self { kind, reference, is_fixed }
    }
}

fn kind(source: &str) -> SourceKind {
    if is_local(source) {
        return SourceKind::Local;
    }
    if let Some((_, kind)) = GETTERS.iter().find(|(getter, _)| source.starts_with(getter)) {
        return *kind;
    }
    if source.contains("::") {
        return SourceKind::Other;
    }
    let (scheme, rest) = source.split_once("://").unwrap_or(("", source));
    match scheme {
        "oci" => return SourceKind::Image,
        "git" | "ssh" => return SourceKind::Git,
        "http" | "https" => return SourceKind::Archive,
        "" => {}
        _ => return SourceKind::Other,
    }
    // Terraform takes these for git without being told, unless they name an archive of theirs.
    if source.starts_with("git@")
        || ["github.com/", "bitbucket.org/"].iter().any(|host| rest.starts_with(host))
    {
        return SourceKind::Git;
    }
    if rest.contains("amazonaws.com/") || rest.starts_with("www.googleapis.com/storage/") {
        return SourceKind::Bucket;
    }
    let path = rest.split("//").next().unwrap_or(rest);
    let parts: Vec<&str> = path.split('/').collect();
    let is_name = |part: &&str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
    };
    if matches!(parts.len(), 3 | 4) && parts.iter().all(is_name) {
        return SourceKind::Registry;
    }
    SourceKind::Other
}

/// Returns whether a source is a path relative to the module that names it.
pub(crate) fn is_local(source: &str) -> bool {
    source.starts_with("./") || source.starts_with("../") || matches!(source, "." | "..")
}

/// Returns whether it is the whole id of a commit, which nobody can move.
fn is_commit(reference: &str) -> bool {
    matches!(reference.len(), 40 | 64) && reference.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns whether a constraint of versions allows exactly one.
pub(crate) fn is_exact(version: &str) -> bool {
    let version = version.trim();
    let version = version.strip_prefix('=').map_or(version, str::trim_start);
    let core = version.strip_prefix('v').unwrap_or(version);
    let core = core.split(['-', '+']).next().unwrap_or_default();
    core.split('.').count() == 3
        && core.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
        && !version.contains([',', ' '])
}

/// Returns the directory that a relative source means, seen from another; none where it leads out of the repository.
pub(crate) fn directory(from: &str, source: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').filter(|part| !part.is_empty()).collect();
    for part in source.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, kind: &str, reference: Option<&str>, is_fixed: bool) {
        let found = ModuleSource::parse(source);
        assert_eq!(
            (found.kind.as_str(), found.reference, found.is_fixed),
            (kind, reference, is_fixed),
            "{source}"
        );
    }

    #[test]
    fn sources() {
        const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
        check("../vpc", "local", None, true);
        check(".", "local", None, true);
        check("./..//a", "local", None, true);
        check("terraform-aws-modules/vpc/aws", "registry", None, false);
        check("terraform-aws-modules/vpc/aws//modules/vpc-endpoints", "registry", None, false);
        check("app.terraform.io/example/vpc/aws", "registry", None, false);
        check("github.com/a/b", "git", None, false);
        check("github.com/a/b?ref=v1.2.0", "git", Some("v1.2.0"), false);
        check("git@github.com:a/b.git", "git", None, false);
        let pinned = format!("git::https://example.com/a.git//x?depth=1&ref={COMMIT}");
        check(&pinned, "git", Some(COMMIT), true);
        // Which one counts is not the same everywhere.
        check(&format!("git::ssh://a@b/c?ref=main&ref={COMMIT}"), "git", None, false);
        check(&format!("git::ssh://a@b/c?ref={}", &COMMIT[1..]), "git", Some(&COMMIT[1..]), false);
        check("hg::http://example.com/a?rev=1", "mercurial", Some("1"), false);
        check("https://example.com/a.zip", "archive", None, false);
        check("https://example.com/a.zip?checksum=sha256:0", "archive", None, true);
        check("s3::https://s3-eu-west-1.amazonaws.com/a/b.zip", "bucket", None, false);
        check("oci://example.com/a/b:1", "image", None, false);
        check("/abs/olute", "other", None, false);
        check("", "other", None, false);
        check("a", "other", None, false);
        check("file::/etc", "other", None, false);
    }

    #[test]
    fn exact_versions() {
        for version in ["1.2.3", "= 1.2.3", " =1.2.3-rc1 ", "v1.2.3"] {
            assert!(is_exact(version), "{version}");
        }
        for version in
            ["", "1.2", "~> 1.2.3", ">= 1.2.3", "1.2.3, < 2", "= 1.2.3 , = 1.2.3", "!= 1.2.3"]
        {
            assert!(!is_exact(version), "{version}");
        }
    }

    #[test]
    fn relative_directories() {
        let to = |from, source| directory(from, source);
        assert_eq!(to("tf/production", "../modules/vpc").as_deref(), Some("tf/modules/vpc"));
        assert_eq!(to("tf", "../a/.//b/").as_deref(), Some("a/b"));
        assert_eq!(to("", "./a").as_deref(), Some("a"));
        assert_eq!(to("tf", "..").as_deref(), Some(""));
        assert_eq!(to("tf", "../.."), None);
        assert_eq!(to("tf", "../../tf/a"), None);
    }
}

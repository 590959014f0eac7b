//! The environment variables that Terraform gets.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// What passes as it is: where programs, files and certificates are, and how the network is reached.
const PASSED: &[&str] = &[
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "LANG",
    "LC_ALL",
    "NETRC",
    "NO_PROXY",
    "PATH",
    "SSH_AUTH_SOCK",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_CONFIG_HOME",
    "https_proxy",
    "http_proxy",
    "no_proxy",
];

/// What passes by its beginning: credentials and settings that backends and providers read.
const PASSED_PREFIXES: &[&str] = &["AWS_", "GIT_", "PG"];

/// Returns the variables of a parent that Terraform gets, with the ones that make it run unattended.
///
/// No `TF_…` passes, since each of them changes what a command means, but `TF_CLI_CONFIG_FILE` where that file exists: it may
/// say where plugins come from, and Terraform warns at every call about one that is missing.
pub fn closed_environment(
    parent: impl IntoIterator<Item = (OsString, OsString)>,
) -> BTreeMap<OsString, OsString> {
    let mut environment: BTreeMap<OsString, OsString> =
        parent.into_iter().filter(|(name, value)| passes(name, value)).collect();
    for (name, value) in [("CHECKPOINT_DISABLE", "1"), ("TF_IN_AUTOMATION", "1"), ("TF_INPUT", "0")]
    {
        environment.insert(name.into(), value.into());
    }
    environment
}

fn passes(name: &OsStr, value: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    if name == "TF_CLI_CONFIG_FILE" {
        return Path::new(value).is_file();
    }
    PASSED.contains(&name) || PASSED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, value: &str, expected: bool) {
        let environment = closed_environment([(name.into(), value.into())]);
        assert_eq!(
            environment.get(OsStr::new(name)).is_some_and(|passed| passed == value),
            expected,
            "{name}"
        );
    }

    #[test]
    fn only_what_is_listed_passes() {
        check("PATH", "/bin", true);
        check("AWS_PROFILE", "dev", true);
        check("PGPASSWORD", "x", true);
        check("TF_CLI_ARGS_plan", "-destroy", false);
        check("TF_WORKSPACE", "other", false);
        check("TF_VAR_image", "x", false);
        check("TF_LOG", "trace", false);
        check("TF_REATTACH_PROVIDERS", "{}", false);
        check("TF_INPUT", "1", false);
        check("GITHUB_TOKEN", "x", false);
        check("TF_CLI_CONFIG_FILE", "/does/not/exist", false);
    }

    #[test]
    fn an_existing_configuration_file_passes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        check("TF_CLI_CONFIG_FILE", file.path().to_str().unwrap(), true);
    }

    #[test]
    fn it_runs_unattended() {
        let environment = closed_environment([]);
        insta::assert_debug_snapshot!(environment, @r#"
        {
            "CHECKPOINT_DISABLE": "1",
            "TF_INPUT": "0",
            "TF_IN_AUTOMATION": "1",
        }
        "#);
    }
}

//! The rules of a commit, which gate in the place of those that are here.

use anyhow::Context as _;
use menagerie_lifecycle::{Committed, GitError, Repository};
use serde_json::json;

use super::handover::hand_over;
use super::policy::OURS;
use super::program::Call;
use crate::exit;
use crate::report::Problem;

/// Reads the rules of a commit, and hands them over.
pub(super) fn tell(
    call: &mut Call,
    repository: &Repository,
    reference: &str,
) -> anyhow::Result<()> {
    let committed = repository.git().committed(reference, OURS).map_err(|error| match error {
        GitError::NoCommit(_) => Problem::new(exit::NOT_FOUND, error.to_string())
            .hint(
                "fetch it first; a checkout of one commit has no other: `git fetch origin BRANCH`",
            )
            .into(),
        error => anyhow::Error::new(error).context("failed to read the rules of a commit"),
    })?;
    if committed.files.is_empty() {
        let message = format!("`{}` has no `{OURS}`", reference.escape_debug());
        let problem = Problem::new(exit::NOTHING_EVALUATED, message);
        return Err(problem.hint("without `--base` the rules of this checkout gate").into());
    }
    let text = document(reference, &committed);
    call.option("--base", hand_over(text.as_bytes()).context("failed to hand the rules over")?);
    Ok(())
}

fn document(reference: &str, committed: &Committed) -> String {
    let files: serde_json::Map<String, serde_json::Value> = committed
        .files
        .iter()
        // What is no text is told by who reads it.
        .map(|(path, bytes)| (path.clone(), str::from_utf8(bytes).ok().into()))
        .collect();
    json!({"reference": reference, "commit": committed.commit, "name": OURS, "files": files})
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_none() {
        let files = [("a.toml".to_owned(), b"a = 1".to_vec()), ("b".to_owned(), vec![0xff])];
        let committed = Committed { commit: "0123".to_owned(), files: files.into() };
        assert_eq!(
            document("main", &committed),
            r#"{"commit":"0123","files":{"a.toml":"a = 1","b":null},"name":"tf/compliance","reference":"main"}"#
        );
    }
}

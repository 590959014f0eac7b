//! A repository in which environments really run; what runs for it ends with it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use duct::Expression;

/// A repository with the tree of ours and the sample application, built.
#[derive(Debug)]
pub(crate) struct Repository {
    root: PathBuf,
    xtask: PathBuf,
    provider: PathBuf,
    variables: BTreeMap<OsString, OsString>,
}

impl Repository {
    /// Makes it in an empty directory.
    pub(crate) fn make(
        root: PathBuf,
        source: &Path,
        xtask: &Path,
        (provider, application): (&Path, &Path),
        variables: &BTreeMap<OsString, OsString>,
    ) -> anyhow::Result<Self> {
        copy(&source.join("tf"), &root.join("tf"), &["envs", ".terraform"])?;
        fs::create_dir(root.join("bin"))?;
        symlink(application, root.join("bin/sample-app"))?;
        let configuration =
            "[application]\nrun = [\"bin/sample-app\"]\nhealth_check_path = \"/readyz\"\n";
        fs::write(root.join("menagerie.toml"), configuration)?;
        let mut variables = variables.clone();
        variables.insert("MENAGERIE_PROVIDER".into(), provider.into());
        let (xtask, provider) = (xtask.to_owned(), provider.to_owned());
        let repository = Self { root, xtask, provider, variables };
        for arguments in [
            &["init", "--quiet", "--initial-branch=main"][..],
            &["config", "user.email", "ada@example.com"],
            &["config", "user.name", "Ada"],
            &["add", "--all"],
            &["commit", "--quiet", "--message=Start"],
        ] {
            duct::cmd("git", arguments)
                .dir(&repository.root)
                .full_env(&repository.variables)
                .run()?;
        }
        Ok(repository)
    }

    /// Runs `xtask env …`, which must succeed, and returns what it printed.
    pub(crate) fn env(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let command = duct::cmd(&self.xtask, [&["env"], arguments].concat());
        let shown = format!("xtask env {}", arguments.join(" "));
        output(&shown, &command.dir(&self.root).full_env(&self.variables))
    }

    /// Returns the journal of an environment.
    pub(crate) fn journal(&self, name: &str) -> anyhow::Result<String> {
        let path = self.root.join(".git/menagerie/journals").join(format!("{name}.jsonl"));
        fs::read_to_string(&path).with_context(|| format!("failed to read `{}`", path.display()))
    }

    /// Returns the kind of database that an environment has, by its state.
    pub(crate) fn database(&self, name: &str) -> anyhow::Result<&'static str> {
        let path = self.root.join(".git/menagerie/envs").join(name).join("terraform.tfstate");
        let state = fs::read_to_string(&path)
            .with_context(|| format!("failed to read `{}`", path.display()))?;
        Ok(if state.contains(r#""engine": "postgres""#) { "PostgreSQL" } else { "SQLite" })
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        let environments = fs::read_dir(self.root.join(".git/menagerie/envs"));
        for entry in environments.into_iter().flatten().flatten() {
            // Nothing more can be done about one that does not end.
            let _ = duct::cmd!(&self.provider, "down", "--dir", entry.path().join("local"))
                .stdout_null()
                .stderr_null()
                .unchecked()
                .run();
        }
    }
}

/// Runs a command, which must succeed, and returns what it printed; its error is what it said.
pub(crate) fn output(shown: &str, command: &Expression) -> anyhow::Result<String> {
    let output = command
        .stdin_null()
        .stdout_capture()
        .stderr_capture()
        .unchecked()
        .run()
        .with_context(|| format!("failed to start `{shown}`"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    anyhow::bail!(
        "`{shown}` failed with {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim_end()
    )
}

fn copy(from: &Path, to: &Path, skip: &[&str]) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in
        fs::read_dir(from).with_context(|| format!("failed to read `{}`", from.display()))?
    {
        let entry = entry?;
        let name = entry.file_name();
        if skip.iter().any(|skipped| name == *skipped) {
            continue;
        }
        let target = to.join(name);
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target, skip)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

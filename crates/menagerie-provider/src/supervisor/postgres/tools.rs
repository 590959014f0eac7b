//! PostgreSQL's own tools for backup and restore, run against the living server.

use super::{PostgresError, Server, USERNAME, describe};
use crate::{
    file,
    launch::{Launch, launch},
    log, record,
};
use rustix::process::Signal;
use std::{collections::BTreeMap, fs, path::Path, time::Duration};
use tokio::time::timeout;

/// As long as the largest database may take.
const LONGEST: Duration = Duration::from_hours(5);

/// Names that no database of ours can have: ours hold no underscore.
const RESTORING: &str = "menagerie_restoring";
const BEFORE: &str = "menagerie_before";

impl Server {
    /// Writes all that the database holds into a file.
    pub(crate) async fn dump(&self, output: &Path) -> Result<(), PostgresError> {
        let output = super::text(output);
        let arguments = [
            "--format=custom",
            "--no-owner",
            "--no-password",
            // Whoever alters a table all the time should not keep us waiting for ever.
            "--lock-wait-timeout=60000",
            "--file",
            &output,
            "--dbname",
            self.record.name.as_str(),
        ];
        self.run("pg_dump", &arguments).await
    }

    /// Restores a dump into a database of its own; the living one is not touched.
    pub(crate) async fn load(&self, input: &Path) -> Result<(), PostgresError> {
        self.sql(&format!("DROP DATABASE IF EXISTS {RESTORING} WITH (FORCE)")).await?;
        self.sql(&format!("CREATE DATABASE {RESTORING} TEMPLATE template0")).await?;
        let input = super::text(input);
        let arguments = [
            "--exit-on-error",
            "--single-transaction",
            "--no-owner",
            "--no-password",
            "--dbname",
            RESTORING,
            &input,
        ];
        let loaded = self.run("pg_restore", &arguments).await;
        if loaded.is_err() {
            // The failure's own reason is the one to tell; the next restore removes it too.
            let _ = self.sql(&format!("DROP DATABASE IF EXISTS {RESTORING} WITH (FORCE)")).await;
        }
        loaded
    }

    /// Puts what was loaded in the place of the database, in one transaction.
    pub(crate) async fn swap(&self) -> Result<(), PostgresError> {
        let name = &self.record.name;
        self.sql(&format!("DROP DATABASE IF EXISTS {BEFORE} WITH (FORCE)")).await?;
        // `psql` sends all of it as one transaction, and the renames wait for the ended connections.
        self.sql(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'; \
             ALTER DATABASE \"{name}\" RENAME TO {BEFORE}; \
             ALTER DATABASE {RESTORING} RENAME TO \"{name}\""
        ))
        .await?;
        if let Err(error) =
            self.sql(&format!("DROP DATABASE IF EXISTS {BEFORE} WITH (FORCE)")).await
        {
            // It is restored; what it held before only takes up space, until the next time.
            crate::supervisor::say(&crate::report::chain(&error));
        }
        Ok(())
    }

    async fn sql(&self, statements: &str) -> Result<(), PostgresError> {
        let arguments = [
            "--no-psqlrc",
            "--quiet",
            "--no-password",
            "--set=ON_ERROR_STOP=1",
            "--dbname=postgres",
            "--command",
            statements,
        ];
        self.run("psql", &arguments).await
    }

    /// Runs a tool to its end.
    async fn run(&self, program: &'static str, arguments: &[&str]) -> Result<(), PostgresError> {
        let path = self.binaries.program(program);
        if !Path::new(&path).is_file() {
            return Err(PostgresError::NoTool { path: path.into() });
        }
        let url_path = self.layout.url(&self.record);
        let url = fs::read_to_string(&url_path)
            .map_err(|source| PostgresError::Prepare { path: url_path.clone(), source })?;
        let log_path = self.layout.tool_log();
        file::remove(&log_path)
            .map_err(|source| PostgresError::Prepare { path: log_path.clone(), source })?;
        let order = Launch {
            program: path,
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            environment: BTreeMap::from([
                ("LC_ALL".to_owned(), "C".to_owned()),
                ("PATH".to_owned(), self.path.clone()),
                ("PGCONNECT_TIMEOUT".to_owned(), "10".to_owned()),
                ("PGHOST".to_owned(), "127.0.0.1".to_owned()),
                ("PGPORT".to_owned(), self.port.to_string()),
                ("PGUSER".to_owned(), USERNAME.to_owned()),
                ("PGPASSWORD".to_owned(), password(&url).to_owned()),
            ]),
            directory: self.layout.directory.clone(),
            log: log_path.clone(),
            record: self.layout.tool(),
            input: None,
            account: None,
        };
        let supervisor = self.supervisor.clone();
        let mut launched = crate::supervisor::blocking(move || launch(&order, &supervisor)).await?;
        let end = timeout(LONGEST, launched.exit.wait_for(Option::is_some)).await;
        let status = end.ok().and_then(Result::ok).and_then(|status| *status);
        let identity = launched.identity.clone();
        let ended = crate::supervisor::blocking(move || {
            identity.end_group(Signal::TERM, Duration::from_secs(2))
        });
        if ended.await.is_ok() {
            record::remove(&self.layout.tool())?;
        }
        let log = log::tail(&log_path, 20);
        let _ = file::remove(&log_path);
        match status {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(PostgresError::Ended { program, how: describe(status), log }),
            None => {
                let how = format!("took longer than {} hours", LONGEST.as_secs() / 3600);
                Err(PostgresError::Ended { program, how, log })
            }
        }
    }
}

/// Returns the password of a URL that we wrote.
fn password(url: &str) -> &str {
    let credentials = url.trim().strip_prefix("postgres://").and_then(|rest| rest.split_once('@'));
    credentials.and_then(|(user, _)| user.split_once(':')).map_or("", |(_, password)| password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_of_our_urls() {
        assert_eq!(password("postgres://menagerie:s3cret@127.0.0.1:5/main\n"), "s3cret");
        assert_eq!(password("sqlite:///x"), "");
    }
}

//! The entries of the guestbook, in PostgreSQL or SQLite.

use std::borrow::Cow;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use serde::Serialize;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};
use sqlx::{Row as _, SqlSafeStr as _};

/// Many environments share one machine, and each PostgreSQL of theirs takes few connections.
const CONNECTIONS: u32 = 4;

/// How long the database may take to come up beside the application.
const PATIENCE: Duration = Duration::from_secs(15);

/// A database of either kind.
#[derive(Clone)]
pub(crate) enum Database {
    Postgres(PgPool),
    Sqlite(SqlitePool),
}

/// One entry of the guestbook.
#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) message: String,
    pub(crate) written: Timestamp,
}

impl Database {
    /// Connects, waiting for a database that is just starting, and brings its tables up to date.
    pub(crate) async fn open(url: &str) -> anyhow::Result<Self> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            match Self::connect(url).await {
                Ok(database) => return Ok(database),
                Err(error) if tokio::time::Instant::now() >= deadline => return Err(error),
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    async fn connect(url: &str) -> anyhow::Result<Self> {
        let database = if url.starts_with("sqlite:") {
            let options: SqliteConnectOptions =
                url.parse().context("DATABASE_URL is no SQLite URL")?;
            let options = options
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .busy_timeout(Duration::from_secs(5));
            let pool =
                SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await;
            Self::Sqlite(pool.context("failed to open the SQLite database")?)
        } else {
            let options: PgConnectOptions =
                url.parse().context("DATABASE_URL is no PostgreSQL URL")?;
            let place = format!("{}:{}", options.get_host(), options.get_port());
            let pool = PgPoolOptions::new()
                .max_connections(CONNECTIONS)
                .acquire_timeout(Duration::from_secs(5))
                .connect_with(options)
                .await;
            Self::Postgres(
                pool.with_context(|| format!("failed to connect to PostgreSQL at {place}"))?,
            )
        };
        database.migrate().await.context("failed to bring the tables up to date")?;
        Ok(database)
    }

    /// Runs the migrations that are missing. PostgreSQL lets one replica do it at a time; SQLite has a lock on its file.
    async fn migrate(&self) -> Result<(), sqlx::migrate::MigrateError> {
        match self {
            Self::Postgres(pool) => {
                migrator(include_str!("../migrations/postgres/0001_entry.sql")).run(pool).await
            }
            Self::Sqlite(pool) => {
                migrator(include_str!("../migrations/sqlite/0001_entry.sql")).run(pool).await
            }
        }
    }

    /// Returns whether the database answers.
    pub(crate) async fn answers(&self) -> bool {
        let asked = async {
            match self {
                Self::Postgres(pool) => sqlx::query("SELECT 1").execute(pool).await.map(drop),
                Self::Sqlite(pool) => sqlx::query("SELECT 1").execute(pool).await.map(drop),
            }
        };
        matches!(tokio::time::timeout(Duration::from_secs(2), asked).await, Ok(Ok(())))
    }

    /// Writes an entry and returns it.
    pub(crate) async fn add(&self, name: &str, message: &str) -> Result<Entry, sqlx::Error> {
        const INSERT: &str =
            "INSERT INTO entry (name, message, written) VALUES ($1, $2, $3) RETURNING id";
        let written = Timestamp::now().as_second();
        let id = match self {
            Self::Postgres(pool) => {
                sqlx::query_scalar(INSERT)
                    .bind(name)
                    .bind(message)
                    .bind(written)
                    .fetch_one(pool)
                    .await?
            }
            Self::Sqlite(pool) => {
                sqlx::query_scalar(INSERT)
                    .bind(name)
                    .bind(message)
                    .bind(written)
                    .fetch_one(pool)
                    .await?
            }
        };
        Ok(Entry { id, name: name.to_owned(), message: message.to_owned(), written: at(written) })
    }

    /// Returns the newest entries, the newest first.
    pub(crate) async fn newest(&self, limit: i64) -> Result<Vec<Entry>, sqlx::Error> {
        const SELECT: &str =
            "SELECT id, name, message, written FROM entry ORDER BY id DESC LIMIT $1";
        macro_rules! fetch {
            ($pool:expr) => {
                sqlx::query(SELECT)
                    .bind(limit)
                    .fetch_all($pool)
                    .await?
                    .iter()
                    .map(|row| {
                        let written: i64 = row.try_get("written")?;
                        Ok(Entry {
                            id: row.try_get("id")?,
                            name: row.try_get("name")?,
                            message: row.try_get("message")?,
                            written: at(written),
                        })
                    })
                    .collect()
            };
        }
        match self {
            Self::Postgres(pool) => fetch!(pool),
            Self::Sqlite(pool) => fetch!(pool),
        }
    }

    /// Closes all connections.
    pub(crate) async fn close(&self) {
        match self {
            Self::Postgres(pool) => pool.close().await,
            Self::Sqlite(pool) => pool.close().await,
        }
    }
}

fn migrator(first: &'static str) -> Migrator {
    let first =
        Migration::new(1, "entry".into(), MigrationType::Simple, first.into_sql_str(), false);
    Migrator { migrations: Cow::Owned(vec![first]), ..Migrator::DEFAULT }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or_default()
}

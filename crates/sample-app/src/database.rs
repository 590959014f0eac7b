//! The entries of the guestbook, in PostgreSQL or SQLite.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
};
use sqlx::{
    ColumnIndex, ConnectOptions as _, Connection as _, Decode, FromRow, Row, SqlSafeStr as _, Type,
};
use tokio::time::{Instant, sleep, timeout};

use crate::log::{Log, chain};
use crate::settings::{Level, Place};

/// Many environments share one machine, and each PostgreSQL of theirs takes few connections.
const CONNECTIONS: u32 = 5;

/// How long a request waits for one of them.
const ACQUIRE: Duration = Duration::from_secs(3);

/// How long one attempt to connect may take, and how long the database may take to come up beside the application.
const ATTEMPT: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(10);

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
    pub(crate) async fn open(place: &Place, log: &Log) -> anyhow::Result<Self> {
        let deadline = Instant::now() + PATIENCE;
        let mut is_told = false;
        loop {
            match Self::connect(place).await {
                Err(error) if passes(&error) && Instant::now() < deadline => {
                    if !is_told {
                        let fields = json!({ "error": chain(&error) });
                        log.line(Level::Info, "waiting for the database", fields);
                        is_told = true;
                    }
                    sleep(Duration::from_millis(100)).await;
                }
                done => return done,
            }
        }
    }

    /// Tries once, on a connection of its own: a pool would answer "timed out" where this says why.
    async fn connect(place: &Place) -> anyhow::Result<Self> {
        // Neither error may show the URL, for it may hold a password.
        if let Place::Url(url) = place
            && url.starts_with("sqlite:")
        {
            let options: SqliteConnectOptions = url.parse().context(
                "failed to read DATABASE_URL: give it the form `sqlite:///path/to/file`",
            )?;
            let options = options
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .busy_timeout(Duration::from_secs(5));
            let path = options.get_filename().to_owned();
            let file = path.display();
            let mut connection = options.connect().await.with_context(|| {
                format!("failed to open `{file}`: its directory must exist and be writable")
            })?;
            migrate_sqlite(&mut connection)
                .await
                .with_context(|| format!("failed to bring the tables of `{file}` up to date"))?;
            let opened = identity(&path);
            let pool = SqlitePoolOptions::new()
                .max_connections(CONNECTIONS)
                .acquire_timeout(ACQUIRE)
                // SQLite goes on with a file that was removed or replaced, and what it writes there is lost.
                .before_acquire(move |_, _| {
                    let is_same = identity(&path) == opened;
                    Box::pin(async move { Ok(is_same) })
                })
                // The file that is there instead may be empty.
                .after_connect(|connection, _| Box::pin(migrate_sqlite(connection)));
            Ok(Self::Sqlite(pool.connect_lazy_with(options.create_if_missing(false))))
        } else {
            let options = match place {
                Place::Url(url) => url.parse().context(
                    "failed to read DATABASE_URL: give it the form `postgres://user:password@host:5432/database`",
                )?,
                Place::Variables => PgConnectOptions::new(),
            };
            let place = format!("PostgreSQL at `{}:{}`", options.get_host(), options.get_port());
            let mut connection = timeout(ATTEMPT, options.connect())
                .await
                .unwrap_or(Err(sqlx::Error::PoolTimedOut))
                .with_context(|| {
                    format!(
                        "failed to connect to {place}: is it running, and is DATABASE_URL, or are PGUSER and the like, right?"
                    )
                })?;
            // Takes PostgreSQL's advisory lock: one replica at a time.
            migrator(include_str!("../migrations/postgres/0001_entry.sql"))
                .run(&mut connection)
                .await
                .with_context(|| format!("failed to bring the tables of {place} up to date"))?;
            let pool = PgPoolOptions::new().max_connections(CONNECTIONS);
            Ok(Self::Postgres(pool.acquire_timeout(ACQUIRE).connect_lazy_with(options)))
        }
    }

    /// Returns the name that OpenTelemetry gives to this kind of database.
    pub(crate) fn system(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "postgresql",
            Self::Sqlite(_) => "sqlite",
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
        matches!(timeout(Duration::from_secs(2), asked).await, Ok(Ok(())))
    }

    /// Writes an entry and returns it.
    pub(crate) async fn add(&self, name: &str, message: &str) -> Result<Entry, sqlx::Error> {
        const INSERT: &str = "INSERT INTO entry (name, message, written) VALUES ($1, $2, $3) \
            RETURNING id, name, message, written";
        let written = Timestamp::now().as_second();
        match self {
            Self::Postgres(pool) => {
                let query = sqlx::query_as(INSERT).bind(name).bind(message).bind(written);
                query.fetch_one(pool).await
            }
            Self::Sqlite(pool) => {
                let query = sqlx::query_as(INSERT).bind(name).bind(message).bind(written);
                query.fetch_one(pool).await
            }
        }
    }

    /// Returns the newest entries, the newest first.
    pub(crate) async fn newest(&self, limit: i64) -> Result<Vec<Entry>, sqlx::Error> {
        const SELECT: &str =
            "SELECT id, name, message, written FROM entry ORDER BY id DESC LIMIT $1";
        match self {
            Self::Postgres(pool) => sqlx::query_as(SELECT).bind(limit).fetch_all(pool).await,
            Self::Sqlite(pool) => sqlx::query_as(SELECT).bind(limit).fetch_all(pool).await,
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

impl<'r, R: Row> FromRow<'r, R> for Entry
where
    &'static str: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    String: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        let written = Timestamp::from_second(row.try_get("written")?);
        Ok(Self {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            message: row.try_get("message")?,
            written: written.map_err(|error| sqlx::Error::Decode(error.into()))?,
        })
    }
}

/// Returns the migrations, of which there is one. sqlx's macro that reads a directory would cost a build its procedural macros.
fn migrator(first: &'static str) -> Migrator {
    let first =
        Migration::new(1, "entry".into(), MigrationType::Simple, first.into_sql_str(), false);
    Migrator::with_migrations(vec![first])
}

/// Brings the tables up to date. SQLite's migrations take no lock of their own, and two replicas may start at once.
async fn migrate_sqlite(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let migrator = migrator(include_str!("../migrations/sqlite/0001_entry.sql"));
    // As `run` does, whose future rustc does not believe to be `Send`.
    migrator.run_direct(None, &mut *transaction, false).await?;
    transaction.commit().await
}

/// Returns what tells a file from another one of the same path.
fn identity(path: &Path) -> Option<(u64, u64)> {
    path.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Returns whether what failed may be well in a moment: nobody listens yet, or the file is locked. A wrong password is not so.
fn passes(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref()).any(|error| match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => true,
        // PostgreSQL's `cannot_connect_now` and `too_many_connections`, <https://www.postgresql.org/docs/current/errcodes-appendix.html>;
        // SQLITE_BUSY and its extended codes, <https://www.sqlite.org/rescode.html#busy>.
        sqlx::Error::Database(error) => {
            matches!(error.code().as_deref(), Some("57P03" | "53300" | "5" | "261" | "517" | "773"))
        }
        _ => false,
    })
}

//! What the application is told by its environment: read once, at the start.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};

use anyhow::{Context as _, bail};

/// The settings of one process.
pub(crate) struct Settings {
    /// Where it listens; port 0 takes any that is free.
    pub(crate) address: SocketAddr,
    /// Where its data is.
    pub(crate) database: Place,
    /// The name of the environment it runs in.
    pub(crate) environment: String,
    /// The least important level that is logged.
    pub(crate) log_level: Level,
    /// Where traces are sent.
    pub(crate) traces_endpoint: Option<String>,
    /// What its traces say of where they come from.
    pub(crate) resource: BTreeMap<String, String>,
    /// How many times as long as it takes by itself each request takes: a fault to be found by those who measure.
    pub(crate) slowdown: f64,
}

/// Where the data of a process is.
pub(crate) enum Place {
    /// `postgres://…` or `sqlite:///…`. Holds a password: never shown.
    Url(String),
    /// PostgreSQL, as the variables of its own programs say: <https://www.postgresql.org/docs/current/libpq-envars.html>.
    Variables,
}

/// The largest slowdown.
const SLOWEST: f64 = 100.0;

/// How important a line of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl Settings {
    /// Reads the settings out of environment variables.
    pub(crate) fn read(variables: impl Iterator<Item = (String, String)>) -> anyhow::Result<Self> {
        let variables: HashMap<String, String> =
            variables.filter(|(_, value)| !value.is_empty()).collect();
        let get = |name: &str| variables.get(name).map(String::as_str);
        let host: IpAddr = get("HOST").unwrap_or("127.0.0.1").parse().context(
            "HOST is not an IP address: give it `127.0.0.1` for this machine alone, or `0.0.0.0`",
        )?;
        let port = get("PORT").unwrap_or("8080");
        let Ok(port) = port.parse() else {
            bail!("PORT is `{port}`, and not a number from 0 to 65535 (0 takes any that is free)")
        };
        let database = match get("DATABASE_URL") {
            Some(url) => Place::Url(database_url(url)?),
            None => database_variables(&get)?,
        };
        let log_level = match get("LOG_LEVEL").unwrap_or("info").to_ascii_lowercase().as_str() {
            "debug" => Level::Debug,
            "info" => Level::Info,
            "warn" => Level::Warn,
            "error" => Level::Error,
            other => bail!("LOG_LEVEL is `{other}`, and not one of debug, info, warn, error"),
        };
        let traces_endpoint = get("OTEL_EXPORTER_OTLP_ENDPOINT");
        if traces_endpoint.is_some_and(|url| !url.starts_with("http://") || url.contains('@')) {
            // There is no TLS in here, as a collector stands beside its application, and so no place for a password.
            bail!("OTEL_EXPORTER_OTLP_ENDPOINT is not of the form `http://host:4318`")
        }
        let slowdown = get("SLOWDOWN").unwrap_or("1");
        let Some(slowdown) =
            slowdown.parse().ok().filter(|factor| (1.0..=SLOWEST).contains(factor))
        else {
            bail!("SLOWDOWN is `{slowdown}`, and not a number from 1 to {SLOWEST}, such as 1.2")
        };
        let environment = environment(variables.clone().into_iter());
        Ok(Self {
            resource: resource(&environment, &get),
            slowdown,
            address: SocketAddr::new(host, port),
            database,
            log_level,
            traces_endpoint: traces_endpoint.map(|url| url.trim_end_matches('/').to_owned()),
            environment,
        })
    }
}

fn database_url(url: &str) -> anyhow::Result<String> {
    if !["postgres://", "postgresql://", "sqlite:"].iter().any(|scheme| url.starts_with(scheme)) {
        // The value itself may hold a password.
        bail!("DATABASE_URL begins neither with `postgres://` nor with `sqlite:`")
    }
    let user = ["postgres://", "postgresql://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme)?.rsplit_once('@'));
    if user.is_some_and(|(user, _)| user.contains(['/', '?', '#'])) {
        // What follows would be taken for the host, the port or the database, and be shown in errors.
        bail!(
            "DATABASE_URL has `/`, `?` or `#` before its `@`: in a password they are written `%2F`, `%3F` and `%23`"
        )
    }
    Ok(url.to_owned())
}

/// Checks what sqlx would take for something else without a word.
fn database_variables<'a>(get: &impl Fn(&str) -> Option<&'a str>) -> anyhow::Result<Place> {
    if get("PGHOST").is_none() {
        bail!(
            "DATABASE_URL is not set: give it `postgres://user:password@host/database` or `sqlite:///path`, or set PGHOST and PostgreSQL's other variables"
        )
    }
    if let Some(port) = get("PGPORT").filter(|port| port.parse::<u16>().is_err()) {
        bail!("PGPORT is `{port}`, and not a number from 1 to 65535")
    }
    match get("PGSSLMODE").unwrap_or("prefer") {
        "disable" | "allow" | "prefer" => {}
        mode @ ("require" | "verify-ca" | "verify-full") => {
            if !cfg!(feature = "tls") {
                bail!(
                    "PGSSLMODE is `{mode}`, and there is no TLS in this program: build it with `--features tls`, as its image is"
                )
            }
        }
        other => bail!(
            "PGSSLMODE is `{other}`, and not one of disable, allow, prefer, require, verify-ca, verify-full"
        ),
    }
    Ok(Place::Variables)
}

/// Returns the attributes of all its telemetry, by the variables of OpenTelemetry:
/// <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>.
fn resource<'a>(
    environment: &str,
    get: &impl Fn(&str) -> Option<&'a str>,
) -> BTreeMap<String, String> {
    let mut resource = BTreeMap::from(
        [
            ("service.name", env!("CARGO_PKG_NAME")),
            ("service.version", env!("CARGO_PKG_VERSION")),
            ("deployment.environment.name", environment),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned())),
    );
    let told = get("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    resource.extend(told.split(',').filter_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        Some((decoded(key.trim()), decoded(value.trim())))
    }));
    if let Some(name) = get("OTEL_SERVICE_NAME") {
        resource.insert("service.name".to_owned(), name.to_owned());
    }
    resource
}

/// Decodes what is percent-encoded; what is not well-formed stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).filter(|_| *first == b'%');
        let code =
            code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// Returns the name of the environment: known also where the other settings are wrong.
pub(crate) fn environment(mut variables: impl Iterator<Item = (String, String)>) -> String {
    let found =
        variables.find(|(name, value)| name == "MENAGERIE_ENVIRONMENT" && !value.is_empty());
    found.map_or_else(|| "development".to_owned(), |(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(variables: &[(&str, &str)], expected: &str) {
        let variables =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let text = match Settings::read(variables) {
            Ok(settings) => format!("{} {}", settings.address, settings.environment),
            Err(error) => error.to_string(),
        };
        assert!(text.contains(expected), "`{text}` does not contain `{expected}`");
    }

    #[test]
    fn telemetry_says_where_it_comes_from() {
        let read = |variables: &[(&str, &str)]| {
            let all = variables.iter().chain(&[("DATABASE_URL", "sqlite:///a")]);
            let all = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let resource = Settings::read(all).unwrap().resource;
            let get = |key: &str| resource.get(key).cloned().unwrap_or_default();
            [get("service.name"), get("deployment.environment.name"), get("service.instance.id")]
        };
        assert_eq!(read(&[]), ["sample-app", "development", ""]);
        let told = "deployment.environment.name=calm-otter, service.instance.id=web%2F0,service.name=no,%zz,a";
        let variables = [("OTEL_RESOURCE_ATTRIBUTES", told), ("OTEL_SERVICE_NAME", "web")];
        assert_eq!(read(&variables), ["web", "calm-otter", "web/0"]);
        assert_eq!(decoded("100%, %e2%82%ac %ff"), "100%, %e2%82%ac %ff", "not UTF-8");
        assert_eq!(decoded("100% %e2%82%ac%2"), "100% €%2");
    }

    #[test]
    fn what_is_missing_or_wrong_is_told() {
        let url = ("DATABASE_URL", "sqlite:///tmp/a");
        check(&[url], "127.0.0.1:8080 development");
        check(
            &[url, ("HOST", "::1"), ("PORT", "0"), ("MENAGERIE_ENVIRONMENT", "calm-otter")],
            "[::1]:0 calm-otter",
        );
        check(&[], "DATABASE_URL is not set");
        check(&[("DATABASE_URL", "")], "DATABASE_URL is not set");
        check(&[url, ("PORT", "99999")], "PORT is `99999`");
        check(&[url, ("HOST", "localhost")], "HOST is not an IP address");
        check(&[url, ("LOG_LEVEL", "loud")], "LOG_LEVEL is `loud`");
        check(&[url, ("LOG_LEVEL", "WARN")], "127.0.0.1:8080");
        check(
            &[url, ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4318")],
            "OTEL_EXPORTER_OTLP_ENDPOINT is not of the form",
        );
        check(
            &[url, ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://u:secret@collector:4318")],
            "OTEL_EXPORTER_OTLP_ENDPOINT is not of the form",
        );
        for slowdown in ["0.9", "101", "NaN", "inf", "fast", "-2"] {
            check(&[url, ("SLOWDOWN", slowdown)], &format!("SLOWDOWN is `{slowdown}`"));
        }
        check(&[url, ("SLOWDOWN", "1.2")], "127.0.0.1:8080");
        for password in ["12/secret", "12?secret", "12#secret"] {
            let url = format!("postgres://u:{password}@h/d");
            check(&[("DATABASE_URL", &url)], "DATABASE_URL has `/`, `?` or `#` before its `@`");
        }
        check(&[("DATABASE_URL", "sqlite:///a/b@c")], "127.0.0.1:8080");
        check(&[("DATABASE_URL", "postgres://u:12%2Fsecret@h/d")], "127.0.0.1:8080");
        check(&[("DATABASE_URL", "mysql://u:secret@h/d")], "begins neither");
    }

    #[test]
    fn the_variables_of_postgresql() {
        let host = ("PGHOST", "db.example");
        check(&[host], "127.0.0.1:8080");
        check(&[("PGDATABASE", "d")], "or set PGHOST");
        check(&[host, ("PGPORT", "5433")], "127.0.0.1:8080");
        check(&[host, ("PGPORT", "x")], "PGPORT is `x`");
        check(&[host, ("PGSSLMODE", "required")], "PGSSLMODE is `required`");
        let secure = if cfg!(feature = "tls") { "127.0.0.1:8080" } else { "there is no TLS" };
        for mode in ["require", "verify-ca", "verify-full"] {
            check(&[host, ("PGSSLMODE", mode)], secure);
        }
        // A URL is more than variables that happen to be there.
        check(&[host, ("PGPORT", "x"), ("DATABASE_URL", "sqlite:///a")], "127.0.0.1:8080");
    }
}

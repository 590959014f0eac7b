//! `env open`.

use clap::Args;
use jiff::Timestamp;
use menagerie_lifecycle::{Entry, Phase};
use menagerie_naming::EnvName;

use crate::env::name;
use crate::exit;
use crate::output;
use crate::report::Problem;
use crate::session;
use crate::surroundings;

/// Open an environment's URL in the browser; where there is none, print it
#[derive(Debug, Args)]
pub(crate) struct Open {
    /// The environment
    #[arg(value_parser = name::parse)]
    name: EnvName,

    /// Print the URL and open nothing
    #[arg(long)]
    print: bool,
}

impl Open {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let repository = session::repository()?;
        let entry = menagerie_lifecycle::find(&repository, &self.name, Timestamp::now())?;
        let url = url(&entry)?;
        if !self.print && opens(url) {
            output::say(&format!("opened {url}"));
            return Ok(());
        }
        output::print(&format!("{url}\n"))
    }
}

/// Returns where an environment answers.
pub(crate) fn url(entry: &Entry) -> Result<&str, Problem> {
    let name = &entry.name;
    let is_wanted = matches!(entry.phase, Phase::Wanted | Phase::Deployed);
    // What is on its way out may still have one in its state, and nobody should go there.
    let Some(url) = entry.url.as_deref().filter(|_| is_wanted) else {
        let problem =
            Problem::new(exit::FAILED, format!("`{name}` has no URL: it is {}", entry.phase));
        return Err(if is_wanted {
            problem.hint(format!("`cargo xtask env up {name}` starts it"))
        } else {
            problem
        });
    };
    // It is an output of a root module that anyone may have edited; an opener opens files and starts programs too.
    if !["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err(Problem::new(
            exit::FAILED,
            format!("the URL of `{name}` is no web address: `{}`", url.escape_debug()),
        ));
    }
    Ok(url)
}

/// Returns whether the desktop opened it.
fn opens(url: &str) -> bool {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    // Without a display, xdg-open starts a browser in the terminal and holds it.
    let has_display = cfg!(target_os = "macos")
        || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| surroundings::variable(name).is_some());
    let opening = || duct::cmd!(opener, url).stdin_null().stdout_null().stderr_null().run();
    has_display && opening().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::facts::tests::{deployed, failed};

    #[test]
    fn urls() {
        assert_eq!(url(&deployed("calm-otter")).unwrap(), "http://127.0.0.1:40001");
        let error = url(&failed("lost-lynx")).unwrap_err();
        assert_eq!(error.to_string(), "`lost-lynx` has no URL: it is destroy-failed");
        let ending = Entry { phase: Phase::Destroying, ..deployed("calm-otter") };
        let error = url(&ending).unwrap_err();
        assert_eq!(error.to_string(), "`calm-otter` has no URL: it is destroying");
        let file = Entry { url: Some("file:///etc/passwd".to_owned()), ..deployed("calm-otter") };
        assert_eq!(
            url(&file).unwrap_err().to_string(),
            "the URL of `calm-otter` is no web address: `file:///etc/passwd`"
        );
    }
}

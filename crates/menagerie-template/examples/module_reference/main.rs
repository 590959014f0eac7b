//! Writes a reference page for each module and root of a tree: what it makes, needs, takes and gives.
//!
//! `cargo xtask tf docs` runs it. It is a program of its own since its parser of HCL would cost every build of xtask seconds.
//!
//! ```sh
//! cargo run -p menagerie-template --example module_reference -- tf docs/tf            # writes
//! cargo run -p menagerie-template --example module_reference -- tf docs/tf --check    # only says what differs
//! ```

mod module;
mod page;

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let (tree, pages, check) = match &arguments[..] {
        [tree, pages] => (tree, pages, false),
        [tree, pages, flag] if flag == "--check" => (tree, pages, true),
        _ => {
            let _ = writeln!(io::stderr(), "usage: module_reference TREE PAGES [--check]");
            return ExitCode::from(2);
        }
    };
    match run(Path::new(tree), Path::new(pages), check) {
        Ok(said) => {
            let _ = writeln!(io::stderr(), "{}", said.text);
            if said.is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            let _ = writeln!(io::stderr(), "error: {error}{cause}");
            ExitCode::FAILURE
        }
    }
}

struct Said {
    text: String,
    is_fine: bool,
}

fn run(tree: &Path, directory: &Path, check: bool) -> Result<Said, Error> {
    let wanted = page::pages(&module::modules(tree)?);
    let written = read(directory)?;
    let differs = |(path, text): &(&PathBuf, &String)| written.get(*path) != Some(*text);
    let changed: Vec<&PathBuf> = wanted.iter().filter(differs).map(|(path, _)| path).collect();
    let gone: Vec<&PathBuf> = written.keys().filter(|path| !wanted.contains_key(*path)).collect();
    if check {
        let stale: Vec<String> = changed
            .iter()
            .chain(&gone)
            .map(|path| format!("`{}` is out of date", path.display()))
            .collect();
        let is_fine = stale.is_empty();
        let all = format!("all {} pages are up to date", wanted.len());
        return Ok(Said { text: if is_fine { all } else { stale.join("\n") }, is_fine });
    }
    for path in &changed {
        let target = directory.join(path);
        let parent = target.parent().expect("a page is in a directory");
        fs::create_dir_all(parent).map_err(|source| Error::File(parent.to_owned(), source))?;
        fs::write(&target, &wanted[*path]).map_err(|source| Error::File(target.clone(), source))?;
    }
    for path in &gone {
        let target = directory.join(path);
        fs::remove_file(&target).map_err(|source| Error::File(target.clone(), source))?;
    }
    let (changed, gone) = (changed.len(), gone.len());
    let text = format!("{} pages: wrote {changed}, removed {gone}", wanted.len());
    Ok(Said { text, is_fine: true })
}

/// Reads the pages that are there.
fn read(directory: &Path) -> Result<BTreeMap<PathBuf, String>, Error> {
    let mut pages = BTreeMap::new();
    let mut next = vec![directory.to_owned()];
    while let Some(place) = next.pop() {
        let entries = match fs::read_dir(&place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(|source| Error::File(place.clone(), source))?,
        };
        for entry in entries {
            let path = entry.map_err(|source| Error::File(place.clone(), source))?.path();
            if path.is_dir() {
                next.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let text = fs::read_to_string(&path)
                    .map_err(|source| Error::File(path.clone(), source))?;
                let relative = path.strip_prefix(directory).expect("it is in it");
                pages.insert(relative.to_owned(), text);
            }
        }
    }
    Ok(pages)
}

/// The pages could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A file could not be read or written.
    #[error("failed to read or write `{}`", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// A file is no HCL.
    #[error("failed to understand `{}`", .0.display())]
    Hcl(PathBuf, #[source] hcl_edit::parser::Error),
}

//! [`Configuration`]: the `.tf` files of a repository, each parsed once, as records.

mod directory;
mod file;
mod guard;
mod literal;
mod lock;
mod providers;
mod records;
mod source;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use menagerie_compliance::Record;

pub(crate) use directory::{Directory, Item};
pub(crate) use file::{File, header, whole};
pub(crate) use literal::{key, text};
pub(crate) use source::{directory as relative, is_local};

use crate::files::Files;
use crate::unreadable::Unreadable;

/// The `.tf` files below a directory and of the modules that they call, by directory.
///
/// What lies in hidden directories (`.terraform`) was fetched, and is nobody's here; what lies in `templates` is no HCL yet.
/// Neither is read.
#[derive(Debug, Default)]
pub struct Configuration {
    directories: BTreeMap<String, Arc<Directory>>,
    records: Vec<Record>,
    unreadable: Vec<Unreadable>,
}

/// How deep directories may lie in each other; nobody's do.
const DEPTH: usize = 32;

impl Configuration {
    /// Reads all that is below a directory, which is a repository's `tf`, and the local modules that are called from there.
    pub fn read(files: &dyn Files, directory: &str) -> Self {
        let mut configuration = Self::default();
        let mut links = Vec::new();
        configuration.walk(files, directory, 0, &mut links);
        configuration.follow(files);
        // A module that is called by way of a link was read.
        links.retain(|link| !configuration.directories.contains_key(link));
        let told = links
            .iter()
            .map(|link| unread(link, "is a link to a directory, which is not followed"));
        configuration.unreadable.extend(told);
        for directory in configuration.directories.values() {
            records::of(directory, &mut configuration.records);
        }
        configuration.unreadable.sort();
        configuration
    }

    /// Returns what was read: records of the kinds `module`, `resource`, `data`, `provider`, `required_provider`,
    /// `terraform`, `variable`, `output`, `lock`, `ephemeral`, `action` and `removed`.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Returns what could not be read.
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.unreadable
    }

    /// Returns what was parsed of a directory.
    pub(crate) fn directory(&self, path: &str) -> Option<&Arc<Directory>> {
        self.directories.get(path)
    }

    fn walk(&mut self, files: &dyn Files, directory: &str, depth: usize, links: &mut Vec<String>) {
        let entries = match files.list(directory) {
            Ok(entries) => entries,
            // What begins with no directory at all has no configuration.
            Err(error) if error.kind() == io::ErrorKind::NotFound && depth == 0 => return,
            Err(error) => return self.unreadable.push(unread(directory, &error.to_string())),
        };
        self.load(files, directory);
        for entry in entries.iter().filter(|entry| !entry.is_directory) {
            let path = join(directory, &entry.name);
            // A link to a directory is no directory, but lists as one.
            let is_file = entry.name.starts_with('.') || ends(&entry.name, &[".tf"]);
            if !is_file && files.list(&path).is_ok() {
                links.push(path);
            }
        }
        for entry in entries.iter().filter(|entry| entry.is_directory) {
            let is_template = depth == 0 && entry.name == "templates";
            if entry.name.starts_with('.') || is_template {
                continue;
            }
            let inner = join(directory, &entry.name);
            if depth == DEPTH {
                self.unreadable.push(unread(&inner, "lies too deep"));
            } else {
                self.walk(files, &inner, depth + 1, links);
            }
        }
    }

    fn load(&mut self, files: &dyn Files, path: &str) {
        let read = read_directory(files, path);
        self.unreadable.extend(read.unreadable);
        self.records.extend(read.records);
        if !read.directory.files.is_empty() {
            self.directories.insert(path.to_owned(), Arc::new(read.directory));
        }
    }

    /// Reads what local modules are called and were not read yet, and says which are not there.
    fn follow(&mut self, files: &dyn Files) {
        let mut waiting: Vec<String> = self.directories.keys().cloned().collect();
        while let Some(path) = waiting.pop() {
            let Some(directory) = self.directories.get(&path).cloned() else { continue };
            for call in directory.items().filter(|item| item.kind() == "module") {
                let Some((file, source)) = call.attribute("source") else { continue };
                let Some(text) = text(&source.value).filter(|text| is_local(text)) else {
                    continue;
                };
                let mut tell = |message: String| {
                    let place = file.place(whole(source));
                    let (file, line, column) = (place.file, place.line, place.column);
                    self.unreadable.push(Unreadable { file, line, column, message });
                };
                let Some(called) = relative(&path, &text) else {
                    tell(format!("`{}` leads out of the repository", text.escape_debug()));
                    continue;
                };
                if self.directories.contains_key(&called) {
                    continue;
                }
                if let Err(error) = files.list(&called) {
                    let error = match error.kind() {
                        io::ErrorKind::NotFound => "there is none".to_owned(),
                        _ => error.to_string(),
                    };
                    tell(format!("the module `{}` can't be read: {error}", called.escape_debug()));
                    continue;
                }
                self.load(files, &called);
                waiting.push(called);
            }
        }
    }
}

/// What was read of one directory.
pub(crate) struct Read {
    pub(crate) directory: Directory,
    /// Those of its lock file.
    records: Vec<Record>,
    unreadable: Vec<Unreadable>,
}

/// Reads the files of one directory.
pub(crate) fn read_directory(files: &dyn Files, path: &str) -> Read {
    let (mut parsed, mut records, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
    let entries = match files.list(path) {
        Ok(entries) => entries,
        Err(error) => {
            unreadable.push(unread(path, &error.to_string()));
            Vec::new()
        }
    };
    for entry in entries.iter().filter(|entry| !entry.is_directory) {
        let file = join(path, &entry.name);
        let is_hidden = entry.name.starts_with(['.', '#']) || entry.name.ends_with('~');
        if entry.name == ".terraform.lock.hcl" {
            match files.read(&file) {
                Ok(text) => match File::parse(file, text) {
                    Ok(file) => lock::records(path, &file, &mut records),
                    Err(error) => unreadable.push(error),
                },
                Err(error) => unreadable.push(unread(&file, &error.to_string())),
            }
        } else if is_hidden {
            // Terraform reads none of these either.
        } else if ends(&entry.name, &[".tf.json", ".tofu.json"]) {
            unreadable.push(unread(&file, "is JSON; configuration is read as HCL only"));
        } else if ends(&entry.name, &[".tofu"]) {
            unreadable.push(unread(
                &file,
                "takes the place of another file for OpenTofu only; it is not read",
            ));
        } else if ends(&entry.name, &[".tf"]) {
            match files.read(&file) {
                Ok(text) => match File::parse(file, text) {
                    Ok(file) => parsed.push(file),
                    Err(error) => unreadable.push(error),
                },
                Err(error) => unreadable.push(unread(&file, &error.to_string())),
            }
        }
    }
    Read { directory: Directory::new(path.to_owned(), parsed), records, unreadable }
}

fn ends(name: &str, ends: &[&str]) -> bool {
    ends.iter().any(|end| name.ends_with(end))
}

fn unread(file: &str, message: &str) -> Unreadable {
    Unreadable { file: file.to_owned(), line: 1, column: 1, message: message.to_owned() }
}

pub(crate) fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

#[cfg(test)]
mod tests;

//! [`Files`]: where the texts of a repository come from.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The files of a repository; paths are relative to it, with `/`, and `""` is itself.
pub trait Files {
    /// Returns what is in a directory, sorted by name; [`io::ErrorKind::NotFound`] where there is none.
    fn list(&self, directory: &str) -> io::Result<Vec<Entry>>;

    /// Returns the text of a file; [`io::ErrorKind::NotFound`] where there is none.
    fn read(&self, path: &str) -> io::Result<String>;
}

/// What is in a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Whether it is a directory, and no link to one.
    pub is_directory: bool,
}

/// The largest file that is read; what people write is far below.
const LARGEST: u64 = 64 << 20;

/// A directory of this machine, and nothing outside of it.
#[derive(Clone, Debug)]
pub struct WorkTree {
    root: PathBuf,
}

impl WorkTree {
    /// Opens a directory, where all links in its own path are followed.
    pub fn open(root: &Path) -> io::Result<Self> {
        Ok(Self { root: root.canonicalize()? })
    }

    /// Returns the true path of something in it.
    fn inside(&self, path: &str) -> io::Result<PathBuf> {
        let found = self.root.join(path).canonicalize()?;
        if found.starts_with(&self.root) {
            return Ok(found);
        }
        Err(io::Error::new(io::ErrorKind::PermissionDenied, "leads out of the repository"))
    }
}

impl Files for WorkTree {
    fn list(&self, directory: &str) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(self.inside(directory)?)? {
            let entry = entry?;
            // A name that is no UTF-8 can be neither shown nor read by it; it is listed so that reading it fails.
            let name = entry.file_name().to_string_lossy().into_owned();
            entries.push(Entry { name, is_directory: entry.file_type()?.is_dir() });
        }
        entries.sort();
        Ok(entries)
    }

    fn read(&self, path: &str) -> io::Result<String> {
        let path = self.inside(path)?;
        let metadata = fs::metadata(&path)?;
        // Neither a pipe, which would be waited for, nor what no person wrote.
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "is no file"));
        }
        if metadata.len() > LARGEST {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "is larger than 64 MiB"));
        }
        let bytes = fs::read(&path)?;
        String::from_utf8(bytes)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "is no UTF-8"))
    }
}

/// Texts in memory, by their paths.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    texts: BTreeMap<String, String>,
}

impl<P: Into<String>, T: Into<String>> FromIterator<(P, T)> for Texts {
    fn from_iter<I: IntoIterator<Item = (P, T)>>(texts: I) -> Self {
        let texts = texts.into_iter().map(|(path, text)| (path.into(), text.into())).collect();
        Self { texts }
    }
}

impl Files for Texts {
    fn list(&self, directory: &str) -> io::Result<Vec<Entry>> {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let mut entries = Vec::new();
        for path in self.texts.range(prefix.clone()..).map(|(path, _)| path) {
            let Some(rest) = path.strip_prefix(&prefix) else { break };
            let (name, is_directory) =
                rest.split_once('/').map_or((rest, false), |(name, _)| (name, true));
            entries.push(Entry { name: name.to_owned(), is_directory });
        }
        entries.sort();
        entries.dedup();
        if entries.is_empty() {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        }
        Ok(entries)
    }

    fn read(&self, path: &str) -> io::Result<String> {
        self.texts.get(path).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, is_directory: bool) -> Entry {
        Entry { name: name.to_owned(), is_directory }
    }

    #[test]
    fn texts_have_directories() {
        let texts: Texts = [("a/b.tf", "1"), ("a/c/d.tf", "2"), ("a.tf", "3"), ("a/c/e.tf", "4")]
            .into_iter()
            .collect();
        assert_eq!(texts.list("").unwrap(), [entry("a", true), entry("a.tf", false)]);
        assert_eq!(texts.list("a").unwrap(), [entry("b.tf", false), entry("c", true)]);
        assert_eq!(texts.list("b").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(texts.read("a/c/d.tf").unwrap(), "2");
        assert_eq!(texts.read("a/c").unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_work_tree_never_leads_out_of_itself() {
        let outside = tempfile::tempdir().unwrap();
        let tree = outside.path().join("tree");
        fs::create_dir_all(tree.join("a")).unwrap();
        fs::write(outside.path().join("secret"), "no").unwrap();
        fs::write(tree.join("a/b.tf"), "yes").unwrap();
        fs::write(tree.join("a/latin1.tf"), b"\xe4").unwrap();
        std::os::unix::fs::symlink("../secret", tree.join("out")).unwrap();
        std::os::unix::fs::symlink("a/b.tf", tree.join("in")).unwrap();
        let files = WorkTree::open(&tree).unwrap();
        let kind = |path: &str| files.read(path).unwrap_err().kind();
        assert_eq!(files.read("in").unwrap(), "yes");
        assert_eq!(kind("out"), io::ErrorKind::PermissionDenied);
        assert_eq!(kind("../secret"), io::ErrorKind::PermissionDenied);
        assert_eq!(kind("a/../../secret"), io::ErrorKind::PermissionDenied);
        assert_eq!(kind("/etc/passwd"), io::ErrorKind::PermissionDenied);
        assert_eq!(kind("a"), io::ErrorKind::InvalidInput);
        assert_eq!(kind("none"), io::ErrorKind::NotFound);
        assert_eq!(kind("a/latin1.tf"), io::ErrorKind::InvalidData);
        assert_eq!(files.list("..").unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(
            files.list("").unwrap(),
            [entry("a", true), entry("in", false), entry("out", false)]
        );
    }
}

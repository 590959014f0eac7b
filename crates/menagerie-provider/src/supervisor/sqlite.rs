//! A database in one file: no server, the application opens it itself.

use crate::{
    backup::format::Part, control::Fault, file, layout::DatabaseLayout, record::DatabaseRecord,
    secret, status::Condition,
};
use std::{
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// Files that hold what is not in the database's own file yet, or what was there before. A third, `-shm`, is made anew.
const SUFFIXES: [&str; 3] = ["", "-wal", "-journal"];

/// Returns the database's file.
pub(crate) fn path(record: &DatabaseRecord) -> PathBuf {
    record.data.join(file_name(record, ""))
}

fn file_name(record: &DatabaseRecord, suffix: &str) -> String {
    format!("{}.sqlite{suffix}", record.name)
}

/// A file cannot crash: it is there or it is not.
pub(crate) fn condition(record: &DatabaseRecord) -> Condition {
    if path(record).is_file() { Condition::Running } else { Condition::Stopped }
}

/// Makes the file, which may be empty, and writes its URL.
pub(crate) fn prepare(layout: &DatabaseLayout, record: &DatabaseRecord) -> Result<(), Fault> {
    let path = path(record);
    let prepared = recover(record)
        .and_then(|()| file::make_private_directory(&record.data))
        .and_then(|()| File::options().create(true).append(true).mode(0o600).open(&path).map(drop))
        .and_then(|()| {
            let url = format!("sqlite://{}", secret::percent_encode(&path));
            file::write_atomically(&layout.url(record), url.as_bytes())
        });
    prepared.map_err(|error: io::Error| {
        Fault::text(format!("failed to prepare `{}`: {error}", path.display()))
    })
}

/// Copies a database that nobody changes meanwhile, one file after another.
pub(crate) fn copy(record: &DatabaseRecord, output: &Path) -> io::Result<Vec<Part>> {
    let mut output = File::options().write(true).truncate(true).open(output)?;
    let mut parts = Vec::new();
    for suffix in SUFFIXES {
        let path = record.data.join(file_name(record, suffix));
        match File::open(&path) {
            Ok(mut file) => {
                let length = io::copy(&mut file, &mut output)?;
                parts.push(Part { suffix: suffix.to_owned(), length });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && !suffix.is_empty() => {}
            Err(error) => {
                let text = format!("`{}` can't be read: {error}", path.display());
                return Err(io::Error::new(error.kind(), text));
            }
        }
    }
    Ok(parts)
}

/// Where a backup is unpacked, and where the data goes that it replaces.
fn beside(record: &DatabaseRecord, what: &str) -> PathBuf {
    let mut path = record.data.as_os_str().to_owned();
    path.push(what);
    PathBuf::from(path)
}

/// Unpacks a backup beside the data; complete, it only has to be swapped in.
pub(crate) fn unpack(record: &DatabaseRecord, parts: &[Part], input: &Path) -> io::Result<()> {
    let unpacked = write_parts(record, parts, input);
    if unpacked.is_err() {
        // The failure's own reason is the one to tell; the next start removes it too.
        let _ = file::remove_tree(&beside(record, ".new"));
    }
    unpacked
}

fn write_parts(record: &DatabaseRecord, parts: &[Part], input: &Path) -> io::Result<()> {
    let directory = beside(record, ".new");
    file::remove_tree(&directory)?;
    file::make_private_directory(&directory)?;
    let mut input = File::open(input)?;
    for part in parts {
        if !SUFFIXES.contains(&part.suffix.as_str()) {
            let text = format!("`{}` is no file of a database", part.suffix.escape_debug());
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        let path = directory.join(file_name(record, &part.suffix));
        let mut output = File::options().write(true).create_new(true).mode(0o600).open(path)?;
        if io::copy(&mut input.by_ref().take(part.length), &mut output)? != part.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        output.sync_all()?;
    }
    File::open(&directory)?.sync_all()
}

/// Puts what was unpacked in the place of the data, which nobody has open.
pub(crate) fn swap(record: &DatabaseRecord) -> io::Result<()> {
    let old = beside(record, ".old");
    file::remove_tree(&old)?;
    fs::rename(&record.data, &old)?;
    if let Err(error) = fs::rename(beside(record, ".new"), &record.data) {
        fs::rename(&old, &record.data)?;
        return Err(error);
    }
    // It is restored; what can't be removed now goes with the next start.
    let _ = file::remove_tree(&old);
    Ok(())
}

/// Finishes a swap that was cut short, and forgets an unpacking that was.
fn recover(record: &DatabaseRecord) -> io::Result<()> {
    let (new, old) = (beside(record, ".new"), beside(record, ".old"));
    if !record.data.exists() {
        // The data is moved away only when what replaces it is complete.
        if new.exists() {
            fs::rename(&new, &record.data)?;
        } else if old.exists() {
            fs::rename(&old, &record.data)?;
        }
    }
    file::remove_tree(&new)?;
    file::remove_tree(&old)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Engine;

    fn record(directory: &Path) -> DatabaseRecord {
        let data = directory.join("data");
        fs::create_dir(&data).unwrap();
        DatabaseRecord {
            name: "main".parse().unwrap(),
            incarnation: "1".to_owned(),
            removing: false,
            engine: Engine::Sqlite,
            port: None,
            data,
            account: None,
            initialised: true,
        }
    }

    fn content(record: &DatabaseRecord) -> Vec<(String, String)> {
        let entries = fs::read_dir(&record.data).unwrap().map(|entry| entry.unwrap());
        let mut files: Vec<_> = entries
            .map(|entry| {
                let text = fs::read_to_string(entry.path()).unwrap();
                (entry.file_name().into_string().unwrap(), text)
            })
            .collect();
        files.sort();
        files
    }

    #[test]
    fn a_swap_cut_short_at_any_step_ends_with_the_old_or_the_new() {
        for steps in 0..5 {
            let directory = tempfile::tempdir().unwrap();
            let record = record(directory.path());
            fs::write(path(&record), "new").unwrap();
            fs::write(record.data.join("main.sqlite-wal"), "log").unwrap();
            let backup = directory.path().join("backup");
            fs::write(&backup, "").unwrap();
            let parts = copy(&record, &backup).unwrap();
            fs::remove_dir_all(&record.data).unwrap();
            fs::create_dir(&record.data).unwrap();
            fs::write(path(&record), "old").unwrap();
            let (new, old) = (beside(&record, ".new"), beside(&record, ".old"));
            match steps {
                0 => fs::create_dir(&new).unwrap(),
                1 => unpack(&record, &parts, &backup).unwrap(),
                2 | 3 => {
                    unpack(&record, &parts, &backup).unwrap();
                    fs::rename(&record.data, &old).unwrap();
                    if steps == 3 {
                        fs::rename(&new, &record.data).unwrap();
                    }
                }
                _ => {
                    unpack(&record, &parts, &backup).unwrap();
                    swap(&record).unwrap();
                }
            }
            recover(&record).unwrap();
            let expected: &[(&str, &str)] = if steps < 2 {
                &[("main.sqlite", "old")]
            } else {
                &[("main.sqlite", "new"), ("main.sqlite-wal", "log")]
            };
            let expected: Vec<_> = expected
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                .collect();
            assert_eq!(content(&record), expected, "after {steps} steps");
            assert!(!new.exists() && !old.exists());
        }
    }

    #[test]
    fn a_part_with_a_path_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let record = record(directory.path());
        let backup = directory.path().join("backup");
        fs::write(&backup, "x").unwrap();
        let parts = [Part { suffix: "/../../x".to_owned(), length: 1 }];
        assert!(unpack(&record, &parts, &backup).is_err());
        assert!(!beside(&record, ".new").exists());
    }
}

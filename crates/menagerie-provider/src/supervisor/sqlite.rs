//! A database in one file: no server, the application opens it itself.

use crate::{
    control::Fault, file, layout::DatabaseLayout, record::DatabaseRecord, secret, status::Condition,
};
use std::{fs::File, io, os::unix::fs::OpenOptionsExt as _, path::PathBuf};

/// Returns the database's file.
pub(crate) fn path(record: &DatabaseRecord) -> PathBuf {
    record.data.join(format!("{}.sqlite", record.name))
}

/// A file cannot crash: it is there or it is not.
pub(crate) fn condition(record: &DatabaseRecord) -> Condition {
    if path(record).is_file() { Condition::Running } else { Condition::Stopped }
}

/// Makes the file, which may be empty, and writes its URL.
pub(crate) fn prepare(layout: &DatabaseLayout, record: &DatabaseRecord) -> Result<(), Fault> {
    let path = path(record);
    let prepared = file::make_private_directory(&record.data)
        .and_then(|()| File::options().create(true).append(true).mode(0o600).open(&path).map(drop))
        .and_then(|()| {
            let url = format!("sqlite://{}", secret::percent_encode(&path));
            file::write_atomically(&layout.url(record), url.as_bytes())
        });
    prepared.map_err(|error: io::Error| {
        Fault::text(format!("failed to prepare `{}`: {error}", path.display()))
    })
}

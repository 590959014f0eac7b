//! The records of a `.terraform.lock.hcl`.

use menagerie_compliance::Record;

use super::file::{File, header};
use super::records::Values;

/// Adds a record of the kind `lock` for each provider.
pub(crate) fn records(directory: &str, file: &File, records: &mut Vec<Record>) {
    for block in file.body.get_blocks("provider") {
        let source = block.labels.first().map_or("", |label| label.as_str());
        let mut values = Values::default();
        values.set("source", source);
        let expression = |name| block.body.get_attribute(name).map(|attribute| &attribute.value);
        values.expression("version", expression("version"));
        let hashes = expression("hashes").and_then(|hashes| hashes.as_array());
        values.set("hashes", hashes.map_or(0, hcl_edit::expr::Array::len));
        let place = file.place(header(block));
        records.push(values.record("lock", directory, &format!("lock.{source}"), Some(place)));
    }
}

//! The configuration in a plan: which block names which.

use serde_json::Value;

use super::scanner::{Fault, Scanner};
use super::{Block, Sink};

/// Reads the configuration, whose blocks may name each other.
pub(super) fn read(scanner: &mut Scanner<'_>, sink: &mut impl Sink) -> Result<(), Fault> {
    scanner.map("the configuration", |scanner, key| match key {
        "root_module" => module(scanner, sink, ""),
        _ => scanner.skip(),
    })
}

fn module(scanner: &mut Scanner<'_>, sink: &mut impl Sink, path: &str) -> Result<(), Fault> {
    scanner.map("a module of the configuration", |scanner, key| match key {
        "resources" => scanner.list("the blocks of a module", |scanner| block(scanner, sink, path)),
        "module_calls" => scanner.map("the calls of modules", |scanner, name| {
            let dot = if path.is_empty() { "" } else { "." };
            let path = format!("{path}{dot}module.{name}");
            scanner.map("a call of a module", |scanner, key| match key {
                "module" => module(scanner, sink, &path),
                _ => scanner.skip(),
            })
        }),
        _ => scanner.skip(),
    })
}

fn block(scanner: &mut Scanner<'_>, sink: &mut impl Sink, module: &str) -> Result<(), Fault> {
    let start = scanner.at();
    let (mut kind, mut expressions_at) = (None, None);
    scanner.map("a block", |scanner, key| {
        match key {
            "type" => {
                kind = Some(scanner.text()?);
                return Ok(());
            }
            "expressions" => expressions_at = Some(scanner.at()),
            _ => {}
        }
        scanner.skip()
    })?;
    let missing = || Fault::wrong(start, "missing field `type`");
    let kind = kind.ok_or_else(missing)?;
    if sink.wants_blocks(Some(&kind)) {
        let expressions = match expressions_at {
            Some(at) => scanner.back_to(at, Scanner::value)?,
            None => Value::Null,
        };
        sink.block(Block { module: module.to_owned(), kind: kind.into_owned(), expressions });
    }
    Ok(())
}

//! A change of a resource, of which only what the rules read is kept.

use serde_json::{Map, Value};

use super::Interest;
use super::scanner::{Fault, Scanner};
use crate::need::Need;
use crate::rule::Action;

/// What becomes of a resource.
pub(super) struct Change {
    pub(super) action: Action,
    pub(super) values: Value,
    pub(super) unknown: Value,
    pub(super) sensitive: Value,
}

/// That of a state: nothing.
impl Default for Change {
    fn default() -> Self {
        let (values, unknown, sensitive) = (Value::Null, Value::Null, Value::Null);
        Self { action: Action::NoOp, values, unknown, sensitive }
    }
}

impl Change {
    pub(super) fn read(scanner: &mut Scanner<'_>, interest: &Interest) -> Result<Self, Fault> {
        let start = scanner.at();
        let need = &interest.need;
        let (mut action, mut after, mut before) = (None, Self::default(), Self::default());
        scanner.map("a change", |scanner, key| {
            let part = match key {
                "actions" => {
                    action = Some(read_action(scanner)?);
                    return Ok(());
                }
                "after" => &mut after.values,
                "after_unknown" => &mut after.unknown,
                "after_sensitive" => &mut after.sensitive,
                "before" if interest.reads_before => &mut before.values,
                "before_sensitive" if interest.reads_before => &mut before.sensitive,
                _ => return scanner.skip(),
            };
            *part = attributes(scanner, need)?;
            Ok(())
        })?;
        let missing = || Fault::wrong(start, "missing field `actions`");
        let action = action.ok_or_else(missing)?;
        let is_gone = matches!(action, Action::Delete | Action::Forget);
        Ok(Self { action, ..if is_gone { before } else { after } })
    }
}

/// Reads what a list of actions amounts to. One that is not known is an error, since it must not pass for nothing.
fn read_action(scanner: &mut Scanner<'_>) -> Result<Action, Fault> {
    const KNOWN: [&str; 6] = ["no-op", "create", "read", "update", "delete", "forget"];
    let start = scanner.at();
    let mut has = [false; KNOWN.len()];
    scanner.list("the list of actions", |scanner| {
        let expected =
            scanner.expected("one of `no-op`, `create`, `read`, `update`, `delete`, `forget`");
        let action = scanner.text()?;
        let place = KNOWN.iter().position(|known| *known == action).ok_or(expected)?;
        has[place] = true;
        Ok(())
    })?;
    let [is_kept, is_created, is_read, is_updated, is_deleted, is_forgotten] = has;
    Ok(match () {
        () if is_created && (is_deleted || is_forgotten) => Action::Replace,
        () if is_created => Action::Create,
        () if is_deleted => Action::Delete,
        () if is_forgotten => Action::Forget,
        () if is_updated => Action::Update,
        () if is_read => Action::Read,
        () if is_kept => Action::NoOp,
        () => {
            return Err(Fault::wrong(start, "there is no action that is known"));
        }
    })
}

/// Reads the parts of interest of a map of attributes; a mask may be `true` or `false` instead.
pub(super) fn attributes(scanner: &mut Scanner<'_>, need: &Need) -> Result<Value, Fault> {
    match scanner.peek()? {
        b'{' | b'n' | b't' | b'f' => part(scanner, need),
        _ => Err(scanner.expected("the attributes of a resource")),
    }
}

fn part(scanner: &mut Scanner<'_>, need: &Need) -> Result<Value, Fault> {
    match scanner.peek()? {
        b'{' if !need.is_whole() => {
            let mut attributes = Map::new();
            scanner.map("a map", |scanner, key| {
                match need.get(key) {
                    Some(need) => {
                        attributes.insert(key.to_owned(), part(scanner, need)?);
                    }
                    None => scanner.skip()?,
                }
                Ok(())
            })?;
            Ok(Value::Object(attributes))
        }
        b'[' if !need.is_whole() => {
            let mut elements = Vec::new();
            scanner.list("a list", |scanner| {
                elements.push(part(scanner, need)?);
                Ok(())
            })?;
            Ok(Value::Array(elements))
        }
        _ => scanner.value(),
    }
}

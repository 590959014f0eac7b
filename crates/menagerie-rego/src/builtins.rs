//! Functions that regorus does not have, or has otherwise than OPA.

mod sprintf;

use menagerie_compliance::PolicyFile;
use regorus::{Engine, Value};

use crate::policy::Options;

/// A function.
pub(crate) struct Builtin {
    pub(crate) name: &'static str,
    pub(crate) arguments: u8,
    call: fn(&[Value]) -> anyhow::Result<Value>,
}

/// All of them, but for those that depend on what the caller says.
pub(crate) const TABLE: &[Builtin] =
    &[Builtin { name: "sprintf", arguments: 2, call: sprintf::call }];

/// Adds all functions to an engine.
pub(crate) fn add(engine: &mut Engine, options: &Options, files: &[PolicyFile<'_>]) {
    let _ = (options, files);
    for builtin in TABLE {
        let call = builtin.call;
        let extension = move |values: Vec<Value>| call(&values);
        let added =
            engine.add_extension(builtin.name.to_owned(), builtin.arguments, Box::new(extension));
        added.expect("each name is in the table once");
    }
}

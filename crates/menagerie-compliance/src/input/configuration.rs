//! The configuration in a plan: which block names which.

use std::fmt;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value;

use super::{Block, Sink, ValuesKey};

/// The configuration, whose blocks may name each other.
pub(super) struct Configuration<'s, S>(pub(super) &'s mut S);

map_seed!(Configuration<S>, (), "the configuration", |self, map| {
    while let Some(key) = map.next_key()? {
        match key {
            ValuesKey::RootModule => {
                map.next_value_seed(ModuleSeed { sink: &mut *self.0, module: String::new() })?;
            }
            ValuesKey::Other => {
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
    Ok(())
});

struct ModuleSeed<'s, S> {
    sink: &'s mut S,
    module: String,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum ConfigurationKey {
    Resources,
    ModuleCalls,
    #[serde(other)]
    Other,
}

map_seed!(ModuleSeed<S>, (), "a module of the configuration", |self, map| {
    while let Some(key) = map.next_key()? {
        match key {
            ConfigurationKey::Resources => {
                map.next_value_seed(Blocks { sink: &mut *self.sink, module: &self.module })?;
            }
            ConfigurationKey::ModuleCalls => {
                map.next_value_seed(Calls { sink: &mut *self.sink, module: &self.module })?;
            }
            ConfigurationKey::Other => {
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
    Ok(())
});

struct Calls<'s, S> {
    sink: &'s mut S,
    module: &'s str,
}

map_seed!(Calls<S>, (), "the calls of modules", |self, map| {
    while let Some(name) = map.next_key::<String>()? {
        let dot = if self.module.is_empty() { "" } else { "." };
        let module = format!("{}{dot}module.{name}", self.module);
        map.next_value_seed(Call { sink: &mut *self.sink, module })?;
    }
    Ok(())
});

struct Call<'s, S> {
    sink: &'s mut S,
    module: String,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum CallKey {
    Module,
    #[serde(other)]
    Other,
}

map_seed!(Call<S>, (), "a call of a module", |self, map| {
    while let Some(key) = map.next_key()? {
        match key {
            CallKey::Module => {
                map.next_value_seed(ModuleSeed {
                    sink: &mut *self.sink,
                    module: self.module.clone(),
                })?;
            }
            CallKey::Other => {
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
    Ok(())
});

struct Blocks<'s, S> {
    sink: &'s mut S,
    module: &'s str,
}

list_seed!(Blocks<S>, "the blocks of a module", |self| BlockSeed {
    sink: &mut *self.sink,
    module: self.module
});

struct BlockSeed<'s, S> {
    sink: &'s mut S,
    module: &'s str,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum BlockKey {
    Type,
    Expressions,
    #[serde(other)]
    Other,
}

map_seed!(BlockSeed<S>, (), "a block", |self, map| {
    let (mut kind, mut expressions) = (None::<String>, Value::Null);
    while let Some(key) = map.next_key()? {
        match key {
            BlockKey::Type => kind = Some(map.next_value()?),
            BlockKey::Expressions if self.sink.wants_blocks(kind.as_deref()) => {
                expressions = map.next_value()?;
            }
            BlockKey::Expressions | BlockKey::Other => {
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
    let kind = kind.ok_or_else(|| A::Error::missing_field("type"))?;
    if self.sink.wants_blocks(Some(&kind)) {
        self.sink.block(Block { module: self.module.to_owned(), kind, expressions });
    }
    Ok(())
});

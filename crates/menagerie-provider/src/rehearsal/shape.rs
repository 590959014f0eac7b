//! What Terraform's core expects of values that follow a schema, whatever the type means.

use super::schema::{Attribute, Block, Nesting, Type};
use crate::value::{Object, Value, attribute};

/// Returns what will be: computed attributes are known only after they were made, and a secret is never kept.
///
/// What exists keeps what was computed for it, or each plan would show a difference.
pub(crate) fn plan(block: &Block, proposed: &Object, prior: Option<&Object>) -> Object {
    let mut planned = Object::new();
    for (name, schema) in &block.attributes {
        let value = attribute(proposed, name);
        planned.insert(
            name.clone(),
            plan_attribute(schema, value, prior.map(|prior| attribute(prior, name))),
        );
    }
    for (name, nested) in &block.blocks {
        let value = attribute(proposed, name);
        let before = prior.map(|prior| attribute(prior, name));
        planned.insert(
            name.clone(),
            each(nested.nesting_mode, value, before, &|object, prior| {
                plan(&nested.block, object, prior)
            }),
        );
    }
    planned
}

fn plan_attribute(schema: &Attribute, value: &Value, prior: Option<&Value>) -> Value {
    match (value, &schema.nested) {
        _ if schema.write_only => Value::Null,
        (Value::Null, _) if schema.computed && prior.is_none() => Value::Unknown,
        (Value::Null | Value::Unknown, _) | (_, None) => value.clone(),
        (_, Some(nested)) => each(nested.nesting_mode, value, prior, &|object, prior| {
            plan(&nested.block, object, prior)
        }),
    }
}

/// Changes each object that a value holds, beside what it was before.
fn each(
    nesting: Nesting,
    value: &Value,
    prior: Option<&Value>,
    change: &impl Fn(&Object, Option<&Object>) -> Object,
) -> Value {
    let before = |found: Option<&Value>, object: &Object| {
        let found = found.and_then(Value::as_map).cloned();
        change(object, found.as_ref())
    };
    match (nesting, value) {
        (Nesting::Single | Nesting::Group, Value::Map(object)) => Value::Map(before(prior, object)),
        (Nesting::Map, Value::Map(objects)) => Value::Map(
            objects
                .iter()
                .map(|(key, value)| {
                    let found = prior.and_then(Value::as_map).and_then(|prior| prior.get(key));
                    let object = value.as_map().map(|object| Value::Map(before(found, object)));
                    (key.clone(), object.unwrap_or_else(|| value.clone()))
                })
                .collect(),
        ),
        (Nesting::List | Nesting::Set, Value::List(objects)) => {
            let prior = prior.and_then(Value::as_list).unwrap_or_default();
            let changed = objects.iter().enumerate().map(|(index, value)| {
                // An element of a set has no place: it is the same one, or it is new.
                let found = if nesting == Nesting::Set {
                    prior.iter().find(|found| *found == value)
                } else {
                    prior.get(index)
                };
                let object = value.as_map().map(|object| Value::Map(before(found, object)));
                object.unwrap_or_else(|| value.clone())
            });
            Value::List(changed.collect())
        }
        _ => value.clone(),
    }
}

/// Replaces what is unknown by what `make` says for its place, a path of names with dots.
pub(crate) fn fill(
    block: &Block,
    planned: &Object,
    path: &str,
    make: &mut dyn FnMut(&str, &Type) -> Value,
) -> Object {
    let mut filled = Object::new();
    for (name, schema) in &block.attributes {
        let value = attribute(planned, name);
        let value = if schema.write_only {
            Value::Null
        } else {
            fill_value(&schema.value_type(), value, &format!("{path}{name}"), make)
        };
        filled.insert(name.clone(), value);
    }
    for (name, nested) in &block.blocks {
        let path = format!("{path}{name}");
        let mut inner = |value: &Value, path: &str| match value {
            Value::Map(object) => {
                Value::Map(fill(&nested.block, object, &format!("{path}."), make))
            }
            // Blocks whose number was not known till the end: there are none.
            _ => Value::Null,
        };
        let value = match (nested.nesting_mode, attribute(planned, name)) {
            (Nesting::Single | Nesting::Group, value) => inner(value, &path),
            (Nesting::Map, Value::Map(objects)) => Value::Map(
                objects
                    .iter()
                    .map(|(key, value)| (key.clone(), inner(value, &format!("{path}.{key}"))))
                    .collect(),
            ),
            (Nesting::Map, _) => Value::Map(Object::new()),
            (Nesting::List | Nesting::Set, Value::List(objects)) => Value::List(
                objects
                    .iter()
                    .enumerate()
                    .map(|(index, value)| inner(value, &format!("{path}.{index}")))
                    .collect(),
            ),
            (Nesting::List | Nesting::Set, _) => Value::List(Vec::new()),
        };
        filled.insert(name.clone(), value);
    }
    filled
}

fn fill_value(
    r#type: &Type,
    value: &Value,
    path: &str,
    make: &mut dyn FnMut(&str, &Type) -> Value,
) -> Value {
    match (value, r#type) {
        (Value::Unknown, _) => make(path, r#type),
        (Value::List(values), Type::List(inner) | Type::Set(inner)) => Value::List(
            values
                .iter()
                .enumerate()
                .map(|(index, value)| fill_value(inner, value, &format!("{path}.{index}"), make))
                .collect(),
        ),
        (Value::Map(values), Type::Map(inner)) => Value::Map(
            values
                .iter()
                .map(|(key, value)| {
                    (key.clone(), fill_value(inner, value, &format!("{path}.{key}"), make))
                })
                .collect(),
        ),
        (Value::Map(values), Type::Object(types)) => Value::Map(
            types
                .iter()
                .map(|(name, inner)| {
                    let value = attribute(values, name);
                    (name.clone(), fill_value(inner, value, &format!("{path}.{name}"), make))
                })
                .collect(),
        ),
        _ => value.clone(),
    }
}

/// Returns an object as the schema has it: what is missing is null, what the schema does not know is left out.
///
/// The error is the place of a value that has another type.
pub(crate) fn conform(block: &Block, object: &Object) -> Result<Object, String> {
    let mut whole = Object::new();
    for (name, schema) in &block.attributes {
        let value = conform_value(&schema.value_type(), attribute(object, name))
            .map_err(|inner| format!("{name}{inner}"))?;
        whole.insert(name.clone(), if schema.write_only { Value::Null } else { value });
    }
    for (name, nested) in &block.blocks {
        let inner = |value: &Value| match value {
            Value::Map(object) => conform(&nested.block, object)
                .map(Value::Map)
                .map_err(|inner| format!("{name}.{inner}")),
            _ => Err(name.clone()),
        };
        let value = match (nested.nesting_mode, attribute(object, name)) {
            (Nesting::Single | Nesting::Group, Value::Null) => Value::Null,
            (Nesting::Single | Nesting::Group, value) => inner(value)?,
            (Nesting::Map, Value::Null) => Value::Map(Object::new()),
            (Nesting::Map, Value::Map(objects)) => Value::Map(
                objects
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), inner(value)?)))
                    .collect::<Result<_, String>>()?,
            ),
            (Nesting::List | Nesting::Set, Value::Null) => Value::List(Vec::new()),
            (Nesting::List | Nesting::Set, Value::List(objects)) => {
                Value::List(objects.iter().map(inner).collect::<Result<_, _>>()?)
            }
            _ => return Err(name.clone()),
        };
        whole.insert(name.clone(), value);
    }
    Ok(whole)
}

/// The error is the rest of the place, with a dot before it where there is one.
fn conform_value(r#type: &Type, value: &Value) -> Result<Value, String> {
    Ok(match (value, r#type) {
        (Value::Map(object), Type::Dynamic) => {
            let r#type = object.get("type").ok_or_else(String::new)?.to_json_value();
            let value = object.get("value").ok_or_else(String::new)?.clone();
            Value::Dynamic(r#type.to_string(), Box::new(value))
        }
        (Value::Null, _)
        | (Value::Dynamic(..), Type::Dynamic)
        | (Value::String(_), Type::String)
        | (Value::Bool(_), Type::Bool)
        | (Value::Number(_), Type::Number) => value.clone(),
        // Numbers that a `f64` can't hold travel as text.
        (Value::String(text), Type::Number) if text.parse::<f64>().is_ok() => value.clone(),
        (Value::List(values), Type::List(inner) | Type::Set(inner)) => Value::List(
            values
                .iter()
                .enumerate()
                .map(|(index, value)| {
                    conform_value(inner, value).map_err(|rest| format!(".{index}{rest}"))
                })
                .collect::<Result<_, _>>()?,
        ),
        (Value::Map(values), Type::Map(inner)) => Value::Map(
            values
                .iter()
                .map(|(key, value)| {
                    let value =
                        conform_value(inner, value).map_err(|rest| format!(".{key}{rest}"))?;
                    Ok((key.clone(), value))
                })
                .collect::<Result<_, String>>()?,
        ),
        (Value::Map(values), Type::Object(types)) => Value::Map(
            types
                .iter()
                .map(|(name, inner)| {
                    let value = conform_value(inner, attribute(values, name))
                        .map_err(|rest| format!(".{name}{rest}"))?;
                    Ok((name.clone(), value))
                })
                .collect::<Result<_, String>>()?,
        ),
        (Value::List(values), Type::Tuple(types)) if values.len() == types.len() => Value::List(
            types
                .iter()
                .zip(values)
                .map(|(inner, value)| conform_value(inner, value))
                .collect::<Result<_, _>>()?,
        ),
        _ => return Err(String::new()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{rehearsal::source, value::tests::values};
    use proptest::prelude::*;
    use std::sync::OnceLock;

    /// Blocks of all kinds of nesting and type.
    fn blocks() -> &'static [&'static Block] {
        static BLOCKS: OnceLock<Vec<&Block>> = OnceLock::new();
        BLOCKS.get_or_init(|| {
            let sources = Box::leak(source::all(&[]).unwrap().into_boxed_slice());
            let schemas = sources.iter().flat_map(|source| source.schema().resources.values());
            schemas.map(|schema| &schema.block).collect()
        })
    }

    /// A value of a type, or something else altogether.
    fn of(r#type: &Type) -> BoxedStrategy<Value> {
        let right = match r#type {
            Type::String => any::<String>().prop_map(Value::String).boxed(),
            Type::Number => any::<i32>().prop_map(|number| Value::Number(number.into())).boxed(),
            Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
            Type::List(inner) | Type::Set(inner) => {
                prop::collection::vec(of(inner), 0..3).prop_map(Value::List).boxed()
            }
            Type::Map(inner) => prop::collection::btree_map(any::<String>(), of(inner), 0..3)
                .prop_map(Value::Map)
                .boxed(),
            Type::Object(_) | Type::Tuple(_) | Type::Dynamic => values().boxed(),
        };
        prop_oneof![8 => right, 1 => Just(Value::Null), 1 => Just(Value::Unknown), 1 => values()]
            .boxed()
    }

    fn objects(block: &'static Block) -> BoxedStrategy<Object> {
        let attributes = block.attributes.iter().map(|(name, attribute)| {
            of(&attribute.value_type()).prop_map(move |value| (name.clone(), value)).boxed()
        });
        let blocks = block
            .blocks
            .keys()
            .map(|name| values().prop_map(move |value| (name.clone(), value)).boxed());
        attributes
            .chain(blocks)
            .collect::<Vec<_>>()
            .prop_map(|pairs| pairs.into_iter().collect())
            .boxed()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn whatever_comes_it_is_planned_filled_and_whole_again(
            (block, object) in prop::sample::select(blocks()).prop_flat_map(|block| (Just(block), objects(block)))
        ) {
            let planned = plan(block, &object, None);
            let filled = fill(block, &planned, "", &mut |_, _| Value::Null);
            prop_assert!(filled.values().all(|value| !value.is_unknown()));
            let names = block.attributes.keys().chain(block.blocks.keys()).count();
            prop_assert_eq!(filled.len(), names);
            // What is whole stays as it is, and planning it again changes nothing.
            if let Ok(whole) = conform(block, &filled) {
                prop_assert_eq!(conform(block, &whole).unwrap(), whole.clone());
                prop_assert_eq!(plan(block, &whole, Some(&whole)), whole);
            }
        }
    }
}

//! Makes a schema out of what generated sources declare.
//!
//! The generator of provider packages walked over the provider's schema, and left of each attribute its name, its flags and its type. This walks
//! back. What it cannot derive is an error, never a guess; what the sources do not hold at all (which attributes are sensitive, a
//! schema's version, a block's largest number other than one) is not in the result.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use crate::schema::{Attribute, Block, BlockType, NestingMode};
use crate::types;
use crate::typescript::{Converter, Flags, Member, Source};

/// The sources do not say what is needed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum ExtractError {
    /// There is no class for it.
    #[error("the package has no class `{0}`")]
    NoClass(String),
    /// The generator gave up: the schema is too deep for it.
    #[error(
        "the package does not say what `{0}` is: its generator leaves it out where it is too deep"
    )]
    LeftOut(String),
    /// It contains itself.
    #[error("`{0}` contains itself, which no schema can")]
    Recursive(String),
}

/// Returns the block of a type, or of the provider.
pub(crate) fn extract(source: &Source, class: &str) -> Result<Block, ExtractError> {
    let usual = format!("{class}Config");
    let configuration = source.configuration.as_deref().unwrap_or(&usual);
    Extraction { source, done: HashMap::new(), open: Vec::new() }.class(class, configuration)
}

struct Extraction<'a> {
    source: &'a Source,
    /// Large schemas have the same part in many places.
    done: HashMap<&'a str, Block>,
    open: Vec<&'a str>,
}

impl Extraction<'_> {
    /// Returns the block that a class stands for, and that an interface configures.
    fn class(&mut self, class: &str, interface: &str) -> Result<Block, ExtractError> {
        let (name, class) = self
            .source
            .classes
            .get_key_value(class)
            .ok_or_else(|| ExtractError::NoClass(class.to_owned()))?;
        if let Some(block) = self.done.get(name.as_str()) {
            return Ok(block.clone());
        }
        if self.open.contains(&name.as_str()) {
            return Err(ExtractError::Recursive(name.clone()));
        }
        self.open.push(name);
        let converters = if class.converters.is_empty() {
            self.source.converters_of(interface)
        } else {
            Some(&class.converters)
        };
        let mut block = Block::default();
        for member in &class.members {
            // Of cdktn's own, not of the schema.
            if class.base == "TerraformProvider" && member.name == "alias" {
                continue;
            }
            let converter = converters.and_then(|converters| converters.get(&member.name));
            let field =
                self.source.interfaces.get(interface).and_then(|fields| fields.get(&member.name));
            // What has no flag cannot be an attribute: it is a block that nobody configures.
            let is_block = field.map_or(member.flags == Flags::default(), |field| field.is_block);
            if is_block {
                block.block_types.insert(member.name.clone(), self.block_type(member, converter)?);
            } else {
                let attribute = Attribute {
                    r#type: Some(self.attribute_type(member, converter)?),
                    required: member.flags.required,
                    optional: member.flags.optional,
                    computed: member.flags.computed,
                    write_only: class.write_only.contains(&member.name),
                    ..Attribute::default()
                };
                block.attributes.insert(member.name.clone(), attribute);
            }
        }
        self.open.pop();
        self.done.insert(name, block.clone());
        Ok(block)
    }

    fn block_type(
        &mut self,
        member: &Member,
        converter: Option<&Converter>,
    ) -> Result<BlockType, ExtractError> {
        let (block, is_one) = if let Some(class) = &member.class {
            self.object(class)?
        } else {
            let text = member.type_text.as_deref().unwrap_or_default();
            let (interface, is_list) = types::interface(text);
            (self.interface(interface)?, !is_list)
        };
        let nesting_mode = nesting_mode(&member.name, is_one, member.wraps_set, converter);
        Ok(block_type(nesting_mode, block, is_one, member.flags.required))
    }

    /// Returns what a class holds, through the list or map that it may be, and whether it is one.
    fn object(&mut self, class: &str) -> Result<(Block, bool), ExtractError> {
        let found = self
            .source
            .classes
            .get(class)
            .ok_or_else(|| ExtractError::NoClass(class.to_owned()))?;
        let element = found.element.as_deref();
        let (object, is_one) = element.map_or((class, true), |element| (element, false));
        let interface = object.strip_suffix("OutputReference").unwrap_or(object);
        Ok((self.class(object, interface)?, is_one))
    }

    fn attribute_type(
        &mut self,
        member: &Member,
        converter: Option<&Converter>,
    ) -> Result<Value, ExtractError> {
        let left_out = || ExtractError::LeftOut(member.name.clone());
        if let Some(class) =
            member.class.as_deref().filter(|class| self.source.classes.contains_key(*class))
        {
            let base = self.source.classes[class].base.as_str();
            let object = object_type(&self.object(class)?.0);
            let mode = converter.map_or("", |converter| converter.mode.as_str());
            return Ok(match (base, mode) {
                ("ComplexMap", _) => json!(["map", object]),
                ("ComplexList", _) if member.wraps_set || mode == "set" => json!(["set", object]),
                ("ComplexList", _) | (_, "list") => json!(["list", object]),
                (_, "set") => json!(["set", object]),
                _ => object,
            });
        }
        if let Some(found) =
            converter.and_then(|converter| types::of_storage(&converter.storage, &converter.mode))
        {
            return Ok(found);
        }
        let class = member.class.as_deref().and_then(types::of_class);
        let getter = member.getter.as_deref().and_then(types::of_getter);
        let text = member.type_text.as_deref().and_then(types::of_text);
        class.or(getter).or(text).ok_or_else(left_out)
    }

    /// Returns the block that an interface configures, where no class stands for it: a provider's, and all of old packages.
    fn interface(&mut self, name: &str) -> Result<Block, ExtractError> {
        let (_, fields) = self
            .source
            .interfaces
            .get_key_value(name)
            .ok_or_else(|| ExtractError::NoClass(name.to_owned()))?;
        let converters = self.source.converters_of(name);
        let mut block = Block::default();
        for (field_name, field) in fields {
            let converter = converters.and_then(|converters| converters.get(field_name));
            let (interface, is_list) = types::interface(&field.type_text);
            if field.is_block {
                let mode = nesting_mode(field_name, !is_list, false, converter);
                let nested =
                    block_type(mode, self.interface(interface)?, !is_list, !field.is_optional);
                block.block_types.insert(field_name.clone(), nested);
                continue;
            }
            let of_storage = converter
                .and_then(|converter| types::of_storage(&converter.storage, &converter.mode));
            let r#type = match of_storage.or_else(|| types::of_text(&field.type_text)) {
                Some(found) => found,
                None if self.source.interfaces.contains_key(interface) => {
                    let object = object_type(&self.interface(interface)?);
                    if is_list { json!(["list", object]) } else { object }
                }
                None => return Err(ExtractError::LeftOut(field_name.clone())),
            };
            let attribute = Attribute {
                r#type: Some(r#type),
                required: !field.is_optional,
                optional: field.is_optional,
                ..Attribute::default()
            };
            block.attributes.insert(field_name.clone(), attribute);
        }
        Ok(block)
    }
}

/// Old packages do not tell how blocks are nested: then it is as nearly all of them are.
fn nesting_mode(
    name: &str,
    is_one: bool,
    wraps_set: bool,
    converter: Option<&Converter>,
) -> NestingMode {
    match converter.map(|converter| converter.mode.as_str()) {
        Some("set") => NestingMode::Set,
        Some("list") => NestingMode::List,
        Some("map") => NestingMode::Map,
        Some("struct") => NestingMode::Single,
        _ if wraps_set => NestingMode::Set,
        _ if is_one && name == "timeouts" => NestingMode::Single,
        _ => NestingMode::List,
    }
}

fn block_type(
    nesting_mode: NestingMode,
    block: Block,
    is_one: bool,
    is_required: bool,
) -> BlockType {
    let is_counted = matches!(nesting_mode, NestingMode::List | NestingMode::Set);
    BlockType {
        nesting_mode,
        block,
        min_items: u64::from(is_required && nesting_mode != NestingMode::Map),
        max_items: u64::from(is_counted && is_one),
    }
}

/// Returns the type of the objects that have a block's attributes.
fn object_type(block: &Block) -> Value {
    let attributes = block
        .attributes
        .iter()
        .map(|(name, attribute)| (name, attribute.r#type.clone().unwrap_or_default()));
    let nested = block.block_types.iter().map(|(name, nested)| {
        let object = object_type(&nested.block);
        let nested = match nested.nesting_mode {
            NestingMode::Single | NestingMode::Group => object,
            mode => json!([mode.to_string(), object]),
        };
        (name, nested)
    });
    let types: BTreeMap<_, _> = attributes.chain(nested).collect();
    json!([
        "object",
        types.into_iter().map(|(name, found)| (name.clone(), found)).collect::<Map<_, _>>()
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A type with one of each kind of member, as the generator writes them.
    const GATE: &str = include_str!("extract/gate.ts");

    /// What a provider has: its blocks have no classes.
    const PROVIDER: &str = include_str!("extract/park.ts");

    #[track_caller]
    fn json(text: &str, class: &str) -> String {
        let mut source = Source::default();
        source.add(text);
        let block = extract(&source, class).expect("all of it is known");
        serde_json::to_string_pretty(&block).expect("it is JSON")
    }

    #[track_caller]
    fn fails(text: &str, expected: &ExtractError) {
        let mut source = Source::default();
        source.add(text);
        assert_eq!(&extract(&source, "Gate").expect_err("something is missing"), expected);
    }

    #[test]
    fn a_type() {
        insta::assert_snapshot!(json(GATE, "Gate"), @r#"
        {
          "attributes": {
            "arn": {
              "type": "string",
              "computed": true
            },
            "code_wo": {
              "type": "string",
              "optional": true,
              "write_only": true
            },
            "rules": {
              "type": [
                "set",
                [
                  "object",
                  {
                    "who": "string"
                  }
                ]
              ],
              "optional": true,
              "computed": true
            }
          },
          "block_types": {
            "hinge": {
              "nesting_mode": "list",
              "block": {
                "attributes": {
                  "screws": {
                    "type": [
                      "set",
                      "number"
                    ],
                    "optional": true
                  }
                }
              },
              "min_items": 1,
              "max_items": 1
            },
            "lock": {
              "nesting_mode": "list",
              "block": {
                "attributes": {
                  "keys": {
                    "type": [
                      "map",
                      "string"
                    ],
                    "computed": true
                  }
                }
              }
            },
            "timeouts": {
              "nesting_mode": "single",
              "block": {
                "attributes": {
                  "create": {
                    "type": "string",
                    "optional": true
                  }
                }
              }
            }
          }
        }
        "#);
    }

    #[test]
    fn a_provider() {
        insta::assert_snapshot!(json(PROVIDER, "ParkProvider"), @r#"
        {
          "block_types": {
            "gate": {
              "nesting_mode": "list",
              "block": {
                "attributes": {
                  "names": {
                    "type": [
                      "set",
                      "string"
                    ],
                    "optional": true
                  },
                  "width": {
                    "type": "number",
                    "required": true
                  }
                }
              }
            }
          }
        }
        "#);
    }

    #[test]
    fn nothing_is_guessed() {
        fails("", &ExtractError::NoClass("Gate".into()));
        let too_deep =
            GATE.replace("this.getStringAttribute('arn')", "this.interpolationForAttribute('arn')");
        fails(&too_deep, &ExtractError::LeftOut("arn".into()));
        let lost = GATE.replace(
            "new GateHingeOutputReference(this, \"hinge\")",
            "new GateHingeList(this, \"hinge\")",
        );
        fails(&lost, &ExtractError::NoClass("GateHingeList".into()));
        let endless = GATE.replace(
            "  // who -",
            "  // rules - computed: true, optional: false, required: false\n  private _rules = new GateRulesList(this, \"rules\", false);\n  // who -",
        );
        fails(&endless, &ExtractError::Recursive("GateRulesOutputReference".into()));
    }
}

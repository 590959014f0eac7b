//! [`References`]: whether a resource is named by another, as the configuration or the state tells.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::address::Address;
use crate::assertion::{Operator, ReferencedBy};
use crate::input::{Block, InputKind, Resource};
use crate::mask;
use crate::need::Need;
use crate::rule::{Mode, Rule};
use crate::truth::Truth;

/// What was asked, and what may answer it.
#[derive(Default)]
pub(super) struct References {
    /// The attributes that may name another, by type.
    companions: BTreeMap<String, BTreeSet<String>>,
    asked: Vec<Asked>,
    blocks: Vec<Block>,
    /// Of a state: type, attribute and value.
    values: BTreeSet<(String, String, String)>,
}

struct Asked {
    rule: usize,
    assertion: usize,
    address: String,
    id: Option<String>,
    companion: ReferencedBy,
}

/// The answer to what was asked.
pub(super) struct Answered {
    pub(super) rule: usize,
    pub(super) assertion: usize,
    pub(super) address: String,
    pub(super) truth: Truth,
    pub(super) found: String,
}

impl References {
    pub(super) fn new(rules: &[&Rule]) -> Self {
        let mut companions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let operators = rules
            .iter()
            .flat_map(|rule| &rule.assertions)
            .flat_map(|assertion| &assertion.operators);
        for operator in operators {
            if let Operator::ReferencedBy(companion) = operator {
                companions
                    .entry(companion.kind.clone())
                    .or_default()
                    .insert(companion.attribute.clone());
            }
        }
        Self { companions, ..Self::default() }
    }

    /// Needs what of a type may name another.
    pub(super) fn add_needs(&self, kind: &str, need: &mut Need) {
        for attribute in self.companions.get(kind).into_iter().flatten() {
            need.key(attribute).all();
        }
    }

    pub(super) fn wants_blocks(&self, kind: Option<&str>) -> bool {
        kind.map_or(!self.companions.is_empty(), |kind| self.companions.contains_key(kind))
    }

    pub(super) fn block(&mut self, block: Block) {
        self.blocks.push(block);
    }

    /// Notes what a resource names, for a state, which has no configuration.
    pub(super) fn note(&mut self, resource: Resource<'_>) {
        let Some(attributes) = self.companions.get(resource.kind) else { return };
        if resource.mode != Mode::Managed {
            return;
        }
        for attribute in attributes {
            if let Some(Value::String(value)) = resource.values.get(attribute) {
                self.values.insert((resource.kind.to_owned(), attribute.clone(), value.clone()));
            }
        }
    }

    pub(super) fn ask(
        &mut self,
        rule: usize,
        assertion: usize,
        resource: Resource<'_>,
        companion: &ReferencedBy,
    ) {
        let is_unknown = mask::is_set(mask::at_key(resource.unknown, "id"));
        let id = resource.values.get("id").and_then(Value::as_str).filter(|_| !is_unknown);
        self.asked.push(Asked {
            rule,
            assertion,
            address: resource.address.to_owned(),
            id: id.map(str::to_owned),
            companion: companion.clone(),
        });
    }

    /// Answers all that was asked.
    pub(super) fn resolve(self, kind: InputKind) -> impl Iterator<Item = Answered> {
        // By module, type and attribute: what is named; and whether something is named in a way that can't be followed.
        let mut named: BTreeSet<(String, String, String, String)> = BTreeSet::new();
        let mut is_open: BTreeSet<(String, String)> = BTreeSet::new();
        for block in &self.blocks {
            for attribute in self.companions.get(&block.kind).into_iter().flatten() {
                let blocks = names(&block.expressions, attribute);
                if blocks.iter().all(|name| !is_local(name)) {
                    is_open.insert((block.kind.clone(), attribute.clone()));
                }
                for name in blocks {
                    let place = (block.module.clone(), block.kind.clone(), attribute.clone(), name);
                    named.insert(place);
                }
            }
        }
        let values = self.values;
        self.asked.into_iter().map(move |asked| {
            let Asked { rule, assertion, address, id, companion } = asked;
            let ReferencedBy { kind: by, attribute } = companion;
            let Address { module_block, block, .. } = Address::parse(&address);
            let is_value =
                id.is_some_and(|id| values.contains(&(by.clone(), attribute.clone(), id)));
            let is_named = named.contains(&(module_block, by.clone(), attribute.clone(), block));
            let (truth, found) = match kind {
                _ if is_value || is_named => (Truth::True, String::new()),
                InputKind::Plan if is_open.contains(&(by.clone(), attribute)) => {
                    (Truth::Unknown, format!("what each `{by}` belongs to is said indirectly"))
                }
                InputKind::Plan | InputKind::State => (Truth::False, "none does".to_owned()),
            };
            Answered { rule, assertion, address, truth, found }
        })
    }
}

/// Returns the blocks that an expression names, such as `aws_s3_bucket.logs`, without attributes and keys.
fn names(expressions: &Value, attribute: &str) -> Vec<String> {
    let references = expressions.get(attribute).and_then(|expression| expression.get("references"));
    let references =
        references.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    references.map(|reference| Address::parse(reference).block).collect()
}

/// Returns whether a name is that of a block in the same module, and not of something that stands for another.
fn is_local(block: &str) -> bool {
    !["var.", "local.", "each.", "module.", "data.", "path.", "count.", "self.", "."]
        .iter()
        .any(|other| block.starts_with(other))
}

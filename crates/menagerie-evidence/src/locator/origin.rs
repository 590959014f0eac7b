//! Where the value of an expression comes from: through locals and variables up to who sets it.

use hcl_edit::Ident;
use hcl_edit::expr::{Expression, Traversal, TraversalOperator};
use hcl_edit::structure::{Attribute, BlockLabel, Body};
use hcl_edit::visit::{Visit, visit_traversal};
use menagerie_compliance::Place;

use super::address::Step;
use super::within::{Spot, descend, find, unwrapped};
use crate::hcl::{Directory, File, Item, header, text, whole};

/// How many places are told at most: more than these are no help.
const MOST: usize = 6;

/// How far a value is followed; no chain of locals and variables that people write is longer.
const DEPTH: usize = 16;

/// The calls of modules on the way from the root.
pub(crate) struct Way<'a> {
    /// Each with the directory in which it stands.
    pub(crate) calls: Vec<(&'a Directory, Item<'a>)>,
    /// The directory behind the last call.
    pub(crate) last: &'a Directory,
}

/// Where on the way an expression stands, and in which block.
#[derive(Clone, Copy)]
struct Context<'w, 'a> {
    item: &'w Item<'a>,
    /// How many calls of modules lead there.
    level: usize,
}

/// Something that sets a value.
struct Setting<'w, 'a> {
    file: &'a File,
    attribute: &'a Attribute,
    words: String,
    context: Context<'w, 'a>,
}

/// What an expression names: `var.size`, `local.tags["a"]`, `each.value.port`.
struct Reference {
    base: String,
    name: String,
    steps: Vec<Step>,
}

impl<'a> Way<'a> {
    /// Returns who sets what a spot in a block says, each with a few words, the nearest first.
    pub(crate) fn origins(&self, item: &Item<'a>, spot: &Spot<'a, '_>) -> Vec<(Place, String)> {
        let mut found = Vec::new();
        if let Some(expression) = spot.expression {
            let context = Context { item, level: self.calls.len() };
            self.follow(context, expression, spot.left, DEPTH, &mut found);
        }
        found
    }

    fn follow<'w>(
        &'w self,
        context: Context<'w, 'a>,
        expression: &'a Expression,
        left: &[Step],
        depth: usize,
        found: &mut Vec<(Place, String)>,
    ) {
        for reference in references(expression, left) {
            if depth == 0 || found.len() >= MOST {
                return;
            }
            let mut tell = |spot: Spot<'a, '_>, words: String, context: Context<'w, 'a>| {
                let place = spot.file.place(spot.span);
                if found.iter().any(|(known, _)| *known == place) {
                    return;
                }
                found.push((place, words));
                if let Some(expression) = spot.expression {
                    self.follow(context, expression, spot.left, depth - 1, found);
                }
            };
            if let Some(setting) = self.setting(context, &reference) {
                let Setting { file, attribute, words, context } = setting;
                let steps = &reference.steps;
                tell(descend(file, whole(attribute), &attribute.value, steps), words, context);
            } else if let Some((item, steps)) = document(self.directory(context.level), &reference)
            {
                let (file, block) = item.first();
                let spot = find(&item, &steps).unwrap_or_else(|| Spot::block(file, header(block)));
                // What a statement names is followed no further: it may be made for several.
                let spot = Spot { expression: None, left: &[], ..spot };
                let words = format!("`{}` is written here", item.key);
                tell(spot, words, context);
            }
        }
    }

    fn directory(&self, level: usize) -> &'a Directory {
        self.calls.get(level).map_or(self.last, |(directory, _)| directory)
    }

    /// Returns what sets what is named.
    fn setting<'w>(
        &'w self,
        context: Context<'w, 'a>,
        reference: &Reference,
    ) -> Option<Setting<'w, 'a>> {
        let Reference { base, name, .. } = reference;
        let level = context.level;
        let directory = self.directory(level);
        let ((file, attribute), words, context) = match base.as_str() {
            "local" => (directory.local(name)?, format!("`local.{name}` is set here"), context),
            "each" | "count" => {
                let key = if base == "each" { "for_each" } else { "count" };
                (context.item.attribute(key)?, format!("`{key}` is set here"), context)
            }
            "var" => {
                let above = level.checked_sub(1).map(|above| (above, &self.calls[above].1));
                let set = above.and_then(|(level, item)| {
                    Some((item.attribute(name)?, Context { item, level }))
                });
                if let Some((set, above)) = set {
                    (set, format!("`{name}` is set here"), above)
                } else {
                    let variable = directory.get(&format!("variable.{name}"))?;
                    let words = format!("`var.{name}` has its default here");
                    (variable.attribute("default")?, words, context)
                }
            }
            _ if matches!(name.as_str(), "key" | "value") => {
                let blocks = context.item.blocks.iter();
                let made = blocks
                    .rev()
                    .find_map(|(file, block)| Some((*file, made_from(&block.body, base)?)));
                (made?, "`for_each` is set here".to_owned(), context)
            }
            _ => return None,
        };
        Some(Setting { file, attribute, words, context })
    }
}

/// Returns what the blocks are made from whose elements a name stands for.
fn made_from<'a>(body: &'a Body, name: &str) -> Option<&'a Attribute> {
    body.blocks().find_map(|block| {
        let iterator = block.body.get_attribute("iterator");
        let iterator = iterator.and_then(|iterator| iterator.value.as_variable());
        let label = block.labels.first().map(BlockLabel::as_str);
        let is_it =
            block.has_ident("dynamic") && iterator.map(Ident::as_str).or(label) == Some(name);
        let own = if is_it { block.body.get_attribute("for_each") } else { None };
        own.or_else(|| made_from(&block.body, name))
    })
}

/// Returns the block that writes a policy of IAM, and the steps into it, where a value is the JSON of one.
fn document<'a>(directory: &'a Directory, reference: &Reference) -> Option<(Item<'a>, Vec<Step>)> {
    const KEYS: &[(&str, &str)] = &[
        ("Action", "actions"),
        ("Condition", "condition"),
        ("Effect", "effect"),
        ("NotAction", "not_actions"),
        ("NotPrincipal", "not_principals"),
        ("NotResource", "not_resources"),
        ("Principal", "principals"),
        ("Resource", "resources"),
        ("Sid", "sid"),
    ];
    if (&*reference.base, &*reference.name) != ("data", "aws_iam_policy_document") {
        return None;
    }
    let [Step::Key(name), Step::Key(json), rest @ ..] = reference.steps.as_slice() else {
        return None;
    };
    let item = directory.get(&format!("data.aws_iam_policy_document.{name}"))?;
    // Statements of other documents stand before those that are written in it.
    let is_merged = ["source_policy_documents", "override_policy_documents"]
        .iter()
        .any(|name| item.attribute(name).is_some());
    let mut steps = Vec::new();
    if json == "json"
        && !is_merged
        && let [Step::Json, Step::Key(statement), rest @ ..] = rest
        && statement == "Statement"
    {
        let (index, rest) = match rest {
            [Step::Index(index), rest @ ..] => (*index, rest),
            rest => (0, rest),
        };
        steps.extend([Step::Key("statement".to_owned()), Step::Index(index)]);
        if let Some(Step::Key(key)) = rest.first()
            && let Some((_, name)) = KEYS.iter().find(|(known, _)| known == key)
        {
            steps.push(Step::Key((*name).to_owned()));
            // A text of JSON where there is one, a list of HCL.
            steps.extend(rest.iter().skip(1).take(1).cloned());
        }
    }
    Some((item, steps))
}

/// Returns what an expression names; where it is nothing else, with the steps that are left into it.
fn references(expression: &Expression, left: &[Step]) -> Vec<Reference> {
    let mut references = Named::default();
    match unwrapped(expression) {
        Expression::Traversal(traversal) => {
            if let Some(mut reference) = reference(traversal) {
                if reference.steps.len() + 1 == traversal.operators.len() {
                    reference.steps.extend_from_slice(left);
                }
                return vec![reference];
            }
            references.visit_traversal(traversal);
        }
        other => references.visit_expr(other),
    }
    references.0
}

/// Takes apart what names something, as far as it is written out.
fn reference(traversal: &Traversal) -> Option<Reference> {
    let base = traversal.expr.as_variable()?.as_str().to_owned();
    let mut operators = traversal.operators.iter().map(|operator| match operator.value() {
        TraversalOperator::GetAttr(name) => Some(Step::Key(name.as_str().to_owned())),
        TraversalOperator::LegacyIndex(index) => {
            usize::try_from(*index.value()).map(Step::Index).ok()
        }
        TraversalOperator::Index(index) => text(index).map(Step::Key).or_else(|| {
            let index = index.as_number()?.as_u64()?;
            usize::try_from(index).map(Step::Index).ok()
        }),
        TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => None,
    });
    let Some(Some(Step::Key(name))) = operators.next() else { return None };
    let is_element =
        matches!(&*name, "key" | "value") && !matches!(&*base, "var" | "local" | "data");
    let steps = if is_element {
        // What one of several has stands under a key of its own.
        Vec::new()
    } else {
        operators.map_while(|step| step).collect()
    };
    Some(Reference { base, name, steps })
}

#[derive(Default)]
struct Named(Vec<Reference>);

impl Visit for Named {
    fn visit_traversal(&mut self, traversal: &Traversal) {
        self.0.extend(reference(traversal));
        visit_traversal(self, traversal);
    }
}

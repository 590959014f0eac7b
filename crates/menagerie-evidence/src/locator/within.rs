//! Where in a block an attribute of a plan is written.

use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Body};

use super::address::Step;
use crate::hcl::{File, Item, header, key, whole};

/// Where something is written, as near as can be told.
#[derive(Debug, Clone)]
pub(crate) struct Spot<'a, 's> {
    pub(crate) file: &'a File,
    pub(crate) span: Range<usize>,
    /// What is written there, and which steps are left into it; none where it is a block.
    pub(crate) expression: Option<&'a Expression>,
    pub(crate) left: &'s [Step],
    /// The blocks of which it is one, where it can't be told which: name and place.
    pub(crate) one_of: Vec<(&'s str, Range<usize>)>,
}

/// Blocks that providers keep as sets: in a plan they are not in the order in which they are written.
/// Taken from the schemas of the providers that a rehearsal knows, and of the AWS provider's types that have several.
const SETS: &[&str] = &[
    "additional_claim",
    "attribute",
    "availability_zone_address",
    "capacity_provider_strategy",
    "condition",
    "coordinates",
    "ebs_block_device",
    "egress",
    "endpoints",
    "ephemeral_block_device",
    "filter",
    "global_secondary_index",
    "grant",
    "ingress",
    "inline_policy",
    "lifecycle_hook",
    "load_balancer",
    "metric_query",
    "network_interface",
    "noncurrent_version_transition",
    "not_principals",
    "option",
    "origin",
    "parameter",
    "placement_constraints",
    "principals",
    "replica",
    "route",
    "rules",
    "setting",
    "subnet_configuration",
    "subnet_mapping",
    "tag",
    "target_group",
    "traffic_source",
    "transition",
    "volume",
];

/// Finds what a path leads to in a block; none where the first step is not written.
pub(crate) fn find<'a, 's>(item: &Item<'a>, steps: &'s [Step]) -> Option<Spot<'a, 's>> {
    // An override has the last word.
    let mut blocks = item.blocks.iter().rev();
    blocks.find_map(|(file, block)| body(file, &block.body, header(block), steps))
}

fn body<'a, 's>(
    file: &'a File,
    body: &'a Body,
    around: Range<usize>,
    steps: &'s [Step],
) -> Option<Spot<'a, 's>> {
    let (Step::Key(name), rest) = steps.split_first()? else { return None };
    if let Some(attribute) = body.get_attribute(name) {
        return Some(descend(file, whole(attribute), &attribute.value, rest));
    }
    let blocks: Vec<(&Block, &Body)> =
        body.blocks().filter_map(|block| named(block, name)).collect();
    let (index, rest) = match rest {
        [Step::Index(index), rest @ ..] => (Some(*index), rest),
        rest => (None, rest),
    };
    // How many a dynamic block makes is not known, but where those begin.
    let is_dynamic = |(block, _): &(&Block, &Body)| block.has_ident("dynamic");
    let fixed = blocks.iter().position(is_dynamic).unwrap_or(blocks.len());
    let picked = match (blocks.as_slice(), index) {
        ([], _) => {
            // What the provider makes of `tags` and its own defaults.
            let is_tags = name == "tags_all" && body.has_attribute("tags");
            let attribute = body.get_attribute("tags").filter(|_| is_tags)?;
            return Some(descend(file, whole(attribute), &attribute.value, &steps[1..]));
        }
        ([only], _) => Some(*only),
        (several, Some(index)) if !SETS.contains(&name.as_str()) => {
            let is_last = several.len() == fixed + 1;
            if index < fixed || is_last { several.get(index.min(fixed)).copied() } else { None }
        }
        _ => None,
    };
    let within = |(block, inner): (&'a Block, &'a Body)| {
        self::body(file, inner, header(block), rest)
            .unwrap_or_else(|| Spot::block(file, header(block)))
    };
    if let Some(picked) = picked {
        return Some(within(picked));
    }
    // The only one that has what the path leads to is it.
    let mut written =
        blocks.iter().filter_map(|(block, inner)| self::body(file, inner, header(block), rest));
    if let (Some(spot), None) = (written.next(), written.next()) {
        return Some(spot);
    }
    let one_of = blocks.iter().map(|(block, _)| (name.as_str(), header(block))).collect();
    Some(Spot { one_of, ..Spot::block(file, around) })
}

/// Returns the block and what is in it, if it has a name or makes blocks of that name.
fn named<'a>(block: &'a Block, name: &str) -> Option<(&'a Block, &'a Body)> {
    if block.has_ident(name) {
        return Some((block, &block.body));
    }
    let is_it = block.has_ident("dynamic")
        && block.labels.first().is_some_and(|label| label.as_str() == name);
    let content = block.body.get_blocks("content").next().filter(|_| is_it)?;
    Some((block, &content.body))
}

impl<'a> Spot<'a, '_> {
    /// Returns the spot of a block.
    pub(crate) fn block(file: &'a File, span: Range<usize>) -> Self {
        Self { file, span, expression: None, left: &[], one_of: Vec::new() }
    }
}

/// Follows a path into an expression as far as it is written out.
pub(crate) fn descend<'a, 's>(
    file: &'a File,
    mut span: Range<usize>,
    mut expression: &'a Expression,
    mut steps: &'s [Step],
) -> Spot<'a, 's> {
    loop {
        expression = unwrapped(expression);
        let next = match (steps.first(), expression) {
            (Some(Step::Json), Expression::FuncCall(call)) if is_call(expression, "jsonencode") => {
                call.args.iter().next().map(|argument| (None, argument))
            }
            (Some(Step::Key(name)), _) => entry(expression, name),
            (Some(Step::Index(index)), _) => element(expression, *index),
            _ => None,
        };
        let Some((narrower, inner)) = next else {
            return Spot {
                file,
                span,
                expression: Some(expression),
                left: steps,
                one_of: Vec::new(),
            };
        };
        span = narrower.unwrap_or(span);
        (expression, steps) = (inner, &steps[1..]);
    }
}

type Inner<'a> = (Option<Range<usize>>, &'a Expression);

/// Returns an expression without what does not change it.
pub(crate) fn unwrapped(mut expression: &Expression) -> &Expression {
    const SAME: &[&str] = &["nonsensitive", "sensitive", "tolist", "tomap"];
    loop {
        let inner = match expression {
            Expression::Parenthesis(inner) => Some(inner.inner()),
            Expression::FuncCall(call) if SAME.iter().any(|name| is_call(expression, name)) => {
                call.args.iter().next()
            }
            _ => None,
        };
        match inner {
            Some(inner) => expression = inner,
            None => return expression,
        }
    }
}

fn is_call(expression: &Expression, name: &str) -> bool {
    matches!(expression, Expression::FuncCall(call)
        if !call.name.is_namespaced() && call.name.name.as_str() == name)
}

/// Returns the value of a key, of what is written out of a map.
fn entry<'a>(expression: &'a Expression, name: &str) -> Option<Inner<'a>> {
    match expression {
        Expression::Object(entries) => {
            let found = entries.iter().filter(|(found, _)| key(found).as_deref() == Some(name));
            let (key, value) = found.last()?;
            let (start, end) = (key.span()?.start, value.expr().span()?.end);
            Some((Some(start..end), value.expr()))
        }
        Expression::FuncCall(call) if is_call(expression, "merge") => {
            let arguments: Vec<&Expression> = call.args.iter().collect();
            arguments.into_iter().rev().find_map(|argument| entry(argument, name))
        }
        Expression::Parenthesis(inner) => entry(inner.inner(), name),
        _ => None,
    }
}

/// Returns an element, of what is written out of a list.
fn element(expression: &Expression, index: usize) -> Option<Inner<'_>> {
    match expression {
        Expression::Array(elements) => {
            let element = elements.get(index)?;
            Some((element.span(), element))
        }
        Expression::FuncCall(call) if is_call(expression, "concat") => {
            let mut index = index;
            for argument in &call.args {
                let Expression::Array(elements) = argument else { return None };
                match elements.get(index) {
                    Some(element) => return Some((element.span(), element)),
                    None => index -= elements.len(),
                }
            }
            None
        }
        _ => None,
    }
}

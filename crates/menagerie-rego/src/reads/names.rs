//! What names and references mean within one rule.

use std::collections::{BTreeMap, BTreeSet};

use regorus::unstable::{AssignOp, Expr, Literal, LiteralStmt, Rule, RuleHead};

use crate::need::Step;
use crate::walk;

/// Part of a reference.
pub(super) enum Part<'e> {
    Key(String),
    Index(&'e Expr),
}

/// Returns what a reference begins with, and the rest of it.
pub(super) fn parts(expr: &Expr) -> (&Expr, Vec<Part<'_>>) {
    let (base, mut parts, part) = match expr {
        Expr::RefDot { refr, field, .. } => {
            let (base, parts) = self::parts(refr);
            let key = field.1.as_string().map_or(field.0.text().to_owned(), ToString::to_string);
            (base, parts, Part::Key(key))
        }
        Expr::RefBrack { refr, index, .. } => {
            let (base, parts) = self::parts(refr);
            let part = match &**index {
                Expr::String { value, .. } | Expr::RawString { value, .. } => {
                    Part::Key(value.as_string().map(ToString::to_string).unwrap_or_default())
                }
                other => Part::Index(other),
            };
            (base, parts, part)
        }
        other => return (other, Vec::new()),
    };
    parts.push(part);
    (base, parts)
}

/// Returns the names that stand for a value that they already have, in some place of a rule.
pub(super) fn compared(
    rule: &Rule,
    has_further: &dyn Fn(&Expr, usize) -> bool,
) -> BTreeSet<String> {
    // By name, in how many places it is declared, and in how many it may be bound or compared.
    let mut sites: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut count = |pattern: &Expr, is_declared: bool| {
        let mut names = BTreeSet::new();
        walk::declared(pattern, &mut names);
        for name in names {
            let (declared, other) = sites.entry(name).or_default();
            *if is_declared { declared } else { other } += 1;
        }
    };
    if let Rule::Spec { head: RuleHead::Func { args, .. }, .. } = rule {
        for arg in args {
            count(arg, true);
        }
    }
    walk::rule(rule, &mut |node| match node {
        walk::Node::Statement(LiteralStmt {
            literal: Literal::SomeIn { key, value, .. }, ..
        }) => {
            for pattern in key.iter().chain([value]) {
                count(pattern, true);
            }
        }
        walk::Node::Expr(Expr::AssignExpr { lhs, rhs, op, .. }) => {
            count(lhs, *op == AssignOp::ColEq);
            if *op == AssignOp::Eq {
                count(rhs, false);
            }
        }
        walk::Node::Expr(expr @ Expr::RefBrack { .. }) => {
            for part in parts(expr).1 {
                if let Part::Index(index) = part {
                    count(index, false);
                }
            }
        }
        // A further argument of a function takes its value.
        walk::Node::Expr(Expr::Call { fcn, params, .. }) => {
            if let Some(last) = params.last().filter(|_| has_further(fcn, params.len())) {
                count(last, false);
            }
        }
        _ => {}
    });
    let is_compared = |(declared, other): &(usize, usize)| *other > 0 && declared + other > 1;
    sites.into_iter().filter(|(_, counts)| is_compared(counts)).map(|(name, _)| name).collect()
}

/// Returns the names that are declared once, in the only body of a rule, by `some name in ["a", "b"]`.
pub(super) fn words(rule: &Rule) -> BTreeMap<String, Vec<String>> {
    let mut words = BTreeMap::new();
    let Rule::Spec { bodies, .. } = rule else { return words };
    let [body] = &bodies[..] else { return words };
    for statement in &body.query.stmts {
        let Literal::SomeIn { key: None, value, collection, .. } = &statement.literal else {
            continue;
        };
        let (Expr::Var { span, .. }, Expr::Array { items, .. } | Expr::Set { items, .. }) =
            (&**value, &**collection)
        else {
            continue;
        };
        let texts: Option<Vec<String>> = items.iter().map(|item| literal_text(item)).collect();
        words.extend(texts.map(|texts| (span.text().to_owned(), texts)));
    }
    // Another place with the same name may mean another.
    let mut declared = Vec::new();
    walk::rule(rule, &mut |node| {
        let mut names = BTreeSet::new();
        match node {
            walk::Node::Statement(statement) => match &statement.literal {
                Literal::SomeIn { key, value, .. } => {
                    for pattern in key.iter().chain([value]) {
                        walk::declared(pattern, &mut names);
                    }
                }
                Literal::SomeVars { vars, .. } => {
                    names.extend(vars.iter().map(|name| name.text().to_owned()));
                }
                Literal::Every { key, value, .. } => {
                    names.extend(key.iter().chain([value]).map(|name| name.text().to_owned()));
                }
                Literal::Expr { .. } | Literal::NotExpr { .. } => {}
            },
            walk::Node::Expr(Expr::AssignExpr { lhs, rhs, .. }) => {
                walk::declared(lhs, &mut names);
                walk::declared(rhs, &mut names);
            }
            walk::Node::Expr(_) => {}
        }
        declared.extend(names);
    });
    words.retain(|name, _| declared.iter().filter(|other| *other == name).count() == 1);
    words
}

fn literal_text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::String { value, .. } | Expr::RawString { value, .. } => {
            value.as_string().ok().map(ToString::to_string)
        }
        _ => None,
    }
}

/// Returns the steps of a key, or of a list of keys, as `object.get` takes it.
pub(super) fn literal_path(key: &Expr) -> Option<Vec<Step>> {
    match key {
        Expr::String { value, .. } | Expr::RawString { value, .. } => {
            Some(vec![Step::Key(value.as_string().ok()?.to_string())])
        }
        Expr::Number { .. } => Some(vec![Step::Each]),
        Expr::Array { items, .. } => {
            let steps =
                items.iter().map(|item| literal_path(item).filter(|steps| steps.len() == 1));
            let steps: Option<Vec<Vec<Step>>> = steps.collect();
            Some(steps?.into_iter().flatten().collect())
        }
        _ => None,
    }
}

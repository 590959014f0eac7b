//! Going through a policy: its rules, their statements and expressions.

use std::collections::BTreeSet;

use regorus::unstable::{AssignOp, Expr, Literal, LiteralStmt, Query, Rule, RuleHead};

/// Something in a rule.
pub(crate) enum Node<'a> {
    Expr(&'a Expr),
    Statement(&'a LiteralStmt),
}

/// Returns the fixed path of a reference such as `data.a["b"]` or `deny`: up to the first part that is not fixed, if there is one.
pub(crate) fn fixed_path(expr: &Expr) -> (Vec<String>, bool) {
    match expr {
        Expr::Var { span, .. } => (vec![span.text().to_owned()], true),
        Expr::RefDot { refr, field, .. } => {
            let (mut path, is_all) = fixed_path(refr);
            if is_all {
                path.push(text(&field.1).unwrap_or_else(|| field.0.text().to_owned()));
            }
            (path, is_all)
        }
        Expr::RefBrack { refr, index, .. } => {
            let (mut path, is_all) = fixed_path(refr);
            match &**index {
                Expr::String { value, .. } | Expr::RawString { value, .. } if is_all => {
                    path.extend(text(value));
                    (path, true)
                }
                _ => (path, false),
            }
        }
        _ => (Vec::new(), false),
    }
}

/// Returns where the first name of a reference ends, in bytes.
pub(crate) fn first_name_end(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Var { span, .. } => Some(span.end as usize),
        Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } => first_name_end(refr),
        _ => None,
    }
}

/// Returns the line and the column where an expression begins.
pub(crate) fn start(expr: &Expr) -> (usize, usize) {
    match expr {
        Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } => start(refr),
        Expr::Call { fcn, .. } => start(fcn),
        other => (other.span().line as usize, other.span().col as usize),
    }
}

/// Returns the path of a reference, if all of it is fixed.
pub(crate) fn path(expr: &Expr) -> Option<Vec<String>> {
    Some(fixed_path(expr)).filter(|(_, is_all)| *is_all).map(|(path, _)| path)
}

fn text(value: &regorus::Value) -> Option<String> {
    value.as_string().ok().map(ToString::to_string)
}

/// Returns the reference of a rule's head.
pub(crate) fn head(rule: &Rule) -> &Expr {
    match rule {
        Rule::Spec { head, .. } => match head {
            RuleHead::Compr { refr, .. }
            | RuleHead::Set { refr, .. }
            | RuleHead::Func { refr, .. } => refr,
        },
        Rule::Default { refr, .. } => refr,
    }
}

/// Returns whether a rule is a function.
pub(crate) fn is_function(rule: &Rule) -> bool {
    match rule {
        Rule::Spec { head, .. } => matches!(head, RuleHead::Func { .. }),
        Rule::Default { args, .. } => !args.is_empty(),
    }
}

/// Returns the names that a rule declares for itself: its arguments, and those of `some`, `every` and `:=`.
pub(crate) fn locals(of: &Rule) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if let Rule::Spec { head: RuleHead::Func { args, .. }, .. } = of {
        for arg in args {
            declared(arg, &mut names);
        }
    }
    rule(of, &mut |node| match node {
        Node::Statement(statement) => match &statement.literal {
            Literal::SomeVars { vars, .. } => {
                names.extend(vars.iter().map(|name| name.text().to_owned()));
            }
            Literal::SomeIn { key, value, .. } => {
                if let Some(key) = key {
                    declared(key, &mut names);
                }
                declared(value, &mut names);
            }
            Literal::Every { key, value, .. } => {
                names.extend(key.iter().chain([value]).map(|name| name.text().to_owned()));
            }
            Literal::Expr { .. } | Literal::NotExpr { .. } => {}
        },
        Node::Expr(Expr::AssignExpr { op: AssignOp::ColEq, lhs, .. }) => declared(lhs, &mut names),
        Node::Expr(_) => {}
    });
    names
}

/// Adds the names in a pattern such as `[a, {"b": c}]`.
pub(crate) fn declared(pattern: &Expr, names: &mut BTreeSet<String>) {
    match pattern {
        Expr::Var { span, .. } => {
            names.insert(span.text().to_owned());
        }
        Expr::Array { items, .. } => {
            for item in items {
                declared(item, names);
            }
        }
        Expr::Object { fields, .. } => {
            for (_, _, value) in fields {
                declared(value, names);
            }
        }
        _ => {}
    }
}

/// Visits all that is in a rule, what is around before what is in it.
pub(crate) fn rule<'a>(rule: &'a Rule, visit: &mut dyn FnMut(Node<'a>)) {
    match rule {
        Rule::Spec { head, bodies, .. } => {
            match head {
                RuleHead::Compr { refr, assign, .. } => {
                    indexes(refr, visit);
                    if let Some(assign) = assign {
                        expr(&assign.value, visit);
                    }
                }
                RuleHead::Set { refr, key, .. } => {
                    indexes(refr, visit);
                    if let Some(key) = key {
                        expr(key, visit);
                    }
                }
                RuleHead::Func { refr, args, assign, .. } => {
                    indexes(refr, visit);
                    for arg in args {
                        expr(arg, visit);
                    }
                    if let Some(assign) = assign {
                        expr(&assign.value, visit);
                    }
                }
            }
            for body in bodies {
                if let Some(assign) = &body.assign {
                    expr(&assign.value, visit);
                }
                query(&body.query, visit);
            }
        }
        Rule::Default { value, .. } => expr(value, visit),
    }
}

/// Visits all that is in a query.
pub(crate) fn query<'a>(query: &'a Query, visit: &mut dyn FnMut(Node<'a>)) {
    for statement in &query.stmts {
        visit(Node::Statement(statement));
        literal(&statement.literal, visit);
        for modifier in &statement.with_mods {
            expr(&modifier.refr, visit);
            expr(&modifier.r#as, visit);
        }
    }
}

fn literal<'a>(literal: &'a Literal, visit: &mut dyn FnMut(Node<'a>)) {
    match literal {
        Literal::SomeVars { .. } => {}
        Literal::SomeIn { key, value, collection, .. } => {
            if let Some(key) = key {
                expr(key, visit);
            }
            expr(value, visit);
            expr(collection, visit);
        }
        Literal::Expr { expr: inner, .. } | Literal::NotExpr { expr: inner, .. } => {
            expr(inner, visit);
        }
        Literal::Every { domain, query: inner, .. } => {
            expr(domain, visit);
            query(inner, visit);
        }
    }
}

/// Visits an expression and all that is in it; a reference such as `a.b[c]` is visited as a whole, and then `c`.
pub(crate) fn expr<'a>(outer: &'a Expr, visit: &mut dyn FnMut(Node<'a>)) {
    visit(Node::Expr(outer));
    if is_reference(outer) {
        return indexes(outer, visit);
    }
    let (parts, inner) = parts(outer);
    for part in parts {
        expr(part, visit);
    }
    if let Some(inner) = inner {
        query(inner, visit);
    }
}

fn is_reference(expr: &Expr) -> bool {
    matches!(expr, Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. })
}

/// Visits what is in the brackets of a reference, and what it begins with, if that is no name.
fn indexes<'a>(reference: &'a Expr, visit: &mut dyn FnMut(Node<'a>)) {
    let inner = match reference {
        Expr::RefDot { refr, .. } => refr,
        Expr::RefBrack { refr, index, .. } => {
            expr(index, visit);
            refr
        }
        _ => return,
    };
    if is_reference(inner) { indexes(inner, visit) } else { expr(inner, visit) }
}

/// Returns what an expression is made of.
pub(crate) fn parts(expr: &Expr) -> (Vec<&Expr>, Option<&Query>) {
    match expr {
        Expr::String { .. }
        | Expr::RawString { .. }
        | Expr::Number { .. }
        | Expr::Bool { .. }
        | Expr::Null { .. }
        | Expr::Var { .. } => (Vec::new(), None),
        Expr::Array { items, .. } | Expr::Set { items, .. } => {
            (items.iter().map(|item| &**item).collect(), None)
        }
        Expr::Object { fields, .. } => {
            (fields.iter().flat_map(|(_, key, value)| [&**key, &**value]).collect(), None)
        }
        Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
            (vec![&**term], Some(query))
        }
        Expr::ObjectCompr { key, value, query, .. } => (vec![&**key, &**value], Some(query)),
        Expr::Call { fcn, params, .. } => {
            (std::iter::once(&**fcn).chain(params.iter().map(|param| &**param)).collect(), None)
        }
        Expr::UnaryExpr { expr, .. } => (vec![&**expr], None),
        Expr::RefDot { refr, .. } => (vec![&**refr], None),
        Expr::RefBrack { refr, index, .. } => (vec![&**refr, &**index], None),
        Expr::BinExpr { lhs, rhs, .. }
        | Expr::BoolExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. }
        | Expr::AssignExpr { lhs, rhs, .. } => (vec![&**lhs, &**rhs], None),
        Expr::Membership { key, value, collection, .. } => {
            (key.iter().map(|key| &**key).chain([&**value, &**collection]).collect(), None)
        }
    }
}

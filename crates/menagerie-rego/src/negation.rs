//! `not f(x)` where `x` is undefined: in OPA it does not hold, in regorus it does.
//!
//! OPA's compiler takes the arguments out of what is negated and asks for them before: `y := x; not f(y)`. Only what stands
//! beside `==` or `=` stays where it is. The same is done here, in the source.

use regorus::unstable::{AssignOp, BoolOp, Expr, Literal, LiteralStmt, Span};

use crate::error::Notes;
use crate::graph::{Meaning, Names};
use crate::policy::Not;
use crate::rewrite::Rewrite;
use crate::source::Module;
use crate::walk::{self, Node};

/// Asks before each `not` for what it needs, or notes that it would.
pub(crate) fn apply(module: &mut Module, paths: &[Vec<String>], not: Not, notes: &mut Notes) {
    let mut rewrite = Rewrite::default();
    let mut count = 0;
    for rule in &module.ast.policy {
        let names = Names::of(module, paths.iter());
        let locals = walk::locals(rule);
        walk::rule(rule, &mut |node| {
            let Node::Statement(
                statement @ LiteralStmt { literal: Literal::NotExpr { expr, .. }, .. },
            ) = node
            else {
                return;
            };
            let mut needed = Vec::new();
            operands(expr, &mut needed);
            let mut with = String::new();
            for modifier in &statement.with_mods {
                with.push(' ');
                with.push_str(&one_line(whole(&module.text, &modifier.span)));
            }
            let start = statement.span.start as usize;
            let is_bare = module.text[..start].trim_end().ends_with("if");
            let mut asked = 0;
            for expr in needed {
                // A variable that the rule has bound is there.
                let is_bound = matches!(expr, Expr::Var { .. })
                    && names.meaning(&walk::fixed_path(expr).0, &locals) == Meaning::Local;
                let text = whole(&module.text, expr.span());
                if is_bound || text == "_" {
                    continue;
                }
                let is_refused = not == Not::Strict || text.contains('#');
                if is_refused {
                    let (line, column) = walk::start(expr);
                    let message = "what is negated may be undefined, and then OPA does not say that it does not hold";
                    let hint = format!(
                        "give it a name before: `x := {}`, and then `not … x …`",
                        one_line(text)
                    );
                    notes.note(&module.path, module.problem(line, column, message, Some(&hint)));
                    continue;
                }
                count += 1;
                asked += 1;
                let brace = if is_bare && asked == 1 { "{ " } else { "" };
                let text = format!("{brace}needed_{count}__ := {}{with}; ", one_line(text));
                rewrite.insert(start, text);
            }
            if is_bare && asked > 0 {
                let ends = statement.with_mods.iter().map(|modifier| modifier.span.end);
                let end = ends.chain([statement.span.end]).max().unwrap_or_default();
                rewrite.insert(with_quote(&module.text, end as usize), " }".to_owned());
            }
        });
    }
    if let Err(problem) = module.rewrite(rewrite) {
        notes.note(&module.path.clone(), problem);
    }
}

/// Returns the text of a span, with the quotation marks that regorus leaves out where it begins or ends with a text.
fn whole<'a>(text: &'a str, span: &Span) -> &'a str {
    let start = span.start as usize;
    let is_quoted = text[..start].ends_with(['"', '`']);
    &text[start - usize::from(is_quoted)..with_quote(text, span.end as usize)]
}

/// Returns where a span ends that may end with a text.
fn with_quote(text: &str, end: usize) -> usize {
    end + usize::from(text[end..].starts_with(['"', '`']))
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// Finds what is taken out of an expression that is negated.
fn operands<'a>(expr: &'a Expr, needed: &mut Vec<&'a Expr>) {
    match expr {
        Expr::BoolExpr { op: BoolOp::Eq, lhs, rhs, .. }
        | Expr::AssignExpr { op: AssignOp::Eq, lhs, rhs, .. } => {
            for side in [lhs, rhs] {
                if is_reference(side) { indexes(side, needed) } else { operand(side, needed) }
            }
        }
        Expr::Call { params, .. } => {
            for param in params {
                operand(param, needed);
            }
        }
        Expr::BoolExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. }
        | Expr::BinExpr { lhs, rhs, .. } => {
            operand(lhs, needed);
            operand(rhs, needed);
        }
        Expr::Membership { key, value, collection, .. } => {
            for part in key.iter().chain([value, collection]) {
                operand(part, needed);
            }
        }
        _ if is_reference(expr) => indexes(expr, needed),
        _ => operand(expr, needed),
    }
}

/// Finds what of an argument has to be there.
fn operand<'a>(expr: &'a Expr, needed: &mut Vec<&'a Expr>) {
    match expr {
        Expr::Array { .. } | Expr::Set { .. } | Expr::Object { .. } => {
            let (parts, _) = walk::parts(expr);
            for part in parts {
                operand(part, needed);
            }
        }
        Expr::Var { .. }
        | Expr::RefDot { .. }
        | Expr::RefBrack { .. }
        | Expr::Call { .. }
        | Expr::ArithExpr { .. }
        | Expr::BinExpr { .. }
        | Expr::BoolExpr { .. }
        | Expr::UnaryExpr { .. }
        | Expr::Membership { .. } => needed.push(expr),
        _ => {}
    }
}

fn is_reference(expr: &Expr) -> bool {
    matches!(expr, Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. })
}

/// Finds what stands in the brackets of a reference.
fn indexes<'a>(expr: &'a Expr, needed: &mut Vec<&'a Expr>) {
    match expr {
        Expr::RefDot { refr, .. } => indexes(refr, needed),
        Expr::RefBrack { refr, index, .. } => {
            operand(index, needed);
            indexes(refr, needed);
        }
        Expr::Call { .. } => operands(expr, needed),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn what_ends_with_a_text_ends_after_it() {
        let head = "package a\n\nimport rego.v1\n\n";
        let text =
            format!("{head}f(t, i) := false if not t[i + 1] == \"<\"\n\ng(x) if not h(x == `a`)\n");
        let mut module = Module::parse(Path::new("a.rego"), &text).unwrap();
        let mut notes = Notes::default();
        apply(&mut module, &[], Not::Opa, &mut notes);
        assert!(notes.is_empty(), "{notes:?}");
        let asked = "f(t, i) := false if { needed_1__ := i + 1; not t[i + 1] == \"<\" }\n\n\
                     g(x) if { needed_2__ := x == `a`; not h(x == `a`) }\n";
        assert_eq!(module.text, format!("{head}{asked}"));
    }
}

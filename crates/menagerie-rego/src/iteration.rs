//! `some x in y` where `y` is null, a text or a number: in OPA there is none, in regorus it is an error.

use regorus::unstable::{Expr, Literal, LiteralStmt};

use crate::rewrite::Rewrite;
use crate::source::Module;
use crate::walk::{self, Node};

/// Lets each `some … in` go through nothing where there is nothing to go through. What is read in the module stays as it is.
pub(crate) fn apply(module: &mut Module) {
    let mut rewrite = Rewrite::default();
    for rule in &module.ast.policy {
        walk::rule(rule, &mut |node| {
            let Node::Statement(LiteralStmt {
                literal: Literal::SomeIn { collection, .. }, ..
            }) = node
            else {
                return;
            };
            if is_collection(collection) {
                return;
            }
            let span = collection.span();
            rewrite.insert(span.start as usize, "internal.collection(".to_owned());
            rewrite.insert(span.end as usize, ")".to_owned());
        });
    }
    module.rewrite_text(rewrite);
}

/// Returns whether it is one whatever is in it.
fn is_collection(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Array { .. }
            | Expr::Set { .. }
            | Expr::Object { .. }
            | Expr::ArrayCompr { .. }
            | Expr::SetCompr { .. }
            | Expr::ObjectCompr { .. }
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[track_caller]
    fn check(body: &str, expected: &str) {
        let text =
            |body: &str| format!("package a\n\nimport rego.v1\n\nx contains y if {{ {body} }}\n");
        let mut module = Module::parse(Path::new("a.rego"), &text(body)).unwrap();
        apply(&mut module);
        assert_eq!(module.text, text(expected));
    }

    #[test]
    fn what_may_be_no_collection_is_asked() {
        check("some y in input.a[_].b", "some y in internal.collection(input.a[_].b)");
        check("some y in (f(1) | g)", "some y in (internal.collection(f(1) | g))");
        check("some i, y in f(input)", "some i, y in internal.collection(f(input))");
        check(
            "some y in f([z | some z in input])",
            "some y in internal.collection(f([z | some z in internal.collection(input)]))",
        );
        check("some y in [1, 2]", "some y in [1, 2]");
        check("some y in {z | z := input[_]}", "some y in {z | z := input[_]}");
        check("y := input.a; y in input.b", "y := input.a; y in input.b");
    }
}

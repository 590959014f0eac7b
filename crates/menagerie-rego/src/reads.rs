//! [`need`]: which parts of the plan rules read, found out without evaluating them.
//!
//! Each expression has a [`Shape`]: which parts of the plan its value may be. Going on into a value reads nothing yet;
//! comparing it, handing it to a builtin or making it a part of a finding reads all of it. Whatever is not understood reads
//! all that it could.

mod names;

use std::collections::{BTreeMap, BTreeSet};

use regorus::unstable::{AssignOp, Expr, Literal, Query, Rule, RuleHead};

use crate::entry::Entry;
use crate::graph::{self, Graph, Meaning, Names};
use crate::need::{Need, Step};
use crate::shape::{Path, Shape, change};
use crate::source::Module;
use crate::walk;
use names::{Part, compared, literal_path, parts, words};

/// How often all rules are gone through at most until nothing new is found.
const MOST_ROUNDS: usize = 64;

/// Returns what of the plan is read by rules that are asked, and by all that these need.
pub(crate) fn need(modules: &[Module], graph: &Graph, entries: &[&Entry]) -> Need {
    let mut asked: BTreeSet<Vec<String>> = BTreeSet::new();
    for entry in entries {
        asked.insert(entry.path());
        asked.insert(entry.package.iter().cloned().chain(["exception".to_owned()]).collect());
    }
    let mut reached = BTreeSet::new();
    let mut open: Vec<&Vec<String>> = asked.iter().collect();
    while let Some(path) = open.pop() {
        if let Some(node) = graph.nodes.get(path).filter(|_| reached.insert(path.clone())) {
            open.extend(&node.rules);
        }
    }
    let mut reader = Reader {
        graph,
        need: Need::default(),
        values: BTreeMap::new(),
        parameters: BTreeMap::new(),
        variables: BTreeMap::new(),
        is_changed: true,
    };
    if graph.has_index() {
        for keys in [&["address"][..], &["mode"], &["type"], &["change", "actions"]] {
            reader.need.read(&change(keys));
        }
    }
    let mut rounds = 0;
    while std::mem::take(&mut reader.is_changed) {
        rounds += 1;
        if rounds > MOST_ROUNDS {
            return Need::all();
        }
        for (number, module) in modules.iter().enumerate() {
            let names = Names::of(module, graph.nodes.keys());
            for (index, rule) in module.ast.policy.iter().enumerate() {
                let path = graph::path(module, rule);
                if reached.contains(&path) {
                    let locals = walk::locals(rule);
                    let compared = compared(rule, &|function, given| {
                        let (path, _) = walk::fixed_path(function);
                        let takes = match names.meaning(&path, &locals) {
                            Meaning::Data(path) => {
                                graph.nodes.get(&path).and_then(|node| node.arguments)
                            }
                            _ => graph::arguments(&path.join(".")),
                        };
                        takes.is_some_and(|takes| given > takes)
                    });
                    let scope = Scope {
                        names: &names,
                        locals,
                        compared,
                        words: words(rule),
                        rule: (number, index),
                    };
                    reader.rule(rule, &path, &scope);
                }
            }
        }
        for path in &asked {
            if let Some(value) = reader.values.get(path).cloned() {
                reader.consume(&value);
            }
        }
    }
    let mut need = reader.need;
    need.with_marks_of_variables();
    need.finish();
    need
}

/// What is known while all rules are gone through.
struct Reader<'g> {
    graph: &'g Graph,
    need: Need,
    values: BTreeMap<Vec<String>, Shape>,
    parameters: BTreeMap<(Vec<String>, usize), Shape>,
    variables: BTreeMap<((usize, usize), String), Shape>,
    is_changed: bool,
}

/// What names mean in a rule.
struct Scope<'n> {
    names: &'n Names<'n>,
    locals: BTreeSet<String>,
    /// The names that may be bound in several places, one of them by `=` or as an index: there they are compared.
    compared: BTreeSet<String>,
    /// The names that go through texts that stand in the rule.
    words: BTreeMap<String, Vec<String>>,
    rule: (usize, usize),
}

impl Reader<'_> {
    fn rule(&mut self, rule: &Rule, path: &[String], scope: &Scope<'_>) {
        let (head, bodies) = match rule {
            Rule::Default { value, .. } => {
                let shape = self.expr(value, scope);
                return self.give(path, &shape);
            }
            Rule::Spec { head, bodies, .. } => (head, bodies),
        };
        for body in bodies {
            self.query(&body.query, scope);
        }
        let (reference, mut shape) = match head {
            RuleHead::Set { refr, key, .. } => {
                let key = key.as_ref().map(|key| self.expr(key, scope)).unwrap_or_default();
                self.identify(&key);
                (refr, Shape::around(key))
            }
            RuleHead::Compr { refr, assign, .. } => {
                let value = assign.as_ref().map(|assign| self.expr(&assign.value, scope));
                (refr, value.unwrap_or_default())
            }
            RuleHead::Func { refr, args, assign, .. } => {
                for (number, arg) in args.iter().enumerate() {
                    let given = self.parameters.get(&(path.to_vec(), number)).cloned();
                    self.bind(arg, &given.unwrap_or_default(), scope);
                }
                let value = assign.as_ref().map(|assign| self.expr(&assign.value, scope));
                (refr, value.unwrap_or_default())
            }
        };
        for body in bodies {
            if let Some(assign) = &body.assign {
                let value = self.expr(&assign.value, scope);
                shape.join(&value);
            }
        }
        if matches!(head, RuleHead::Compr { .. }) {
            // Two values of one rule that differ are an error: what tells them apart is kept.
            let is_only = self.graph.nodes.get(path).is_some_and(|node| node.definitions == 1);
            let is_one = |path: &Path| is_only && path.is_single();
            let may_differ = Shape {
                paths: shape.paths.iter().filter(|path| !is_one(path)).cloned().collect(),
                inner: shape.inner.clone(),
            };
            self.identify(&may_differ);
        }
        for part in parts(reference).1 {
            if let Part::Index(index) = part {
                let key = self.expr(index, scope);
                self.identify(&key);
            }
            shape = Shape::around(shape);
        }
        self.give(path, &shape);
    }

    fn give(&mut self, path: &[String], shape: &Shape) {
        if shape.is_too_deep() {
            return self.consume(shape);
        }
        self.is_changed |= self.values.entry(path.to_vec()).or_default().join(shape);
    }

    fn query(&mut self, query: &Query, scope: &Scope<'_>) {
        for statement in &query.stmts {
            for modifier in &statement.with_mods {
                let value = self.expr(&modifier.r#as, scope);
                self.consume(&value);
                let (path, _) = walk::fixed_path(&modifier.refr);
                let is_of_value =
                    matches!(path.first().map(String::as_str), Some("input" | "data"));
                if !is_of_value
                    || self.graph.nodes.get(&path[1..]).is_some_and(|node| node.arguments.is_some())
                {
                    // A function that stands for another: who knows what that reads.
                    self.is_changed |= self.need.read(&[]);
                }
            }
            match &statement.literal {
                Literal::SomeVars { .. } => {}
                Literal::SomeIn { key, value, collection, .. } => {
                    let collection = self.expr(collection, scope);
                    self.each(key.as_deref(), Some(value), &collection, scope);
                }
                Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => {
                    self.expr(expr, scope);
                }
                Literal::Every { key, value, domain, query, .. } => {
                    let domain = self.expr(domain, scope);
                    self.each(None, None, &domain, scope);
                    let element = domain.step(&Step::Each);
                    for name in key.iter().chain([value]) {
                        self.let_be(name.text(), &element, scope);
                    }
                    self.query(query, scope);
                }
            }
        }
    }

    /// Binds the keys and elements of a collection.
    fn each(
        &mut self,
        key: Option<&Expr>,
        value: Option<&Expr>,
        collection: &Shape,
        scope: &Scope<'_>,
    ) {
        let element = collection.step(&Step::Each);
        self.touch(&element);
        if let Some(value) = value {
            self.bind(value, &element, scope);
        }
        if let Some(key) = key {
            // The key of an element of a set is that element.
            let inner = collection.inner.as_deref().cloned().unwrap_or_default();
            self.bind(key, &inner, scope);
        }
    }

    /// Returns the shape of an expression, whose parts are gone through.
    fn expr(&mut self, expr: &Expr, scope: &Scope<'_>) -> Shape {
        match expr {
            Expr::String { .. }
            | Expr::RawString { .. }
            | Expr::Number { .. }
            | Expr::Bool { .. }
            | Expr::Null { .. } => Shape::default(),
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                let shape = self.reference(expr, scope);
                self.touch(&shape);
                shape
            }
            Expr::Array { items, .. } => {
                let mut inner = Shape::default();
                for item in items {
                    let item = self.expr(item, scope);
                    inner.join(&item);
                }
                Shape::around(inner)
            }
            Expr::Set { items, .. } => {
                let mut inner = Shape::default();
                for item in items {
                    let item = self.expr(item, scope);
                    self.identify(&item);
                    inner.join(&item);
                }
                Shape::around(inner)
            }
            Expr::Object { fields, .. } => {
                let mut inner = Shape::default();
                for (_, key, value) in fields {
                    let key = self.expr(key, scope);
                    self.identify(&key);
                    let value = self.expr(value, scope);
                    inner.join(&value);
                }
                Shape::around(inner)
            }
            Expr::ArrayCompr { term, query, .. } => {
                self.query(query, scope);
                Shape::around(self.expr(term, scope))
            }
            Expr::SetCompr { term, query, .. } => {
                self.query(query, scope);
                let term = self.expr(term, scope);
                self.identify(&term);
                Shape::around(term)
            }
            Expr::ObjectCompr { key, value, query, .. } => {
                self.query(query, scope);
                let key = self.expr(key, scope);
                self.identify(&key);
                let value = self.expr(value, scope);
                // Two values of one key that differ are an error.
                self.identify(&value);
                Shape::around(value)
            }
            Expr::Call { fcn, params, .. } => self.call(fcn, params, scope),
            Expr::UnaryExpr { expr, .. } => self.consumed(expr, scope),
            Expr::BinExpr { lhs, rhs, .. } => {
                let mut shape = self.expr(lhs, scope);
                let rhs = self.expr(rhs, scope);
                shape.join(&rhs);
                self.identify(&shape);
                shape
            }
            Expr::BoolExpr { lhs, rhs, .. } | Expr::ArithExpr { lhs, rhs, .. } => {
                self.consumed(lhs, scope);
                self.consumed(rhs, scope)
            }
            Expr::AssignExpr { op, lhs, rhs, .. } => {
                let value = self.expr(rhs, scope);
                self.bind(lhs, &value, scope);
                if *op == AssignOp::Eq {
                    let value = self.expr(lhs, scope);
                    self.bind(rhs, &value, scope);
                }
                Shape::default()
            }
            Expr::Membership { key, value, collection, .. } => {
                for part in key.iter().chain([value, collection]) {
                    self.consumed(part, scope);
                }
                Shape::default()
            }
        }
    }

    /// Reads all of an expression's value.
    fn consumed(&mut self, expr: &Expr, scope: &Scope<'_>) -> Shape {
        let shape = self.expr(expr, scope);
        self.consume(&shape);
        Shape::default()
    }

    fn reference(&mut self, expr: &Expr, scope: &Scope<'_>) -> Shape {
        let (base, parts) = parts(expr);
        let Expr::Var { span, .. } = base else {
            let shape = self.expr(base, scope);
            return self.go(shape, &parts, scope);
        };
        let mut path = vec![span.text().to_owned()];
        path.extend(parts.iter().map_while(|part| match part {
            Part::Key(key) => Some(key.clone()),
            Part::Index(_) => None,
        }));
        let rest = &parts[path.len() - 1..];
        match scope.names.meaning(&path, &scope.locals) {
            Meaning::Local | Meaning::Other => {
                let name = (scope.rule, path[0].clone());
                let shape = self.variables.get(&name).cloned().unwrap_or_default();
                self.go(shape, &parts, scope)
            }
            Meaning::Input(path) => {
                let steps = path.into_iter().map(Step::Key).collect();
                self.go(Shape::of(Path::Input(steps)), rest, scope)
            }
            Meaning::Data(path) => {
                let graph = self.graph;
                let rule = (1..=path.len()).find(|end| graph.nodes.contains_key(&path[..*end]));
                if let Some(end) = rule {
                    let mut shape = self.values.get(&path[..end]).cloned().unwrap_or_default();
                    for key in &path[end..] {
                        shape = shape.step(&Step::Key(key.clone()));
                    }
                    return self.go(shape, rest, scope);
                }
                let below: Vec<_> =
                    graph.nodes.keys().filter(|rule| rule.starts_with(&path)).collect();
                for rule in below {
                    // A whole package: all of its values.
                    if let Some(value) = self.values.get(rule).cloned() {
                        self.consume(&value);
                    }
                }
                let mut shape = Shape::default();
                match path.split_first() {
                    None => {
                        self.is_changed |= self.need.read(&[]);
                    }
                    Some((first, keys)) if first == "plan" => {
                        shape = Shape::of(Path::Plan);
                        for key in keys {
                            shape = shape.step(&Step::Key(key.clone()));
                        }
                    }
                    Some(_) => {}
                }
                self.go(shape, rest, scope)
            }
        }
    }

    /// Goes on from a shape by the rest of a reference.
    fn go(&mut self, mut shape: Shape, parts: &[Part<'_>], scope: &Scope<'_>) -> Shape {
        for part in parts {
            match part {
                Part::Key(key) => shape = shape.step(&Step::Key(key.clone())),
                Part::Index(index) => {
                    let inner = shape.inner.as_deref().cloned().unwrap_or_default();
                    // A set is asked for an element, or gone through.
                    self.bind(index, &inner, scope);
                    if !matches!(index, Expr::Var { .. } | Expr::Array { .. } | Expr::Object { .. })
                    {
                        self.consumed(index, scope);
                    }
                    let words = match index {
                        Expr::Var { span, .. } => scope.words.get(span.text()),
                        _ => None,
                    };
                    shape = match words {
                        Some(words) => {
                            let mut next = Shape::default();
                            for word in words {
                                next.join(&shape.step(&Step::Key(word.clone())));
                            }
                            next
                        }
                        None => shape.step(&Step::Each),
                    };
                }
            }
        }
        if shape.is_too_deep() {
            self.consume(&shape);
            return Shape::default();
        }
        shape
    }

    fn call(
        &mut self,
        function: &Expr,
        params: &[regorus::unstable::Ref<Expr>],
        scope: &Scope<'_>,
    ) -> Shape {
        let (path, _) = walk::fixed_path(function);
        let meaning = scope.names.meaning(&path, &scope.locals);
        if let Meaning::Data(path) = meaning
            && let Some(arguments) = self.graph.nodes.get(&path).and_then(|node| node.arguments)
        {
            for (number, param) in params.iter().take(arguments).enumerate() {
                let given = self.expr(param, scope);
                if given.is_too_deep() {
                    self.consume(&given);
                    continue;
                }
                let parameter = self.parameters.entry((path.clone(), number)).or_default();
                self.is_changed |= parameter.join(&given);
            }
            let value = self.values.get(&path).cloned().unwrap_or_default();
            for out in params.iter().skip(arguments) {
                self.bind(out, &value, scope);
            }
            return value;
        }
        match (path.join(".").as_str(), params) {
            ("object.get", [object, key, default]) => {
                let mut shape = self.expr(object, scope);
                if let Some(steps) = literal_path(key) {
                    for step in steps {
                        shape = shape.step(&step);
                    }
                    self.touch(&shape);
                } else {
                    self.consume(&shape);
                    self.consumed(key, scope);
                    shape = Shape::default();
                }
                let default = self.expr(default, scope);
                shape.join(&default);
                shape
            }
            ("array.concat", [one, other]) => {
                let mut shape = self.expr(one, scope);
                let other = self.expr(other, scope);
                shape.join(&other);
                shape
            }
            ("count", [collection]) => {
                let shape = self.expr(collection, scope);
                let of_plan = shape.paths.into_iter().filter(|path| !path.is_told_by_addresses());
                // Of what rules have made, how many there are is known without reading them.
                self.consume(&Shape { paths: of_plan.collect(), inner: None });
                Shape::default()
            }
            (
                "is_object" | "is_array" | "is_string" | "is_number" | "is_boolean" | "is_null"
                | "type_name",
                [value],
            ) => {
                self.expr(value, scope);
                Shape::default()
            }
            _ => {
                for param in params {
                    self.consumed(param, scope);
                }
                Shape::default()
            }
        }
    }

    /// Gives a pattern a value; what stands there is compared with it, unless it is a name that is bound nowhere else.
    fn bind(&mut self, pattern: &Expr, shape: &Shape, scope: &Scope<'_>) {
        match pattern {
            Expr::Var { span, .. } => {
                let name = span.text();
                let path = [name.to_owned()];
                let is_local = matches!(
                    scope.names.meaning(&path, &scope.locals),
                    Meaning::Local | Meaning::Other
                );
                if is_local {
                    self.let_be(name, shape, scope);
                }
                if !is_local || scope.compared.contains(name) {
                    self.consume(shape);
                    self.consumed(pattern, scope);
                }
            }
            Expr::Array { items, .. } => {
                for item in items {
                    self.bind(item, &shape.step(&Step::Each), scope);
                }
            }
            Expr::Object { fields, .. } => {
                for (_, key, value) in fields {
                    let step = literal_path(key)
                        .filter(|steps| steps.len() == 1)
                        .map_or(Step::Each, |mut steps| steps.remove(0));
                    self.bind(value, &shape.step(&step), scope);
                }
                // Whether there are other fields matters too.
                self.consume(shape);
            }
            _ => {
                self.consume(shape);
                self.consumed(pattern, scope);
            }
        }
    }

    fn let_be(&mut self, name: &str, shape: &Shape, scope: &Scope<'_>) {
        if name == "_" {
            return;
        }
        if shape.is_too_deep() {
            return self.consume(shape);
        }
        let variable = self.variables.entry((scope.rule, name.to_owned())).or_default();
        self.is_changed |= variable.join(shape);
    }

    /// Needs that it is there.
    fn touch(&mut self, shape: &Shape) {
        for path in &shape.paths {
            if let Path::Input(steps) = path {
                self.is_changed |= self.need.touch(steps);
            }
        }
    }

    /// Needs all of it.
    fn consume(&mut self, shape: &Shape) {
        for path in &shape.paths {
            self.is_changed |= self.need.read(&path.whole());
        }
        if let Some(inner) = &shape.inner {
            self.consume(inner);
        }
    }

    /// Needs what tells it apart from others.
    fn identify(&mut self, shape: &Shape) {
        for path in &shape.paths {
            if !path.is_told_by_addresses() {
                self.is_changed |= self.need.read(&path.whole());
                continue;
            }
            for key in ["address", "deposed"] {
                self.is_changed |= self.need.read(&change(&[key]));
            }
        }
        if let Some(inner) = &shape.inner {
            self.identify(inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path as File;

    use menagerie_compliance::PolicyFile;

    use super::*;
    use crate::policy::{Options, RegoPolicy};

    /// Checks what is read, each path with `*` for each element, and `…` where it is all.
    #[track_caller]
    fn check(rules: &str, expected: &[&str]) {
        let library = include_str!("../../../tf/compliance/lib/plan.rego");
        let text = format!("package main\nimport data.lib.plan\n{rules}\n");
        let files = [("plan.rego", library), ("main.rego", &text)];
        let files = files.map(|(path, text)| PolicyFile { path: File::new(path), text });
        let policy = RegoPolicy::parse(&files, Options::default()).unwrap();
        let entries: Vec<&Entry> = policy.groups.iter().flat_map(|group| &group.entries).collect();
        let need = need(&policy.modules, &policy.graph, &entries);
        let always = ["address", "deposed", "mode", "type", "change.actions"];
        let mut paths = need.paths();
        paths.retain(|path| {
            let field = path.strip_prefix("resource_changes.*.").unwrap_or(path);
            !path.contains("_sensitive") && !always.contains(&field.trim_end_matches('…'))
        });
        assert_eq!(paths, expected);
    }

    #[test]
    fn rules_as_they_are_written() {
        check(
            "deny contains rc.address if { some rc in plan.by_type.a; rc.change.after.acl == \"x\" }",
            &["resource_changes.*.change.after.acl…"],
        );
        check(
            "deny contains plan.finding(rc, \"a\", sprintf(\"%v\", [after(rc).b])) if { some rc in plan.all; not plan.known(rc, [\"a\"]) }\nafter(rc) := rc.change.after",
            &["resource_changes.*.change.after.b…", "resource_changes.*.change.after_unknown…"],
        );
        check(
            "deny[sprintf(\"%s\", [input.resource_changes[i].name])] if { input.resource_changes[i].change.after.ingress[_].cidr == \"x\" }",
            &["resource_changes.*.change.after.ingress.*.cidr…", "resource_changes.*.name…"],
        );
        check(
            "open contains rc if { some rc in plan.by_type.a; count(rc.change.after.x) > 0 }\ndeny contains rc.address if { some rc in open; rc.change.after.y }",
            &["resource_changes.*.change.after.x…", "resource_changes.*.change.after.y"],
        );
        check("deny contains \"x\" if count(input.resource_changes) > 3", &[]);
        check(
            "deny contains rc.address if { some rc in plan.all; some key in [\"a\", \"b\"]; not rc.change.after[key] }",
            &["resource_changes.*.change.after.a", "resource_changes.*.change.after.b"],
        );
        check(
            "deny contains rc.address if { some rc in plan.all; count([1 | some key in [\"a\"]]) == 1; rc.change.after[key] == 1 }",
            &["resource_changes.*.change.after.*…"],
        );
        check("deny contains path if walk(input, [path, 1])", &["…"]);
        check(
            "deny contains \"x\" if input[_].x == 1",
            &[
                "*.x…",
                "configuration.root_module.variables.*.sensitive…",
                "configuration.x…",
                "resource_changes.x…",
            ],
        );
        check("deny contains \"x\" if f(1) with f as count\nf(x) := x", &["…"]);
        check("deny contains json.marshal(rc) if some rc in plan.all", &["resource_changes.*…"]);
    }
}

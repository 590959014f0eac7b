//! [`Graph`]: which rule needs which, and what each reads in the end.

use std::collections::{BTreeMap, BTreeSet};

use menagerie_compliance::Source;
use regorus::unstable::{BUILTINS, Expr, Rule};

use crate::builtins;
use crate::entry::Group;
use crate::error::Notes;
use crate::source::Module;
use crate::walk::{self, Node};

/// All rules by their paths, without `data`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    pub(crate) nodes: BTreeMap<Vec<String>, Needs>,
}

/// What the rules of one path need.
#[derive(Clone, Debug, Default)]
pub(crate) struct Needs {
    /// Other rules.
    pub(crate) rules: BTreeSet<Vec<String>>,
    pub(crate) reads: Reads,
    /// How many rules there are of it.
    pub(crate) definitions: usize,
    /// How many arguments it has, if it is a function.
    pub(crate) arguments: Option<usize>,
}

/// What is read of what is judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reads {
    pub(crate) sources: BTreeSet<Source>,
    /// Whether it reads `data.plan`.
    pub(crate) is_by_index: bool,
    /// Whether it reads of the plan more than single types by `data.plan.by_type`.
    pub(crate) is_whole_plan: bool,
    /// The types that it reads by `data.plan.by_type`.
    pub(crate) types: BTreeSet<String>,
}

/// What a name at the beginning of a reference stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Local,
    /// A path below `input`.
    Input(Vec<String>),
    /// A path below `data`.
    Data(Vec<String>),
    /// None of all these: a builtin, or a name that is bound by `=`.
    Other,
}

/// What names mean in a module.
pub(crate) struct Names<'m> {
    module: &'m Module,
    /// The names of the package's rules.
    rules: BTreeSet<&'m str>,
    imports: BTreeMap<String, Vec<String>>,
}

impl<'m> Names<'m> {
    pub(crate) fn of(module: &'m Module, paths: impl Iterator<Item = &'m Vec<String>>) -> Self {
        let depth = module.package.len();
        let own = paths.filter(|path| path.starts_with(&module.package));
        let imports = module.ast.imports.iter().filter_map(|import| {
            let path = walk::path(&import.refr)?;
            let name = match &import.r#as {
                Some(name) => name.text().to_owned(),
                None => path.last()?.clone(),
            };
            matches!(path[0].as_str(), "data" | "input").then_some((name, path))
        });
        Self {
            module,
            rules: own.filter_map(|path| path.get(depth).map(String::as_str)).collect(),
            imports: imports.collect(),
        }
    }

    /// Returns what the fixed part of a reference means.
    pub(crate) fn meaning(&self, path: &[String], locals: &BTreeSet<String>) -> Meaning {
        let Some((first, rest)) = path.split_first() else { return Meaning::Other };
        if locals.contains(first) {
            return Meaning::Local;
        }
        let whole = match self.imports.get(first) {
            Some(imported) => [imported, rest].concat(),
            None if self.rules.contains(first.as_str()) => {
                return Meaning::Data([&self.module.package, path].concat());
            }
            None => path.to_vec(),
        };
        match whole[0].as_str() {
            "input" => Meaning::Input(whole[1..].to_vec()),
            "data" => Meaning::Data(whole[1..].to_vec()),
            _ => Meaning::Other,
        }
    }
}

/// Returns the path of what a rule defines.
pub(crate) fn path(module: &Module, rule: &Rule) -> Vec<String> {
    let (head, _) = walk::fixed_path(walk::head(rule));
    // `a.b contains x` is a part of `a`, which may be asked for as a whole.
    module.package.iter().cloned().chain(head.into_iter().take(1)).collect()
}

impl Graph {
    /// Returns which rule needs which; rules that need themselves are noted.
    pub(crate) fn of(modules: &[Module], notes: &mut Notes) -> Self {
        let mut graph = Self::default();
        for module in modules {
            for rule in &module.ast.policy {
                let node = graph.nodes.entry(path(module, rule)).or_default();
                node.definitions += 1;
                match &**rule {
                    Rule::Spec { head: regorus::unstable::RuleHead::Func { args, .. }, .. }
                    | Rule::Default { args, .. }
                        if !args.is_empty() =>
                    {
                        node.arguments = Some(args.len());
                    }
                    _ if walk::is_function(rule) => node.arguments = Some(0),
                    _ => {}
                }
            }
        }
        for module in modules {
            let paths: Vec<Vec<String>> = graph.nodes.keys().cloned().collect();
            let names = Names::of(module, paths.iter());
            for rule in &module.ast.policy {
                let locals = walk::locals(rule);
                let mut meanings = Vec::new();
                walk::rule(rule, &mut |node| {
                    if let Node::Expr(expr) = node {
                        let (path, _) = walk::fixed_path(expr);
                        meanings.push(names.meaning(&path, &locals));
                    }
                });
                let path = path(module, rule);
                for meaning in meanings {
                    graph.add(&path, meaning);
                }
            }
        }
        graph.note_cycles(modules, notes);
        graph
    }

    fn add(&mut self, path: &[String], meaning: Meaning) {
        let needed: Vec<Vec<String>> = match &meaning {
            Meaning::Data(to) => self
                .nodes
                .keys()
                .filter(|rule| to.starts_with(rule) || rule.starts_with(to))
                .cloned()
                .collect(),
            _ => Vec::new(),
        };
        let node = self.nodes.get_mut(path).expect("all rules are nodes");
        match meaning {
            Meaning::Input(_) => {
                node.reads.sources.insert(Source::Plan);
                node.reads.is_whole_plan = true;
            }
            Meaning::Data(to) => {
                node.reads.add(&to, needed.is_empty());
                node.rules.extend(needed);
            }
            Meaning::Local | Meaning::Other => {}
        }
    }

    fn note_cycles(&self, modules: &[Module], notes: &mut Notes) {
        let mut done = BTreeSet::new();
        for module in modules {
            for rule in &module.ast.policy {
                let start = path(module, rule);
                let mut way = Vec::new();
                if self.find_cycle(&start, &mut way, &mut done) {
                    let span = rule.span();
                    let names: Vec<String> =
                        way.iter().map(|path| format!("`{}`", path.join("."))).collect();
                    let message = format!("a rule can't need itself: {}", names.join(" needs "));
                    let hint = "`walk` goes through what is nested, and `graph.reachable` from one to the next";
                    notes.note(
                        &module.path,
                        module.problem(span.line as usize, span.col as usize, &message, Some(hint)),
                    );
                }
            }
        }
    }

    /// Goes on from a rule until one comes again; `way` is then how.
    fn find_cycle(
        &self,
        from: &[String],
        way: &mut Vec<Vec<String>>,
        done: &mut BTreeSet<Vec<String>>,
    ) -> bool {
        if let Some(at) = way.iter().position(|path| path == from) {
            way.drain(..at);
            way.push(from.to_vec());
            return true;
        }
        if !done.insert(from.to_vec()) {
            return false;
        }
        way.push(from.to_vec());
        let rules = self.nodes.get(from).map(|node| &node.rules);
        for rule in rules.into_iter().flatten() {
            if self.find_cycle(rule, way, done) {
                return true;
            }
        }
        way.pop();
        false
    }

    /// Returns what a rule reads, also by the rules that it needs.
    pub(crate) fn reads(&self, path: &[String]) -> Reads {
        let mut reads = Reads::default();
        let (mut open, mut seen) = (vec![path.to_vec()], BTreeSet::new());
        while let Some(path) = open.pop() {
            let Some(node) = self.nodes.get(&path).filter(|_| seen.insert(path.clone())) else {
                continue;
            };
            reads.sources.extend(&node.reads.sources);
            reads.is_whole_plan |= node.reads.is_whole_plan;
            reads.types.extend(node.reads.types.iter().cloned());
            open.extend(node.rules.iter().cloned());
        }
        reads
    }

    /// Returns whether any rule reads the index of the plan.
    pub(crate) fn has_index(&self) -> bool {
        self.nodes.values().any(|node| node.reads.is_by_index)
    }

    /// Returns what is judged by a group.
    pub(crate) fn sources(&self, group: &Group) -> Vec<Source> {
        let all = group.entries.iter().flat_map(|entry| self.reads(&entry.path()).sources);
        all.collect::<BTreeSet<_>>().into_iter().collect()
    }
}

impl Reads {
    fn add(&mut self, data: &[String], is_no_rule: bool) {
        let Some(first) = data.first() else {
            // Whatever there is; nothing that has to be.
            self.is_by_index = true;
            self.is_whole_plan = true;
            return;
        };
        let source = match first.as_str() {
            "production" => Source::Parity,
            "parity" => return,
            other => match other.parse() {
                Ok(source) => source,
                Err(_) => return,
            },
        };
        if !is_no_rule {
            return;
        }
        self.sources.insert(source);
        self.is_by_index |= source == Source::Plan;
        match data {
            [_, index, kind, ..] if source == Source::Plan && index == "by_type" => {
                self.types.insert(kind.clone());
            }
            _ => self.is_whole_plan |= source == Source::Plan,
        }
    }
}

/// Notes calls of what is no function, and those with too few or too many arguments, also where they are never reached.
pub(crate) fn check_calls(modules: &[Module], graph: &Graph, notes: &mut Notes) {
    for module in modules {
        let names = Names::of(module, graph.nodes.keys());
        for rule in &module.ast.policy {
            let locals = walk::locals(rule);
            walk::rule(rule, &mut |node| {
                let Node::Expr(Expr::Call { fcn, params, .. }) = node else { return };
                let (path, is_all) = walk::fixed_path(fcn);
                let known = match names.meaning(&path, &locals) {
                    Meaning::Data(path) => graph.nodes.get(&path).and_then(|node| node.arguments),
                    _ if is_all => arguments(&path.join(".")),
                    _ => None,
                };
                let written = fcn.span().text();
                let (message, hint) = match known {
                    Some(Arguments::ANY) => return,
                    // A further argument takes the value.
                    Some(known) if (known..=known + 1).contains(&params.len()) => return,
                    Some(known) => {
                        (format!("`{written}` takes {known}, but is given {}", params.len()), None)
                    }
                    None => (
                        format!("there is no function `{}`", written.escape_debug()),
                        hint(written),
                    ),
                };
                let (line, column) = walk::start(fcn);
                notes.note(&module.path, module.problem(line, column, &message, hint.as_deref()));
            });
        }
    }
}

struct Arguments;

impl Arguments {
    const ANY: usize = usize::MAX;
}

/// Returns how many arguments a builtin takes.
pub(crate) fn arguments(name: &str) -> Option<usize> {
    if name == "print" {
        return Some(Arguments::ANY);
    }
    let own = builtins::TABLE.iter().find(|builtin| builtin.name == name);
    own.map(|builtin| builtin.arguments)
        .or_else(|| BUILTINS.get(name).map(|(_, count)| *count))
        .map(usize::from)
}

fn hint(name: &str) -> Option<String> {
    if name == "http.send" || name == "opa.runtime" || name == "net.lookup_ip_addr" {
        return Some("no rule reaches the network or the machine that it runs on".to_owned());
    }
    let known = builtins::TABLE.iter().map(|builtin| builtin.name).chain(BUILTINS.keys().copied());
    let near = known.map(|known| (strsim::damerau_levenshtein(known, name), known)).min()?;
    (near.0 <= 3).then(|| format!("did you mean `{}`?", near.1))
}

//! [`RegoPolicy`]: the files of a policy, ready to judge.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;
use std::thread;
use std::time::Duration;

use menagerie_compliance::{About, PolicyFile, RuleId, Source};
use menagerie_config::Problem;
use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{Engine, PolicyLengthConfig, Value};

use crate::entry::{self, Group};
use crate::error::{Notes, RegoErrors};
use crate::graph::Graph;
use crate::source::Module;
use crate::{builtins, data, graph, iteration, judge, negation};

/// Rules in Rego, as OPA and conftest take them.
///
/// Each file that ends in `.rego` is a part of it, but for OPA's tests, `…_test.rego`. What is in a directory `data` and ends
/// in `.json`, `.yaml` or `.yml` is below `data`, at the path of its directory.
#[derive(Clone, Debug)]
pub struct RegoPolicy {
    pub(crate) modules: Vec<Module>,
    pub(crate) groups: Vec<Group>,
    pub(crate) engine: Engine,
    pub(crate) graph: Graph,
    pub(crate) options: Options,
}

/// How a policy is read and evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The packages whose rules are asked, such as `main`; all that have any where it is none.
    pub namespaces: Option<Vec<String>>,
    /// What becomes of `not` with an argument that may be undefined.
    pub not: Not,
    /// After how long evaluation is given up.
    pub time_limit: Duration,
    /// What `time.now_ns()` returns.
    pub now_ns: i64,
    /// Whether only what rules read is built of a plan; findings are the same.
    pub is_projected: bool,
}

/// What becomes of `not f(input.x)` where `input.x` may be undefined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Not {
    /// It does not hold then, as in OPA.
    #[default]
    Opa,
    /// It is refused: a name has to be given to the argument before.
    Strict,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            namespaces: None,
            not: Not::Opa,
            time_limit: Duration::from_mins(1),
            now_ns: 0,
            is_projected: true,
        }
    }
}

/// The most bytes and lines of a file, and the most characters of a line.
const LONGEST: u32 = 16 << 20;

impl RegoPolicy {
    /// Parses the files of a policy; all others are passed over.
    pub fn parse(files: &[PolicyFile<'_>], options: Options) -> Result<Self, RegoErrors> {
        // Parsing goes as deep as what is parsed.
        let parsed = thread::scope(|scope| {
            let thread = thread::Builder::new().stack_size(judge::STACK);
            thread
                .spawn_scoped(scope, || Self::parse_here(files, options))
                .map(thread::ScopedJoinHandle::join)
        });
        let message = match parsed {
            Ok(Ok(parsed)) => return parsed,
            Ok(Err(_)) => "the parser panicked, which is a mistake in it".to_owned(),
            Err(error) => format!("no thread could be started: {error}"),
        };
        let mut notes = Notes::default();
        let file =
            files.iter().find(|file| is_rego(file.path)).map_or(Path::new("."), |file| file.path);
        notes.note(file, Problem::of_file(message, None));
        Err(notes.end().expect_err("something was noted"))
    }

    fn parse_here(files: &[PolicyFile<'_>], options: Options) -> Result<Self, RegoErrors> {
        let mut notes = Notes::default();
        let mut modules: Vec<Module> = Vec::new();
        for file in files.iter().filter(|file| is_rego(file.path)) {
            match Module::parse(file.path, file.text) {
                Ok(module) => modules.push(module),
                Err(problem) => notes.note(file.path, problem),
            }
        }
        let data = data::read(files, &mut notes);
        let mut graph = Graph::default();
        if notes.is_empty() {
            graph = Graph::of(&modules, &mut notes);
            graph::check_calls(&modules, &graph, &mut notes);
            entry::split(&mut modules, &graph, &mut notes);
            graph = Graph::of(&modules, &mut notes);
        }
        let groups = entry::groups(&modules, &options, &mut notes);
        notes.end()?;
        let mut notes = Notes::default();
        let paths: Vec<Vec<String>> = graph.nodes.keys().cloned().collect();
        for module in &mut modules {
            negation::apply(module, &paths, options.not, &mut notes);
        }
        notes.end()?;
        for module in &mut modules {
            iteration::apply(module);
        }
        let mut notes = Notes::default();
        let engine = engine(&modules, data, files, &options, &mut notes);
        notes.end()?;
        Ok(Self { modules, groups, engine, graph, options })
    }

    /// Returns the rules, by their ids.
    pub fn rules(&self) -> Vec<About> {
        self.groups.iter().map(|group| group.about.clone()).collect()
    }

    /// Returns the policy with this rule alone, which is quicker to ask.
    #[must_use]
    pub fn only(&self, id: &RuleId) -> Self {
        let groups = self.groups.iter().filter(|group| group.about.id == *id);
        Self { groups: groups.cloned().collect(), ..self.clone() }
    }

    /// Returns the file of a rule.
    pub fn file(&self, id: &RuleId) -> Option<&Path> {
        self.groups.iter().find(|group| group.about.id == *id).map(|group| group.file.as_path())
    }

    /// Returns what a rule reads; nothing where there is no such rule, or it reads nothing.
    pub fn sources(&self, id: &RuleId) -> Vec<Source> {
        let group = self.groups.iter().find(|group| group.about.id == *id);
        group.map_or(Vec::new(), |group| self.graph.sources(group))
    }
}

fn is_rego(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.strip_suffix(".rego").is_some_and(|stem| !stem.ends_with("_test"))
}

/// Returns an engine with all modules, ready to be given an input.
fn engine(
    modules: &[Module],
    data: Value,
    files: &[PolicyFile<'_>],
    options: &Options,
    notes: &mut Notes,
) -> Engine {
    let longest = NonZeroUsize::new(LONGEST as usize).expect("it is a number above 0");
    let mut engine = Engine::new();
    engine.set_strict_builtin_errors(true);
    engine.set_policy_length_config(PolicyLengthConfig {
        max_col: NonZeroU32::new(LONGEST).expect("it is a number above 0"),
        max_file_bytes: longest,
        max_lines: longest,
    });
    engine.set_execution_timer_config(ExecutionTimerConfig {
        limit: options.time_limit,
        check_interval: NonZeroU32::new(1000).expect("it is a number above 0"),
    });
    builtins::add(&mut engine, options, files);
    for (number, module) in modules.iter().enumerate() {
        engine.set_rego_v0(module.is_v0);
        // Files are told apart by their numbers, whatever their paths are made of.
        if let Err(error) = engine.add_policy(number.to_string(), module.text.clone()) {
            let fault = crate::error::Fault::of(&error);
            notes.note(&module.path, module.problem(1, 1, &fault.message, fault.hint()));
        }
    }
    engine.set_rego_v0(false);
    if let Err(error) = engine.add_data(data) {
        let file = files.first().map_or(Path::new("data"), |file| file.path);
        notes.note(file, Problem::of_file(format!("{error}"), None));
    }
    engine
}

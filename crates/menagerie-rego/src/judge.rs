//! [`RegoPolicy::judge`]: rules asked for their values, and findings made of these.

use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use menagerie_compliance::{
    Coverage, Evaluation, Finding, Fingerprint, Input, InputKind, Location, OnUnknown, Source,
    Verdict,
};
use regorus::{Engine, Value};

use crate::document::Document;
use crate::entry::{self, Entry, Group, Kind};
use crate::error::{Fault, RegoError};
use crate::need::Need;
use crate::policy::RegoPolicy;
use crate::reads;
use crate::sensitive::Sensitive;

/// How much stack the interpreter gets: it goes as deep as rules and values are nested.
pub(crate) const STACK: usize = 256 << 20;

/// How much longer than its limit the interpreter may take until nobody waits for it: a single builtin can't be stopped.
const GRACE: Duration = Duration::from_secs(5);

/// The value of a rule, or why it has none.
type Answer = Result<Value, Fault>;

impl RegoPolicy {
    /// Judges an input without waivers.
    ///
    /// A rule that can't be evaluated is a finding of its own, an error; the others are judged.
    pub fn judge(&self, input: &Input<'_>) -> Result<Evaluation, RegoError> {
        // What is a plan and what is none is decided in one place.
        let mut evaluation = menagerie_compliance::judge(&[], input)?;
        let asked: Vec<(&Group, &Entry, Vec<Source>)> = self
            .groups
            .iter()
            .flat_map(|group| group.entries.iter().map(move |entry| (group, entry)))
            .map(|(group, entry)| {
                let sources = self.graph.reads(&entry.path()).sources;
                (group, entry, sources.into_iter().collect::<Vec<_>>())
            })
            .filter(|(_, _, sources)| sources.iter().all(|source| input.has(*source)))
            .collect();
        let is_plan = evaluation.judged.iter().any(|judged| judged.plan == Some(InputKind::Plan));
        let need = match asked.iter().map(|(_, entry, _)| *entry).collect::<Vec<_>>() {
            // A state is nested in itself, to any depth.
            entries if is_plan && self.options.is_projected => {
                reads::need(&self.modules, &self.graph, &entries)
            }
            _ => Need::all(),
        };
        let has_production = asked.iter().any(|(_, _, sources)| sources.contains(&Source::Parity));
        let document = Document::of(input, &need, self.graph.has_index(), has_production)?;
        let sensitive = Sensitive::of(&[&document.input, &document.production]);
        let mut queries: Vec<String> = asked.iter().map(|(_, entry, _)| entry.query()).collect();
        queries.extend(asked.iter().map(|(_, entry, _)| self.exception(entry)));
        let mut answers = self.ask(document, queries)?;
        let exceptions = answers.split_off(asked.len());
        for group in &self.groups {
            evaluation.coverage.push(self.coverage(group, input, &evaluation));
        }
        for (((group, entry, sources), answer), exception) in
            asked.iter().zip(answers).zip(exceptions)
        {
            let maker = Maker { policy: self, group, entry, sources, input, sensitive: &sensitive };
            maker.add(answer, exception, &mut evaluation.findings);
        }
        let mut sorted = Evaluation::default();
        sorted.add(evaluation);
        Ok(sorted)
    }

    /// Returns a query that is true where the rule's package says that it does not hold.
    fn exception(&self, entry: &Entry) -> String {
        let path: Vec<String> =
            entry.package.iter().cloned().chain(["exception".to_owned()]).collect();
        if !self.graph.nodes.contains_key(&path) {
            return "false".to_owned();
        }
        let exception = entry::query(&entry.package, "exception");
        let name = serde_json::Value::from(entry.short_name());
        format!("count([1 | {exception}[_][_] == {name}]) > 0")
    }

    /// Asks all queries, on a thread of its own, which is left alone when it takes too long.
    fn ask(&self, document: Document, queries: Vec<String>) -> Result<Vec<Answer>, RegoError> {
        let mut engine = self.engine.clone();
        let (sender, receiver) = mpsc::channel();
        let limit = self.options.time_limit;
        thread::Builder::new()
            .name("rego".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                // Nobody listens any more where it took too long.
                let _ = sender.send(answers(&mut engine, document, &queries));
                // The plan goes away after the answer is there: it takes a while.
                drop(engine);
            })
            .map_err(|error| RegoError::Policy(format!("no thread could be started: {error}")))?;
        match receiver.recv_timeout(limit + GRACE) {
            Ok(Some(answers)) => Ok(answers),
            Ok(None) | Err(mpsc::RecvTimeoutError::Timeout) => Err(RegoError::TimeLimit(limit)),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                Err(RegoError::Policy("the interpreter broke off".to_owned()))
            }
        }
    }

    fn coverage(&self, group: &Group, input: &Input<'_>, evaluation: &Evaluation) -> Coverage {
        let sources = self.graph.sources(group);
        let is_asked = sources.iter().all(|source| input.has(*source));
        let records = |source: &Source| input.records(*source).map_or(0, <[_]>::len);
        let mut examined: usize = sources.iter().map(records).sum();
        if sources.contains(&Source::Plan) {
            examined += evaluation.resources;
        }
        Coverage {
            rule: group.about.id.clone(),
            source: sources.first().copied().unwrap_or_default(),
            examined: if is_asked { examined } else { 0 },
            passed: 0,
        }
    }
}

/// Returns the answers; none where the time was over.
fn answers(engine: &mut Engine, document: Document, queries: &[String]) -> Option<Vec<Answer>> {
    if let Err(error) = engine.add_data(document.data) {
        let fault = Fault::of(&error);
        return Some(queries.iter().map(|_| Err(fault.clone())).collect());
    }
    if document.input != Value::Undefined {
        engine.set_input(document.input);
    }
    // All at once, so that what several rules need is evaluated once; one by one where that fails, to see which one it is.
    let all: Vec<String> = queries.iter().map(|query| format!("[x | x := {query}]")).collect();
    if let Ok(Value::Array(values)) = ask(engine, &format!("[{}]", all.join(", ")))
        && values.len() == queries.len()
    {
        return Some(values.iter().map(|value| Ok(value[0].clone())).collect());
    }
    let mut answers = Vec::new();
    for query in &all {
        let answer = ask(engine, query);
        if let Err(fault) = &answer
            && fault.message.contains("time limit")
        {
            return None;
        }
        answers.push(answer.map(|value| value[0].clone()));
    }
    Some(answers)
}

fn ask(engine: &mut Engine, query: &str) -> Answer {
    let asked =
        panic::catch_unwind(AssertUnwindSafe(|| engine.eval_query(query.to_owned(), false)));
    match asked {
        Ok(Ok(results)) => {
            let value = results.result.first().and_then(|result| result.expressions.first());
            Ok(value.map_or(Value::Undefined, |expression| expression.value.clone()))
        }
        Ok(Err(error)) => Err(Fault::of(&error)),
        Err(_) => Err(Fault {
            place: None,
            message: "the interpreter panicked, which is a mistake in it".to_owned(),
        }),
    }
}

/// Makes findings of what one rule says.
struct Maker<'a> {
    policy: &'a RegoPolicy,
    group: &'a Group,
    entry: &'a Entry,
    sources: &'a [Source],
    input: &'a Input<'a>,
    sensitive: &'a Sensitive,
}

/// What an element of a rule's value says.
#[derive(Default)]
struct Said {
    message: Option<String>,
    address: Option<String>,
    attribute: Option<String>,
}

impl Maker<'_> {
    fn add(&self, answer: Answer, exception: Answer, findings: &mut Vec<Finding>) {
        let value = match answer {
            Ok(value) => value,
            Err(fault) => return findings.push(self.error(&fault)),
        };
        let is_excepted = match exception {
            Ok(value) => value == Value::from(true),
            Err(fault) => return findings.push(self.error(&fault)),
        };
        let elements: Vec<Value> = match value {
            Value::Undefined | Value::Bool(false) => Vec::new(),
            Value::Bool(true) => vec![Value::from(self.group.about.title.as_str())],
            Value::Set(set) => set.iter_sorted().cloned().collect(),
            Value::Array(array) => array.iter().cloned().collect(),
            other => return findings.push(self.wrong(&other, "must be a set of findings")),
        };
        for element in elements {
            let Some(said) = Said::of(&element) else {
                findings.push(self.wrong(&element, "must be a text, or have one as `msg`"));
                continue;
            };
            findings.push(self.finding(said, is_excepted));
        }
    }

    fn finding(&self, said: Said, is_excepted: bool) -> Finding {
        let told = |text: Option<String>| text.map(|text| self.sensitive.without(text));
        let (address, attribute) = (told(said.address), told(said.attribute));
        let mut message = told(said.message).unwrap_or_default();
        let (verdict, counts) = match self.entry.kind {
            Kind::Deny => (Verdict::Fail, true),
            Kind::Warn => (Verdict::Fail, false),
            Kind::Unknown => (Verdict::Unknown, self.group.on_unknown == OnUnknown::Deny),
        };
        let record = address.as_deref().and_then(|address| {
            Source::ALL.into_iter().find_map(|source| {
                let records = self.input.records(source)?;
                records
                    .iter()
                    .find(|record| record.address == address)
                    .map(|record| (source, record))
            })
        });
        let source = record.map_or_else(
            || self.sources.first().copied().unwrap_or_default(),
            |(source, _)| source,
        );
        let id = &self.group.about.id;
        let is_of_plan = source.is_of_plan();
        let root = if is_of_plan { self.input.root } else { "" };
        let class = format!("says {message}");
        let fingerprint =
            Fingerprint::of(root, id, address.as_deref(), attribute.as_deref(), &class);
        if is_excepted {
            message.push_str(" (but `exception` of the policy lets it pass)");
        }
        let environment = self.input.environment.filter(|_| is_of_plan);
        Finding {
            rule: id.clone(),
            severity: self.entry.severity,
            verdict: if is_excepted { Verdict::Waived } else { verdict },
            counts: counts && !is_excepted,
            source,
            root: root.to_owned(),
            environment: environment.map(|environment| environment.name.clone()),
            address,
            attribute,
            message,
            fingerprint,
            location: record
                .and_then(|(_, record)| record.place.clone())
                .map(|primary| Location { primary, related: Vec::new() }),
            waivers: Vec::new(),
        }
    }

    fn wrong(&self, value: &Value, what: &str) -> Finding {
        let message =
            format!("the value of `{}` {what}, but is {}", self.entry.written_name(), kind(value));
        self.error(&Fault { place: None, message })
    }

    fn error(&self, fault: &Fault) -> Finding {
        let module = fault.place.as_ref().and_then(|(number, line, column)| {
            let module = self.policy.modules.get(number.parse::<usize>().ok()?)?;
            Some(format!("{}:{line}:{}", module.path.display(), module.column(*line, *column)))
        });
        let place = module.unwrap_or_else(|| self.group.file.display().to_string());
        let hint = fault.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
        let message = format!("could not be evaluated, {place}: {}{hint}", fault.message);
        let said = Said { message: Some(message), ..Said::default() };
        Finding {
            verdict: Verdict::Error,
            counts: true,
            severity: self.entry.severity,
            ..self.finding(said, false)
        }
    }
}

impl Said {
    /// Reads a text, or an object as conftest, Gatekeeper and Trivy have it.
    fn of(element: &Value) -> Option<Self> {
        if let Ok(text) = element.as_string() {
            return Some(Self { message: Some(text.to_string()), ..Self::default() });
        }
        let object = element.as_object().ok()?;
        let text = |from: &Value, keys: &[&str]| {
            let found = keys.iter().find_map(|key| from[*key].as_string().ok());
            found.map(ToString::to_string).filter(|text| !text.is_empty())
        };
        let inner: Vec<&Value> = ["metadata", "details"]
            .iter()
            .filter_map(|key| object.get(&Value::from(*key)))
            .collect();
        let find = |keys: &[&str]| {
            text(element, keys).or_else(|| inner.iter().find_map(|inner| text(inner, keys)))
        };
        Some(Self {
            message: Some(text(element, &["msg", "message"])?),
            address: find(&["address", "resource"]),
            attribute: find(&["attribute", "path"]),
        })
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Set(_) => "a set",
        Value::Object(_) => "an object",
        Value::Undefined => "undefined",
    }
}

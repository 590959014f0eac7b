//! [`Report`]: what all formats are made from.

use std::collections::BTreeSet;
use std::fmt;

use menagerie_compliance::{
    About, Evaluation, Finding, Fingerprint, RuleId, Severity, Verdict, Waiver,
};

/// What is reported: a judgement, and what is needed to show it.
#[derive(Clone, Copy)]
pub struct Report<'a> {
    /// What gates.
    pub judgement: Judgement<'a>,
    /// What the rules of a proposed change say of the same input, which gates nothing.
    pub head: Option<Judgement<'a>>,
    /// Whether a plan of it is a rehearsal's.
    pub is_rehearsal: bool,
    /// What else a reader has to know, such as what was not judged; a sentence each.
    pub notes: &'a [String],
    /// Returns the text of a file of the repository, for excerpts.
    pub files: &'a dyn Fn(&str) -> Option<String>,
}

/// An evaluation, and what it was made with.
#[derive(Clone, Copy, Debug)]
pub struct Judgement<'a> {
    /// The rules, however they are written.
    pub rules: &'a [&'a About],
    /// The waivers, in the order in which the evaluation met them.
    pub waivers: &'a [Waiver],
    /// What came of them.
    pub evaluation: &'a Evaluation,
    /// From which severity on a finding fails.
    pub threshold: Severity,
}

/// What a second judgement makes of what gates in the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference<'a> {
    /// What gates in the first only.
    pub(crate) gone: Vec<&'a Finding>,
    /// What would gate in the second only.
    pub(crate) new: Vec<&'a Finding>,
}

impl<'a> Judgement<'a> {
    /// Returns what a person reads of a rule.
    pub(crate) fn about(&self, rule: &RuleId) -> Option<&'a About> {
        self.rules.iter().copied().find(|about| about.id == *rule)
    }

    /// Returns the title of a rule.
    pub(crate) fn title(&self, rule: &RuleId) -> &'a str {
        self.about(rule).map(|about| about.title.trim()).unwrap_or_default()
    }

    /// Returns whether a finding fails a run: it counts at or above the threshold, or could not be judged.
    pub(crate) fn gates(&self, finding: &Finding) -> bool {
        finding.verdict == Verdict::Error || (finding.counts && finding.severity >= self.threshold)
    }

    /// Returns what fails a run.
    pub(crate) fn gating(&self) -> impl Iterator<Item = &'a Finding> {
        let judgement = *self;
        self.evaluation.findings.iter().filter(move |finding| judgement.gates(finding))
    }

    /// Returns all findings: what fails a run first, then what counts, what is not known, and what is waived; the worst
    /// severity of each first.
    pub(crate) fn ordered(&self) -> Vec<&'a Finding> {
        let mut findings: Vec<&Finding> = self.evaluation.findings.iter().collect();
        // What is equal stays in the order of the evaluation.
        findings.sort_by_key(|finding| (self.rank(finding), std::cmp::Reverse(finding.severity)));
        findings
    }

    fn rank(&self, finding: &Finding) -> usize {
        match finding.verdict {
            Verdict::Error => 0,
            _ if self.gates(finding) => 1,
            _ if finding.counts => 2,
            Verdict::Fail | Verdict::Unknown => 3,
            Verdict::Waived | Verdict::Pass => 4,
        }
    }

    /// Returns the waivers that a finding meets.
    pub(crate) fn waivers_of(&self, finding: &'a Finding) -> impl Iterator<Item = &'a Waiver> {
        let waivers = self.waivers;
        finding.waivers.iter().filter_map(|index| waivers.get(*index))
    }

    /// Returns what another judgement of the same input would change.
    pub(crate) fn difference(&self, other: &Self) -> Difference<'a> {
        let keys = |judgement: &Self| -> BTreeSet<_> { judgement.gating().map(key).collect() };
        let (first, second) = (keys(self), keys(other));
        Difference {
            gone: self.gating().filter(|finding| !second.contains(&key(finding))).collect(),
            new: other.gating().filter(|finding| !first.contains(&key(finding))).collect(),
        }
    }
}

fn key(finding: &Finding) -> (&Fingerprint, Option<&str>) {
    (&finding.fingerprint, finding.environment.as_deref())
}

/// Returns the word for what a finding says.
pub(crate) fn word(finding: &Finding) -> &'static str {
    match finding.verdict {
        Verdict::Pass => "pass",
        Verdict::Waived => "waived",
        Verdict::Unknown => "unknown",
        Verdict::Fail => "fail",
        Verdict::Error => "error",
    }
}

/// Returns so many of something.
pub(crate) fn many(count: usize, one: &str, several: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {several}") }
}

impl fmt::Debug for Report<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Report")
            .field("judgement", &self.judgement)
            .field("head", &self.head)
            .field("is_rehearsal", &self.is_rehearsal)
            .field("notes", &self.notes)
            .finish_non_exhaustive()
    }
}

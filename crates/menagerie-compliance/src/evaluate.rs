//! [`evaluate`]: rules against an input, and what came of it.

mod judge;
mod references;

use jiff::civil::Date;
use serde::Serialize;

use crate::finding::{Finding, Fingerprint, Verdict};
use crate::input::{self, InputError, InputKind};
use crate::policy::Policy;
use crate::rule::{Rule, RuleId};
use crate::severity::Severity;
use crate::waiver::Waiver;
use judge::Judge;

/// What came of judging an input.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// What was judged.
    pub kind: InputKind,
    /// How many resources it holds.
    pub resources: usize,
    /// What each rule did, in the order of the policy.
    pub coverage: Vec<Coverage>,
    /// All that is no pass: the worst first, then by rule, address and attribute.
    pub findings: Vec<Finding>,
    /// What became of each waiver, in the order of the policy.
    pub waivers: Vec<WaiverUse>,
}

/// What a rule did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The rule.
    pub rule: RuleId,
    /// How many resources it examined.
    pub examined: usize,
    /// How many places passed.
    pub passed: usize,
}

/// What became of a waiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WaiverUse {
    /// It waived a finding.
    Used,
    /// It met none.
    Unused,
    /// It met one by rule and address, but not by fingerprint: what it was given for has changed.
    Changed,
    /// Its last day is over, or its first has not come.
    Expired,
}

/// Judges a plan or a state, as `terraform show -json` prints it, by the rules and waivers of a policy.
///
/// The input is read once, and only what the rules read is kept, for as long as its resource is judged.
pub fn evaluate(policy: &Policy, json: &[u8], today: Date) -> Result<Evaluation, InputError> {
    let rules: Vec<&Rule> = policy.rules.iter().collect();
    let mut evaluation = judge(&rules, json)?;
    evaluation.waive(&policy.waivers, today);
    Ok(evaluation)
}

/// Judges without waivers.
pub(crate) fn judge(rules: &[&Rule], json: &[u8]) -> Result<Evaluation, InputError> {
    let mut judge = Judge::new(rules);
    let kind = input::read(json, &mut judge)?;
    let mut evaluation = judge.end(kind);
    for (rule, coverage) in rules.iter().zip(&evaluation.coverage) {
        let Some(expect) = rule.expect.filter(|expect| !expect.allows(coverage.examined)) else {
            continue;
        };
        let class = format!("count {}", coverage.examined);
        evaluation.findings.push(Finding {
            rule: rule.id.clone(),
            severity: rule.severity,
            verdict: Verdict::Fail,
            counts: true,
            address: None,
            attribute: None,
            message: format!(
                "there must be {expect} of {}, but there are {}",
                rule.subject(),
                coverage.examined
            ),
            fingerprint: Fingerprint::of(&rule.id, None, None, &class),
            waivers: Vec::new(),
        });
    }
    evaluation.findings.sort_by(|one, other| {
        let key = |finding: &Finding| {
            (
                std::cmp::Reverse(finding.severity),
                finding.rule.clone(),
                finding.address.clone(),
                finding.attribute.clone(),
            )
        };
        key(one).cmp(&key(other))
    });
    Ok(evaluation)
}

impl Evaluation {
    /// Returns whether anything at or above the threshold counts.
    pub fn has_failed(&self, threshold: Severity) -> bool {
        self.findings.iter().any(|finding| finding.counts && finding.severity >= threshold)
    }

    /// Returns whether something could not be judged.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.verdict == Verdict::Error)
    }

    /// Returns whether nothing was judged: no rule met a resource, and none missed one.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty() && self.coverage.iter().all(|coverage| coverage.examined == 0)
    }

    /// Returns how many findings have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.findings.iter().filter(|finding| finding.verdict == verdict).count()
    }

    /// Meets each finding with each waiver; an error is never waived.
    fn waive(&mut self, waivers: &[Waiver], today: Date) {
        self.waivers = waivers.iter().map(|_| WaiverUse::Unused).collect();
        for (index, waiver) in waivers.iter().enumerate() {
            let (mut is_used, mut is_changed) = (false, false);
            for finding in &mut self.findings {
                if finding.verdict == Verdict::Error || !waiver.is_about(finding) {
                    continue;
                }
                if !waiver.fingerprints.contains(&finding.fingerprint) {
                    is_changed = true;
                    continue;
                }
                finding.waivers.push(index);
                if waiver.holds_on(today) {
                    is_used = true;
                    finding.verdict = Verdict::Waived;
                    finding.counts = false;
                }
            }
            self.waivers[index] = match () {
                () if !waiver.holds_on(today) => WaiverUse::Expired,
                () if is_used => WaiverUse::Used,
                () if is_changed => WaiverUse::Changed,
                () => WaiverUse::Unused,
            };
        }
    }
}

impl Waiver {
    /// Returns whether it was given for this rule, address and attribute, whatever the value.
    fn is_about(&self, finding: &Finding) -> bool {
        self.rule == finding.rule
            && self.address.matches(finding.address.as_deref().unwrap_or_default())
            && self
                .attribute
                .as_ref()
                .is_none_or(|attribute| finding.attribute.as_ref() == Some(attribute))
    }
}

//! [`Shape`]: of which parts of the plan a value of a rule may be.

use std::collections::BTreeSet;

use crate::need::Step;

/// Of which parts of the plan a value may be, and of which its elements, if a rule has made it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) paths: BTreeSet<Path>,
    pub(crate) inner: Option<Box<Self>>,
}

/// A part of the plan, or of its index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Path {
    /// A path below `input`.
    Input(Vec<Step>),
    /// `data.plan`.
    Plan,
    /// `data.plan.by_type`.
    ByType,
    /// The resources of a type.
    OfType,
    /// `data.plan.by_address`.
    ByAddress,
    /// `data.plan.unknown`.
    Unknown,
}

/// How deep values that rules make are followed.
const DEEPEST: usize = 6;

/// How long paths are followed.
const LONGEST: usize = 16;

impl Shape {
    pub(crate) fn of(path: Path) -> Self {
        Self { paths: BTreeSet::from([path]), inner: None }
    }

    /// Returns the shape of a list, a set or an object of such values.
    pub(crate) fn around(inner: Self) -> Self {
        let is_nothing = inner.paths.is_empty() && inner.inner.is_none();
        Self { paths: BTreeSet::new(), inner: (!is_nothing).then(|| Box::new(inner)) }
    }

    /// Takes what another may be; returns whether that is new.
    pub(crate) fn join(&mut self, other: &Self) -> bool {
        let before = self.paths.len();
        self.paths.extend(other.paths.iter().cloned());
        let mut is_new = self.paths.len() > before;
        if let Some(inner) = &other.inner {
            is_new |= self.inner.is_none();
            is_new |= self.inner.get_or_insert_default().join(inner);
        }
        is_new
    }

    /// Returns whether it is too deep to be followed.
    pub(crate) fn is_too_deep(&self) -> bool {
        let mut depth = 0;
        let mut at = self.inner.as_ref();
        while let Some(inner) = at {
            depth += 1;
            at = inner.inner.as_ref();
        }
        depth > DEEPEST
            || self
                .paths
                .iter()
                .any(|path| matches!(path, Path::Input(steps) if steps.len() > LONGEST))
    }

    /// Returns where a step leads.
    pub(crate) fn step(&self, step: &Step) -> Self {
        let mut next = Self::default();
        for path in &self.paths {
            next.paths.extend(path.step(step));
        }
        if let Some(inner) = &self.inner {
            next.join(inner);
        }
        next
    }
}

impl Path {
    fn step(&self, step: &Step) -> Vec<Self> {
        match (self, step) {
            (Self::Input(steps), step) => {
                vec![Self::Input(steps.iter().cloned().chain([step.clone()]).collect())]
            }
            (Self::Plan, Step::Key(key)) => match key.as_str() {
                "by_type" => vec![Self::ByType],
                "by_address" => vec![Self::ByAddress],
                "unknown" => vec![Self::Unknown],
                _ => Vec::new(),
            },
            (Self::Plan, Step::Each) => vec![Self::ByType, Self::ByAddress, Self::Unknown],
            (Self::ByType, _) => vec![Self::OfType],
            (Self::OfType | Self::ByAddress, _) => vec![Self::Input(change(&[]))],
            (Self::Unknown, _) => vec![Self::Input(change(&["change", "after_unknown"]))],
        }
    }

    /// Returns the path below `input` of all that it is made of.
    pub(crate) fn whole(&self) -> Vec<Step> {
        match self {
            Self::Input(steps) => steps.clone(),
            Self::Unknown => change(&["change", "after_unknown"]),
            Self::Plan | Self::ByType | Self::OfType | Self::ByAddress => change(&[]),
        }
    }

    /// Returns whether it is made of changes of resources, so that addresses tell one value from another.
    pub(crate) fn is_told_by_addresses(&self) -> bool {
        match self {
            Self::Input(steps) => *steps == change(&[]) || *steps == change(&[])[..1],
            Self::Plan | Self::Unknown => false,
            Self::ByType | Self::OfType | Self::ByAddress => true,
        }
    }

    /// Returns whether it leads to one place, not to each of several.
    pub(crate) fn is_single(&self) -> bool {
        match self {
            Self::Input(steps) => !steps.contains(&Step::Each),
            Self::OfType => false,
            Self::Plan | Self::ByType | Self::ByAddress | Self::Unknown => true,
        }
    }
}

/// Returns the path of something in each change of a resource.
pub(crate) fn change(keys: &[&str]) -> Vec<Step> {
    let keys = keys.iter().map(|key| Step::Key((*key).to_owned()));
    [Step::Key("resource_changes".to_owned()), Step::Each].into_iter().chain(keys).collect()
}

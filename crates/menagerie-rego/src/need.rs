//! [`Need`]: what of a document is read.

use std::collections::BTreeMap;

/// What of a value is read: of a scalar always all, of a list always how long it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Need {
    /// All that is in it.
    is_all: bool,
    /// What of each element, and of each field that has no need of its own.
    each: Option<Box<Self>>,
    keys: BTreeMap<String, Self>,
}

/// A step into a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Key(String),
    Each,
}

impl Need {
    /// Returns a need of all that there is.
    pub(crate) fn all() -> Self {
        Self { is_all: true, ..Self::default() }
    }

    /// Needs that what a path leads to is there; returns whether that is new.
    pub(crate) fn touch(&mut self, path: &[Step]) -> bool {
        self.add(path, false)
    }

    /// Needs all of what a path leads to; returns whether that is new.
    pub(crate) fn read(&mut self, path: &[Step]) -> bool {
        self.add(path, true)
    }

    fn add(&mut self, path: &[Step], is_all: bool) -> bool {
        if self.is_all {
            return false;
        }
        let Some((step, rest)) = path.split_first() else {
            if is_all {
                *self = Self::all();
            }
            return is_all;
        };
        match step {
            Step::Key(key) => {
                let is_new = !self.keys.contains_key(key);
                self.keys.entry(key.clone()).or_default().add(rest, is_all) || is_new
            }
            Step::Each => {
                let is_new = self.each.is_none();
                self.each.get_or_insert_default().add(rest, is_all) || is_new
            }
        }
    }

    /// Makes what each field needs a part of what single ones do, and puts beside what may be sensitive what tells.
    pub(crate) fn finish(&mut self) {
        if self.is_all {
            return;
        }
        for (key, mask) in [
            ("after", "after_sensitive"),
            ("before", "before_sensitive"),
            ("values", "sensitive_values"),
        ] {
            if let Some(need) = self.keys.get(key).cloned() {
                self.keys.entry(mask.to_owned()).or_default().merge(&need);
            }
        }
        if let Some(each) = &self.each {
            for need in self.keys.values_mut() {
                need.merge(each);
            }
        }
        for need in self.keys.values_mut() {
            need.finish();
        }
        if let Some(each) = &mut self.each {
            each.finish();
        }
    }

    /// Needs of variables whether they are sensitive, if it needs any.
    pub(crate) fn with_marks_of_variables(&mut self) {
        if self.key("variables").is_some() {
            let keys = ["configuration", "root_module", "variables"];
            let path = keys.into_iter().map(|key| Step::Key(key.to_owned()));
            let path = path.chain([Step::Each, Step::Key("sensitive".to_owned())]);
            self.read(&path.collect::<Vec<_>>());
        }
    }

    fn merge(&mut self, other: &Self) {
        if self.is_all {
            return;
        }
        if other.is_all {
            *self = Self::all();
            return;
        }
        if let Some(each) = &other.each {
            self.each.get_or_insert_default().merge(each);
        }
        for (key, need) in &other.keys {
            self.keys.entry(key.clone()).or_default().merge(need);
        }
    }

    /// Returns what of a field is needed, once it is finished.
    pub(crate) fn key(&self, key: &str) -> Option<&Self> {
        if self.is_all {
            return Some(self);
        }
        self.keys.get(key).or(self.each.as_deref())
    }

    /// Returns all paths that lead no further; `…` stands where all is needed.
    #[cfg(test)]
    pub(crate) fn paths(&self) -> Vec<String> {
        if self.is_all {
            return vec!["…".to_owned()];
        }
        let each = self.each.iter().map(|need| ("*", &**need));
        let inner = self.keys.iter().map(|(key, need)| (key.as_str(), need)).chain(each);
        let mut paths: Vec<String> = inner
            .flat_map(|(key, need)| {
                let paths = need.paths().into_iter();
                paths.map(move |path| {
                    let dot = if path.is_empty() || path == "…" { "" } else { "." };
                    format!("{key}{dot}{path}")
                })
            })
            .collect();
        if paths.is_empty() {
            paths.push(String::new());
        }
        paths.sort();
        paths
    }

    /// Returns what of an element is needed.
    pub(crate) fn element(&self) -> Option<&Self> {
        if self.is_all { Some(self) } else { self.each.as_deref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed() {
        let key = |key: &str| Step::Key(key.to_owned());
        let mut need = Need::default();
        assert!(need.touch(&[key("a"), Step::Each]));
        assert!(!need.touch(&[key("a"), Step::Each]));
        assert!(need.read(&[key("a"), Step::Each, key("after"), key("b")]));
        assert!(need.read(&[key("a"), key("x"), key("c")]));
        need.finish();
        let a = need.key("a").unwrap();
        assert!(a.element().unwrap().key("after").unwrap().key("b").unwrap().is_all);
        assert!(a.element().unwrap().key("after_sensitive").unwrap().key("b").unwrap().is_all);
        assert!(
            a.key("x").unwrap().key("after").is_some() && a.key("x").unwrap().key("c").is_some()
        );
        assert!(a.element().unwrap().key("c").is_none() && need.key("b").is_none());
        assert!(need.read(&[]) && !need.read(&[key("z")]));
    }
}

//! [`Need`]: which parts of a value the rules read.

/// The parts of a value that are read; those of the elements, where it is a list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Need {
    is_whole: bool,
    keys: Vec<(String, Self)>,
    /// A bit for each length of a key: most keys are passed over by it.
    lengths: u64,
}

impl Need {
    /// Needs all of it.
    pub(crate) fn all(&mut self) {
        self.is_whole = true;
    }

    /// Returns whether all of it is needed.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Returns whether nothing of it is needed.
    pub(crate) fn is_empty(&self) -> bool {
        !self.is_whole && self.keys.is_empty()
    }

    /// Needs an attribute of it, as far as what is returned says.
    pub(crate) fn key(&mut self, name: &str) -> &mut Self {
        let place = self.keys.iter().position(|(key, _)| key == name).unwrap_or_else(|| {
            self.keys.push((name.to_owned(), Self::default()));
            self.lengths |= bit(name);
            self.keys.len() - 1
        });
        &mut self.keys[place].1
    }

    /// Returns what is needed of an attribute, if anything is.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        if self.lengths & bit(name) == 0 {
            return None;
        }
        self.keys.iter().find(|(key, _)| key == name).map(|(_, need)| need)
    }
}

fn bit(name: &str) -> u64 {
    1 << (name.len() % 64)
}

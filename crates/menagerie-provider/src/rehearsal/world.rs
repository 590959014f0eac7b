//! `world.json`: what exists in a rehearsal, so that reading, destroying and faults are true across commands.

use crate::{
    file,
    lock::Lock,
    random,
    value::{Object, Value},
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

/// How long one change waits for those of others.
const PATIENCE: Duration = Duration::from_secs(30);

/// A world that can't be read or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorldError {
    #[error("failed to read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}` is no JSON", path.display())]
    Json { path: PathBuf, source: serde_json::Error },
    #[error("`{}` is not the world of a rehearsal", path.display())]
    Foreign { path: PathBuf },
    #[error("failed to write `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("failed to lock `{}`", path.display())]
    Lock { path: PathBuf, source: io::Error },
    #[error("`{}` is locked by another rehearsal", path.display())]
    Locked { path: PathBuf },
}

/// The world in one directory, shared by all that rehearse there.
#[derive(Debug)]
pub(crate) struct World {
    path: PathBuf,
    lock: PathBuf,
    /// As it was when this process last read or wrote it.
    known: Mutex<(Option<Version>, Content)>,
}

/// Which file the name led to: each change is a new one.
type Version = (u64, u64, Option<SystemTime>);

#[derive(Clone, Debug, Default)]
struct Content {
    resources: BTreeMap<String, Arc<Entry>>,
    /// How many of each kind were ever made, so that equals differ and the same again is the same.
    made: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Entry {
    attributes: Object,
    /// What is written; kept, since most entries stay as they are from one change to the next.
    text: String,
}

impl World {
    pub(crate) fn new(directory: &Path) -> Self {
        Self {
            path: directory.join("world.json"),
            lock: directory.join("world.lock"),
            known: Mutex::default(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns what a key stands for.
    pub(crate) fn get(&self, key: &str) -> Result<Option<Object>, WorldError> {
        self.look(|content| content.resources.get(key).map(|entry| entry.attributes.clone()))
    }

    /// Returns the first of a type that fits.
    pub(crate) fn find(
        &self,
        type_name: &str,
        fits: impl Fn(&Object) -> bool,
    ) -> Result<Option<(String, Object)>, WorldError> {
        let prefix = format!("{type_name}/");
        self.look(|content| {
            let of_type = content.resources.range(prefix.clone()..);
            let mut of_type = of_type.take_while(|(key, _)| key.starts_with(&prefix));
            of_type
                .find(|(_, entry)| fits(&entry.attributes))
                .map(|(key, entry)| (key.clone(), entry.attributes.clone()))
        })
    }

    /// Makes something; `build` is given a seed that is its own and how many of this name there were with it, and says what
    /// it is and under which key it is kept.
    ///
    /// `Err` of the inner result where something is kept there already.
    pub(crate) fn create(
        &self,
        kind: &str,
        name: &str,
        build: impl FnOnce(&str, u64) -> (String, Object),
        unique: bool,
    ) -> Result<Result<(String, Object), String>, WorldError> {
        self.change(|content| {
            let before = |of: &str| content.made.get(of).copied().unwrap_or_default();
            let (equals, count) = (before(kind), before(name) + 1);
            let seed = random::hexadecimal(&Sha256::digest(format!("{kind}/{equals}")));
            let (key, attributes) = build(&seed, count);
            if unique && content.resources.contains_key(&key) {
                return Err(key);
            }
            content.made.insert(kind.to_owned(), equals + 1);
            content.made.insert(name.to_owned(), count);
            let mut free = key.clone();
            let mut number = 1;
            while content.resources.contains_key(&free) {
                number += 1;
                free = format!("{key}#{number}");
            }
            content.resources.insert(free.clone(), Entry::new(attributes.clone()));
            Ok((free, attributes))
        })
    }

    /// Puts something in the place of what is there; `false` where nothing is.
    pub(crate) fn update(&self, key: &str, attributes: Object) -> Result<bool, WorldError> {
        self.change(|content| {
            let entry = content.resources.get_mut(key);
            entry.map(|entry| *entry = Entry::new(attributes)).is_some()
        })
    }

    /// Removes what may be there.
    pub(crate) fn delete(&self, key: &str) -> Result<(), WorldError> {
        self.change(|content| drop(content.resources.remove(key)))
    }

    fn look<T>(&self, look: impl FnOnce(&Content) -> T) -> Result<T, WorldError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        self.refresh(&mut known)?;
        Ok(look(&known.1))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Content) -> T) -> Result<T, WorldError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = Lock::take(&self.lock, PATIENCE);
        let _lock = lock
            .map_err(|source| WorldError::Lock { path: self.lock.clone(), source })?
            .ok_or_else(|| WorldError::Locked { path: self.lock.clone() })?;
        self.refresh(&mut known)?;
        let mut content = known.1.clone();
        let changed = change(&mut content);
        file::replace(&self.path, content.to_text().as_bytes())
            .map_err(|source| WorldError::Write { path: self.path.clone(), source })?;
        *known = (version(&self.path).ok().flatten(), content);
        Ok(changed)
    }

    /// Reads the file again where it is another one than before.
    fn refresh(&self, known: &mut (Option<Version>, Content)) -> Result<(), WorldError> {
        let read = |source| WorldError::Read { path: self.path.clone(), source };
        let now = version(&self.path).map_err(read)?;
        if now != known.0 {
            let content = match now {
                None => Content::default(),
                Some(_) => self.parse(&fs::read(&self.path).map_err(read)?)?,
            };
            *known = (now, content);
        }
        Ok(())
    }

    fn parse(&self, bytes: &[u8]) -> Result<Content, WorldError> {
        let json: serde_json::Value = serde_json::from_slice(bytes)
            .map_err(|source| WorldError::Json { path: self.path.clone(), source })?;
        let foreign = || WorldError::Foreign { path: self.path.clone() };
        if json["rehearsal"] != true || json["version"] != 1 {
            return Err(foreign());
        }
        let made = serde_json::from_value(json["made"].clone()).map_err(|_| foreign())?;
        let resources = json["resources"].as_object().ok_or_else(foreign)?;
        let entry =
            |(key, value): (&String, &serde_json::Value)| match Value::from_json_value(value) {
                Value::Map(attributes) => Ok((key.clone(), Entry::new(attributes))),
                _ => Err(foreign()),
            };
        Ok(Content { resources: resources.iter().map(entry).collect::<Result<_, _>>()?, made })
    }
}

impl Content {
    fn to_text(&self) -> String {
        let mut text = String::from("{\n\"rehearsal\": true,\n\"version\": 1,\n\"made\": ");
        text.push_str(&json!(self.made).to_string());
        text.push_str(",\n\"resources\": {");
        for (index, (key, entry)) in self.resources.iter().enumerate() {
            text.push_str(if index == 0 { "\n" } else { ",\n" });
            text.push_str(&json!(key).to_string());
            text.push_str(": ");
            text.push_str(&entry.text);
        }
        text.push_str("\n}\n}\n");
        text
    }
}

impl Entry {
    fn new(attributes: Object) -> Arc<Self> {
        let json = Value::Map(attributes.clone()).to_json_value();
        let text = serde_json::to_string_pretty(&json).expect("plain data is written");
        Arc::new(Self { attributes, text })
    }
}

fn version(path: &Path) -> io::Result<Option<Version>> {
    use std::os::unix::fs::MetadataExt as _;
    match fs::metadata(path) {
        Ok(found) => Ok(Some((found.ino(), found.len(), found.modified().ok()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

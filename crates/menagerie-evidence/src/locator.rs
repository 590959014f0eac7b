//! [`Locator`]: from the address of a resource to the line that a person would change.

mod address;
mod origin;
mod within;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use menagerie_compliance::{Location, Place};
use serde_json::Value;

use self::address::{Address, Step, steps};
use self::origin::Way;
use self::within::{Spot, descend, find};
use crate::files::{Files, Texts};
use crate::hcl::{
    Configuration, Directory, Item, header, is_local, join, read_directory, relative, text, whole,
};

/// Knows where the resources of one root module are written.
#[derive(Debug)]
pub struct Locator {
    root: String,
    /// Whether the root module is nowhere in the repository.
    is_elsewhere: bool,
    directories: HashMap<String, Arc<Directory>>,
    /// The directories of the modules that `terraform init` fetched, by the names of their calls.
    fetched: BTreeMap<String, String>,
}

/// How many modules may be in each other; an address that has more was made up.
const DEEPEST: usize = 64;

impl Locator {
    /// Reads a root module, and all that it calls.
    pub fn read(root: &str, files: &dyn Files) -> Self {
        Configuration::default().locator(root, files)
    }

    /// Reads a root module that is nowhere in the repository, by the names and texts of its files, as if it were in a
    /// directory of it; and all that it calls.
    ///
    /// What it says itself is never pointed at: what it calls is.
    pub fn read_texts(root: &str, texts: &[(String, String)], files: &dyn Files) -> Self {
        Configuration::default().locator_of_texts(root, texts, files)
    }

    fn of(root: &str) -> Self {
        Self {
            root: root.to_owned(),
            is_elsewhere: false,
            directories: HashMap::new(),
            fetched: BTreeMap::new(),
        }
    }

    /// Reads what a directory calls, and what that calls.
    fn follow(&mut self, first: Arc<Directory>, files: &dyn Files, known: &Configuration) {
        let mut waiting: Vec<String> = self.fetched.values().cloned().collect();
        let read = |path: &str| match known.directory(path) {
            Some(directory) => Arc::clone(directory),
            None => Arc::new(read_directory(files, path).directory),
        };
        waiting.extend(called(&first));
        self.directories.insert(first.path.clone(), first);
        while let Some(path) = waiting.pop() {
            if let Entry::Vacant(place) = self.directories.entry(path) {
                let directory = read(place.key());
                waiting.extend(called(&directory));
                place.insert(directory);
            }
        }
    }

    /// Returns where a resource is written, or one of its attributes.
    ///
    /// Of what can't be found it is the nearest call of a module, or the root module, and says so. None where there is nothing
    /// in the repository to point at.
    pub fn locate(&self, address: &str, attribute: Option<&str>) -> Option<Location> {
        let whole = address;
        let address = Address::parse(address);
        let (way, is_whole) = self.way(&address)?;
        let steps = attribute.map(steps).unwrap_or_default();
        let leaf = if is_whole { way.last.get(&address.block) } else { None };
        let mut related = Vec::new();
        let mut primary = None;
        if let Some(item) = &leaf {
            let (file, block) = item.first();
            let spot = find(item, &steps).unwrap_or_else(|| Spot::block(file, header(block)));
            let place = spot.file.place(spot.span.clone());
            let words = format!("`{}` is written here", address.block);
            if self.can_be_changed(&place) {
                primary = Some(place);
            } else {
                related.push((place, words));
            }
            related.extend(
                spot.one_of.iter().map(|(name, span)| {
                    (spot.file.place(span.clone()), format!("or this `{name}`"))
                }),
            );
            related.extend(way.origins(item, &spot));
            related.extend(self.default_tags(&address, &steps, &spot));
        }
        for (_, call) in way.calls.iter().rev() {
            let (file, block) = call.first();
            let place = file.place(header(block));
            if primary.is_none() && self.can_be_changed(&place) {
                primary = Some(place);
            } else {
                related.push((place, format!("`{}` is called here", call.key)));
            }
        }
        let is_elsewhere = |place: &Place| self.is_elsewhere && self.is_root(&place.file);
        related.retain(|(place, _)| !is_elsewhere(place));
        if primary.is_none() {
            let main = self.directories.get(&self.root)?.main()?;
            let first = main.place(0..main.text.len());
            primary = Some(first).filter(|place| self.can_be_changed(place));
        }
        let primary = primary?;
        // What is about a module, or about no one resource, is found where that is.
        if leaf.is_none() && !(is_whole && address.block.is_empty()) {
            related.insert(0, (primary.clone(), format!("`{whole}` was not found from here")));
        }
        Some(Location { primary, related })
    }

    /// Returns where the provider gives a tag to all resources, where one of those is meant that the block does not write.
    fn default_tags(
        &self,
        address: &Address,
        steps: &[Step],
        spot: &Spot<'_, '_>,
    ) -> Option<(Place, String)> {
        let [Step::Key(tags), rest @ ..] = steps else { return None };
        if tags != "tags_all" || spot.left.len() != rest.len() && spot.expression.is_some() {
            return None;
        }
        let provider = address.block.split('_').next()?;
        let provider = self.directories.get(&self.root)?.get(&format!("provider.{provider}"))?;
        let tags = provider.inside("default_tags").into_iter().find_map(|(file, block)| {
            let tags = block.body.get_attribute("tags")?;
            Some(descend(file, whole(tags), &tags.value, rest))
        })?;
        Some((tags.file.place(tags.span), "the tags of all resources are set here".to_owned()))
    }

    /// Returns the way to the module of an address, and whether it leads all the way; none where there is no root module.
    fn way(&self, address: &Address) -> Option<(Way<'_>, bool)> {
        let root: &Directory = self.directories.get(&self.root)?;
        let mut way = Way { calls: Vec::new(), last: root };
        let mut key = String::new();
        for name in &address.modules {
            if way.calls.len() == DEEPEST {
                return Some((way, false));
            }
            let Some(call) = way.last.get(&format!("module.{name}")) else {
                return Some((way, false));
            };
            if !key.is_empty() {
                key.push('.');
            }
            key.push_str(name);
            let next = self.behind(way.last, &call, &key);
            way.calls.push((way.last, call));
            let Some(next) = next else { return Some((way, false)) };
            way.last = next;
        }
        Some((way, true))
    }

    /// Returns the directory that a call leads to.
    fn behind(&self, from: &Directory, call: &Item<'_>, key: &str) -> Option<&Directory> {
        let path = match local_source(call) {
            // None where it leads out of the repository.
            Some(source) => relative(&from.path, &source)?,
            None => self.fetched.get(key)?.clone(),
        };
        self.directories.get(&path).map(|directory| &**directory)
    }

    /// Returns whether it is of this repository: not fetched, and no root module that is nowhere.
    fn can_be_changed(&self, place: &Place) -> bool {
        let is_fetched = place.file.split('/').any(|part| part == ".terraform");
        let is_nowhere = self.is_elsewhere && self.is_root(&place.file);
        !is_fetched && !is_nowhere
    }

    fn is_root(&self, file: &str) -> bool {
        file.rsplit_once('/').map_or("", |(directory, _)| directory) == self.root
    }
}

/// What attributes of records tell, and where that is written.
const WRITTEN: &[(&str, &str)] = &[
    ("has_count", "count"),
    ("has_default", "default"),
    ("has_for_each", "for_each"),
    ("is_local", "source"),
    ("is_pinned", "source"),
    ("provisioners", "provisioner"),
    ("ref", "source"),
    ("source_kind", "source"),
];

impl Configuration {
    /// Returns the locator of a root module: what was parsed is not parsed again.
    pub fn locator(&self, root: &str, files: &dyn Files) -> Locator {
        let mut locator = Locator { fetched: fetched(root, files), ..Locator::of(root) };
        let first = match self.directory(root) {
            Some(directory) => Arc::clone(directory),
            None => Arc::new(read_directory(files, root).directory),
        };
        locator.follow(first, files, self);
        locator
    }

    /// Returns where an attribute of a record is written; none where that is not known nearer than the record itself.
    pub fn locate(&self, address: &str, attribute: &str) -> Option<Location> {
        let (directory, what) = address.split_once(':')?;
        let directory = self.directory(directory)?;
        let (item, mut path) = match what.strip_prefix("required_provider.") {
            Some(name) => {
                let path = ["required_providers", name].map(|key| Step::Key(key.to_owned()));
                (directory.get("terraform")?, Vec::from(path))
            }
            None => (directory.get(what)?, Vec::new()),
        };
        let mut steps = steps(attribute);
        if let Some(Step::Key(name)) = steps.first_mut()
            && let Some((_, written)) = WRITTEN.iter().find(|(told, _)| told == name)
        {
            let is_pin = name == "is_pinned" && item.attribute("version").is_some();
            (if is_pin { "version" } else { *written }).clone_into(name);
        }
        path.extend(steps);
        let spot = find(&item, &path)?;
        Some(Location { primary: spot.file.place(spot.span), related: Vec::new() })
    }

    /// Returns the locator of a root module that is nowhere in the repository, as [`Locator::read_texts`] does: what was
    /// parsed is not parsed again.
    pub fn locator_of_texts(
        &self,
        root: &str,
        texts: &[(String, String)],
        files: &dyn Files,
    ) -> Locator {
        let own: Texts =
            texts.iter().map(|(name, text)| (join(root, name), text.as_str())).collect();
        let first = Arc::new(read_directory(&own, root).directory);
        let mut locator = Locator { is_elsewhere: true, ..Locator::of(root) };
        locator.follow(first, files, self);
        locator
    }
}

/// Returns the source of a call, if it is a path.
fn local_source(call: &Item<'_>) -> Option<String> {
    let (_, source) = call.attribute("source")?;
    text(&source.value).filter(|source| is_local(source))
}

/// Returns the directories of the local modules that one calls.
fn called(directory: &Directory) -> Vec<String> {
    let calls = directory.items().filter(|item| item.kind() == "module");
    calls.filter_map(|call| relative(&directory.path, &local_source(&call)?)).collect()
}

/// Returns where `terraform init` put the modules that it fetched.
fn fetched(root: &str, files: &dyn Files) -> BTreeMap<String, String> {
    let manifest = files.read(&join(root, ".terraform/modules/modules.json")).unwrap_or_default();
    let manifest: Value = serde_json::from_str(&manifest).unwrap_or_default();
    let modules = manifest["Modules"].as_array().map(Vec::as_slice).unwrap_or_default();
    let modules = modules.iter().filter_map(|module| {
        let (key, directory) = (module["Key"].as_str()?, module["Dir"].as_str()?);
        Some((key.to_owned(), relative(root, directory)?))
    });
    modules.filter(|(_, path)| path.contains(".terraform/")).collect()
}

#[cfg(test)]
mod tests;

//! [`Directory`]: the files of one module, and its blocks as Terraform merges them.

use std::collections::HashMap;

use hcl_edit::structure::{Attribute, Block, Structure};

use super::file::File;

/// The `.tf` files of a directory, which are a module.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    /// Its path, relative to the repository.
    pub(crate) path: String,
    /// Its files in the order of Terraform: overrides come last.
    pub(crate) files: Vec<File>,
    entries: Vec<Entry>,
    by_key: HashMap<String, usize>,
}

/// A block of a module, and what overrides it.
#[derive(Debug)]
struct Entry {
    key: String,
    blocks: Vec<At>,
}

/// Where a block is: file, structure, and structure in that one.
#[derive(Debug, Clone, Copy)]
struct At {
    file: usize,
    outer: usize,
    inner: Option<usize>,
}

/// A block, and what overrides it; the last one has the last word.
#[derive(Debug, Clone)]
pub(crate) struct Item<'a> {
    /// `aws_db_instance.this`, `data.aws_ami.this`, `module.database`, `provider.aws.west`, …
    pub(crate) key: &'a str,
    pub(crate) blocks: Vec<(&'a File, &'a Block)>,
}

impl Directory {
    /// Puts the files of a directory together.
    pub(crate) fn new(path: String, mut files: Vec<File>) -> Self {
        files.sort_by(|one, other| {
            (one.is_override(), &one.path).cmp(&(other.is_override(), &other.path))
        });
        let (mut entries, mut by_key) = (Vec::new(), HashMap::new());
        for (file, parsed) in files.iter().enumerate() {
            for (outer, structure) in parsed.body.iter().enumerate() {
                let Structure::Block(block) = structure else { continue };
                let at = At { file, outer, inner: None };
                add(&mut entries, &mut by_key, parsed, block, at);
                if block.has_ident("check") {
                    for (inner, structure) in block.body.iter().enumerate() {
                        if let Structure::Block(inside) = structure
                            && inside.has_ident("data")
                        {
                            let at = At { inner: Some(inner), ..at };
                            add(&mut entries, &mut by_key, parsed, inside, at);
                        }
                    }
                }
            }
        }
        Self { path, files, entries, by_key }
    }

    /// Returns its blocks, in the order of its files.
    pub(crate) fn items(&self) -> impl Iterator<Item = Item<'_>> {
        self.entries.iter().map(|entry| self.item(entry))
    }

    /// Returns the block with a key.
    pub(crate) fn get(&self, key: &str) -> Option<Item<'_>> {
        self.by_key.get(key).map(|entry| self.item(&self.entries[*entry]))
    }

    /// Returns the value that a name has in `locals`.
    pub(crate) fn local(&self, name: &str) -> Option<(&File, &Attribute)> {
        self.get("locals")?.attribute(name)
    }

    /// Returns the file that a reader opens first.
    pub(crate) fn main(&self) -> Option<&File> {
        let is_main = |file: &&File| file.path.rsplit('/').next() == Some("main.tf");
        self.files.iter().find(is_main).or_else(|| self.files.first())
    }

    fn item<'a>(&'a self, entry: &'a Entry) -> Item<'a> {
        let blocks = entry.blocks.iter().filter_map(|at| {
            let file = &self.files[at.file];
            let mut block = file.body.get(at.outer)?.as_block()?;
            if let Some(inner) = at.inner {
                block = block.body.get(inner)?.as_block()?;
            }
            Some((file, block))
        });
        Item { key: &entry.key, blocks: blocks.collect() }
    }
}

fn add(
    entries: &mut Vec<Entry>,
    by_key: &mut HashMap<String, usize>,
    file: &File,
    block: &Block,
    at: At,
) {
    let key = key(block);
    // Of `terraform` and `locals` there may be several, which are one. What else is there twice is an error for Terraform,
    // unless one of them overrides the other; here each is looked at.
    let is_merged = file.is_override() || matches!(block.ident.as_str(), "terraform" | "locals");
    match by_key.get(&key) {
        Some(entry) if is_merged => entries[*entry].blocks.push(at),
        Some(_) => entries.push(Entry { key, blocks: vec![at] }),
        None => {
            by_key.insert(key.clone(), entries.len());
            entries.push(Entry { key, blocks: vec![at] });
        }
    }
}

/// Returns by what a block is known in its module.
fn key(block: &Block) -> String {
    let kind = block.ident.as_str();
    let mut parts = if kind == "resource" { Vec::new() } else { vec![kind] };
    parts.extend(block.labels.iter().map(hcl_edit::structure::BlockLabel::as_str));
    if kind == "provider"
        && let Some(alias) =
            block.body.get_attribute("alias").and_then(|alias| alias.value.as_str())
    {
        parts.push(alias);
    }
    parts.join(".")
}

impl<'a> Item<'a> {
    /// Returns the kind of the block: `resource`, `module`, ….
    pub(crate) fn kind(&self) -> &'a str {
        self.first().1.ident.as_str()
    }

    /// Returns a label of the block.
    pub(crate) fn label(&self, index: usize) -> &'a str {
        self.first().1.labels.get(index).map_or("", |label| label.as_str())
    }

    /// Returns the block that is overridden by the others, if there are any.
    pub(crate) fn first(&self) -> (&'a File, &'a Block) {
        self.blocks[0]
    }

    /// Returns an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<(&'a File, &'a Attribute)> {
        let mut blocks = self.blocks.iter().rev();
        blocks.find_map(|(file, block)| Some((*file, block.body.get_attribute(name)?)))
    }

    /// Returns the blocks in it that have a name: those of an override take the place of all others.
    pub(crate) fn inside(&self, name: &'static str) -> Vec<(&'a File, &'a Block)> {
        for (file, block) in self.blocks.iter().rev() {
            let found: Vec<_> = block.body.get_blocks(name).map(|block| (*file, block)).collect();
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    /// Returns the blocks in it that have a name, for what an override adds to instead.
    pub(crate) fn merged(&self, name: &'static str) -> Vec<(&'a File, &'a Block)> {
        let blocks = self.blocks.iter();
        blocks
            .flat_map(|(file, block)| block.body.get_blocks(name).map(|block| (*file, block)))
            .collect()
    }
}

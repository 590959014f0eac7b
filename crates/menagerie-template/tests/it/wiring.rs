//! How the modules of the tree are wired: providers, and who calls whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{Module, label, modules, text, tree};

/// The versions that the tree is written for, and no others anywhere in it.
const PROVIDERS: &[(&str, &str)] = &[
    ("datadog/datadog", "~> 4.0"),
    ("hashicorp/aws", "~> 6.60"),
    ("hashicorp/kubernetes", "~> 3.0"),
    ("hashicorp/nomad", "~> 2.5"),
    ("menagerie.local/menagerie/menagerie", ""),
    ("newrelic/newrelic", "~> 3.60"),
];

/// Returns the local names of the providers that a module requires, with source and version.
fn required(module: &Module) -> BTreeMap<String, (String, String)> {
    let body = module.parse("terraform.tf");
    let blocks =
        body.get_blocks("terraform").flat_map(|block| block.body.get_blocks("required_providers"));
    blocks
        .flat_map(|block| block.body.attributes())
        .map(|attribute| {
            let object = attribute.value.as_object().unwrap();
            let get = |name: &str| {
                let mut pairs = object.iter();
                let found =
                    pairs.find(|(key, _)| key.as_ident().is_some_and(|key| key.as_str() == name));
                found.and_then(|(_, value)| value.expr().as_str()).unwrap_or_default().to_owned()
            };
            (attribute.key.to_string().trim().to_owned(), (get("source"), get("version")))
        })
        .collect()
}

#[test]
fn providers_are_pinned_and_required_where_they_are_used() {
    for module in modules() {
        let place = module.path();
        let required = required(&module);
        for (source, version) in required.values() {
            let known = PROVIDERS.contains(&(source.as_str(), version.as_str()));
            assert!(known, "{place}: `{source}` with `{version}`");
        }
        for (file, block) in module.blocks() {
            if ["resource", "data", "ephemeral"].contains(&block.ident.as_str()) {
                let kind = label(&block);
                let provider = kind.split('_').next().unwrap();
                // The only provider that is part of Terraform.
                let is_known = provider == "terraform" || required.contains_key(provider);
                assert!(is_known, "{place}/{file}: the provider of {kind} is not required");
            }
        }
    }
}

/// Modules of this tree, which stay as they were when a commit is checked out again; and no module that nobody calls.
#[test]
fn modules_are_those_of_the_tree_and_all_are_used() {
    let modules = modules();
    let paths: BTreeSet<String> = modules.iter().map(Module::path).collect();
    let mut used = BTreeSet::new();
    for module in &modules {
        for (file, block) in module.blocks().filter(|(_, block)| block.has_ident("module")) {
            let source = text(&block, "source").unwrap_or_default();
            let called = module.directory.join(source);
            let called = called.canonicalize().ok().map(|path| {
                path.strip_prefix(tree().canonicalize().unwrap())
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned()
            });
            let called = called.filter(|path| source.starts_with('.') && paths.contains(path));
            used.extend(Some(
                called
                    .unwrap_or_else(|| panic!("{}/{file}: `{source}` is no module", module.path())),
            ));
        }
    }
    for module in modules.iter().filter(|module| !module.is_root()) {
        let path = module.path();
        // Of these the root of an environment calls one each.
        let chosen = ["development/", "modules/application_hosting/", "modules/observability/"];
        let is_chosen = chosen.iter().any(|kind| path.starts_with(kind));
        assert!(is_chosen || used.contains(&path), "{path} is called by nobody");
    }
}

#[test]
fn only_roots_configure_providers() {
    for module in modules() {
        let configures = module.blocks().any(|(_, block)| block.has_ident("provider"));
        assert_eq!(configures, module.is_root(), "{}", module.path());
    }
}

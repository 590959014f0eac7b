//! [`Required`]: the providers that a module needs, whether it says so or not.

use std::collections::BTreeMap;

use hcl_edit::expr::Expression;
use hcl_edit::structure::Block;
use menagerie_compliance::{Place, Record};
use serde_json::Value;

use super::directory::{Directory, Item};
use super::file::{File, header, whole};
use super::literal;
use super::records::{Values, written};

/// The providers of a module, by their local names.
#[derive(Default)]
pub(crate) struct Required {
    providers: BTreeMap<String, (Values, Place)>,
    /// Those that only blocks name, and the first one that does.
    implied: BTreeMap<String, Place>,
}

impl Required {
    /// Adds what `required_providers` says.
    pub(crate) fn required(&mut self, terraform: &Item<'_>) {
        for (file, block) in terraform.merged("required_providers") {
            for attribute in block.body.attributes() {
                let name = attribute.key.as_str();
                let mut values = Values::default();
                values.set("name", name);
                values.set("version", Value::Null);
                match &attribute.value {
                    Expression::Object(object) => {
                        for (key, entry) in object {
                            let key = literal::key(key).unwrap_or_default();
                            if matches!(&*key, "source" | "version") {
                                values.expression(&key, Some(entry.expr()));
                            }
                        }
                    }
                    // Of Terraform before 0.13.
                    version => values.expression("version", Some(version)),
                }
                if !values.has("source") {
                    values.set("source", format!("hashicorp/{name}"));
                }
                let place = file.place(whole(attribute));
                self.providers.insert(name.to_owned(), (values, place));
            }
        }
    }

    /// Adds the provider that a resource is of.
    pub(crate) fn used(&mut self, item: &Item<'_>) {
        let name = match item.attribute("provider") {
            Some((file, attribute)) => written(file, &attribute.value),
            None => item.label(0).to_owned(),
        };
        let name = name.trim_matches('"');
        let end =
            if item.attribute("provider").is_some() { name.find('.') } else { name.find('_') };
        self.named(&name[..end.unwrap_or(name.len())], item);
    }

    /// Adds a provider that a block names.
    pub(crate) fn named(&mut self, name: &str, item: &Item<'_>) {
        // It is a part of Terraform itself.
        if name == "terraform" || self.implied.contains_key(name) {
            return;
        }
        let (file, block): (&File, &Block) = item.first();
        self.implied.insert(name.to_owned(), file.place(header(block)));
    }

    /// Adds a record for each.
    pub(crate) fn records(mut self, directory: &Directory, records: &mut Vec<Record>) {
        for (name, place) in self.implied {
            self.providers.entry(name).or_insert_with_key(|name| {
                let mut values = Values::default();
                values.set("name", name.as_str());
                values.set("version", Value::Null);
                values.set("source", format!("hashicorp/{name}"));
                (values, place)
            });
        }
        for (name, (values, place)) in self.providers {
            let what = format!("required_provider.{name}");
            records.push(values.record("required_provider", &directory.path, &what, Some(place)));
        }
    }
}

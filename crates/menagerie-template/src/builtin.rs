//! The templates that come with this crate: `templates/base/` for all hostings, `templates/aws/` for all that keep what they
//! need there, a directory beside them for what a hosting has of its own.

use menagerie_config::Hosting;

/// What a template's file name ends with; what stands before it is the name of the file that is rendered from it.
pub(crate) const SUFFIX: &str = ".tera";

/// The directory of the templates that hostings share.
pub(crate) const BASE: &str = "base";

/// The directory of the templates that hostings share that are not on this machine.
pub(crate) const AWS: &str = "aws";

/// A template: its path, such as `base/main.tf.tera`, and its text.
pub(crate) type Builtin = (&'static str, &'static str);

macro_rules! templates {
    ($directory:literal: $($file:literal),+ $(,)?) => {
        &[$((
            concat!($directory, "/", $file, ".tera"),
            include_str!(concat!("../templates/", $directory, "/", $file, ".tera")),
        )),+]
    };
}

/// What hostings share, in the order in which files are rendered.
const SHARED: &[Builtin] =
    templates!["base": "terraform.tf", "variables.tf", "main.tf", "outputs.tf"];

/// What hostings share that are not on this machine.
const SHARED_BY_AWS: &[Builtin] =
    templates!["aws": "terraform.tf", "backend.tf", "providers.tf", "variables.tf", "main.tf"];

/// The files of a root module in the order in which they are rendered; what a hosting has besides comes after them.
const ORDER: &[&str] =
    &["terraform.tf", "backend.tf", "providers.tf", "variables.tf", "main.tf", "outputs.tf"];

/// Returns what a hosting has of its own: it takes the place of the shared one, and may extend it.
const fn own(hosting: Hosting) -> &'static [Builtin] {
    match hosting {
        Hosting::Local => {
            templates!["local": "terraform.tf", "backend.tf", "providers.tf", "variables.tf", "main.tf"]
        }
        Hosting::Ec2Docker | Hosting::Ec2Compose | Hosting::Ecs => &[],
        Hosting::Eks => templates!["eks": "terraform.tf", "providers.tf"],
        Hosting::Kubernetes => templates!["kubernetes": "terraform.tf", "providers.tf"],
        Hosting::Nomad => templates!["nomad": "terraform.tf", "providers.tf"],
    }
}

/// Returns the directories that a hosting's templates lie in; of two files of the same name, the first one counts.
pub(crate) fn layers(hosting: Hosting) -> &'static [&'static str] {
    match hosting {
        Hosting::Local => &["local", BASE],
        Hosting::Ec2Docker => &["ec2_docker", AWS, BASE],
        Hosting::Ec2Compose => &["ec2_compose", AWS, BASE],
        Hosting::Ecs => &["ecs", AWS, BASE],
        Hosting::Eks => &["eks", AWS, BASE],
        Hosting::Kubernetes => &["kubernetes", AWS, BASE],
        Hosting::Nomad => &["nomad", AWS, BASE],
    }
}

/// Returns the templates that a hosting is made of.
pub(crate) fn of(hosting: Hosting) -> impl Iterator<Item = Builtin> {
    let shared_by_aws = if hosting.is_cloud() { SHARED_BY_AWS } else { &[] };
    SHARED.iter().chain(shared_by_aws).chain(own(hosting)).copied()
}

/// Returns the files of a hosting's root module, in order.
pub(crate) fn files(hosting: Hosting) -> Vec<&'static str> {
    let mut files: Vec<_> = of(hosting).map(|(path, _)| file(path)).collect();
    let place = |file: &str| ORDER.iter().position(|known| *known == file).unwrap_or(ORDER.len());
    files.sort_by_key(|file| (place(file), *file));
    files.dedup();
    files
}

/// Returns the paths that an override may have: of all that is shared, and of each file of each hosting.
pub(crate) fn overridable() -> impl Iterator<Item = String> {
    let own = |hosting: Hosting| {
        files(hosting).into_iter().map(move |file| format!("{hosting}/{file}{SUFFIX}"))
    };
    let shared = SHARED.iter().chain(SHARED_BY_AWS).map(|(path, _)| (*path).to_owned());
    shared.chain(Hosting::ALL.iter().copied().flat_map(own))
}

fn file(path: &'static str) -> &'static str {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    name.strip_suffix(SUFFIX).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Nothing else tells that a file was forgotten in the lists above.
    #[test]
    fn every_template_is_known() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        let mut found = BTreeSet::new();
        for directory in fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()) {
            let name = directory.file_name().unwrap().to_str().unwrap().to_owned();
            for file in fs::read_dir(directory).unwrap() {
                found.insert(format!("{name}/{}", file.unwrap().file_name().to_str().unwrap()));
            }
        }
        let known: BTreeSet<String> = Hosting::ALL
            .iter()
            .flat_map(|hosting| of(*hosting))
            .map(|(path, _)| path.to_owned())
            .collect();
        assert_eq!(found, known);
    }

    /// A number that is printed without the filter is no danger, but null would be nothing at all.
    #[test]
    fn values_are_printed_by_the_filter() {
        for (path, text) in Hosting::ALL.iter().flat_map(|hosting| of(*hosting)) {
            for printed in text.split("{{").skip(1) {
                let (printed, _) = printed.split_once("}}").expect("Tera would not take it");
                let (_, filter) = printed.rsplit_once('|').unwrap_or_default();
                let is_filtered =
                    ["hcl", "hcl(indent=2)", "hcl(indent=4)"].contains(&filter.trim());
                assert!(
                    is_filtered || printed.trim().starts_with("throw("),
                    "`{path}` prints `{printed}`"
                );
            }
        }
    }

    #[test]
    fn layers_begin_with_the_hosting_itself() {
        for hosting in Hosting::ALL {
            let layers = layers(*hosting);
            assert_eq!((layers[0], layers.last()), (hosting.as_str(), Some(&BASE)));
            for (path, _) in of(*hosting) {
                assert!(layers.contains(&path.split('/').next().unwrap()), "{path}");
            }
        }
    }

    #[test]
    fn every_hosting_has_the_files_of_a_root_module() {
        for hosting in Hosting::ALL {
            assert_eq!(files(*hosting)[..ORDER.len()], *ORDER, "{hosting}");
        }
    }
}

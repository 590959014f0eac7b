//! What Terraform is told of a mirror: a CLI configuration, unless the user has one.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use crate::version::Flavour;

/// The variable that names the CLI configuration.
pub(crate) const VARIABLE: &str = "TF_CLI_CONFIG_FILE";

/// Returns a configuration that takes these providers from a directory and nowhere else, and all others from where they are
/// published.
pub(crate) fn text(providers: &Path, sources: &[&str]) -> String {
    let list: Vec<String> = sources.iter().map(|source| literal(source)).collect();
    let list = list.join(", ");
    let path = literal(&providers.to_string_lossy());
    format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path    = {path}\n    include = [{list}]\n  }}\n  direct {{\n    \
         exclude = [{list}]\n  }}\n}}\n"
    )
}

/// Returns a configuration that takes all providers from a directory.
pub(crate) fn only(packages: &Path) -> String {
    let path = literal(&packages.to_string_lossy());
    format!("provider_installation {{\n  filesystem_mirror {{\n    path = {path}\n  }}\n}}\n")
}

/// Writes a string so that nothing in it is read as anything else. The configuration is of the older HCL, which reads `${` too.
fn literal(text: &str) -> String {
    let mut literal = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => literal.extend(['\\', letter]),
            '\n' => literal.push_str("\\n"),
            '$' => literal.push_str("\\u0024"),
            other => literal.push(other),
        }
    }
    literal + "\""
}

/// Returns the CLI configuration that is the user's own, if there is one. A file that is named by the variable takes the place of
/// all others, also of the credentials for private registries.
pub(crate) fn of_the_user(
    environment: &BTreeMap<OsString, OsString>,
    flavour: Flavour,
) -> Option<PathBuf> {
    let variable = |name: &str| environment.get(OsStr::new(name)).map(PathBuf::from);
    if let Some(named) = variable(VARIABLE) {
        return Some(named);
    }
    let home = variable("HOME")?;
    let mut files = vec![home.join(".terraformrc")];
    if flavour == Flavour::OpenTofu {
        let configuration = variable("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
        files.extend([home.join(".tofurc"), configuration.join("opentofu/tofurc")]);
    }
    let more = fs::read_dir(home.join(".terraform.d")).into_iter().flatten().flatten();
    files.extend(more.map(|entry| entry.path()).filter(|path| {
        let name = path.to_string_lossy();
        name.ends_with(".tfrc") || name.ends_with(".tfrc.json")
    }));
    files.into_iter().find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_providers_come_from_the_mirror_and_all_else_does_not() {
        let sources = ["registry.terraform.io/hashicorp/aws", "localhost:1/lab/tiny"];
        insta::assert_snapshot!(text(Path::new("/m/${x} \"y\"\\/providers"), &sources), @r#"
        provider_installation {
          filesystem_mirror {
            path    = "/m/\u0024{x} \"y\"\\/providers"
            include = ["registry.terraform.io/hashicorp/aws", "localhost:1/lab/tiny"]
          }
          direct {
            exclude = ["registry.terraform.io/hashicorp/aws", "localhost:1/lab/tiny"]
          }
        }
        "#);
    }

    #[track_caller]
    fn check(variable: &[(&str, &str)], files: &[&str], flavour: Flavour, expected: Option<&str>) {
        let home = tempfile::tempdir().unwrap();
        for file in files {
            let path = home.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let mut environment: BTreeMap<OsString, OsString> =
            variable.iter().map(|(name, value)| (name.into(), value.into())).collect();
        environment.insert("HOME".into(), home.path().into());
        let expected = expected.map(|expected| home.path().join(expected));
        assert_eq!(of_the_user(&environment, flavour), expected);
    }

    #[test]
    fn what_the_user_has_is_found() {
        check(&[], &[], Flavour::Terraform, None);
        check(&[(VARIABLE, "/etc/own")], &[".terraformrc"], Flavour::Terraform, Some("/etc/own"));
        check(&[], &[".terraformrc"], Flavour::Terraform, Some(".terraformrc"));
        let credentials = ".terraform.d/credentials.tfrc.json";
        check(&[], &[credentials], Flavour::Terraform, Some(credentials));
        check(&[], &[".terraform.d/checkpoint_cache"], Flavour::Terraform, None);
        check(&[], &[".tofurc"], Flavour::Terraform, None);
        check(&[], &[".tofurc"], Flavour::OpenTofu, Some(".tofurc"));
        check(
            &[],
            &[".config/opentofu/tofurc"],
            Flavour::OpenTofu,
            Some(".config/opentofu/tofurc"),
        );
    }
}

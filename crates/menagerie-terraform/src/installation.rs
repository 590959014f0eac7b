//! How Terraform is installed here, for a message.

/// Returns how Terraform is installed on a system, from the text of its `/etc/os-release` where it has one.
pub fn installation(os_release: Option<&str>) -> &'static str {
    let words = |key: &str| {
        let line = os_release.unwrap_or_default().lines().find_map(|line| line.strip_prefix(key));
        line.unwrap_or_default().trim_matches('"').to_owned()
    };
    let names = format!("{} {}", words("ID="), words("ID_LIKE="));
    let is = |name: &str| names.split_whitespace().any(|word| word == name);
    if cfg!(target_os = "macos") {
        "`brew install hashicorp/tap/terraform`, or `brew install opentofu`"
    } else if is("arch") {
        "`pacman -S terraform`, or `pacman -S opentofu`"
    } else if is("alpine") {
        "`apk add opentofu`"
    } else if is("debian") || is("ubuntu") {
        "add HashiCorp's apt repository (https://developer.hashicorp.com/terraform/install#linux), then `apt-get install terraform`"
    } else if is("fedora") || is("rhel") {
        "add HashiCorp's dnf repository (https://developer.hashicorp.com/terraform/install#linux), then `dnf install terraform`"
    } else {
        "see https://developer.hashicorp.com/terraform/install or https://opentofu.org/docs/intro/install"
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn how_to_get_it_depends_on_the_system() {
        assert!(installation(Some("ID=debian\n")).contains("apt-get"));
        assert!(
            installation(Some("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n")).contains("apt-get")
        );
        assert!(installation(Some("NAME=x\nID=arch\n")).contains("pacman"));
        assert!(installation(None).starts_with("see https://"));
    }
}

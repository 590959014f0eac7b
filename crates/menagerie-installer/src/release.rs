//! [`Release`]: which archive is fetched, and what it must hash to.

use std::fmt;
use std::str::FromStr;

/// The version that our own tests run.
const PINNED: &str = "1.11.4";

/// The SHA-256 of its archives, as `terraform_1.11.4_SHA256SUMS` on releases.hashicorp.com has them.
const PINNED_CHECKSUMS: &[(&str, &str)] = &[
    ("darwin_amd64", "a56d5002b9f7647291faccc3dd1a70350e60fb61e4c45037629508b8fdc2575b"),
    ("darwin_arm64", "867e0808fa971217043e25b7a792b10720c79b1546f8a68479b74f138be73e18"),
    ("linux_amd64", "1ce994251c00281d6845f0f268637ba50c0005657eb3cf096b92f753b42ef4dc"),
    ("linux_arm64", "a43d1d0da9b9bab214a8305a39db0e40869572594ccf50c416a7756499143633"),
];

/// One archive of one version.
#[derive(Debug, Clone)]
pub(crate) struct Release {
    pub(crate) version: Version,
    pub(crate) checksum: Checksum,
    platform: String,
}

/// There is none for this machine.
#[derive(Debug, thiserror::Error)]
#[error("there is no pinned Terraform for `{0}`")]
pub(crate) struct UnknownPlatform(String);

impl Release {
    /// Returns the pinned version for this machine.
    pub(crate) fn pinned() -> Result<Self, UnknownPlatform> {
        let platform = platform()?;
        let pinned = PINNED_CHECKSUMS.iter().find(|(name, _)| *name == platform);
        let (_, checksum) = pinned.ok_or_else(|| UnknownPlatform(platform.clone()))?;
        let version = PINNED.parse().expect("the pin is a version");
        let checksum = checksum.parse().expect("the pins are checksums");
        Ok(Self { version, checksum, platform })
    }

    /// Returns another version, whose checksum somebody vouches for.
    pub(crate) fn chosen(version: Version, checksum: Checksum) -> Result<Self, UnknownPlatform> {
        Ok(Self { version, checksum, platform: platform()? })
    }

    /// Returns where the archive is.
    pub(crate) fn url(&self, origin: &Origin) -> String {
        let Self { version, platform, .. } = self;
        format!("{origin}/terraform/{version}/terraform_{version}_{platform}.zip")
    }
}

/// Returns this machine in the words of the archives' file names.
fn platform() -> Result<String, UnknownPlatform> {
    let (system, machine) = (std::env::consts::OS, std::env::consts::ARCH);
    match (system, machine) {
        ("linux", "x86_64") => Ok("linux_amd64".to_owned()),
        ("linux", "aarch64") => Ok("linux_arm64".to_owned()),
        ("macos", "x86_64") => Ok("darwin_amd64".to_owned()),
        ("macos", "aarch64") => Ok("darwin_arm64".to_owned()),
        _ => Err(UnknownPlatform(format!("{system}_{machine}"))),
    }
}

/// A version as it stands in a file name: it can't lead to another directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version(String);

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (numbers, extra) = text.split_once('-').unwrap_or((text, "0"));
        let parts: Vec<&str> = numbers.split('.').collect();
        let is_number =
            |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let is_extra = !extra.is_empty() && extra.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if parts.len() == 3 && parts.iter().all(is_number) && is_extra {
            return Ok(Self(text.to_owned()));
        }
        Err("a version is three numbers, such as `1.11.4`".to_owned())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A SHA-256 in lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checksum(String);

impl FromStr for Checksum {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Self(text.to_ascii_lowercase()));
        }
        Err("a SHA-256 is 64 hexadecimal digits".to_owned())
    }
}

impl Checksum {
    /// Takes the bytes of a digest.
    pub(crate) fn of(digest: &[u8]) -> Self {
        Self(digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Where releases are fetched from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    url: String,
    /// On this machine: then neither encryption nor a proxy has any use.
    is_loopback: bool,
}

impl Origin {
    pub(crate) fn is_loopback(&self) -> bool {
        self.is_loopback
    }
}

impl Default for Origin {
    fn default() -> Self {
        Self { url: "https://releases.hashicorp.com".to_owned(), is_loopback: false }
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = text.trim_end_matches('/').to_owned();
        if url.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err("a URL has no spaces and no letters outside ASCII".to_owned());
        }
        if url.strip_prefix("https://").is_some_and(|rest| !rest.is_empty()) {
            return Ok(Self { url, is_loopback: false });
        }
        if url.strip_prefix("http://").is_some_and(is_loopback) {
            return Ok(Self { url, is_loopback: true });
        }
        Err("it starts with `https://`, or with `http://` for this machine's loopback".to_owned())
    }
}

/// Returns whether what follows the scheme names this machine. A user name before the host would make it look so.
fn is_loopback(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority.rsplit_once(':').map_or(authority, |(host, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) { host } else { authority }
    });
    ["127.0.0.1", "[::1]", "localhost"].contains(&host)
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_pin_is_whole() {
        for (platform, checksum) in PINNED_CHECKSUMS {
            checksum.parse::<Checksum>().unwrap_or_else(|error| panic!("{platform}: {error}"));
        }
        PINNED.parse::<Version>().unwrap();
    }

    #[test]
    fn where_it_is() {
        let release = Release { platform: "linux_arm64".to_owned(), ..Release::pinned().unwrap() };
        insta::assert_snapshot!(release.url(&Origin::default()), @"https://releases.hashicorp.com/terraform/1.11.4/terraform_1.11.4_linux_arm64.zip");
        let origin: Origin = "http://127.0.0.1:8080/mirror/".parse().unwrap();
        insta::assert_snapshot!(release.url(&origin), @"http://127.0.0.1:8080/mirror/terraform/1.11.4/terraform_1.11.4_linux_arm64.zip");
    }

    #[track_caller]
    fn check(origin: &str, expected: Option<bool>) {
        let parsed = origin.parse::<Origin>().ok();
        assert_eq!(parsed.map(|origin| origin.is_loopback), expected, "{origin}");
    }

    #[test]
    fn only_this_machine_may_be_asked_without_encryption() {
        check("https://mirror.example.com", Some(false));
        check("http://localhost", Some(true));
        check("http://[::1]:80/x", Some(true));
        check("http://127.0.0.1", Some(true));
        check("http://mirror.example.com", None);
        check("http://127.0.0.1@mirror.example.com", None);
        check("http://127.0.0.1:80@mirror.example.com", None);
        check("http://localhost.example.com", None);
        check("file:///etc/passwd", None);
        check("https://", None);
        check("https://a b", None);
        check("-o/etc/passwd", None);
    }

    #[test]
    fn a_version_can_be_nothing_else() {
        for good in ["1.11.4", "1.12.0-rc1"] {
            assert_eq!(good.parse::<Version>().unwrap().to_string(), good);
        }
        for bad in ["", "1.11", "1.11.4.5", "1..4", "../1.2.3", "1.2.3-../x", "1.2.3-", "v1.2.3"] {
            bad.parse::<Version>().unwrap_err();
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in ".*") {
            let _ = (text.parse::<Version>(), text.parse::<Checksum>(), text.parse::<Origin>());
        }

        #[test]
        fn a_checksum_prints_as_it_is_parsed(digest in prop::array::uniform32(any::<u8>())) {
            let checksum = Checksum::of(&digest);
            prop_assert_eq!(checksum.to_string().to_ascii_uppercase().parse(), Ok(checksum));
        }
    }
}

//! [`ImageName`]: an image of a container, and whether it can change.

/// What names an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ImageName<'a> {
    /// Without tag and digest.
    pub(crate) name: &'a str,
    pub(crate) tag: Option<&'a str>,
    pub(crate) digest: Option<&'a str>,
}

impl<'a> ImageName<'a> {
    pub(crate) fn parse(text: &'a str) -> Self {
        let (tagged, digest) = match text.split_once('@') {
            Some((tagged, digest)) => (tagged, Some(digest)),
            None => (text, None),
        };
        // A colon before the last slash belongs to the port of a registry.
        let start = tagged.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match tagged[start..].find(':') {
            Some(colon) => (&tagged[..start + colon], Some(&tagged[start + colon + 1..])),
            None => (tagged, None),
        };
        Self { name, tag, digest }
    }

    /// Returns whether it always is the same one, which only a digest says.
    pub(crate) fn is_pinned(&self) -> bool {
        let digits = self.digest.and_then(|digest| digest.strip_prefix("sha256:"));
        digits.is_some_and(|digits| {
            digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, name: &str, tag: Option<&str>, digest: Option<&str>, is_pinned: bool) {
        let image = ImageName::parse(text);
        assert_eq!(image, ImageName { name, tag, digest });
        assert_eq!(image.is_pinned(), is_pinned);
    }

    #[test]
    fn names() {
        check("alpine", "alpine", None, None, false);
        check("alpine:3.20", "alpine", Some("3.20"), None, false);
        check("h.example:5000/a/b", "h.example:5000/a/b", None, None, false);
        check("h.example:5000/a/b:1", "h.example:5000/a/b", Some("1"), None, false);
        let digest = format!("sha256:{}", "ab".repeat(32));
        check(&format!("alpine:3@{digest}"), "alpine", Some("3"), Some(&digest), true);
        check("alpine@sha256:ab", "alpine", None, Some("sha256:ab"), false);
    }
}

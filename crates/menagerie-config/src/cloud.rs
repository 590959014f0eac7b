//! Values that name something in AWS, or a part of a network.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use thiserror::Error;

/// A value that can't be what its key is for. It never says the value: that may be a secret at the wrong place.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct CloudValueError(&'static str);

/// Declares a text that is checked when it is parsed.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident: $check:expr, $message:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = CloudValueError;

            fn from_str(text: &str) -> Result<Self, CloudValueError> {
                let is_right: fn(&str) -> bool = $check;
                if is_right(text) { Ok(Self(text.to_owned())) } else { Err(CloudValueError($message)) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(&self.0)
            }
        }
    };
}

text! {
    /// A region of AWS.
    Region: is_region, "a region of AWS is written as `eu-central-1` is"
}

text! {
    /// The name of a bucket of S3.
    BucketName: is_bucket, "the name of a bucket is 3 to 63 lower-case letters, digits, hyphens and dots, with a letter or a digit at both ends"
}

text! {
    /// What AWS identifies something by: an ARN, or an identifier.
    Identifier: is_identifier, "an identifier of AWS is 1 to 2048 printable characters of ASCII, without spaces"
}

text! {
    /// A key of KMS: its identifier, its ARN or an alias.
    KmsKey: is_kms_key, "a key of KMS is its identifier, its ARN, or an alias such as `alias/terraform-state`"
}

text! {
    /// A host name.
    HostName: is_host_name, "a host name is lower-case labels with dots between, such as `preview.example.com`"
}

text! {
    /// A container image that stays the same: by its digest, or by a tag other than `latest`.
    ImageReference: is_image, "an image is named by its digest, `…@sha256:…`, or by a tag other than `latest`"
}

text! {
    /// Where something takes telemetry.
    Endpoint: is_endpoint, "an endpoint is an `https://` or `http://` URL without a user, a password or spaces"
}

text! {
    /// A reference to a secret: the ARN of one in Secrets Manager, and which key of its JSON, as ECS writes it.
    SecretReference: is_secret, "this is a value, not a reference: write the ARN of a secret in Secrets Manager, optionally followed by `:json-key::`"
}

text! {
    /// A part of a network, in CIDR notation.
    Cidr: is_cidr, "a network is written in CIDR notation, such as `10.0.0.0/8`"
}

impl Cidr {
    /// Returns whether it is everyone.
    pub fn is_everyone(&self) -> bool {
        self.0.ends_with("/0")
    }
}

fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let is_word =
        |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let Some((number, words)) = parts.split_last() else { return false };
    words.len() >= 2
        && words.iter().all(is_word)
        && !number.is_empty()
        && number.len() <= 2
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_bucket(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (3..=63).contains(&text.len())
        && text.bytes().all(|byte| is_plain(byte) || byte == b'-' || byte == b'.')
        && text.bytes().next().is_some_and(is_plain)
        && text.bytes().last().is_some_and(is_plain)
}

fn is_identifier(text: &str) -> bool {
    (1..=2048).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_kms_key(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b":/_-".contains(&byte);
    is_identifier(text) && text.bytes().all(is_part)
}

fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    text.len() <= 200 && text.contains('.') && text.split('.').all(is_label)
}

fn is_image(text: &str) -> bool {
    if !is_identifier(text) {
        return false;
    }
    if let Some((name, digest)) = text.split_once('@') {
        let digest = digest.strip_prefix("sha256:").unwrap_or_default();
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        return !name.is_empty() && digest.len() == 64 && digest.bytes().all(is_hex);
    }
    let last = text.rsplit('/').next().unwrap_or(text);
    last.split_once(':')
        .is_some_and(|(name, tag)| !name.is_empty() && !tag.is_empty() && tag != "latest")
}

fn is_endpoint(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| is_identifier(rest) && !rest.contains('@'))
}

fn is_secret(text: &str) -> bool {
    if !is_identifier(text) {
        return false;
    }
    let parts: Vec<&str> = text.split(':').collect();
    let is_account =
        |part: &str| part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit());
    match parts[..] {
        ["arn", partition, "secretsmanager", region, account, "secret", name, ref rest @ ..] => {
            partition.starts_with("aws")
                && is_region(region)
                && is_account(account)
                && !name.is_empty()
                && (rest.is_empty() || rest.len() == 3)
        }
        _ => false,
    }
}

fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let most = match address.parse() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    let is_number = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    is_number && length.parse::<u32>().is_ok_and(|length| length <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<T: FromStr<Err = CloudValueError>>(right: &[&str], wrong: &[&str]) {
        for text in right {
            assert!(text.parse::<T>().is_ok(), "{text}");
        }
        for text in wrong {
            assert!(text.parse::<T>().is_err(), "{text} is taken");
        }
    }

    #[test]
    fn names_of_aws() {
        check::<Region>(
            &["eu-central-1", "us-gov-west-1"],
            &["", "eu", "eu-1", "EU-central-1", "eu-central-", "eu--central-1", "eu-central-1;"],
        );
        check::<BucketName>(
            &["abc", "acme.terraform-state"],
            &["", "ab", "-abc", "Abc", "a/b", &"a".repeat(64)],
        );
        check::<KmsKey>(&["alias/a-b_c/d"], &["", "alias/${state}", "a b"]);
        check::<Identifier>(
            &["Z1", "arn:aws:kms:eu-central-1:111122223333:key/1"],
            &["", "a b", "a\n"],
        );
    }

    #[test]
    fn networks() {
        check::<Cidr>(
            &["10.0.0.0/8", "0.0.0.0/0", "::/0", "2001:db8::/32"],
            &["", "10.0.0.0", "10.0.0/8", "10.0.0.0/33", "::/129", "10.0.0.0/+8", "a/8"],
        );
        assert!("::/0".parse::<Cidr>().unwrap().is_everyone());
        check::<HostName>(
            &["preview.example.com"],
            &["", "com", "Example.com", "a..b", "-a.b", "a_b.c"],
        );
        check::<Endpoint>(
            &["https://otlp.example.com:4318/v1"],
            &["", "otlp.example.com", "https://", "https://u:p@example.com", "https://a b"],
        );
    }

    #[test]
    fn images() {
        let digest = format!("registry.example.com:5000/otel@sha256:{}", "0a".repeat(32));
        check::<ImageReference>(
            &[&digest, "otel/collector:0.119.0", "localhost:5000/a:1"],
            &[
                "",
                "otel",
                "otel:latest",
                "localhost:5000/otel",
                "otel@sha256:0",
                "otel:",
                ":1",
                "@sha256:",
            ],
        );
    }

    #[test]
    fn secrets() {
        let arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:datadog-AbCdEf";
        let with_key = format!("{arn}:api-key::");
        check::<SecretReference>(
            &[arn, &with_key],
            &[
                "",
                "hunter2",
                "arn:aws:ssm:eu-central-1:111122223333:parameter/a",
                &format!("{arn}:api-key"),
                "arn:aws:secretsmanager:eu-central-1:1:secret:a",
            ],
        );
    }
}

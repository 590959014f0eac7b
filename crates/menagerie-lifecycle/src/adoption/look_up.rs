//! Finds what carries a tag, by the AWS CLI.

use super::address::Address;
use super::list::Import;
use super::{Adoption, AdoptionError, arn};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::str::FromStr;

/// A tag that everything carries which is to be adopted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    key: String,
    value: String,
}

impl FromStr for Tag {
    type Err = AdoptionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The command's shorthand has no way to write these.
        let is_plain = |part: &str| !part.is_empty() && !part.contains([',', '\'', '"', '{', '[']);
        match text.split_once('=') {
            Some((key, value)) if is_plain(key) && is_plain(value) => {
                Ok(Self { key: key.to_owned(), value: value.to_owned() })
            }
            _ => Err(AdoptionError::Tag(text.to_owned())),
        }
    }
}

/// <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    resource_tag_mapping_list: Vec<Tagged>,
}

#[derive(Deserialize)]
struct Tagged {
    #[serde(rename = "ResourceARN")]
    arn: String,
    #[serde(rename = "Tags", default)]
    tags: Vec<Pair>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pair {
    key: String,
    value: String,
}

impl Adoption {
    /// Asks AWS what carries a tag, with these variables, in their region.
    pub fn look_up(
        tag: &Tag,
        variables: &BTreeMap<OsString, OsString>,
    ) -> Result<Self, AdoptionError> {
        let filter = format!("Key={},Values={}", tag.key, tag.value);
        let arguments = [
            "resourcegroupstaggingapi",
            "get-resources",
            "--tag-filters",
            &filter,
            "--output",
            "json",
        ];
        let failed = |message: String| AdoptionError::LookUp {
            command: format!("aws {}", arguments.join(" ")),
            message,
        };
        let output = duct::cmd("aws", arguments)
            .full_env(variables)
            .stdin_null()
            .stdout_capture()
            .stderr_capture()
            .unchecked()
            .run()
            .map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        let answer = serde_json::from_slice(&output.stdout)
            .map_err(|error| failed(format!("its answer is not understood: {error}")))?;
        adoption(answer).checked(format!("with the tag `{}={}`", tag.key, tag.value))
    }
}

/// Gives each an address of its own, by its tag `Name` or else by its id.
fn adoption(answer: Answer) -> Adoption {
    let (mut adoption, mut taken) = (Adoption::default(), BTreeSet::new());
    for Tagged { arn, tags } in answer.resource_tag_mapping_list {
        let Some((kind, id)) = arn::resource(&arn) else {
            adoption.unknown.push(arn);
            continue;
        };
        let name = tags.iter().find(|tag| tag.key == "Name").map(|tag| tag.value.as_str());
        let short = id.rsplit(['/', ':']).next().unwrap_or(&id);
        let name = name.filter(|name| !name.is_empty()).unwrap_or(short);
        let mut address = Address::new(kind, name);
        for number in 2.. {
            if taken.insert(address.to_string()) {
                break;
            }
            address = Address::new(kind, &format!("{name}-{number}"));
        }
        adoption.imports.push(Import { address, id });
    }
    adoption.imports.sort_by(|one, other| one.address.cmp(&other.address));
    adoption
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adoption::list;

    #[test]
    fn what_carries_the_tag() {
        let tagged = |arn: &str, name: &str| {
            let tags = if name.is_empty() {
                String::new()
            } else {
                format!(r#"{{"Key":"Name","Value":"{name}"}}"#)
            };
            format!(r#"{{"ResourceARN":"{arn}","Tags":[{tags}]}}"#)
        };
        let list = [
            tagged("arn:aws:ec2:eu-central-1:123456789012:vpc/vpc-1", "Shop (old)"),
            tagged("arn:aws:ec2:eu-central-1:123456789012:vpc/vpc-2", "Shop (old)"),
            tagged("arn:aws:ecs:eu-central-1:123456789012:service/shop/web", ""),
            tagged("arn:aws:glacier:eu-central-1:123456789012:vaults/x", ""),
        ];
        let text = format!(r#"{{"ResourceTagMappingList":[{}]}}"#, list.join(","));
        let adoption = adoption(serde_json::from_str(&text).unwrap());
        assert_eq!(adoption.unknown, ["arn:aws:glacier:eu-central-1:123456789012:vaults/x"]);
        insta::assert_snapshot!(list::blocks(&adoption.imports), @r#"
        # Made by `cargo xtask import production`, which writes it anew. Each block does its part once: when the apply has gone
        # through, remove this file.

        import {
          to = aws_ecs_service.web
          id = "shop/web"
        }

        import {
          to = aws_vpc.shop__old_
          id = "vpc-1"
        }

        import {
          to = aws_vpc.shop__old__2
          id = "vpc-2"
        }
        "#);
    }

    #[test]
    fn tags() {
        assert!("team=shop".parse::<Tag>().is_ok());
        for text in ["team", "=shop", "team=", "team=a,b", "team='a'"] {
            assert!(text.parse::<Tag>().is_err(), "{text}");
        }
    }
}

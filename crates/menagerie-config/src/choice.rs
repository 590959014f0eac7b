//! Values that are one of a few words.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A word that is none of the few that there are.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no {kind} `{}`; there is {available}", .found.escape_debug())]
pub struct UnknownChoice {
    kind: &'static str,
    found: String,
    available: String,
}

/// Declares such an enum: the words it is written with, read with and listed with stand once.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident, $kind:literal { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All that there are, in the order in which they are listed to people.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Returns the word.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl FromStr for $name {
            type Err = UnknownChoice;

            fn from_str(text: &str) -> Result<Self, UnknownChoice> {
                Self::ALL.iter().copied().find(|choice| choice.as_str() == text).ok_or_else(|| UnknownChoice {
                    kind: $kind,
                    found: text.to_owned(),
                    available: list(Self::ALL.iter().map(|choice| choice.as_str())),
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(self.as_str())
            }
        }
    };
}

choice! {
    /// Where an environment's application runs.
    Hosting, "hosting" {
        /// Real processes on this machine.
        Local = "local",
        /// Containers on instances of EC2, one a replica.
        Ec2Docker = "ec2_docker",
        /// Docker Compose on instances of EC2.
        Ec2Compose = "ec2_compose",
        /// Amazon ECS with Fargate.
        Ecs = "ecs",
        /// The shared cluster of Amazon EKS.
        Eks = "eks",
        /// A cluster of Kubernetes that is there already.
        Kubernetes = "kubernetes",
        /// A cluster of Nomad that is there already.
        Nomad = "nomad",
    }
}

impl Hosting {
    /// Returns whether it is somewhere else than on this machine, so that its state has to be, too.
    pub fn is_cloud(self) -> bool {
        self != Self::Local
    }
}

choice! {
    /// What receives the telemetry of an environment that does not run on this machine.
    Observability, "backend of observability" {
        /// Amazon `CloudWatch` and X-Ray.
        Cloudwatch = "cloudwatch",
        /// Datadog.
        Datadog = "datadog",
        /// New Relic.
        Newrelic = "newrelic",
        /// Elasticsearch and Kibana.
        Elk = "elk",
        /// Telegraf and `InfluxDB`.
        Tick = "tick",
    }
}

choice! {
    /// How much an environment's application gets of what it runs on.
    Size, "size" {
        /// The least.
        Small = "small",
        /// Between the two.
        Medium = "medium",
        /// The most.
        Large = "large",
    }
}

choice! {
    /// The kind of an environment's database.
    DatabaseEngine, "database engine" {
        /// PostgreSQL.
        Postgres = "postgres",
        /// SQLite.
        Sqlite = "sqlite",
    }
}

choice! {
    /// The method of a request.
    Method, "method" {
        /// Reads.
        Get = "GET",
        /// Reads all but the body.
        Head = "HEAD",
        /// Makes something, or has something done.
        Post = "POST",
        /// Puts something in its place.
        Put = "PUT",
        /// Changes a part of something.
        Patch = "PATCH",
        /// Removes something.
        Delete = "DELETE",
    }
}

impl Method {
    /// Returns whether such a request has a body.
    pub fn has_body(self) -> bool {
        matches!(self, Self::Post | Self::Put | Self::Patch)
    }
}

fn list(words: impl Iterator<Item = &'static str>) -> String {
    words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_parse_back() {
        for choice in Size::ALL {
            assert_eq!(choice.to_string().parse(), Ok(*choice));
        }
        for choice in DatabaseEngine::ALL {
            assert_eq!(choice.to_string().parse(), Ok(*choice));
        }
        for choice in Hosting::ALL {
            assert_eq!(choice.to_string().parse(), Ok(*choice));
        }
        for choice in Observability::ALL {
            assert_eq!(choice.to_string().parse(), Ok(*choice));
        }
    }

    #[test]
    fn others_are_told_what_there_is() {
        let error = "heroku".parse::<Hosting>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no hosting `heroku`; there is `local`, `ec2_docker`, `ec2_compose`, `ecs`, `eks`, `kubernetes`, `nomad`"
        );
        let error = "Small\n".parse::<Size>().unwrap_err();
        assert_eq!(
            error.to_string(),
            r"there is no size `Small\n`; there is `small`, `medium`, `large`"
        );
    }
}

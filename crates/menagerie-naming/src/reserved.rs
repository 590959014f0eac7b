//! Names that no environment may have, each with the reason that a person is told.

/// Returns why `name` is reserved, if it is.
pub(crate) fn reason(name: &str) -> Option<&'static str> {
    let word = WORDS.iter().find(|(word, _)| *word == name);
    let prefix = || PREFIXES.iter().find(|(prefix, _)| name.starts_with(prefix));
    word.or_else(prefix).map(|(_, reason)| *reason)
}

const PRODUCTION: &str = "it would read as production, which is never disposable";
const SHARED: &str = "it would read as something shared, which nobody may destroy";
const STAGE: &str = "it would read as a long-lived stage; environments here are disposable";
const BRANCH: &str = "it would read as a long-lived branch";
const SELECTION: &str = "it would read as a selection of environments rather than one";
const TERRAFORM: &str = "it means something to Terraform";
const LOAD_BALANCER: &str = "AWS refuses load balancers whose name begins with `internal-`";
const BUCKET: &str = "AWS refuses buckets whose name begins so";

const WORDS: &[(&str, &str)] = &[
    ("all", SELECTION),
    ("any", SELECTION),
    ("common", SHARED),
    ("default", TERRAFORM),
    ("dev", STAGE),
    ("development", STAGE),
    ("global", SHARED),
    ("internal", LOAD_BALANCER),
    ("live", PRODUCTION),
    ("main", BRANCH),
    ("master", BRANCH),
    ("module", TERRAFORM),
    ("modules", TERRAFORM),
    ("none", SELECTION),
    ("preprod", STAGE),
    ("prod", PRODUCTION),
    ("production", PRODUCTION),
    ("qa", STAGE),
    ("root", TERRAFORM),
    ("shared", SHARED),
    ("stage", STAGE),
    ("staging", STAGE),
    ("terraform", TERRAFORM),
    ("test", STAGE),
    ("trunk", BRANCH),
    ("uat", STAGE),
];

/// Sources: the `CreateLoadBalancer` reference of Elastic Load Balancing, and "General purpose
/// bucket naming rules" of Amazon S3. Both systems are given names that begin with the
/// environment's.
const PREFIXES: &[(&str, &str)] =
    &[("amzn-s3-demo-", BUCKET), ("internal-", LOAD_BALANCER), ("sthree-", BUCKET)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted_so_that_a_double_one_is_seen() {
        assert!(WORDS.is_sorted_by(|(left, _), (right, _)| left < right));
    }

    #[test]
    fn prefixes_are_of_the_name_not_of_the_word() {
        assert_eq!(reason("internal-tools"), Some(LOAD_BALANCER));
        assert_eq!(reason("internals"), None);
        assert_eq!(reason("production-line"), None);
    }
}

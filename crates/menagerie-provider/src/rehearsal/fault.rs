//! Faults on request: what a cloud answers on a bad day, so that a half-done apply can be rehearsed.

use std::{
    fmt,
    str::FromStr,
    sync::{Mutex, PoisonError},
};

/// What Terraform asks of a resource.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Operation {
    Create,
    Read,
    Update,
    Delete,
}

/// How it goes wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Throttle,
    Denied,
    Quota,
    Timeout,
    /// It was done, and then came an error.
    Half,
}

/// One fault that was asked for: `TYPE[.NAME]:OPERATION:KIND[xN]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Fault {
    type_name: String,
    name: Option<String>,
    operation: Operation,
    kind: Kind,
    times: u32,
}

/// A text that asks for no fault.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is no fault: expected `TYPE[.NAME]:OPERATION:KIND[xN]`, with the operation create, read, update or delete, and the kind throttle, denied, quota, timeout or half"
)]
pub(crate) struct FaultError(String);

/// Those that have not come yet.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Fault>>);

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let error = || FaultError(text.to_owned());
        let mut parts = text.rsplitn(3, ':');
        let kind = parts.next().unwrap_or_default();
        let operation = parts.next().ok_or_else(error)?;
        let (type_name, name) = match parts.next().ok_or_else(error)?.split_once('.') {
            Some((type_name, name)) => (type_name, Some(name.to_owned())),
            None => (text.split(':').next().unwrap_or_default(), None),
        };
        let (kind, times) = match kind.split_once('x') {
            Some((kind, times)) => (kind, times.parse().map_err(|_| error())?),
            None => (kind, 1),
        };
        if type_name.is_empty() || name.as_deref() == Some("") || times == 0 {
            return Err(error());
        }
        let operation = match operation {
            "create" => Operation::Create,
            "read" => Operation::Read,
            "update" => Operation::Update,
            "delete" => Operation::Delete,
            _ => return Err(error()),
        };
        let kind = match kind {
            "throttle" => Kind::Throttle,
            "denied" => Kind::Denied,
            "quota" => Kind::Quota,
            "timeout" => Kind::Timeout,
            "half" => Kind::Half,
            _ => return Err(error()),
        };
        // Nothing is done by reading, so that it can't be half done.
        if kind == Kind::Half && operation == Operation::Read {
            return Err(error());
        }
        Ok(Self { type_name: type_name.to_owned(), name, operation, kind, times })
    }
}

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        Self(Mutex::new(faults))
    }

    /// Takes the fault that was asked for here, if any; each comes as often as was said.
    pub(crate) fn take(
        &self,
        type_name: &str,
        operation: Operation,
        names: &[&str],
    ) -> Option<Kind> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = faults.iter_mut().find(|fault| {
            fault.times > 0
                && fault.type_name == type_name
                && fault.operation == operation
                && fault.name.as_deref().is_none_or(|name| names.contains(&name))
        })?;
        fault.times -= 1;
        Some(fault.kind)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Create => "creating",
            Self::Read => "reading",
            Self::Update => "updating",
            Self::Delete => "deleting",
        })
    }
}

impl Kind {
    /// Returns the error in the words of AWS.
    pub(crate) fn words(self, action: &str) -> String {
        match self {
            Self::Throttle => {
                "api error ThrottlingException: Rate exceeded".to_owned()
            }
            Self::Denied => format!(
                "api error AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/rehearsal/rehearsal is not authorized to perform: {action}"
            ),
            Self::Quota => {
                "api error LimitExceededException: the quota of this account is reached (ServiceQuotaExceeded)".to_owned()
            }
            Self::Timeout => {
                "timeout while waiting for state to become 'available' (last state: 'pending')".to_owned()
            }
            Self::Half => {
                "api error InternalServerException: the request was carried out, and its answer was lost".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_written_as_documented() {
        let fault: Fault = "aws_db_instance:create:throttle".parse().unwrap();
        assert_eq!((fault.name, fault.kind, fault.times), (None, Kind::Throttle, 1));
        let fault: Fault = "aws_s3_bucket.a.b:delete:halfx3".parse().unwrap();
        assert_eq!((fault.name.as_deref(), fault.times), (Some("a.b"), 3));
        for wrong in [
            "",
            "aws_vpc",
            "aws_vpc:create",
            "aws_vpc:make:throttle",
            "aws_vpc:create:half0",
            ":create:half",
            "aws_vpc.:create:half",
            "aws_vpc:create:halfx0",
            "aws_vpc:read:half",
            "aws_vpc:create:throttlex",
        ] {
            assert!(wrong.parse::<Fault>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_comes_as_often_as_was_said() {
        let faults = Faults::new(vec!["aws_vpc.a:create:deniedx2".parse().unwrap()]);
        assert_eq!(faults.take("aws_vpc", Operation::Create, &["b"]), None);
        assert_eq!(faults.take("aws_vpc", Operation::Delete, &["a"]), None);
        for expected in [Some(Kind::Denied), Some(Kind::Denied), None] {
            assert_eq!(faults.take("aws_vpc", Operation::Create, &["b", "a"]), expected);
        }
    }
}

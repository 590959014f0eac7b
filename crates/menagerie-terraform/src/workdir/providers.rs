//! `providers lock`, `mirror`, `schema`.

use menagerie_plan::ParseError;
use serde::de::IgnoredAny;

use crate::arguments::{
    Limits, ProvidersLockOptions, ProvidersMirrorOptions, providers_lock_arguments,
    providers_mirror_arguments, providers_schema_arguments,
};
use crate::cancel::Cancel;
use crate::discover::Terraform;
use crate::ended::Ended;
use crate::execute::{Invocation, Notice, Prints, RunError, execute};
use crate::gate;
use crate::workdir::{Workdir, parsed};

impl Workdir {
    /// Runs `providers lock`: writes the checksums of the providers into the root module's lock file. It needs no `init`.
    pub fn providers_lock(
        &self,
        terraform: &Terraform,
        options: &ProvidersLockOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<()>, RunError> {
        let arguments = providers_lock_arguments(options);
        let invocation =
            Invocation::reading("providers lock", arguments, Prints::Document, options.limits);
        Ok(execute(self, terraform, &invocation, notices, cancel)?.map(drop))
    }

    /// Runs `providers mirror`: fills a directory with the packages of the providers. It needs no `init`.
    ///
    /// It fails where the root module needs none (Terraform 1.11), and where a package cannot be had; what it has written by
    /// then stays.
    pub fn providers_mirror(
        &self,
        terraform: &Terraform,
        options: &ProvidersMirrorOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<()>, RunError> {
        gate::MIRROR_LOCK_FILE.check(options.ignore_lock_file, terraform, "providers mirror")?;
        let arguments = providers_mirror_arguments(options);
        let invocation =
            Invocation::reading("providers mirror", arguments, Prints::Document, options.limits);
        Ok(execute(self, terraform, &invocation, notices, cancel)?.map(drop))
    }

    /// Runs `providers schema`, and returns its JSON as it is: that of one large provider has tens of megabytes, of which a
    /// caller wants a part.
    pub fn providers_schema(
        &self,
        terraform: &Terraform,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<Vec<u8>>, RunError> {
        let arguments = providers_schema_arguments();
        let invocation =
            Invocation::reading("providers schema", arguments, Prints::Document, Limits::default());
        let ended = execute(self, terraform, &invocation, notices, cancel)?;
        parsed("providers schema", ended, |json| {
            let whole = serde_json::from_slice::<IgnoredAny>(json);
            whole.map_err(|source| ParseError::Json { document: "provider schemas", source })?;
            Ok(json.to_vec())
        })
    }
}

//! `workspace list`, `show`, `new`, `delete`.

use std::ffi::OsString;
use std::fs;

use crate::arguments::{
    Limits, WorkspaceDeleteOptions, WorkspaceNewOptions, workspace_delete_arguments,
    workspace_list_arguments, workspace_new_arguments, workspace_show_arguments,
};
use crate::cancel::Cancel;
use crate::discover::Terraform;
use crate::ended::Ended;
use crate::execute::{Invocation, Notice, Prints, RunError, execute};
use crate::files::{file_error, read_if_present};
use crate::workdir::{Workdir, remove_if_present};

const VARIABLE: &str = "TF_WORKSPACE";
const DEFAULT: &str = "default";

/// The workspaces of a root module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workspaces {
    /// Their names, as Terraform sorts them.
    pub names: Vec<String>,
}

impl Workspaces {
    /// Returns whether there is one of exactly this name.
    pub fn contains(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    fn from_text(text: &str) -> Self {
        // The one that is selected is marked; what is no name, such as a remark, is not indented.
        let names = text.lines().filter_map(|line| {
            let name = line.strip_prefix("  ").or_else(|| line.strip_prefix("* "))?.trim();
            (!name.is_empty()).then(|| name.to_owned())
        });
        Self { names: names.collect() }
    }
}

impl Workdir {
    /// Runs `workspace list`.
    pub fn workspaces(
        &self,
        terraform: &Terraform,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<Workspaces>, RunError> {
        let arguments = workspace_list_arguments();
        let mut invocation =
            Invocation::reading("workspace list", arguments, Prints::Document, Limits::default());
        // With it there would be a remark among the names.
        invocation.variables = vec![(VARIABLE, None)];
        let ended = execute(self, terraform, &invocation, notices, cancel)?;
        Ok(ended.map(|finished| Workspaces::from_text(&finished.text())))
    }

    /// Runs `workspace show`: the one that the next run uses, which need not exist.
    pub fn workspace_show(
        &self,
        terraform: &Terraform,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<String>, RunError> {
        let arguments = workspace_show_arguments();
        let invocation =
            Invocation::reading("workspace show", arguments, Prints::Document, Limits::default());
        let ended = execute(self, terraform, &invocation, notices, cancel)?;
        Ok(ended.map(|finished| finished.text().trim().to_owned()))
    }

    /// Runs `workspace new`. Terraform selects the new one; here the selection is put back.
    pub fn workspace_new(
        &self,
        terraform: &Terraform,
        options: &WorkspaceNewOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<()>, RunError> {
        let selection = self.data_directory.join("environment");
        let before = read_if_present(&selection)?;
        let arguments = workspace_new_arguments(options);
        let mut invocation =
            Invocation::changing("workspace new", arguments, Prints::Document, options.limits);
        // It refuses to make another one than this.
        invocation.variables = vec![(VARIABLE, Some(OsString::from(&options.name)))];
        let ended = execute(self, terraform, &invocation, notices, cancel);
        match before {
            Some(text) => fs::write(&selection, text)
                .map_err(|source| file_error("write", &selection, source))?,
            None => remove_if_present(&selection)?,
        }
        Ok(ended?.map(drop))
    }

    /// Runs `workspace delete`, also of the one that is selected.
    pub fn workspace_delete(
        &self,
        terraform: &Terraform,
        options: &WorkspaceDeleteOptions,
        notices: &mut dyn FnMut(Notice<'_>),
        cancel: &Cancel,
    ) -> Result<Ended<()>, RunError> {
        let arguments = workspace_delete_arguments(options);
        let mut invocation =
            Invocation::changing("workspace delete", arguments, Prints::Document, options.limits);
        // It refuses to delete the one that is selected. The default one cannot be deleted at all.
        invocation.variables = vec![(VARIABLE, Some(DEFAULT.into()))];
        Ok(execute(self, terraform, &invocation, notices, cancel)?.map(drop))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_only_as_a_whole() {
        let workspaces = Workspaces::from_text(
            "  default\n* pr-10\n\n\nThe active workspace is being overridden using the TF_WORKSPACE environment\nvariable.\n",
        );
        assert_eq!(workspaces.names, ["default", "pr-10"]);
        assert!(workspaces.contains("pr-10") && !workspaces.contains("pr-1"));
    }
}

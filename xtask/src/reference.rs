//! `reference`: the whole command line as a page, which is `docs/cli.md`.

use std::fmt::Write as _;

use clap::{Args, CommandFactory as _};

use crate::command_line::CommandLine;
use crate::output;

/// Print this help, of all commands, as Markdown
///
/// It is `docs/cli.md`, which a test compares with it: `cargo xtask reference > docs/cli.md`
#[derive(Debug, Args)]
pub(crate) struct Reference {}

impl Reference {
    #[expect(clippy::unused_self, reason = "a command is run like any other")]
    pub(crate) fn run(self) -> anyhow::Result<()> {
        output::print(&page())
    }
}

const BEGIN: &str = "\
# Command line

What `cargo xtask` can do, as `--help` of each command prints it. `cargo xtask reference` writes this page, and a test compares it.
[Exit codes](exit-codes.md) have a page of their own.
";

fn page() -> String {
    let mut command = CommandLine::command();
    command.build();
    let mut sections = Vec::new();
    collect(&mut command, &mut sections);
    let mut page = BEGIN.to_owned();
    page.push('\n');
    for (name, _) in &sections {
        writeln!(page, "- [`{name}`](#{})", name.replace(' ', "-"))
            .expect("writing to a string can't fail");
    }
    for (name, help) in &sections {
        write!(page, "\n## {name}\n\n```text\n{help}\n```\n")
            .expect("writing to a string can't fail");
    }
    page
}

fn collect(command: &mut clap::Command, sections: &mut Vec<(String, String)>) {
    let name = command.get_bin_name().unwrap_or_default().to_owned();
    // clap ends some lines with spaces, which editors and reviews would not keep.
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    sections.push((name, lines.join("\n")));
    for subcommand in
        command.get_subcommands_mut().filter(|subcommand| subcommand.get_name() != "help")
    {
        collect(subcommand, sections);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_what_the_code_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md");
        let written = std::fs::read_to_string(path).unwrap();
        assert!(
            written == page(),
            "docs/cli.md is out of date: review what `cargo xtask reference > docs/cli.md` changes"
        );
    }
}

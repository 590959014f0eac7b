//! `completions`: scripts for shells.

use clap::{Args, CommandFactory as _, ValueEnum};
use clap_complete::Shell;

use crate::command_line::CommandLine;
use crate::output;

/// Print a completion script for a shell
///
/// In bash, `source <(cargo xtask completions bash)` completes `cargo xtask …`, and `xtask …` where that is an alias of it. In
/// zsh and fish the script is for such an alias: cargo's own completion knows no commands of a repository.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Supported,
}

/// The shells that we know how to complete in.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Supported {
    Bash,
    Fish,
    Zsh,
}

/// Sends what follows `cargo xtask` to the completion of `xtask`, and everything else to where it went before.
const BASH_BRIDGE: &str = r#"
_cargo_or_xtask() {
    if [[ $COMP_CWORD -gt 1 && ${COMP_WORDS[1]} == xtask ]]; then
        COMP_WORDS=("${COMP_WORDS[@]:1}")
        COMP_CWORD=$((COMP_CWORD - 1))
        _xtask xtask "$2" "$3"
    elif [[ -n $_xtask_cargo ]]; then
        "$_xtask_cargo" "$@"
    fi
}

if ! complete -p cargo 2>/dev/null | grep -q _cargo_or_xtask; then
    _xtask_cargo=$(complete -p cargo 2>/dev/null | sed -n 's/.* -F \([^ ]*\) .*/\1/p')
fi
complete -F _cargo_or_xtask -o bashdefault -o default cargo
"#;

impl Completions {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        output::print_bytes(&self.script())
    }

    fn script(&self) -> Vec<u8> {
        let (shell, bridge) = match self.shell {
            Supported::Bash => (Shell::Bash, BASH_BRIDGE),
            Supported::Fish => (Shell::Fish, ""),
            Supported::Zsh => (Shell::Zsh, ""),
        };
        let mut script = Vec::new();
        // The words of the command line, of which the first is the alias.
        let mut command = CommandLine::command().name("xtask").bin_name("xtask");
        clap_complete::generate(shell, &mut command, "xtask", &mut script);
        script.extend_from_slice(bridge.as_bytes());
        script
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What bash offers for the last of these words.
    fn offered(words: &[&str]) -> String {
        let directory = tempfile::tempdir().unwrap();
        let script = directory.path().join("completions.bash");
        std::fs::write(&script, Completions { shell: Supported::Bash }.script()).unwrap();
        let ask = r#"
            _of_cargo() { COMPREPLY=(build); }
            complete -F _of_cargo cargo
            source "$1"; source "$1"; shift
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
            function=$(complete -p "$1" | sed 's/.* -F \([^ ]*\) .*/\1/')
            "$function" "$1" "${!#}" "${COMP_WORDS[$(($# - 2))]}"
            echo "${COMPREPLY[*]}"
        "#;
        let arguments = ["-c", ask, "bash", script.to_str().unwrap()];
        duct::cmd("bash", [&arguments[..], words].concat()).read().unwrap()
    }

    // `.ci/run` is a bash script itself, so there is one wherever the tests have to pass.
    #[test]
    fn bash_completes_it_as_a_command_of_cargo_and_as_an_alias() {
        assert!(offered(&["cargo", "xtask", "do"]).contains("doctor"));
        assert!(offered(&["xtask", "env", "des"]).contains("destroy"));
        assert!(offered(&["cargo", "xtask", "env", "list", "--format", ""]).contains("json"));
        // What it was before is asked for everything else, also where the script was read twice.
        assert_eq!(offered(&["cargo", "b"]), "build");
    }

    #[test]
    fn each_shell_has_a_script() {
        for shell in Supported::value_variants() {
            let script = String::from_utf8(Completions { shell: *shell }.script()).unwrap();
            assert!(script.contains("destroy"), "{shell:?}");
        }
    }
}

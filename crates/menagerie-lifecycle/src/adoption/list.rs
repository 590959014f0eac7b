//! What is to be adopted: a file of addresses and ids, and the `import` blocks that are made of it.

use super::address::Address;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// One object that exists, and the address that it gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Import {
    pub(crate) address: Address,
    pub(crate) id: String,
}

/// Reads lines of the form `ADDRESS = "ID"`; quotes and the sign may be left out. All that is wrong is told at once.
pub(crate) fn parse(text: &str) -> Result<Vec<Import>, Vec<(usize, String)>> {
    let (mut imports, mut problems) = (Vec::new(), Vec::new());
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let number = index + 1;
        let import = match import(line) {
            Ok(import) => import,
            Err(problem) => {
                problems.push((number, problem));
                continue;
            }
        };
        // Of one type, for a name can be that of a bucket and of a cluster.
        let object = format!("the {} `{}`", import.address.kind(), import.id);
        for name in [format!("`{}`", import.address), object] {
            if let Some(first) = known.insert(name.clone(), number) {
                problems.push((number, format!("{name} stands in line {first}, too")));
            }
        }
        imports.push(import);
    }
    if problems.is_empty() { Ok(imports) } else { Err(problems) }
}

fn import(line: &str) -> Result<Import, String> {
    let (address, rest) = Address::split(line)?;
    if !rest.starts_with([' ', '\t', '=']) {
        return Err(match rest {
            "" => format!("`{address}` has no id"),
            _ => format!("`{rest}` behind `{address}` belongs to no address"),
        });
    }
    let rest = rest.trim_start();
    let text = rest.strip_prefix('=').unwrap_or(rest).trim();
    let id = if text.starts_with('"') {
        serde_json::from_str(text).map_err(|_| format!("`{text}` is no text in quotes"))?
    } else {
        text.to_owned()
    };
    if id.is_empty() {
        return Err(format!("`{address}` has no id"));
    }
    if id.contains(char::is_control) || id.trim() != id {
        return Err(format!(
            "the id of `{address}` has spaces around it, or something that can't be printed"
        ));
    }
    Ok(Import { address, id })
}

/// How a file begins that is ours to write anew.
pub(crate) const MADE: &str = "# Made by `cargo xtask import production`";

/// Returns the file of `import` blocks.
pub(crate) fn blocks(imports: &[Import]) -> String {
    let mut text = format!(
        "{MADE}, which writes it anew. Each block does its part once: when the apply has gone\n# through, remove this file.\n"
    );
    for Import { address, id } in imports {
        write!(text, "\nimport {{\n  to = {address}\n  id = {}\n}}\n", literal(id))
            .expect("writing to a string can't fail");
    }
    text
}

/// Returns a text as HCL has it: what would begin a template stays text.
fn literal(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.replace("${", "$${").replace("%{", "%%{"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_blocks() {
        let text = "# by hand\n\naws_vpc.this = \"vpc-1\"\nmodule.db.aws_db_instance.this[\"a b\"] main\naws_ecs_service.app=shop/web=1\naws_s3_bucket.odd = \"a\\\"${b}%{c}\"\n";
        insta::assert_snapshot!(blocks(&parse(text).unwrap()), @r#"
        # Made by `cargo xtask import production`, which writes it anew. Each block does its part once: when the apply has gone
        # through, remove this file.

        import {
          to = aws_vpc.this
          id = "vpc-1"
        }

        import {
          to = module.db.aws_db_instance.this["a b"]
          id = "main"
        }

        import {
          to = aws_ecs_service.app
          id = "shop/web=1"
        }

        import {
          to = aws_s3_bucket.odd
          id = "a\"$${b}%%{c}"
        }
        "#);
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let text = "aws_vpc.this vpc-1\naws_vpc.this = vpc-2\naws_vpc.other = vpc-1\naws_subnet.x\nvpc-1\naws_vpc.q = \"a\naws_vpc.r = \"\"\naws_vpc.s = \"a\\n\"\naws_vpc.t!x = 1\ndata.aws_vpc.u = 1\n";
        let problems = parse(text).unwrap_err();
        let told: Vec<String> =
            problems.iter().map(|(line, problem)| format!("{line}: {problem}")).collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        2: `aws_vpc.this` stands in line 1, too
        3: the aws_vpc `vpc-1` stands in line 1, too
        4: `aws_subnet.x` has no id
        5: an address has the form `TYPE.NAME`, and modules before it
        6: `"a` is no text in quotes
        7: `aws_vpc.r` has no id
        8: the id of `aws_vpc.s` has spaces around it, or something that can't be printed
        9: `!x = 1` behind `aws_vpc.t` belongs to no address
        10: only managed resources can be imported
        "#);
    }
}

//! Reads the TypeScript that the generator of provider packages writes.
//!
//! It is no parser of TypeScript: generated text has one declaration a line, in a shape that never varies, and what it does not know it
//! passes over. Whether everything needed was found is for whoever asks for it: [`crate::extract`] fails on what is missing.

use std::collections::{BTreeMap, HashMap, HashSet};

/// What the sources of one type declare.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// What can be configured: each interface's fields, by their names in Terraform.
    pub(crate) interfaces: HashMap<String, BTreeMap<String, Field>>,
    /// How each struct becomes HCL, by the struct's name.
    pub(crate) converters: HashMap<String, BTreeMap<String, Converter>>,
    pub(crate) classes: HashMap<String, Class>,
    /// The interface that configures the type as a whole: mostly, but not always, the class's name and `Config`.
    pub(crate) configuration: Option<String>,
}

/// A field of an interface.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) is_optional: bool,
    /// Whether it is a block, which the text about it then says, and nothing else.
    pub(crate) is_block: bool,
    pub(crate) type_text: String,
}

/// How a value is written as HCL.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Converter {
    /// `simple`, `list`, `set`, `map` or `struct`.
    pub(crate) mode: String,
    /// Such as `stringList`, or the name of a class.
    pub(crate) storage: String,
}

#[derive(Debug, Default)]
pub(crate) struct Class {
    /// Such as `TerraformResource` or `ComplexList`.
    pub(crate) base: String,
    pub(crate) members: Vec<Member>,
    /// Of the class itself, where it is that of a type.
    pub(crate) converters: BTreeMap<String, Converter>,
    pub(crate) write_only: HashSet<String>,
    /// What a list or map of it holds.
    pub(crate) element: Option<String>,
}

/// An attribute or block of a class.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Member {
    /// Its name in Terraform.
    pub(crate) name: String,
    pub(crate) flags: Flags,
    /// The class of an object that stands for it, such as `cdktn.StringMap`.
    pub(crate) class: Option<String>,
    /// Whether that object wraps a set.
    pub(crate) wraps_set: bool,
    /// The type of the field that holds its value.
    pub(crate) type_text: Option<String>,
    /// What its getter returns.
    pub(crate) getter: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    pub(crate) computed: bool,
    pub(crate) optional: bool,
    pub(crate) required: bool,
}

impl Source {
    /// Adds what a file declares.
    pub(crate) fn add(&mut self, text: &str) {
        let mut lines = text.lines();
        while let Some(header) = lines.next() {
            // `export * from` has no body.
            let Some(header) =
                header.strip_prefix("export ").filter(|header| header.ends_with('{'))
            else {
                continue;
            };
            let body: Vec<&str> =
                lines.by_ref().take_while(|line| *line != "}").map(str::trim).collect();
            if let Some(rest) = header.strip_prefix("interface ") {
                if rest.contains("MetaArguments") {
                    self.configuration = Some(word(rest).to_owned());
                }
                self.interfaces.insert(word(rest).to_owned(), fields(&body));
            } else if let Some(rest) = header.strip_prefix("function ") {
                if let Some(name) = word(rest).strip_suffix("ToHclTerraform") {
                    self.converters.insert(name.to_owned(), converters(&body));
                }
            } else if let Some(rest) =
                header.strip_prefix("class ").or_else(|| header.strip_prefix("abstract class "))
            {
                self.classes.insert(word(rest).to_owned(), class(rest, &body));
            }
        }
    }

    /// Returns the class that stands for a resource, a data source, an ephemeral resource or a provider.
    pub(crate) fn root(&self) -> Option<&str> {
        let is_root = |class: &Class| class.base.starts_with("Terraform");
        self.classes.iter().find(|(_, class)| is_root(class)).map(|(name, _)| name.as_str())
    }

    /// Returns how a struct becomes HCL.
    pub(crate) fn converters_of(&self, interface: &str) -> Option<&BTreeMap<String, Converter>> {
        let mut name = interface.to_owned();
        name.get_mut(..1)?.make_ascii_lowercase();
        self.converters.get(&name)
    }
}

fn fields(lines: &[&str]) -> BTreeMap<String, Field> {
    let (mut fields, mut text) = (BTreeMap::new(), Vec::new());
    for &line in lines {
        if line == "/**" {
            text.clear();
        } else if let Some(said) = line.strip_prefix("* ") {
            text.push(said);
        } else if let Some((_, declared)) = line.split_once("readonly ") {
            let declared = declared.trim_end_matches([' ', ';']);
            let Some((name, type_text)) = declared.split_once(": ") else { continue };
            // The last one: a text about a field may have links of its own.
            let Some(terraform) = text.iter().rev().find_map(|line| documented_name(line)) else {
                continue;
            };
            let field = Field {
                is_optional: name.ends_with('?'),
                is_block: text
                    .first()
                    .is_some_and(|first| first.strip_suffix(" block") == Some(terraform)),
                type_text: type_text.to_owned(),
            };
            fields.insert(terraform.to_owned(), field);
        }
    }
    fields
}

/// Returns the name in Terraform out of `Docs at Terraform Registry: {@link …#name Class#name}`.
fn documented_name(line: &str) -> Option<&str> {
    let (_, address) = line.split_once("Docs at Terraform Registry: {@link ")?;
    Some(address.strip_suffix('}')?.rsplit_once('#')?.1)
}

fn converters(lines: &[&str]) -> BTreeMap<String, Converter> {
    let mut found = BTreeMap::new();
    let mut open: Option<(&str, Converter)> = None;
    for &line in lines {
        let Some((_, converter)) = &mut open else {
            open = line.strip_suffix(": {").map(|name| (name, Converter::default()));
            continue;
        };
        if let Some(mode) = quoted(line, "type: ") {
            mode.clone_into(&mut converter.mode);
        } else if let Some(storage) = quoted(line, "storageClassType: ") {
            storage.clone_into(&mut converter.storage);
        } else if line == "}," {
            let (name, converter) = open.take().expect("one is open");
            found.insert(name.to_owned(), converter);
        } else if let Some(name) = line.strip_suffix(": {") {
            open = Some((name, Converter::default()));
        }
    }
    found
}

fn class(header: &str, lines: &[&str]) -> Class {
    let mut class = Class::default();
    if let Some((_, base)) = header.split_once(" extends ") {
        let base = base.trim_end_matches([' ', '{']);
        base.rsplit('.').next().unwrap_or(base).clone_into(&mut class.base);
    }
    let hcl = lines.iter().position(|line| line.contains("synthesizeHclAttributes()"));
    let synthesis = lines.iter().position(|line| line.contains("synthesizeAttributes()"));
    let end = synthesis.or(hcl).unwrap_or(lines.len());
    let mut after_get = false;
    for line in &lines[..end] {
        if let Some(member) = announced(line) {
            class.members.push(member);
        } else if let Some(element) = line
            .strip_prefix("return new ")
            .and_then(|rest| rest.split_once("(this.terraformResource"))
        {
            class.element = Some(element.0.to_owned());
        } else if let Some(member) = class.members.last_mut() {
            declaration(line, member, after_get);
        }
        after_get = line.starts_with("public get ") || line.starts_with("get ");
    }
    class.converters = hcl.map(|from| converters(&lines[from..])).unwrap_or_default();
    class.write_only = lines[end..hcl.unwrap_or(lines.len()).max(end)]
        .iter()
        .filter_map(|line| line.split_once(": this.markWriteOnlyAttribute("))
        .map(|(name, _)| name.to_owned())
        .collect();
    class
}

/// Reads `// name - computed: true, optional: false, required: false`.
fn announced(line: &str) -> Option<Member> {
    let (name, flags) = line.strip_prefix("// ")?.split_once(" - computed: ")?;
    let (computed, flags) = flags.split_once(", optional: ")?;
    let (optional, required) = flags.split_once(", required: ")?;
    let [computed, optional, required] = [computed, optional, required].map(|flag| flag == "true");
    Some(Member {
        name: name.to_owned(),
        flags: Flags { computed, optional, required },
        ..Member::default()
    })
}

fn declaration(line: &str, member: &mut Member, after_get: bool) {
    if let Some(declared) = line
        .strip_prefix("private _")
        .filter(|_| member.class.is_none() && member.type_text.is_none())
    {
        if let Some((_, made)) = declared.split_once(" = new ") {
            let (class, arguments) = made.split_once('(').unwrap_or((made, ""));
            member.class = Some(class.to_owned());
            member.wraps_set = arguments.trim_end_matches([' ', ';']).ends_with(", true)");
        } else if let Some((_, type_text)) = declared.split_once(": ") {
            member.type_text = Some(type_text.trim_end_matches([' ', ';']).to_owned());
        }
    } else if let Some(returned) =
        line.strip_prefix("return ").filter(|_| after_get && member.getter.is_none())
    {
        member.getter = Some(returned.trim_end_matches(';').to_owned());
    }
}

fn quoted<'a>(line: &'a str, before: &str) -> Option<&'a str> {
    line.strip_prefix(before)?.trim_end_matches(',').strip_prefix('"')?.strip_suffix('"')
}

/// Returns the identifier that a text begins with.
fn word(text: &str) -> &str {
    let end = text.find(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        let mut source = Source::default();
        source.add(text);
        source
    }

    #[test]
    fn fields_by_their_names_in_terraform() {
        let source = source(
            r"
import * as cdktn from 'cdktn';
export * from './index-structs/index';
export interface GateConfigA extends cdktn.TerraformMetaArguments {
  /**
  * How wide it is. See {@link https://example.com/#width the picture}
  *
  * Docs at Terraform Registry: {@link https://example.com/gate#width_cm Gate#width_cm}
  */
  readonly widthCm: number;
  /**
  * hinge block
  *
  * Docs at Terraform Registry: {@link https://example.com/gate#hinge Gate#hinge}
  */
  readonly hinge?: GateHinge[] | cdktn.IResolvable;
}
",
        );
        assert_eq!(source.configuration.as_deref(), Some("GateConfigA"));
        let fields = &source.interfaces["GateConfigA"];
        let text = |name: &str| {
            let Field { is_optional, is_block, type_text } = &fields[name];
            format!("{is_optional} {is_block} {type_text}")
        };
        assert_eq!(text("width_cm"), "false false number");
        assert_eq!(text("hinge"), "true true GateHinge[] | cdktn.IResolvable");
        assert_eq!(fields.len(), 2);
    }

    #[test]
    fn converters_of_a_struct() {
        let source = source(
            r#"
export function gateHingeToHclTerraform(struct?: GateHinge | cdktn.IResolvable): any {
  const attrs = {
    type: {
      value: cdktn.stringToHclTerraform(struct!.type),
      isBlock: false,
      type: "simple",
      storageClassType: "string",
    },
    screws: {
      value: cdktn.listMapperHcl(cdktn.numberToHclTerraform, false)(struct!.screws),
      isBlock: false,
      type: "set",
      storageClassType: "numberList",
    },
  };
}
"#,
        );
        let converters = source.converters_of("GateHinge").expect("they are there");
        assert_eq!(converters.len(), 2);
        assert_eq!(
            converters["type"],
            Converter { mode: "simple".into(), storage: "string".into() }
        );
        assert_eq!(
            converters["screws"],
            Converter { mode: "set".into(), storage: "numberList".into() }
        );
    }

    #[test]
    fn members_of_a_class() {
        let source = source(
            r#"
export class Gate extends cdktn.TerraformResource {
  // id - computed: true, optional: true, required: false
  private _id?: string;
  public get id() {
    return this.getStringAttribute('id');
  }
  public resetId() {
    this._id = undefined;
  }
  public get idInput() {
    return this._id;
  }

  // hinge - computed: false, optional: false, required: true
  private _hinge = new GateHingeList(this, "hinge", true);
  public get hinge() {
    return this._hinge;
  }

  protected synthesizeAttributes(): { [name: string]: any } {
    return {
      code_wo: this.markWriteOnlyAttribute(cdktn.stringToTerraform(this._codeWo)),
      id: cdktn.stringToTerraform(this._id),
    };
  }

  protected synthesizeHclAttributes(): { [name: string]: any } {
    const attrs = {
      id: {
        value: cdktn.stringToHclTerraform(this._id),
        isBlock: false,
        type: "simple",
        storageClassType: "string",
      },
    };
  }
}
export class GateHingeList extends cdktn.ComplexList {
  public get(index: number): GateHingeOutputReference {
    return new GateHingeOutputReference(this.terraformResource, this.terraformAttribute, index, this.wrapsSet);
  }
}
"#,
        );
        assert_eq!(source.root(), Some("Gate"));
        let Class { members, converters, write_only, .. } = &source.classes["Gate"];
        let [id, hinge] = members.as_slice() else { panic!("{members:?}") };
        assert_eq!((id.name.as_str(), id.flags.computed, id.flags.required), ("id", true, false));
        assert_eq!(id.getter.as_deref(), Some("this.getStringAttribute('id')"));
        assert_eq!(id.type_text.as_deref(), Some("string"));
        assert_eq!((hinge.class.as_deref(), hinge.wraps_set), (Some("GateHingeList"), true));
        assert_eq!(converters.len(), 1);
        assert_eq!(write_only.iter().collect::<Vec<_>>(), ["code_wo"]);
        let list = &source.classes["GateHingeList"];
        assert_eq!(
            (list.base.as_str(), list.element.as_deref()),
            ("ComplexList", Some("GateHingeOutputReference"))
        );
    }
}

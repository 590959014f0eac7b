//! `docs/templates.md` and the code say the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use menagerie_config::{Hosting, Project, Settings, Size};

use crate::variables::VARIABLES;
use crate::{Root, Tags, Templates, builtin};

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/templates.md"))
        .unwrap()
}

/// Returns the rows of the table with this header, each cell without its backticks.
fn table(header: &str) -> Vec<Vec<String>> {
    let page = page();
    let (_, table) = page.split_once(&format!("\n{header}\n")).expect("the page has this table");
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let cell = |cell: &str| {
        let cell = cell.replace("\\|", "|");
        let code = cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`'));
        code.map_or(cell.clone(), str::to_owned)
    };
    rows.map(|row| {
        row.trim_start_matches("| ").trim_end_matches(" |").split(" | ").map(cell).collect()
    })
    .collect()
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    for setting in ["environment.GREETING=a ${b}", "environment.N=1"] {
        settings.set(setting).unwrap();
    }
    settings
}

/// Renders a text in the place of `backend.tf`.
fn render(text: &str) -> Result<String, String> {
    let overrides = [("local/backend.tf.tera".to_owned(), text.to_owned())].into();
    let root = Root {
        name: &"calm-otter".parse().unwrap(),
        hosting: Hosting::Local,
        size: Size::Small,
        tags: Tags::default(),
        settings: &settings(),
        project: &Project::default(),
    };
    let rendered = Templates::new(overrides).and_then(|templates| templates.render(&root));
    let rendered = rendered.map_err(|error| error.to_string())?;
    let file = rendered.files.iter().find(|file| file.path == "backend.tf").unwrap();
    Ok(file.text.split_once("\n\n").unwrap().1.to_owned())
}

#[test]
fn every_template_stands_there_and_no_other() {
    let documented: Vec<_> =
        table("| template | of | renders |").into_iter().map(|row| row[0].clone()).collect();
    let mut known: Vec<_> = builtin::overridable().collect();
    assert_eq!(documented.iter().collect::<BTreeSet<_>>(), known.iter().collect());
    known.dedup();
    assert_eq!(documented.len(), known.len());
}

#[test]
fn every_variable_stands_there_with_its_type() {
    let documented = table("| variable | type | is |");
    let documented: Vec<_> =
        documented.iter().map(|row| (row[0].as_str(), row[1].as_str())).collect();
    assert_eq!(documented, VARIABLES);
}

/// Both where everything is set and where nothing is.
#[test]
fn variables_have_the_types_that_stand_there() {
    let everything = crate::cases()
        .into_iter()
        .find(|case| case.label == "all settings")
        .expect("there is a case with everything");
    let defaults = crate::cases().remove(0);
    for case in [everything, defaults] {
        let context = case.root().context();
        for (name, kind) in VARIABLES {
            let value = context.get(name).unwrap_or_else(|| panic!("there is no `{name}`"));
            let is_right = match *kind {
                "text" => value.as_str().is_some(),
                "number" => value.is_number(),
                "text or none" => value.as_str().is_some() || value.is_none(),
                "number or none" => value.is_number() || value.is_none(),
                "boolean" => value.as_bool().is_some(),
                "list of texts" => value.as_array().is_some(),
                "map of texts" => value.as_map().is_some(),
                "map of texts or none" => value.as_map().is_some() || value.is_none(),
                other => panic!("no type: {other}"),
            };
            assert!(is_right, "`{name}` of {}: {value:?}", case.label);
        }
    }
}

#[test]
fn every_block_stands_there_and_no_other() {
    let documented: Vec<_> = table("| template | block | holds |")
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    let mut known: Vec<(String, String)> = Vec::new();
    for (path, text) in Hosting::ALL.iter().flat_map(|hosting| builtin::of(*hosting)) {
        let blocks = text.split(" block ").skip(1).filter_map(|rest| rest.split(' ').next());
        for name in blocks.filter(|name| !name.starts_with('`')) {
            // What extends a shared one fills its blocks.
            let file = path.split_once('/').unwrap().1;
            let is_known = |(known_path, known_name): &(String, String)| {
                known_path.ends_with(&format!("/{file}")) && known_name == name
            };
            if !known.iter().any(is_known) {
                known.push((path.to_owned(), name.to_owned()));
            }
        }
    }
    assert_eq!(documented, known);
}

#[test]
fn examples_render_as_they_stand_there() {
    let examples = table("| template | renders |");
    assert!(examples.len() > 10);
    for example in examples {
        let expected = example[1].replace('⏎', "\n");
        assert_eq!(render(&example[0]), Ok(expected), "{}", example[0]);
    }
}

#[test]
fn what_is_refused_is_refused_for_the_reason_that_stands_there() {
    let examples = table("| template | because |");
    assert!(examples.len() > 5);
    for example in examples {
        let error = render(&example[0]).expect_err(&example[0]);
        assert!(error.contains(&example[1]), "{}: {error}", example[0]);
    }
    render("# made for {{ name | hcl }}").unwrap();
}

#[test]
fn the_example_of_an_override_renders() {
    let page = page();
    let (_, rest) = page.split_once("```jinja\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let overrides = [("base/outputs.tf.tera".to_owned(), example.to_owned())].into();
    let templates = Templates::new(overrides).unwrap();
    for case in crate::cases() {
        let rendered = templates.render(&case.root()).unwrap();
        let outputs = rendered.files.iter().find(|file| file.path == "outputs.tf").unwrap();
        let expected = format!(
            "}}\n\noutput \"size\" {{\n  description = \"How much the environment has.\"\n  value       = \"{}\"\n}}\n",
            case.size
        );
        assert!(outputs.text.ends_with(&expected), "{}", outputs.text);
    }
}

#[test]
fn errors_look_so() {
    let text = "module \"a\" {\n  name  = {{ name | hlc }}\n}\n";
    let overrides = [("local/main.tf.tera".to_owned(), text.to_owned())].into();
    let error = Templates::new(overrides).unwrap_err();
    assert!(page().contains(&format!("```text\n{error}\n```\n")), "{error}");
}

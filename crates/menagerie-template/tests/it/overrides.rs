//! A project's own templates: what they may do, and that a value stays a value in them.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use menagerie_config::{Hosting, Project, Settings, Size};
use menagerie_template::{Rendered, Root, Tags, TemplateError, Templates, checksum};
use proptest::prelude::*;

/// Renders with one override, for an environment whose variable `TEXT` is this.
fn render_with(path: &str, text: &str, value: &str) -> Result<Rendered, TemplateError> {
    let templates = Templates::new([(path.to_owned(), text.to_owned())].into())?;
    let mut settings = Settings::default();
    settings.set(&format!("environment.TEXT={value}")).unwrap();
    templates.render(&Root {
        name: &"calm-otter".parse().unwrap(),
        hosting: Hosting::Local,
        size: Size::Small,
        tags: Tags::default(),
        settings: &settings,
        project: &Project::default(),
    })
}

fn render(path: &str, text: &str) -> Result<Rendered, TemplateError> {
    render_with(path, text, "${x}")
}

fn error(path: &str, text: &str) -> String {
    let error = render(path, text).unwrap_err();
    assert!(error.is_override);
    error.to_string()
}

/// Returns what `backend.tf` is with this template, without its header.
#[track_caller]
fn backend(template: &str) -> String {
    let rendered = render("local/backend.tf.tera", template).unwrap();
    let text = &rendered.files.iter().find(|file| file.path == "backend.tf").unwrap().text;
    text.split_once("\n\n").unwrap().1.to_owned()
}

#[test]
fn an_override_extends_the_template_whose_place_it_takes() {
    let text = "{% extends \"builtin/local/main.tf.tera\" %}\n{% block ingress_cidrs %}[\"10.0.0.0/8\"]{% endblock %}\n\
                {% block more %}\n\nlocals {\n  size = {{ size | hcl }}\n}{% endblock %}\n";
    let rendered = render("local/main.tf.tera", text).unwrap();
    let main = &rendered.files[4];
    assert_eq!(main.path, "main.tf");
    assert_snapshot!(main.text, @r###"
    # Generated once by `cargo xtask env new` from template version 2 and `tf/templates/local/main.tf.tera`; yours to edit.

    module "development" {
      source = "../../development/local"

      name = "calm-otter"
      size = "small"
    }

    module "observability" {
      source = "../../modules/observability/local"

      name               = "calm-otter"
      alarm_dimensions   = module.application_hosting.alarm_dimensions
      database_id        = module.development.database_id
      alarm_topic_arn    = module.development.alarm_topic_arn
      log_retention_days = 7
    }

    module "application_hosting" {
      source = "../../modules/application_hosting/local"

      name                     = "calm-otter"
      image                    = var.image
      size                     = { cpu = 256, memory = 512 }
      desired_count            = 1
      network                  = module.development.network
      secrets                  = module.development.secrets
      health_check_path        = "/healthz"
      ingress_cidrs            = ["10.0.0.0/8"]
      collector                = module.observability.collector
      log_retention_days       = 7
      permissions_boundary_arn = module.development.permissions_boundary_arn

      environment = merge(
        {
          "TEXT" = "$${x}"
        },
        module.development.environment,
      )
    }

    locals {
      size = "small"
    }
    "###);
    assert_eq!(
        rendered.overrides,
        BTreeMap::from([("local/main.tf.tera".to_owned(), checksum(text))])
    );
    assert_eq!(rendered.version, 2);
}

#[test]
fn an_override_of_what_is_shared_reaches_every_hosting() {
    let text =
        "{% extends \"builtin/base/main.tf.tera\" %}{% block more %}\n\n# shared{% endblock %}\n";
    let rendered = render("base/main.tf.tera", text).unwrap();
    let main = &rendered.files[4].text;
    assert!(main.contains("`tf/templates/base/main.tf.tera`; yours to edit"), "{main}");
    // The hosting's own part is still there.
    assert!(
        main.contains("\"../../development/local\"") && main.ends_with("}\n\n# shared\n"),
        "{main}"
    );
    // A hosting may also have a file of its own that is shared otherwise.
    let rendered = render("local/outputs.tf.tera", "# none\n").unwrap();
    assert!(rendered.files[5].text.ends_with("yours to edit.\n\n# none\n"));
}

#[test]
fn without_overrides_nothing_says_that_there_are_some() {
    let templates = Templates::new(BTreeMap::new()).unwrap();
    let rendered = templates
        .render(&Root {
            name: &"calm-otter".parse().unwrap(),
            hosting: Hosting::Local,
            size: Size::Small,
            tags: Tags::default(),
            settings: &Settings::default(),
            project: &Project::default(),
        })
        .unwrap();
    assert_eq!(rendered.overrides, BTreeMap::new());
}

#[test]
fn everything_else_of_tera() {
    assert_eq!(backend("{% if port is none %}a{% else %}b{% endif %} {{ cpu * 2 }}\n"), "a 512\n");
    assert_eq!(
        backend(
            "{% for key, value in environment %}{{ key | hcl }} = {{ value | upper | hcl }}{% endfor %}\n"
        ),
        "\"TEXT\" = \"$${X}\"\n"
    );
    assert_eq!(
        backend("{% set both = name ~ \"-\" ~ size %}a = {{ both | hcl }}\n"),
        "a = \"calm-otter-small\"\n"
    );
    assert_eq!(backend("a = \"${ {{ name | hcl }} }\"\n"), "a = \"${ \"calm-otter\" }\"\n");
    assert_eq!(
        backend("{% set part %}{{ name | hcl }}{% endset %}a = {{ part }}\n"),
        "a = \"calm-otter\"\n"
    );
    assert_eq!(backend("{% include \"local/providers.tf.tera\" %}"), "provider \"menagerie\" {}\n");
}

#[test]
fn names_that_no_template_has() {
    assert_snapshot!(error("local/mian.tf.tera", ""), @"
    tf/templates/local/mian.tf.tera:1:1: there is no built-in template of this name
      = hint: did you mean `local/main.tf.tera`?
    ");
    assert_snapshot!(error("ecs.json", ""), @r"
    tf/templates/ecs.json:1:1: there is no built-in template of this name
      = hint: there is `base/terraform.tf.tera`, `base/variables.tf.tera`, `base/main.tf.tera`, `base/outputs.tf.tera`, `aws/terraform.tf.tera`, `aws/backend.tf.tera`, `aws/providers.tf.tera`, `aws/variables.tf.tera`, `aws/main.tf.tera`, `local/terraform.tf.tera`, `local/backend.tf.tera`, `local/providers.tf.tera`, `local/variables.tf.tera`, `local/main.tf.tera`, `local/outputs.tf.tera`, `ec2_docker/terraform.tf.tera`, `ec2_docker/backend.tf.tera`, `ec2_docker/providers.tf.tera`, `ec2_docker/variables.tf.tera`, `ec2_docker/main.tf.tera`, `ec2_docker/outputs.tf.tera`, `ec2_compose/terraform.tf.tera`, `ec2_compose/backend.tf.tera`, `ec2_compose/providers.tf.tera`, `ec2_compose/variables.tf.tera`, `ec2_compose/main.tf.tera`, `ec2_compose/outputs.tf.tera`, `ecs/terraform.tf.tera`, `ecs/backend.tf.tera`, `ecs/providers.tf.tera`, `ecs/variables.tf.tera`, `ecs/main.tf.tera`, `ecs/outputs.tf.tera`, `eks/terraform.tf.tera`, `eks/backend.tf.tera`, `eks/providers.tf.tera`, `eks/variables.tf.tera`, `eks/main.tf.tera`, `eks/outputs.tf.tera`, `kubernetes/terraform.tf.tera`, `kubernetes/backend.tf.tera`, `kubernetes/providers.tf.tera`, `kubernetes/variables.tf.tera`, `kubernetes/main.tf.tera`, `kubernetes/outputs.tf.tera`, `nomad/terraform.tf.tera`, `nomad/backend.tf.tera`, `nomad/providers.tf.tera`, `nomad/variables.tf.tera`, `nomad/main.tf.tera`, `nomad/outputs.tf.tera`
    ");
}

#[test]
fn what_tera_does_not_read() {
    assert_snapshot!(error("local/main.tf.tera", "a = 1\n{% if name }\n"), @"
    tf/templates/local/main.tf.tera:2:12: found `}` but expected %}
      |
    2 | {% if name }
      |            ^
    ");
    assert_snapshot!(error("local/main.tf.tera", "a\n  {{ name | hlc }}\n"), @"
    tf/templates/local/main.tf.tera:2:13: there is no filter `hlc`
      |
    2 |   {{ name | hlc }}
      |             ^^^
    ");
    assert_snapshot!(error("local/main.tf.tera", "\n{% extends \"main.tf.tera\" %}\n"), @r#"
    tf/templates/local/main.tf.tera:2:4: there is no template `main.tf.tera` to extend
      |
    2 | {% extends "main.tf.tera" %}
      |    ^^^^^^^
    "#);
    assert_snapshot!(error("local/main.tf.tera", "{% extends \"local/main.tf.tera\" %}\n"), @r#"
    tf/templates/local/main.tf.tera:1:4: the template extends itself
      |
    1 | {% extends "local/main.tf.tera" %}
      |    ^^^^^^^
    "#);
    assert_snapshot!(error("local/main.tf.tera", "{% extends \"builtin/local/main.tf.tera\" %}{% block mroe %}{% endblock %}\n"), @r#"
    tf/templates/local/main.tf.tera:1:52: block `mroe` is not defined in any parent template
      |
    1 | {% extends "builtin/local/main.tf.tera" %}{% block mroe %}{% endblock %}
      |                                                    ^^^^
    "#);
    assert_snapshot!(error("local/backend.tf.tera", "a\0b"), @"
    tf/templates/local/backend.tf.tera:1:2: a template can't hold a zero byte
      |
    1 | a�b
      |  ^
    ");
}

#[test]
fn variables_that_there_are_not() {
    assert_snapshot!(error("local/backend.tf.tera", "# size\n{% if false %}{{ siez | hcl }}{% endif %}\n"), @r"
    tf/templates/local/backend.tf.tera:2:18: there is no variable `siez`
      |
    2 | {% if false %}{{ siez | hcl }}{% endif %}
      |                  ^^^^
      = hint: there is `name`, `hosting`, `size`, `cpu`, `memory`, `desired_count`, `port`, `health_check_path`, `log_retention_days`, `database_engine`, `environment`, `tags`, `aws_region`, `state_bucket`, `state_region`, `state_kms_key_id`, `observability`, `collector_image`, `telemetry_endpoint`, `telemetry_secret`, `ingress_cidrs`, `public`, `domain`
    ");
    assert_snapshot!(error("base/outputs.tf.tera", "{{ name.first | hcl }}\n"), @"
    tf/templates/base/outputs.tf.tera:1:17: there is no such value
      |
    1 | {{ name.first | hcl }}
      |                 ^^^
    ");
}

#[test]
fn values_without_the_filter() {
    assert_snapshot!(error("local/backend.tf.tera", "a = {{ name | hcl }}\nb = {{ name }}\n"), @"
    tf/templates/local/backend.tf.tera:2:5: a value is printed without the filter `hcl`
      |
    2 | b = {{ name }}
      |     ^^^^^^^^^^
      = hint: write `{{ … | hcl }}`
    ");
    assert_snapshot!(error("local/backend.tf.tera", "{% for key in environment | keys %}\n  {{ key }}\n{% endfor %}\n"), @"
    tf/templates/local/backend.tf.tera:2:3: a value is printed without the filter `hcl`
      |
    2 |   {{ key }}
      |   ^^^^^^^^^
      = hint: write `{{ … | hcl }}`
    ");
    assert_snapshot!(error("local/backend.tf.tera", "{{ name | escape }}\n"), @"
    tf/templates/local/backend.tf.tera:1:11: a value is printed without the filter `hcl`
      |
    1 | {{ name | escape }}
      |           ^^^^^^
      = hint: write `{{ … | hcl }}`
    ");
    assert_snapshot!(error("local/backend.tf.tera", "{{ name | safe }}\n"), @"
    tf/templates/local/backend.tf.tera:1:11: `safe` would paste a value into HCL: use the filter `hcl`
      |
    1 | {{ name | safe }}
      |           ^^^^
    ");
}

#[test]
fn values_where_hcl_expects_none() {
    assert_snapshot!(error("local/backend.tf.tera", "a = 1\nb = \"x-{{ name | hcl }}\"\n"), @r#"
    tf/templates/local/backend.tf.tera:2:8: a value is printed inside of quotes, behind `b = "x-`
      |
    2 | b = "x-{{ name | hcl }}"
      |        ^^^^^^^^^^^^^^^^
      = hint: a value stands where HCL expects an expression; parts are joined in Tera: `{{ ("app-" ~ name) | hcl }}`
    "#);
    assert_snapshot!(error("local/backend.tf.tera", "a = <<EOT\n  x {{ name | hcl }}\nEOT\n"), @r#"
    tf/templates/local/backend.tf.tera:2:5: a value is printed inside of a heredoc, behind `x `
      |
    2 |   x {{ name | hcl }}
      |     ^^^^^^^^^^^^^^^^
      = hint: a value stands where HCL expects an expression; parts are joined in Tera: `{{ ("app-" ~ name) | hcl }}`
    "#);
    assert_snapshot!(error("local/backend.tf.tera", "/* {{ name | hcl }} */\n"), @r#"
    tf/templates/local/backend.tf.tera:1:4: a value is printed inside of a block comment, behind `/* `
      |
    1 | /* {{ name | hcl }} */
      |    ^^^^^^^^^^^^^^^^
      = hint: a value stands where HCL expects an expression; parts are joined in Tera: `{{ ("app-" ~ name) | hcl }}`
    "#);
    assert_snapshot!(error("local/backend.tf.tera", "a = {{ name | hcl | truncate(length=1) }}\n"), @"
    tf/templates/local/backend.tf.tera:1:5: a value is printed without the filter `hcl`
      |
    1 | a = {{ name | hcl | truncate(length=1) }}
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      = hint: write `{{ … | hcl }}`
    ");
}

/// Every filter of Tera, called as `docs/templates.md` says: none makes a value printable.
const FILTERS: &[&str] = &[
    "default(value=1)",
    "upper",
    "lower",
    "escape",
    "escape_html",
    "escape_xml",
    "newlines_to_br",
    "trim",
    "trim_start",
    "trim_end",
    "replace(from='a', to='b')",
    "capitalize",
    "title",
    "truncate(length=9)",
    "indent",
    "str",
    "reverse",
    "first",
    "last",
    "nth(n=0)",
    "join(sep='')",
    "safe",
    "split(pat='')",
    "pluralize",
    "unique",
    "sort",
];

proptest! {
    /// Whatever stands behind or before `hcl`: the value is refused, or printed as a literal.
    #[test]
    fn no_filter_makes_code_of_a_value(
        before in proptest::collection::vec(proptest::sample::select(FILTERS), 0..3),
        after in proptest::collection::vec(proptest::sample::select(FILTERS), 0..3),
        is_filtered in any::<bool>(),
    ) {
        let mut filters: Vec<&str> = before;
        filters.extend(is_filtered.then_some("hcl"));
        filters.extend(after);
        let value = "a${file(\"b\")}\"\nc = 1";
        let chain = ["environment.TEXT"].into_iter().chain(filters).collect::<Vec<_>>().join(" | ");
        let template = format!("v = {{{{ {chain} }}}}\n");
        if let Ok(rendered) = render_with("local/backend.tf.tera", &template, value) {
            let text = &rendered.files[1].text;
            let body: hcl_edit::structure::Body = text.parse().unwrap();
            let attributes: Vec<_> = body.attributes().collect();
            prop_assert_eq!(attributes.len(), 1, "{}", text);
            prop_assert!(!matches!(attributes[0].value, hcl_edit::expr::Expression::StringTemplate(_)), "{}", text);
            prop_assert!(!matches!(attributes[0].value, hcl_edit::expr::Expression::FuncCall(_)), "{}", text);
        }
    }
}

/// Notices a call: no template below has one of its own, only the value.
#[derive(Default)]
struct Calls(usize);

impl hcl_edit::visit::Visit for Calls {
    fn visit_func_call(&mut self, _: &hcl_edit::expr::FuncCall) {
        self.0 += 1;
    }
}

/// What would call a function wherever it got out of its literal.
const CALLS: &str = "\" + f() + \"${f()}%{ if f() }*/ f()\n}\nEOT\nx = f()\n";

/// Returns how often a template with the value in it calls a function; none where it is refused, or is no HCL.
fn calls(template: &str) -> Option<usize> {
    let rendered = render_with("local/backend.tf.tera", template, CALLS).ok()?;
    let body: hcl_edit::structure::Body = rendered.files[1].text.parse().ok()?;
    let mut calls = Calls::default();
    hcl_edit::visit::Visit::visit_body(&mut calls, &body);
    Some(calls.0)
}

#[test]
fn a_value_out_of_its_literal_would_be_noticed() {
    assert_eq!(calls("a = {{ environment.TEXT | hcl }}\n"), Some(0));
    assert_eq!(calls("a = [\"${ {{ environment.TEXT | hcl }} }\"]\n"), Some(0));
    assert_eq!(calls("a = \"{{ environment.TEXT | hcl }}\"\n"), None);
    let mut calls = Calls::default();
    let pasted: hcl_edit::structure::Body = "a = \"\" + f() + \"\"\n".parse().unwrap();
    hcl_edit::visit::Visit::visit_body(&mut calls, &pasted);
    assert_eq!(calls.0, 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Wherever a template prints the value: it is refused, or it calls nothing.
    #[test]
    fn no_place_makes_code_of_a_value(parts in proptest::collection::vec(proptest::sample::select(vec![
        "{{ environment.TEXT | hcl }}", "{{ environment.TEXT | hcl }}", "\"", "\"", "${", "$${", "%{ if true }", "%{ endif }",
        "}", "{", "\\", "\\\"", "<<EOT\n", "<<-EOT\n", "\nEOT\n", "  EOT\n", "# ", "// ", "/* ", " */", "\n", "\nb = ", "1", " == ",
        "x", "[", "]", ", ",
    ]), 0..10)) {
        let template = format!("a = {}\n", parts.concat());
        prop_assert!(calls(&template).is_none_or(|calls| calls == 0), "{template}");
    }
}

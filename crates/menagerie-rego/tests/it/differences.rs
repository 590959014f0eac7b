//! What differs from Open Policy Agent, each with what both say. `docs/compliance/rego.md` lists them for the authors of rules.

use serde_json::json;

use crate::engines::{Answer, ours, policy, theirs};
use crate::opa::Opa;

/// A rule's body that ends with a value for `msg`, and what OPA and ours say: the message, nothing, or that it is refused.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    // Numbers keep their text in OPA.
    (r#"msg := sprintf("%v", [1e2])"#, "1e2", "100"),
    ("msg := json.marshal(1.0)", "1.0", "1"),
    (r#"msg := sprintf("%v", [0.1 * 3])"#, "0.3", "0.30000000000000004"),
    // Letters and digits of all scripts.
    (r#"regex.match(`^\d$`, "٣"); msg := "it is a digit""#, "nothing", "it is a digit"),
    // Of templates only `{{.name}}`.
    (r#"msg := strings.render_template("{{if .a}}x{{end}}", {"a": true})"#, "x", "refused"),
    // OPA looks at types before it evaluates.
    (r#"x := {"a": "b"}; msg := x.c"#, "refused", "nothing"),
    // What policies over plans have no use for.
    (r#"msg := substring(crypto.sha256("a"), 0, 4)"#, "ca97", "refused"),
    (r#"msg := urlquery.encode("a b")"#, "a+b", "refused"),
    ("msg := yaml.marshal([1])", "- 1\n", "refused"),
    // A line that begins with a parenthesis goes on with the reference before it.
    ("x := input.format_version\n\t(1 + 1) > 1\n\tmsg := x", "1.2", "refused"),
    // Functions.
    (r#"msg := type_name(net.cidr_expand("10.0.0.0/31"))"#, "set", "array"),
    (r#"msg := json.marshal(json.remove({"a": "b"}, ["a/b"]))"#, r#"{"a":"b"}"#, "{}"),
    (r#"msg := json.marshal(json.filter({"a": "b"}, ["a/b"]))"#, r#"{"a":"b"}"#, "{}"),
    (
        "msg := format_int(time.add_date(1709208000123456789, 1, 10, -1), 10)",
        "1766923200123456789",
        "nothing",
    ),
    ("msg := format_int(ceil(-0.5), 10)", "1", "0"),
    ("msg := format_int(floor(-0.5), 10)", "0", "-1"),
    (
        r#"msg := json.marshal(base64.decode("6162"))"#,
        r#""\ufffd^\ufffd""#,
        "\"\u{fffd}^\u{fffd}\"",
    ),
    (r#"semver.is_valid("v1.2.3"); msg := "it is a version""#, "it is a version", "nothing"),
    (r#"msg := json.marshal(regex.split(`,?`, "ab"))"#, r#"["a","b"]"#, r#"["","a","b",""]"#),
    (r#"msg := format_int(indexof("a", ""), 10)"#, "refused", "0"),
    (r#"msg := regex.replace("a", "(", "b")"#, "refused", "nothing"),
    (r#"regex.template_match("a{{b}}", "ac", "{{", "}}"); msg := "it does""#, "refused", "nothing"),
    (
        r#"msg := format_int(time.parse_ns("2006-01-02", "2026-11-24T18:00:00Z"), 10)"#,
        "refused",
        "1795478400000000000",
    ),
    (r#"msg := format_int(yaml.unmarshal("012"), 10)"#, "10", "12"),
    (r#"msg := json.marshal(yaml.unmarshal("y: 1"))"#, r#"{"true":1}"#, r#"{"y":1}"#),
    (r#"msg := sprintf("%x", [2.5])"#, "0x1.4p+01", "%!x(float64=2.5)"),
    (
        r#"msg := json.marshal(net.cidr_merge(["10.0.0.0/8", "::/0"]))"#,
        r#"["::/0"]"#,
        r#"["10.0.0.0/8","::/0"]"#,
    ),
    (r#"msg := json.marshal(replace("é", "", "-"))"#, r#""-\ufffd-\ufffd-""#, r#""-é-""#),
    (r#"msg := json.marshal(units.parse("10KB"))"#, "refused", "nothing"),
];

#[test]
fn each_difference_is_there() {
    let Some(mut opa) = Opa::start() else { return };
    let plan = json!({"format_version": "1.2", "resource_changes": []}).to_string();
    let mut wrong = Vec::new();
    for (body, of_opa, of_ours) in DIFFERENCES {
        let text =
            format!("package main\n\nimport rego.v1\n\ndeny contains msg if {{\n\t{body}\n}}\n");
        let modules = [("rule.rego", text.as_str())];
        let loaded = opa.load(&modules, &json!({}));
        let theirs = loaded.and_then(|()| theirs(&mut opa, "main", &["deny"], &plan).remove(0));
        let ours =
            policy(&modules).and_then(|policy| ours(&policy, "main", &["deny"], &plan).remove(0));
        let (theirs, ours) = (shown(theirs), shown(ours));
        if (theirs.as_str(), ours.as_str()) != (*of_opa, *of_ours) {
            wrong.push(format!("{body}\n  OPA {theirs}\n  ours {ours}"));
        }
    }
    assert!(wrong.is_empty(), "what is said of these is no longer so:\n{}", wrong.join("\n"));
}

fn shown(answer: Answer) -> String {
    match answer {
        Err(_) => "refused".to_owned(),
        Ok(found) => found.into_iter().next().map_or("nothing".to_owned(), |(message, _)| message),
    }
}

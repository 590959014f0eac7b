//! Terraform's types, read out of the ways in which generated code tells them.

use serde_json::{Value, json};

/// Reads a storage class such as `stringListMap`, the outermost last; `mode` tells a set from a list.
pub(crate) fn of_storage(storage: &str, mode: &str) -> Option<Value> {
    if storage == "anyMap" {
        // What stands for a value of any type.
        return Some(json!("dynamic"));
    }
    if let Some(element) = storage.strip_suffix("List") {
        let collection = if mode == "set" { "set" } else { "list" };
        return Some(json!([collection, of_storage(element, "")?]));
    }
    if let Some(element) = storage.strip_suffix("Map") {
        return Some(json!(["map", of_storage(element, "")?]));
    }
    Some(json!(match storage {
        "string" => "string",
        "number" => "number",
        "boolean" => "bool",
        _ => return None,
    }))
}

/// Reads the class of an object that stands for a collection, such as `cdktn.StringMapList`.
pub(crate) fn of_class(class: &str) -> Option<Value> {
    let mut storage =
        class.strip_prefix("cdktn.").or_else(|| class.strip_prefix("cdktf."))?.to_owned();
    storage.get_mut(..1)?.make_ascii_lowercase();
    of_storage(&storage, "")
}

/// Reads what a getter returns, such as `cdktn.Fn.tolist(this.getListAttribute('names'))`.
pub(crate) fn of_getter(getter: &str) -> Option<Value> {
    let (before, rest) = getter.split_once("this.get")?;
    let storage = rest.split_once("Attribute(")?.0;
    let mode = if before.contains("Fn.tolist(") { "set" } else { "" };
    // The only one whose name does not say of what.
    let mut storage = if storage == "List" { "stringList" } else { storage }.to_owned();
    storage.get_mut(..1)?.make_ascii_lowercase();
    of_storage(&storage, mode)
}

/// Reads a type of TypeScript, such as `{ [key: string]: string }[] | cdktn.IResolvable`.
pub(crate) fn of_text(text: &str) -> Option<Value> {
    let text = strip(text);
    if let Some(element) = text.strip_suffix("[]") {
        return Some(json!(["list", of_text(element)?]));
    }
    if let Some(element) = text.strip_prefix("Array<").and_then(|rest| rest.strip_suffix('>')) {
        return Some(json!(["list", of_text(element)?]));
    }
    if let Some(element) =
        text.strip_prefix("{ [key: string]: ").and_then(|rest| rest.strip_suffix('}'))
    {
        return if strip(element) == "any" {
            Some(json!("dynamic"))
        } else {
            Some(json!(["map", of_text(element)?]))
        };
    }
    Some(json!(match text {
        "string" => "string",
        "number" => "number",
        "boolean" => "bool",
        _ => return None,
    }))
}

/// Returns the name of the interface that a type of TypeScript is made of, and whether it is a list of them.
pub(crate) fn interface(text: &str) -> (&str, bool) {
    let text = strip(text);
    text.strip_suffix("[]").map_or((text, false), |element| (strip(element), true))
}

/// Takes away what says that a value may be known later, and parentheses.
fn strip(text: &str) -> &str {
    let mut text = text.trim();
    loop {
        let shorter = [" | undefined", " | cdktn.IResolvable", " | cdktf.IResolvable"]
            .iter()
            .find_map(|suffix| text.strip_suffix(suffix))
            .or_else(|| text.strip_prefix('(')?.strip_suffix(')'));
        match shorter {
            Some(shorter) => text = shorter.trim(),
            None => return text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: Option<Value>, expected: &str) {
        assert_eq!(found.map_or("none".to_owned(), |found| found.to_string()), expected);
    }

    #[test]
    fn storage_classes() {
        check(of_storage("boolean", "simple"), r#""bool""#);
        check(of_storage("stringList", "list"), r#"["list","string"]"#);
        check(of_storage("numberList", "set"), r#"["set","number"]"#);
        check(of_storage("stringListMap", "map"), r#"["map",["list","string"]]"#);
        check(of_storage("stringMapList", "set"), r#"["set",["map","string"]]"#);
        check(of_storage("anyMap", "map"), r#""dynamic""#);
        check(of_storage("any", "list"), "none");
        check(of_storage("GatewayRuleList", "list"), "none");
    }

    #[test]
    fn classes() {
        check(of_class("cdktn.StringMap"), r#"["map","string"]"#);
        check(of_class("cdktf.StringMapList"), r#"["list",["map","string"]]"#);
        check(of_class("GatewayRuleList"), "none");
    }

    #[test]
    fn getters() {
        check(of_getter("this.getStringAttribute('name')"), r#""string""#);
        check(of_getter("this.getListAttribute('names')"), r#"["list","string"]"#);
        check(of_getter("cdktn.Fn.tolist(this.getListAttribute('names'))"), r#"["set","string"]"#);
        check(
            of_getter(
                "cdktn.Token.asNumberList(cdktn.Fn.tolist(this.getNumberListAttribute('ports')))",
            ),
            r#"["set","number"]"#,
        );
        check(of_getter("this.getStringMapAttribute('tags')"), r#"["map","string"]"#);
        check(of_getter("this.getAnyMapAttribute('object')"), r#""dynamic""#);
        check(of_getter("this.interpolationForAttribute('rules')"), "none");
    }

    #[test]
    fn texts() {
        check(of_text("boolean | cdktn.IResolvable"), r#""bool""#);
        check(of_text("{ [key: string]: string }"), r#"["map","string"]"#);
        check(of_text("{ [key: string]: (boolean | cdktn.IResolvable) }"), r#"["map","bool"]"#);
        check(
            of_text("{ [key: string]: string }[] | cdktn.IResolvable"),
            r#"["list",["map","string"]]"#,
        );
        check(of_text("Array<boolean | cdktf.IResolvable>"), r#"["list","bool"]"#);
        check(of_text("{ [key: string]: any }"), r#""dynamic""#);
        check(of_text("GatewayRule[]"), "none");
        assert_eq!(interface("GatewayRule[] | cdktn.IResolvable"), ("GatewayRule", true));
        assert_eq!(interface("GatewayTimeouts"), ("GatewayTimeouts", false));
    }
}

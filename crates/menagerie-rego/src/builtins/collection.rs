//! Lists, sets, objects, and how often a text is in another.

use anyhow::bail;
use regorus::Value;

use super::text;

/// `array.flatten`: the elements of its elements that are lists.
pub(super) fn flatten(values: &[Value]) -> anyhow::Result<Value> {
    let [Value::Array(list)] = values else { bail!("`array.flatten` takes a list") };
    let mut flat = Vec::new();
    for element in list.iter() {
        match element {
            Value::Array(inner) => flat.extend(inner.iter().cloned()),
            other => flat.push(other.clone()),
        }
    }
    Ok(Value::from(flat))
}

/// Returns what `some … in` goes through: nothing where it is no list, set or object.
pub(super) fn collection(values: &[Value]) -> anyhow::Result<Value> {
    let [value] = values else { bail!("it takes what comes after `in`") };
    Ok(match value {
        Value::Array(_) | Value::Set(_) | Value::Object(_) => value.clone(),
        _ => Value::new_array(),
    })
}

/// `strings.count`; the empty text is before and after each character.
pub(super) fn count(values: &[Value]) -> anyhow::Result<Value> {
    let [whole, part] = values else { bail!("`strings.count` takes 2 arguments") };
    let (whole, part) = (text("strings.count", whole)?, text("strings.count", part)?);
    Ok(Value::from(match part {
        "" => whole.chars().count() + 1,
        part => whole.matches(part).count(),
    }))
}

/// `object.subset`.
pub(super) fn subset(values: &[Value]) -> anyhow::Result<Value> {
    let [whole, part] = values else { bail!("`object.subset` takes 2 arguments") };
    let is_part = match (whole, part) {
        (Value::Array(whole), Value::Set(part)) => part.iter().all(|value| whole.contains(value)),
        _ => match is_part(whole, part) {
            Some(is_part) => is_part,
            None => bail!("`object.subset` takes two objects, sets or lists, or a list and a set"),
        },
    };
    Ok(Value::from(is_part))
}

/// Returns whether it is a part; none where they are not of one kind.
fn is_part(whole: &Value, part: &Value) -> Option<bool> {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => Some(part.iter().all(|(key, value)| {
            whole
                .get(key)
                .is_some_and(|other| other == value || is_part(other, value).unwrap_or_default())
        })),
        (Value::Set(whole), Value::Set(part)) => {
            Some(part.iter().all(|value| whole.contains(value)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            let (whole, part) = (whole.to_vec(), part.to_vec());
            Some(part.is_empty() || whole.windows(part.len()).any(|window| window == part))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::builtins::tests::check;

    /// Each of them is what OPA 1.20.2 says.
    #[test]
    fn as_in_opa() {
        check(r#"strings.count("héllo", "")"#, "6");
        check(r#"strings.count("aaaa", "aa")"#, "2");
        check("object.subset([1, 2, 3], [])", "true");
        check("object.subset([1, 2, 3], [2, 3])", "true");
        check("object.subset([1, 2, 3], [1, 3])", "false");
        check("object.subset([1, 2, 3], {1, 3})", "true");
        check("object.subset({1, 2}, {1})", "true");
        check(r#"object.subset({"a": {"b": [1, 2], "c": 1}}, {"a": {"b": [2]}})"#, "true");
        check(r#"object.subset({"a": 1}, {"a": 2})"#, "false");
        check(r#"object.subset({"a": 1}, [1])"#, "error: `object.subset` takes two…");
        check("array.flatten([1, [2, [3]], {4}])", "[1,2,[3],[4]]");
    }
}

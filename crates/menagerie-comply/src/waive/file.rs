//! The file of waivers: a waiver is added, or takes the place of one that is over; all else stays as it is.

use jiff::civil::Date;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

use crate::record::Told;

/// A waiver that is to be written.
#[derive(Debug)]
pub(super) struct New<'a> {
    pub(super) told: &'a Told,
    pub(super) reason: &'a str,
    pub(super) owner: &'a str,
    pub(super) approved_by: &'a str,
    pub(super) ticket: &'a str,
    pub(super) created: Date,
    pub(super) expires: Date,
}

/// Returns the text of a file of waivers with this one in it, or why that can't be.
pub(super) fn with(text: &str, new: &New<'_>, today: Date) -> Result<String, String> {
    let mut document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
    let is_first = document.is_empty();
    let waivers = document
        .entry("waiver")
        .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()))
        .as_array_of_tables_mut()
        .ok_or("its waivers are not written as `[[waiver]]`, so that none can be added")?;
    if let Some(over) = waivers.iter_mut().find(|table| is_over(table, new.told, today)) {
        fill(over, new);
    } else {
        let mut table = Table::new();
        fill(&mut table, new);
        if !is_first {
            table.decor_mut().set_prefix("\n");
        }
        waivers.push(table);
    }
    Ok(document.to_string())
}

/// Returns whether a waiver was for this finding alone, and its last day is over.
fn is_over(table: &Table, told: &Told, today: Date) -> bool {
    let text = |key: &str| table.get(key).and_then(Item::as_str);
    let fingerprints = table.get("fingerprints").and_then(Item::as_array);
    let is_alone = fingerprints.is_some_and(|all| {
        all.len() == 1 && all.get(0).and_then(|one| one.as_str()) == Some(&told.fingerprint)
    });
    let expires = table.get("expires").and_then(Item::as_datetime);
    let expires = expires.and_then(|day| day.to_string().parse::<Date>().ok());
    is_alone
        && text("rule") == Some(&told.rule)
        && text("environment") == told.environment.as_deref()
        && expires.is_some_and(|day| day < today)
}

fn fill(table: &mut Table, new: &New<'_>) {
    let told = new.told;
    let day = |date: Date| -> toml_edit::Datetime {
        date.to_string().parse().expect("a date is one of TOML's too")
    };
    let mut fingerprints = Array::new();
    fingerprints.push(told.fingerprint.as_str());
    let mut set = |key: &str, to: Option<Item>| match (to, table.get_mut(key)) {
        (Some(Item::Value(mut to)), Some(Item::Value(from))) => {
            // A comment behind the value stays.
            *to.decor_mut() = from.decor().clone();
            *from = to;
        }
        (Some(to), _) => {
            table.insert(key, to);
        }
        (None, _) => {
            table.remove(key);
        }
    };
    set("rule", Some(value(told.rule.as_str())));
    set("address", Some(value(told.address.as_deref().unwrap_or_default())));
    set("attribute", told.attribute.as_deref().map(value));
    set("environment", told.environment.as_deref().map(value));
    set("fingerprints", Some(value(fingerprints)));
    set("reason", Some(value(new.reason)));
    set("owner", Some(value(new.owner)));
    set("approved_by", Some(value(new.approved_by)));
    set("ticket", Some(value(new.ticket)));
    set("created", Some(value(day(new.created))));
    set("expires", Some(value(day(new.expires))));
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn told() -> Told {
        Told {
            rule: "X-1".to_owned(),
            verdict: "fail".to_owned(),
            counts: true,
            environment: None,
            address: Some("terraform_data.a[\"x\\y\n\"]".to_owned()),
            attribute: Some("input.word".to_owned()),
            fingerprint: "0123456789abcdef".to_owned(),
        }
    }

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn add(text: &str, told: &Told) -> Result<String, String> {
        let new = New {
            told,
            reason: "it says \"why\"",
            owner: "ada",
            approved_by: "grace",
            ticket: "SEC-1",
            created: day("2026-11-24"),
            expires: day("2027-01-31"),
        };
        with(text, &new, day("2026-11-24"))
    }

    #[test]
    fn the_first() {
        assert_snapshot!(add("", &told()).unwrap(), @r#"
        [[waiver]]
        rule = "X-1"
        address = '''
        terraform_data.a["x\y
        "]'''
        attribute = "input.word"
        fingerprints = ["0123456789abcdef"]
        reason = 'it says "why"'
        owner = "ada"
        approved_by = "grace"
        ticket = "SEC-1"
        created = 2026-11-24
        expires = 2027-01-31
        "#);
    }

    #[test]
    fn another_and_one_that_was_over() {
        let told = Told {
            address: None,
            attribute: None,
            environment: Some("calm-otter".to_owned()),
            ..told()
        };
        let old = "# Ours.\n[[waiver]]\nrule = \"X-1\" # that one\naddress = \"b\"\nattribute = \"c\"\nfingerprints = [\"0123456789abcdef\"]\nreason = \"old\"\nexpires = 2026-11-23\n# The end.\n";
        let two = add(old, &told).unwrap();
        assert!(two.starts_with(old.trim_end_matches("# The end.\n")), "{two}");
        assert_snapshot!(add(&old.replace("attribute = \"c\"", "environment = \"calm-otter\""), &told).unwrap(), @r#"
        # Ours.
        [[waiver]]
        rule = "X-1" # that one
        address = ""
        environment = "calm-otter"
        fingerprints = ["0123456789abcdef"]
        reason = 'it says "why"'
        expires = 2027-01-31
        owner = "ada"
        approved_by = "grace"
        ticket = "SEC-1"
        created = 2026-11-24
        # The end.
        "#);
        assert!(add("waiver = [{ rule = \"X-1\" }]\n", &told).unwrap_err().contains("[[waiver]]"));
        assert!(add("waiver =", &told).is_err());
    }
}

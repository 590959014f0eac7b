//! The guestbook as a person sees it.

use std::fmt::Write as _;

use crate::database::Entry;

const HEAD: &str = include_str!("page/head.html");

/// Renders the page; `error` is what was wrong with an entry that was refused.
pub(crate) fn page(environment: &str, entries: &[Entry], error: Option<&str>) -> String {
    let environment = escape(environment);
    let mut html = HEAD.replace("{environment}", &environment);
    if let Some(error) = error {
        let _ = write!(html, "<p class=\"error\" role=\"alert\">{}</p>", escape(error));
    }
    html.push_str(include_str!("page/form.html"));
    if entries.is_empty() {
        html.push_str("<p class=\"empty\">Nobody has written yet. Be the first.</p>");
    } else {
        html.push_str("<ol class=\"entries\" reversed>");
        for Entry { name, message, written, .. } in entries {
            let day = written.strftime("%Y-%m-%d %H:%M UTC");
            let _ = write!(
                html,
                "<li><article><p class=\"message\">{}</p><footer>{} · <time datetime=\"{written}\">{day}</time></footer></article></li>",
                escape(message),
                escape(name),
            );
        }
        html.push_str("</ol>");
    }
    html.push_str("</main></body></html>\n");
    html
}

/// Makes text safe between tags and in quoted attributes.
fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, character| {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_written_becomes_markup() {
        let wild = "<script>alert('1')</script>\"&";
        let entry = Entry {
            id: 1,
            name: wild.into(),
            message: wild.into(),
            written: jiff::Timestamp::UNIX_EPOCH,
        };
        let html = page(wild, &[entry], Some(wild));
        assert!(!html.contains("<script>"));
        assert_eq!(
            html.matches("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;").count(),
            5
        );
    }
}

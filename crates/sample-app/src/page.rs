//! The guestbook as a person sees it.

use std::fmt::Write as _;

use crate::database::Entry;

/// The styles, which need no script and no other file.
const STYLE: &str = include_str!("page/style.css");

/// An entry that was refused: shown again, so that nobody writes it twice.
pub(crate) struct Refused<'a> {
    pub(crate) name: &'a str,
    pub(crate) message: &'a str,
    pub(crate) reason: &'a str,
}

/// Renders the page.
pub(crate) fn page(environment: &str, entries: &[Entry], refused: Option<&Refused<'_>>) -> String {
    let environment = escape(environment);
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Guestbook · {environment}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header><h1>Guestbook</h1><p>environment <strong>{environment}</strong></p></header>\n<main>\n",
    );
    form(&mut html, refused);
    html.push_str("<section aria-labelledby=\"entries\">\n<h2 id=\"entries\">Entries</h2>\n");
    if entries.is_empty() {
        html.push_str("<p class=\"empty\">Nobody has written yet. Be the first.</p>\n");
    } else {
        html.push_str("<ol>\n");
        for Entry { name, message, written, .. } in entries {
            let minute = written.strftime("%Y-%m-%d %H:%M UTC");
            let _ = writeln!(
                html,
                "<li><p class=\"by\"><strong>{}</strong> <time datetime=\"{written}\">{minute}</time></p><p class=\"message\">{}</p></li>",
                escape(name),
                escape(message),
            );
        }
        html.push_str("</ol>\n");
    }
    html.push_str("</section>\n</main>\n</body>\n</html>\n");
    html
}

fn form(html: &mut String, refused: Option<&Refused<'_>>) {
    html.push_str("<form method=\"post\" action=\"/entries\">\n");
    let (name, message) = refused.map_or(("", ""), |refused| (refused.name, refused.message));
    if let Some(Refused { reason, .. }) = refused {
        let _ = writeln!(
            html,
            "<p class=\"refused\" role=\"alert\">Not written: {}.</p>",
            escape(reason)
        );
    }
    // The first line break after `<textarea>` is the parser's and not the value's.
    let _ = writeln!(
        html,
        "<label for=\"name\">Your name</label>\n\
         <input id=\"name\" name=\"name\" value=\"{}\" required maxlength=\"{LONGEST_NAME}\" autocomplete=\"name\">\n\
         <label for=\"message\">Message</label>\n\
         <textarea id=\"message\" name=\"message\" rows=\"4\" required maxlength=\"{LONGEST_MESSAGE}\">\n{}</textarea>\n\
         <button>Sign the guestbook</button>\n</form>",
        escape(name),
        escape(message),
        LONGEST_NAME = crate::routes::LONGEST_NAME,
        LONGEST_MESSAGE = crate::routes::LONGEST_MESSAGE,
    );
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
        let wild = "</textarea><script>alert('1')</script>\"&";
        let entry = Entry {
            id: 1,
            name: wild.into(),
            message: wild.into(),
            written: jiff::Timestamp::UNIX_EPOCH,
        };
        let refused = Refused { name: wild, message: wild, reason: wild };
        let html = page(wild, &[entry], Some(&refused));
        assert!(!html.contains("<script>"));
        assert_eq!(html.matches("</textarea>").count(), 1);
        let escaped = "&lt;/textarea&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;";
        // The title, the header, the three of the form and the two of the entry.
        assert_eq!(html.matches(escaped).count(), 7);
    }
}

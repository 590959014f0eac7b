//! [`Module`]: a file of Rego, in whichever syntax it is written.

use std::path::{Path, PathBuf};

use menagerie_config::Problem;
use regorus::unstable::{self, Lexer, Parser, Ref, Source, Token, TokenKind};

use crate::error::Fault;
use crate::rewrite::{self, Rewrite};

/// A file that was parsed.
#[derive(Clone, Debug)]
pub(crate) struct Module {
    pub(crate) path: PathBuf,
    /// What stands in the file.
    pub(crate) original: String,
    /// What is evaluated.
    pub(crate) text: String,
    pub(crate) rewrites: Vec<(String, Rewrite)>,
    /// Whether it is written as before OPA 1.0.
    pub(crate) is_v0: bool,
    pub(crate) ast: Ref<unstable::Module>,
    /// The path of its package, without `data`.
    pub(crate) package: Vec<String>,
}

impl Module {
    /// Parses a file: as OPA 1.0 wants it, and if that does not go, as it was before.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, Problem> {
        check_depth(text)?;
        let first = match Self::parse_as(path, text, false) {
            Ok(module) => return Ok(module),
            Err(error) => error,
        };
        if is_surely_v1(text) {
            return Err(first);
        }
        Self::parse_as(path, text, true).map_err(|second| {
            // The syntax that went further is likely the one that is meant.
            let second_is_further = (second.line, second.column) > (first.line, first.column);
            if second_is_further { second } else { first }
        })
    }

    fn parse_as(path: &Path, original: &str, is_v0: bool) -> Result<Self, Problem> {
        let mut rewrite = Rewrite::default();
        hoist_imports(original, &mut rewrite);
        if is_v0 {
            split_bodies(original, &mut rewrite);
        }
        let text = rewrite.apply(original);
        let rewrites =
            if rewrite.is_empty() { Vec::new() } else { vec![(original.to_owned(), rewrite)] };
        let parsed = parse(path, &text, is_v0);
        let mut module = match parsed {
            Ok(ast) => Self {
                path: path.to_owned(),
                original: original.to_owned(),
                text,
                rewrites,
                is_v0,
                ast,
                package: Vec::new(),
            },
            Err(error) => {
                let fault = Fault::of(&error);
                let (_, line, column) = fault.place.clone().unwrap_or((String::new(), 1, 1));
                return Err(problem(
                    original,
                    &text,
                    &rewrites,
                    line,
                    column,
                    &fault.message,
                    fault.hint(),
                ));
            }
        };
        let reference = &module.ast.package.refr;
        module.package = crate::walk::path(reference).ok_or_else(|| {
            let span = reference.span();
            module.problem(
                span.line as usize,
                span.col as usize,
                "the name of a package is fixed",
                None,
            )
        })?;
        Ok(module)
    }

    /// Changes what is evaluated, and parses it again.
    pub(crate) fn rewrite(&mut self, mut rewrite: Rewrite) -> Result<(), Problem> {
        if rewrite.is_empty() {
            return Ok(());
        }
        let before = std::mem::take(&mut self.text);
        self.text = rewrite.apply(&before);
        self.rewrites.push((before, rewrite));
        self.ast = parse(&self.path, &self.text, self.is_v0).map_err(|error| {
            let fault = Fault::of(&error);
            let (_, line, column) = fault.place.clone().unwrap_or((String::new(), 1, 1));
            self.problem(line, column, &fault.message, fault.hint())
        })?;
        Ok(())
    }

    /// Changes what is evaluated, and nothing of what is read in it.
    pub(crate) fn rewrite_text(&mut self, mut rewrite: Rewrite) {
        if !rewrite.is_empty() {
            let before = std::mem::take(&mut self.text);
            self.text = rewrite.apply(&before);
            self.rewrites.push((before, rewrite));
        }
    }

    /// Returns a problem at a place of what is evaluated.
    pub(crate) fn problem(
        &self,
        line: usize,
        column: usize,
        message: &str,
        hint: Option<&str>,
    ) -> Problem {
        problem(&self.original, &self.text, &self.rewrites, line, column, message, hint)
    }

    /// Returns the column in the file of one in what is evaluated.
    pub(crate) fn column(&self, line: usize, column: usize) -> usize {
        original_column(&self.text, &self.rewrites, line, column)
    }
}

fn original_column(
    text: &str,
    rewrites: &[(String, Rewrite)],
    line: usize,
    column: usize,
) -> usize {
    let column = rewrite::characters(text, line, column);
    rewrites
        .iter()
        .rev()
        .fold(column, |column, (before, rewrite)| rewrite.column(before, line, column))
}

fn problem(
    original: &str,
    text: &str,
    rewrites: &[(String, Rewrite)],
    line: usize,
    column: usize,
    message: &str,
    hint: Option<&str>,
) -> Problem {
    let at = rewrite::offset(original, line, original_column(text, rewrites, line, column));
    let end = original[at..]
        .find(|character: char| !(character.is_alphanumeric() || "_.".contains(character)))
        .map_or(original.len(), |length| at + length);
    Problem::at(original, &(at..end), message.to_owned(), hint.map(str::to_owned))
}

fn parse(path: &Path, text: &str, is_v0: bool) -> anyhow::Result<Ref<unstable::Module>> {
    let source = Source::from_contents(path.display().to_string(), text.to_owned())?;
    let mut parser = Parser::new(&source)?;
    if !is_v0 {
        parser.enable_rego_v1()?;
    }
    Ok(Ref::new(parser.parse()?))
}

/// Returns the tokens up to the end, or up to what is none.
fn tokens(source: &Source) -> Vec<Token> {
    let mut lexer = Lexer::new(source);
    let mut tokens = Vec::new();
    while let Ok(token) = lexer.next_token() {
        if token.0 == TokenKind::Eof {
            break;
        }
        tokens.push(token);
    }
    tokens
}

/// How deep `[` and `{` may stand in each other: with each level regorus parses what is in it twice as often.
const DEEPEST: usize = 12;

/// Refuses what would take for ever to parse.
fn check_depth(text: &str) -> Result<(), Problem> {
    let Ok(source) = Source::from_contents(String::new(), text.to_owned()) else { return Ok(()) };
    let mut depth = 0_usize;
    for token in tokens(&source) {
        match token.1.text() {
            "[" | "{" if token.0 == TokenKind::Symbol => depth += 1,
            "]" | "}" if token.0 == TokenKind::Symbol => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            let message = format!("brackets stand in each other more than {DEEPEST} deep");
            let hint = "give a part of it a name of its own".to_owned();
            let range = token.1.start as usize..token.1.end as usize;
            return Err(Problem::at(text, &range, message, Some(hint)));
        }
    }
    Ok(())
}

/// Returns whether a text has words that only OPA 1.0 takes for such; regorus would warn of them on stderr.
fn is_surely_v1(text: &str) -> bool {
    let Ok(source) = Source::from_contents(String::new(), text.to_owned()) else { return false };
    let tokens = tokens(&source);
    // `contains(…)` and `x.if` are no keywords.
    let is_keyword = |pair: &[Token]| {
        pair[0].0 == TokenKind::Ident
            && ["if", "contains", "every", "in"].contains(&pair[0].1.text())
            && !["(", ".", "[", "=", ":="].contains(&pair[1].1.text())
    };
    !text.contains("future.keywords") && tokens.windows(2).any(is_keyword)
}

fn depth_after(depth: usize, token: &Token) -> usize {
    match token.1.text() {
        _ if token.0 != TokenKind::Symbol => depth,
        "{" | "[" | "(" => depth + 1,
        "}" | "]" | ")" => depth.saturating_sub(1),
        _ => depth,
    }
}

/// Returns where a reference such as `data.a["b"]` ends that begins at `at`: the place after its last token.
fn reference_end(tokens: &[Token], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(token) = tokens.get(end) {
        match token.1.text() {
            "." => end += 2,
            "[" => end += 3,
            _ => break,
        }
    }
    end.min(tokens.len())
}

/// Moves imports that stand after a rule to the line of the package, which regorus wants and OPA does not.
fn hoist_imports(text: &str, rewrite: &mut Rewrite) {
    let Ok(source) = Source::from_contents(String::new(), text.to_owned()) else { return };
    let tokens = tokens(&source);
    if tokens.first().is_none_or(|token| token.1.text() != "package") || tokens.len() < 2 {
        return;
    }
    let package_end = reference_end(&tokens, 1);
    let (mut depth, mut at, mut are_first) = (0, package_end, true);
    while let Some(token) = tokens.get(at) {
        let is_import = depth == 0 && token.0 == TokenKind::Ident && token.1.text() == "import";
        if !is_import {
            are_first = false;
            depth = depth_after(depth, token);
            at += 1;
            continue;
        }
        let mut end = reference_end(&tokens, at + 1);
        if tokens.get(end).is_some_and(|token| token.1.text() == "as") {
            end += 2;
        }
        let end = end.min(tokens.len());
        if !are_first {
            let range = token.1.start as usize..tokens[end - 1].1.end as usize;
            let statement = text[range.clone()].split_whitespace().collect::<Vec<_>>().join(" ");
            rewrite.insert(tokens[package_end - 1].1.end as usize, format!(" {statement}"));
            rewrite.blank(range);
        }
        at = end;
    }
}

/// Repeats the head before each further body of a rule, `p { … } { … }`, as OPA before 1.0 allows.
fn split_bodies(text: &str, rewrite: &mut Rewrite) {
    let Ok(source) = Source::from_contents(String::new(), text.to_owned()) else { return };
    let tokens = tokens(&source);
    let mut depth = 0;
    // The head of the rule, once its first body has begun.
    let mut head: Option<String> = None;
    let mut start = 0;
    let mut previous: Option<&Token> = None;
    let mut is_body = false;
    for (at, token) in tokens.iter().enumerate() {
        let word = token.1.text();
        if depth == 0 && word == "{" && token.0 == TokenKind::Symbol {
            let after = previous.map(|token| token.1.text()).unwrap_or_default();
            let is_value = matches!(after, "=" | ":=" | "in" | "," | "|" | "&" | "==");
            match &head {
                Some(head) if after == "}" && is_body => {
                    rewrite.insert(token.1.start as usize, format!("\u{20}{head} "));
                }
                None if !is_value => {
                    let range = tokens[start].1.start as usize..token.1.start as usize;
                    let words = text[range].split_whitespace().collect::<Vec<_>>().join(" ");
                    head = (!words.contains('#')).then_some(words);
                    is_body = true;
                }
                _ => is_body = false,
            }
        } else if depth == 0 && word == "else" {
            // What has an `else` has no further body of its own.
            is_body = false;
        } else if depth == 0
            && token.0 == TokenKind::Ident
            && previous.is_none_or(|before| {
                before.1.line < token.1.line
                    && (before.0 != TokenKind::Symbol || matches!(before.1.text(), "}" | "]" | ")"))
            })
        {
            // A name at the start of a line begins another rule.
            (head, start, is_body) = (None, at, false);
        }
        depth = depth_after(depth, token);
        previous = Some(token);
    }
}

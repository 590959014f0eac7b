//! `sprintf`, as Go's `fmt` does it for what OPA hands to it.

use std::fmt::Write as _;

use anyhow::bail;
use regorus::Value;

/// What OPA makes of a value before it is formatted.
enum Argument {
    Integer(i128),
    Float(f64),
    /// A text, and also what is no number and no text: as OPA writes it.
    Text(String),
}

/// What stands between `%` and the verb.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent flags of the format")]
struct Flags {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// The widest field: beyond it a rule could ask for any amount of memory.
const WIDEST: usize = 1000;

pub(crate) fn call(values: &[Value]) -> anyhow::Result<Value> {
    let [format, arguments] = values else { bail!("`sprintf` takes 2 arguments") };
    let (Ok(format), Ok(arguments)) = (format.as_string(), arguments.as_array()) else {
        bail!("`sprintf` takes a text and a list");
    };
    let arguments: Vec<Argument> = arguments.iter().map(argument).collect();
    Ok(Value::from(print(format, &arguments)))
}

fn argument(value: &Value) -> Argument {
    match value {
        Value::Number(number) => match (number.as_i128(), number.as_f64()) {
            (Some(integer), _) => Argument::Integer(integer),
            (None, Some(float)) => Argument::Float(float),
            (None, None) => Argument::Text(value.to_string()),
        },
        Value::String(text) => Argument::Text(text.to_string()),
        other => Argument::Text(shown(other)),
    }
}

/// Returns a value as OPA writes it: as JSON with blanks, and sets in braces.
pub(crate) fn shown(value: &Value) -> String {
    let list = |values: &mut dyn Iterator<Item = &Value>| -> String {
        values.map(shown).collect::<Vec<_>>().join(", ")
    };
    match value {
        Value::Array(array) => format!("[{}]", list(&mut array.iter())),
        Value::Set(set) if set.is_empty() => "set()".to_owned(),
        Value::Set(set) => format!("{{{}}}", list(&mut set.iter_sorted())),
        Value::Object(object) => {
            let fields: Vec<String> = object
                .iter_sorted()
                .map(|(key, value)| format!("{}: {}", shown(key), shown(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

fn print(format: &str, arguments: &[Argument]) -> String {
    let mut text = String::with_capacity(format.len() + 16);
    let mut characters = format.chars().peekable();
    let (mut next, mut is_reordered) = (0, false);
    while let Some(character) = characters.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        let mut flags = Flags::default();
        while let Some(flag) = characters.next_if(|flag| "-+# 0".contains(*flag)) {
            match flag {
                '-' => flags.minus = true,
                '+' => flags.plus = true,
                '#' => flags.sharp = true,
                ' ' => flags.space = true,
                _ => flags.zero = true,
            }
        }
        let mut number = |characters: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            let mut number: Option<usize> = None;
            if characters.next_if_eq(&'*').is_some() {
                let given = match arguments.get(next) {
                    Some(Argument::Integer(given)) => usize::try_from(*given).ok(),
                    _ => None,
                };
                next += 1;
                return given.map(|given| given.min(WIDEST));
            }
            while let Some(digit) = characters.next_if(char::is_ascii_digit) {
                let digit = digit.to_digit(10).expect("it is a digit") as usize;
                number = Some((number.unwrap_or(0) * 10 + digit).min(WIDEST));
            }
            number
        };
        flags.width = number(&mut characters);
        if characters.next_if_eq(&'.').is_some() {
            flags.precision = Some(number(&mut characters).unwrap_or(0));
        }
        if characters.peek() == Some(&'[') {
            characters.next();
            let mut index = 0_usize;
            while let Some(digit) = characters.next_if(char::is_ascii_digit) {
                let digit = digit.to_digit(10).expect("it is a digit") as usize;
                index = (index * 10 + digit).min(WIDEST);
            }
            characters.next_if_eq(&']');
            (next, is_reordered) = (index.wrapping_sub(1), true);
        }
        match characters.next() {
            None => text.push_str("%!(NOVERB)"),
            Some('%') => text.push('%'),
            Some(verb) => {
                if let Some(argument) = arguments.get(next) {
                    text.push_str(&flags.field(verb, argument));
                } else {
                    let missing = if is_reordered { "BADINDEX" } else { "MISSING" };
                    write!(text, "%!{verb}({missing})").expect("writing to a string can't fail");
                }
                next = next.wrapping_add(1);
            }
        }
    }
    if let Some(extra) = arguments.get(next..).filter(|extra| !extra.is_empty() && !is_reordered) {
        let extra: Vec<String> = extra
            .iter()
            .map(|argument| format!("{}={}", argument.kind(), argument.plain()))
            .collect();
        write!(text, "%!(EXTRA {})", extra.join(", ")).expect("writing to a string can't fail");
    }
    text
}

impl Argument {
    fn kind(&self) -> &'static str {
        match self {
            Self::Integer(integer) if i64::try_from(*integer).is_err() => "*big.Int",
            Self::Integer(_) => "int64",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
        }
    }

    fn plain(&self) -> String {
        match self {
            Self::Integer(integer) => integer.to_string(),
            Self::Float(float) => general(*float, None, 21),
            Self::Text(text) => text.clone(),
        }
    }
}

impl Flags {
    fn field(&self, verb: char, argument: &Argument) -> String {
        let wrong = || format!("%!{verb}({}={})", argument.kind(), self.field('v', argument));
        let body = match (verb, argument) {
            ('T', _) => return self.pad(argument.kind().to_owned(), false),
            ('v', Argument::Text(text)) if self.sharp => quoted(text),
            ('v' | 's', Argument::Text(text)) => self.cut(text),
            ('q', Argument::Text(text)) => quoted(&self.cut(text)),
            ('x', Argument::Text(text)) => hex(text, false),
            ('X', Argument::Text(text)) => hex(text, true),
            ('v' | 'd', Argument::Integer(integer)) => {
                return self.integer(&integer.unsigned_abs().to_string(), *integer < 0);
            }
            ('b' | 'o' | 'O' | 'x' | 'X', Argument::Integer(integer)) => {
                let absolute = integer.unsigned_abs();
                let digits = match verb {
                    'b' if self.sharp => format!("0b{absolute:b}"),
                    'b' => format!("{absolute:b}"),
                    'o' if self.sharp => format!("0{absolute:o}"),
                    'o' => format!("{absolute:o}"),
                    'O' => format!("0o{absolute:o}"),
                    'x' if self.sharp => format!("0x{absolute:x}"),
                    'x' => format!("{absolute:x}"),
                    _ if self.sharp => format!("0X{absolute:X}"),
                    _ => format!("{absolute:X}"),
                };
                return self.integer(&digits, *integer < 0);
            }
            ('c' | 'q' | 'U', Argument::Integer(integer)) => {
                let character =
                    u32::try_from(*integer).ok().and_then(char::from_u32).unwrap_or('\u{fffd}');
                match verb {
                    'c' => character.to_string(),
                    'q' => format!("'{}'", character.escape_debug()),
                    _ => format!("U+{:04X}", u32::from(character)),
                }
            }
            ('v' | 'g' | 'G' | 'e' | 'E' | 'f' | 'F', Argument::Float(float)) => {
                let digits = match verb {
                    'e' | 'E' => exponent(float.abs(), self.precision.unwrap_or(6)),
                    'f' | 'F' => format!("{:.*}", self.precision.unwrap_or(6), float.abs()),
                    _ => general(float.abs(), self.precision, 21),
                };
                let digits = if verb.is_ascii_uppercase() { digits.to_uppercase() } else { digits };
                return self.number(&digits, float.is_sign_negative());
            }
            _ => return wrong(),
        };
        self.pad(body, false)
    }

    fn cut(&self, text: &str) -> String {
        text.chars().take(self.precision.unwrap_or(usize::MAX)).collect()
    }

    fn integer(&self, digits: &str, is_negative: bool) -> String {
        match self.precision {
            Some(precision) => {
                let fill = precision.saturating_sub(digits.len());
                let digits = "0".repeat(fill) + digits;
                let flags = Self { zero: false, ..*self };
                flags.number(&digits, is_negative)
            }
            None => self.number(digits, is_negative),
        }
    }

    /// Puts the sign before, and blanks or zeros.
    fn number(&self, digits: &str, is_negative: bool) -> String {
        let sign = match () {
            () if is_negative => "-",
            () if self.plus => "+",
            () if self.space => " ",
            () => "",
        };
        if self.zero && !self.minus {
            let fill = self.width.unwrap_or(0).saturating_sub(sign.len() + digits.len());
            return format!("{sign}{}{digits}", "0".repeat(fill));
        }
        self.pad(format!("{sign}{digits}"), true)
    }

    fn pad(&self, body: String, is_number: bool) -> String {
        let fill = self.width.unwrap_or(0).saturating_sub(body.chars().count());
        match () {
            () if self.minus => body + &" ".repeat(fill),
            () if self.zero && !is_number => "0".repeat(fill) + &body,
            () => " ".repeat(fill) + &body,
        }
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\u{b}' => quoted.push_str("\\v"),
            other if (other as u32) < 0x80 && other.is_control() => {
                write!(quoted, "\\x{:02x}", other as u32).expect("writing to a string can't fail");
            }
            other => quoted.push(other),
        }
    }
    quoted + "\""
}

fn hex(text: &str, is_upper: bool) -> String {
    let mut digits = String::with_capacity(2 * text.len());
    for byte in text.bytes() {
        write!(digits, "{byte:02x}").expect("writing to a string can't fail");
    }
    if is_upper { digits.to_uppercase() } else { digits }
}

/// Returns `1.5e+06`, as Go writes exponents.
fn exponent(float: f64, precision: usize) -> String {
    go_exponent(&format!("{float:.precision$e}"))
}

fn go_exponent(text: &str) -> String {
    let Some((digits, exponent)) = text.split_once('e') else { return text.to_owned() };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// Returns what `%g` writes: the shortest digits that are this number, or so many as are asked for; with an exponent where
/// it is below -4, or not below `limit`.
fn general(float: f64, precision: Option<usize>, limit: i32) -> String {
    if !float.is_finite() {
        return if float.is_nan() { "NaN".to_owned() } else { "+Inf".to_owned() };
    }
    let scientific = match precision {
        Some(precision) => format!("{float:.*e}", precision.max(1) - 1),
        None => format!("{float:e}"),
    };
    let (digits, power) = scientific.split_once('e').expect("that is how `e` writes it");
    let power: i32 = power.parse().expect("that is how `e` writes it");
    let digits = if digits.contains('.') {
        digits.trim_end_matches('0').trim_end_matches('.')
    } else {
        digits
    };
    let limit =
        precision.map_or(limit, |precision| i32::try_from(precision.max(1)).unwrap_or(limit));
    if power < -4 || power >= limit {
        return go_exponent(&format!("{digits}e{power}"));
    }
    let plain: f64 = format!("{digits}e{power}").parse().expect("it is a number");
    let sign = if float.is_sign_negative() { "-" } else { "" };
    format!("{sign}{}", plain.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: &str, arguments: &str, expected: &str) {
        let arguments = Value::from_json_str(arguments).unwrap();
        let actual = call(&[Value::from(format), arguments]).unwrap();
        assert_eq!(actual.as_string().unwrap().as_ref(), expected);
    }

    /// Each of them is what OPA 1.20.2 says.
    #[test]
    fn as_in_opa() {
        check("%s and %v", r#"["a", {"b": [1, null, "c"]}]"#, r#"a and {"b": [1, null, "c"]}"#);
        check(
            "%5d|%-5d|%05d|%+d|%x|%o|%b",
            "[42, 42, -42, 42, 255, 8, 5]",
            "   42|42   |-0042|+42|ff|10|101",
        );
        check("%8.2f|%.0f|%e|%v", "[3.14159, 2.5, 1234.5, 0.1]", "    3.14|2|1.234500e+03|0.1");
        check("%d", r#"["x"]"#, "%!d(string=x)");
        check("%s", "[1]", "%!s(int64=1)");
        check("%d %d", "[1]", "1 %!d(MISSING)");
        check("%d", "[1, 2]", "1%!(EXTRA int64=2)");
        check(
            "%T %T %T %T %T",
            r#"[1, 1.5, "x", null, 123456789012345678901234567890]"#,
            "int64 float64 string string *big.Int",
        );
        check(
            "%q|%10s|%-10s|%.2s|%t",
            r#"["a\"b", "r", "l", "cut", true]"#,
            r#""a\"b"|         r|l         |cu|%!t(string=true)"#,
        );
        check("100%% %", "[]", "100% %!(NOVERB)");
        check("%d %d %f %.2f", "[1.0, 1.5, 3, 3]", "1 %!d(float64=1.5) %!f(int64=3) %!f(int64=03)");
        check(
            "%v %v %v",
            r#"[{"a": 1}, [], 1234567890123456789]"#,
            r#"{"a": 1} [] 1234567890123456789"#,
        );
        check("%#v %*d %[2]d", r#"["x", 5, 1]"#, "\"x\"     1 5");
        check("%z %x %c|%U|%q", r#"[1, "hi", 65, 65, 65]"#, "%!z(int64=1) 6869 A|U+0041|'A'");
        check("%+v % d", r#"["x", 5]"#, "x  5");
        check(
            "%6.3v|%010.3f|%-08d|%08s|%.3d|",
            r#"[3.14159, -3.14159, 5, "ab", 5]"#,
            "  3.14|-00003.142|5       |000000ab|005|",
        );
        check("%#x|%#o|%X", "[255, 8, 255]", "0xff|010|FF");
        check(
            "%s %d %d %s",
            "[true, true, null, null]",
            "true %!d(string=true) %!d(string=null) null",
        );
        check("%q", r#"["é\n\t\u0001"]"#, r#""é\n\t\x01""#);
        check("%! %5%", "[1]", "%!!(int64=1) %");
        check("%", "[1]", "%!(NOVERB)%!(EXTRA int64=1)");
        check("%v %v", "[0.000001, 100000000]", "1e-06 100000000");
    }
}

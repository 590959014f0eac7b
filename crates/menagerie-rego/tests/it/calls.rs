//! Each function of Rego that a policy over plans may call, with random arguments.

use serde_json::json;

use crate::dice::Dice;
use crate::engines::{Answer, Tally, ours as ours_of, policy, theirs as theirs_of};
use crate::opa::Opa;
use crate::seeds;

/// Functions with the kinds of their arguments, which are letters of [`ARGUMENTS`] and [`LISTS`]; `x` is anything. What differs
/// is left out, and stands in `differences`.
const FUNCTIONS: &str = "abs n, ceil n, floor n, round n, numbers.range ii, numbers.range_step iii, count t, count l, count s, count o, max N, \
    max l, min N, min s, sum N, product N, sort l, sort s, array.concat ll, array.reverse l, array.slice lii, \
    array.flatten l, intersection S, union S, and ss, or ss, minus ss, object.get okx, object.get otx, object.keys o, \
    object.remove oT, object.filter oT, object.union oo, object.union_n O, object.subset oo, object.subset ll, \
    object.subset ss, json.filter JP, json.remove JP, json.marshal x, json.unmarshal j, json.is_valid j, \
    yaml.unmarshal y, yaml.is_valid y, concat tT, contains tt, startswith tt, endswith tt, indexof tw, indexof_n tw, \
    lower t, upper t, replace twt, strings.reverse t, strings.count tt, split tt, strings.replace_n ot, \
    strings.any_prefix_match TT, strings.any_suffix_match tT, substring tii, trim tt, trim_left tt, trim_right tt, \
    trim_prefix tt, trim_suffix tt, trim_space t, sprintf fl, sprintf fN, sprintf hI, sprintf rT, format_int ni, \
    strings.render_template to, regex.match pt, regex.is_valid z, regex.split pt, regex.find_n pti, regex.replace tpt, \
    regex.find_all_string_submatch_n pti, glob.match gdt, glob.quote_meta t, net.cidr_contains cc, \
    net.cidr_intersects cc, net.cidr_merge E, net.cidr_is_valid c, net.cidr_contains_matches EE, base64.encode t, \
    base64.decode B, base64.is_valid t, base64url.encode t, hex.encode t, hex.decode H, bits.and ii, bits.or ii, \
    bits.xor ii, bits.lsh ii, bits.rsh ii, bits.negate i, semver.compare vv, semver.is_valid v, to_number x, is_string x, \
    is_number x, is_array x, is_set s, is_object x, is_null x, is_boolean x, type_name x, type_name s, units.parse b, \
    units.parse_bytes b, time.parse_rfc3339_ns m, time.parse_ns Lm, time.parse_duration_ns u, time.date M, time.clock M, \
    time.weekday M, time.diff MM, graph.reachable GT";

/// Operators, which are no functions to write.
const OPERATORS: [(&str, &str); 3] = [("and", "&"), ("or", "|"), ("minus", "-")];

/// How many calls there are of each seed.
const CALLS: usize = 40;

#[test]
fn functions_give_the_same() {
    let Some(mut opa) = Opa::start() else { return };
    let mut tally = Tally::default();
    let plan = json!({"format_version": "1.2", "resource_changes": []}).to_string();
    for seed in seeds(40) {
        let dice = &mut Dice::new(seed);
        for _ in 0..CALLS {
            // OPA refuses what it sees to be wrong, so each is a policy of its own.
            let call = call(dice);
            let text = module(&call);
            let modules = [("call.rego", text.as_str())];
            let one = |answers: Vec<Answer>| answers.into_iter().next().expect("one was asked");
            let theirs = opa.load(&modules, &json!({}));
            let theirs = theirs.and_then(|()| one(theirs_of(&mut opa, "main", &["deny"], &plan)));
            let ours = policy(&modules);
            let ours = ours.and_then(|policy| one(ours_of(&policy, "main", &["deny"], &plan)));
            tally.count(&ours, &theirs, format_args!("seed {seed}: {call}"));
        }
    }
    tally.end("functions", 1_000);
}

fn module(call: &str) -> String {
    format!(
        "package main\n\ndeny contains msg if {{\n\tvalue := {call}\n\tmsg := sprintf(\"%s %v\", [json.marshal(value), value])\n}}\n"
    )
}

fn call(dice: &mut Dice) -> String {
    let functions: Vec<&str> = FUNCTIONS.split(", ").collect();
    let (name, kinds) = dice.pick(&functions).split_once(' ').expect("arguments follow the name");
    let arguments: Vec<String> = kinds.chars().map(|kind| argument(dice, kind)).collect();
    match OPERATORS.iter().find(|(operator, _)| *operator == name) {
        Some((_, operator)) => format!("{} {operator} {}", arguments[0], arguments[1]),
        None => format!("{name}({})", arguments.join(", ")),
    }
}

/// What each kind of argument can be, apart by ` ¦ `.
const ARGUMENTS: &[(char, &str)] = &[
    ('t', r#""" ¦ "a" ¦ "abc-Abc" ¦ "é-ü" ¦ " x y " ¦ "a.b.c" ¦ "-" ¦ "YWJj" ¦ "6162" ¦ "10%20""#),
    ('w', r#""a" ¦ "b-" ¦ "ü" ¦ "." ¦ " " ¦ "6""#),
    ('n', "0 ¦ 1 ¦ -1 ¦ 2.5 ¦ -1.5 ¦ 100 ¦ 9007199254740993 ¦ 0.5"),
    ('i', "0 ¦ 1 ¦ 2 ¦ 3 ¦ -1 ¦ 16 ¦ 10"),
    ('N', "[] ¦ [0, 1] ¦ [2.5] ¦ [-1, 100, 0.5] ¦ [1, 1, 2.5]"),
    ('I', "[255, 8, 65] ¦ [10] ¦ [16, 9]"),
    ('s', r#"set() ¦ {1, 2} ¦ {"a", 2, null} ¦ {[1], {"a": 1}} ¦ {true}"#),
    ('S', r#"set() ¦ {{1, 2}, {2, 3}} ¦ {set()} ¦ {{"a"}}"#),
    (
        'o',
        r#"{} ¦ {"a": {"b": [1, 2]}} ¦ {"a": 1, "-": null} ¦ {"abc-Abc": "x", "a": "y"} ¦ {"a.b.c": {"a": 0}}"#,
    ),
    ('J', r#"{} ¦ {"a": {"b": [1, 2], "c": 3}, "-": null} ¦ {"-": {"a": 0}, "b": 1}"#),
    ('k', r#"["a"] ¦ ["a", "b"] ¦ ["a", "b", 0] ¦ ["a", "b", 7] ¦ []"#),
    ('P', r#"["a/b"] ¦ ["a", "-"] ¦ [["a", "b", 0]] ¦ [] ¦ ["a/b/1"]"#),
    (
        'p',
        r"`^a` ¦ `[a-c]+` ¦ `(a)(b)?` ¦ `\d+` ¦ `(?i)ABC` ¦ `\bx\b` ¦ `[[:alpha:]]` ¦ `\pL` ¦ `[.-]`",
    ),
    ('z', r"`^a` ¦ `(` ¦ `a|` ¦ `[[:alpha:]]` ¦ `\pL` ¦ `` ¦ `(?=a)` ¦ `\1`"),
    (
        'g',
        r#""*" ¦ "a*" ¦ "**" ¦ "a.*.c" ¦ "?" ¦ "[a-c]*" ¦ "{a,abc*}" ¦ "[!a]*" ¦ "*-*" ¦ "" ¦ "\\*""#,
    ),
    ('d', r#"[] ¦ ["."] ¦ ["-", "."] ¦ null"#),
    (
        'c',
        r#""10.0.0.0/8" ¦ "10.1.2.0/24" ¦ "10.1.3.0/24" ¦ "0.0.0.0/0" ¦ "::/0" ¦ "fd00::/8" ¦ "10.1.2.3" ¦ "192.168.0.0/33""#,
    ),
    (
        'E',
        r#"[] ¦ ["10.1.2.0/24", "10.1.3.0/24"] ¦ ["10.0.0.0/8", "10.1.2.0/24"] ¦ ["192.168.0.0/25", "10.0.0.7/32"] ¦ ["fd00::/9", "fd80::/9"]"#,
    ),
    ('B', r#""YWJj" ¦ "" ¦ "w6k=" ¦ "a" ¦ "***""#),
    ('H', r#""6162" ¦ "" ¦ "c3a9" ¦ "6" ¦ "xy""#),
    (
        'j',
        r#"`{"a": [1, 2.5, null]}` ¦ `[` ¦ `"x"` ¦ `13` ¦ `{"a":1,"a":2}` ¦ `` ¦ `12345678901234567890`"#,
    ),
    (
        'y',
        "`a: [1, two]` ¦ `- x` ¦ `a: &x 1\nb: *x` ¦ `a: b: c` ¦ `{` ¦ `~` ¦ `a: \"1\"` ¦ `a: 1.5`",
    ),
    ('v', r#""1.2.3" ¦ "1.10.0" ¦ "2.0.0-rc.1" ¦ "2.0.0+5" ¦ "1.2" ¦ """#),
    (
        'f',
        r#""%v" ¦ "%s %d" ¦ "%5d|%-5d|%05d" ¦ "%.2f" ¦ "%t %%" ¦ "%8.3f|%e" ¦ "%T" ¦ "%v %v" ¦ "none""#,
    ),
    ('h', r#""%x %X %o" ¦ "%b|%c" ¦ "%#x" ¦ "%+d %d %d""#),
    ('r', r#""%q" ¦ "%6s|%-6s|" ¦ "%x" ¦ "%.2s %s""#),
    ('m', r#""2026-11-24T18:00:00Z" ¦ "2026-11-24T18:00:00.5+01:00" ¦ "2026-11-24" ¦ "x""#),
    ('L', r#""2006-01-02T15:04:05Z07:00""#),
    ('M', "0 ¦ 1795543200000000000 ¦ 1709208000123456789 ¦ -1000000000"),
    ('u', r#""1h" ¦ "1.5s" ¦ "90m" ¦ "-2ms" ¦ "0""#),
    ('b', r#""10K" ¦ "1.5Mi" ¦ "200" ¦ "x""#),
    ('G', r#"{"a": ["abc-Abc", "-"], "-": ["a"], "abc-Abc": []} ¦ {}"#),
];

/// Kinds that are lists of another.
const LISTS: [(char, char); 3] = [('T', 't'), ('l', 'x'), ('O', 'o')];

fn argument(dice: &mut Dice, kind: char) -> String {
    if let Some((_, choices)) = ARGUMENTS.iter().find(|(of, _)| *of == kind) {
        return dice.pick(&choices.split(" ¦ ").collect::<Vec<_>>()).to_owned();
    }
    if let Some((_, element)) = LISTS.iter().find(|(of, _)| *of == kind) {
        let all: Vec<String> = (0..dice.below(4)).map(|_| argument(dice, *element)).collect();
        return format!("[{}]", all.join(", "));
    }
    match dice.below(8) {
        0 => "null".to_owned(),
        1 => "true".to_owned(),
        2 | 3 => argument(dice, 't'),
        4 | 5 => argument(dice, 'n'),
        6 => format!("[{}, {}]", argument(dice, 'n'), argument(dice, 't')),
        _ => format!("{{{}: {}}}", argument(dice, 't'), argument(dice, 'n')),
    }
}

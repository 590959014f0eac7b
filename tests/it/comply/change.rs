//! Waivers that are written, and rules of the branch that a change is to be merged into.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{RULE, change, check, comply_in, plan};
use crate::playground::Answer;

#[test]
fn a_finding_is_waived_by_its_fingerprint() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("tf/compliance/rules/X-1.toml", RULE);
    let git = |arguments: &[&str]| duct::cmd("git", arguments).dir(root).run().unwrap();
    git(&["init", "--quiet"]);
    git(&["config", "user.email", "ada@example.invalid"]);
    let run = |arguments: &[&str]| comply_in(root, arguments, b"");
    let wrong = plan(&[change("terraform_data.b[\"x\"]", json!({"input": {"word": "wrong"}}))]);
    write("plan.json", &wrong.to_string());
    let today = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date();
    let day = |days: i64| today.saturating_add(jiff::Span::new().days(days)).to_string();
    let waive = |fingerprint: &str, expires: &str, more: &[&str]| {
        let expires = format!("--expires={expires}");
        let first = ["waive", fingerprint, "--reason", "it \"moves\"", "--approved-by", "grace"];
        run(&[&first[..], &[&expires, "--ticket", "SEC-1"], more].concat())
    };
    check(&waive("0123", &day(9), &[]), 2, &["nothing was judged here yet"]);

    check(&run(&["--plan", "plan.json"]), 1, &["fail X-1"]);
    let report: Value =
        serde_json::from_str(&run(&["--plan", "plan.json", "--format", "json"]).stdout).unwrap();
    let fingerprint = report["findings"][0]["fingerprint"].as_str().unwrap();
    let kept = root.join(".git/menagerie/comply.json");
    let mode = fs::metadata(&kept).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let file = root.join("tf/compliance/waivers/X-1.toml");
    let short = &fingerprint[..6];
    check(&waive("ffff", &day(9), &[]), 2, &["no finding has the fingerprint `ffff`"]);
    check(&waive(short, &day(-1), &[]), 2, &["is over already"]);
    check(&waive(short, &day(91), &[]), 7, &["at most 90 are allowed", &day(90)]);
    let nobody = ["--expires", &day(9), "--reason", "r", "--approved-by", " ", "--ticket", "t"];
    check(&run(&[&["waive", short], &nobody[..]].concat()), 2, &["`--approved-by` is empty"]);
    assert!(!file.exists());
    let answer = waive(short, &day(9), &[]);
    check(&answer, 0, &["is waived until", "terraform_data.b"]);
    assert_eq!(answer.stdout, "tf/compliance/waivers/X-1.toml\n");
    let written = fs::read_to_string(&file).unwrap();
    assert!(written.contains("owner = \"ada@example.invalid\"\n"), "{written}");
    check(&run(&["--plan", "plan.json"]), 0, &["waived X-1", "waivers: 1 used"]);
    check(&waive(short, &day(9), &[]), 7, &["it is waived until", "already"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), written);

    // One that is over is renewed where it stands, and comments stay.
    let over = written
        .replace(&day(9), &day(-1))
        .replace(&today.to_string(), &day(-5))
        .replace("[[waiver]]", "# Why.\n[[waiver]]");
    fs::write(&file, over).unwrap();
    check(&run(&["--plan", "plan.json"]), 1, &["1 expired"]);
    check(&waive(short, &day(9), &["--owner", "grace"]), 0, &[]);
    let renewed = fs::read_to_string(&file).unwrap();
    assert_eq!(renewed, format!("# Why.\n{written}").replace("ada@example.invalid", "grace"));

    // What could not be judged stays so; a report may come from elsewhere.
    let misfit = plan(&[change("terraform_data.d", json!({"input": ["word"]}))]);
    write("plan.json", &misfit.to_string());
    let answer = run(&["--plan", "plan.json", "--format", "json"]);
    check(&answer, 3, &[]);
    let error: Value = serde_json::from_str(&answer.stdout).unwrap();
    let error = error["findings"][0]["fingerprint"].as_str().unwrap().to_owned();
    check(&waive(&error, &day(9), &[]), 7, &["what could not be judged can't be waived"]);
    write("other.json", &report.to_string());
    check(&waive(short, &day(9), &["--from", "other.json"]), 7, &["already"]);
    write("other.json", "{}");
    check(&waive(short, &day(9), &["--from", "other.json"]), 2, &["is no report of `comply`"]);
}

/// A repository with rules, and a plan that they say something of.
struct Change {
    directory: TempDir,
}

impl Change {
    fn new() -> Self {
        let made = Self { directory: tempfile::tempdir().unwrap() };
        made.write("tf/compliance/rules/X-1.toml", RULE);
        let wrong = plan(&[change("terraform_data.b", json!({"input": {"word": "wrong"}}))]);
        made.write("plan.json", &wrong.to_string());
        made.git(&["init", "--quiet", "--initial-branch=main"]);
        made.git(&["config", "user.email", "ada@example.invalid"]);
        made.git(&["config", "user.name", "Ada"]);
        made.git(&["add", "--all"]);
        made.git(&["commit", "--quiet", "--message=Start"]);
        made
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn git(&self, arguments: &[&str]) {
        duct::cmd("git", arguments).dir(self.directory.path()).run().unwrap();
    }

    fn judge(&self, arguments: &[&str]) -> Answer {
        let all = [&["--plan", "plan.json"], arguments].concat();
        comply_in(self.directory.path(), &all, b"")
    }
}

#[test]
fn a_change_does_not_silence_its_own_gate() {
    let change = Change::new();
    let by_base = |arguments: &[&str]| change.judge(&[&["--base", "main"], arguments].concat());
    check(
        &by_base(&[]),
        1,
        &["fail X-1", "judged by the rules of `main` (", "1 finding would fail"],
    );

    // It asks for another word, lets everything pass, and waives.
    change.write("tf/compliance/rules/X-1.toml", &RULE.replace("\"right\"", "\"wrong\""));
    check(&change.judge(&[]), 0, &[]);
    check(&by_base(&[]), 1, &["fail X-1", "no longer told: X-1", "nothing would fail"]);
    change.write("tf/compliance/rules/X-1.toml", RULE);
    change.write("tf/compliance/policy.toml", "threshold = \"critical\"\n");
    check(&change.judge(&[]), 0, &[]);
    check(&by_base(&[]), 1, &["at or above `low`"]);
    fs::remove_file(change.directory.path().join("tf/compliance/policy.toml")).unwrap();
    let report: Value = serde_json::from_str(&by_base(&["--format", "json"]).stdout).unwrap();
    let waive = |fingerprint: &str| {
        let words = ["waive", fingerprint, "--reason=r", "--approved-by=grace", "--ticket=SEC-1"];
        let today = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date();
        let expires = format!("--expires={}", today.tomorrow().unwrap());
        comply_in(change.directory.path(), &[&words[..], &[&expires]].concat(), b"")
    };
    check(&waive(report["findings"][0]["fingerprint"].as_str().unwrap()), 0, &[]);
    check(&change.judge(&[]), 0, &["waived X-1"]);
    check(&by_base(&[]), 1, &["no longer told: X-1"]);
    let report: Value = serde_json::from_str(&by_base(&["--format", "json"]).stdout).unwrap();
    assert_eq!(report["head"]["gone"].as_array().unwrap().len(), 1, "{report:#}");
    // Merged, it holds.
    change.git(&["add", "--all"]);
    change.git(&["commit", "--quiet", "--message=Waive"]);
    check(&by_base(&[]), 0, &["waived X-1"]);

    // What it would be told in addition can be waived as well.
    change.write("tf/compliance/rules/X-2.toml", &RULE.replace("X-1", "X-2"));
    check(&by_base(&[]), 0, &["1 finding would fail", "told in addition: X-2"]);
    let report: Value = serde_json::from_str(&by_base(&["--format", "json"]).stdout).unwrap();
    check(&waive(report["head"]["new"][0]["fingerprint"].as_str().unwrap()), 0, &[]);

    // Rules that are broken or gone gate nothing either, but are no pass.
    change.write("tf/compliance/rules/X-2.toml", "id = ");
    check(&by_base(&[]), 3, &["waived X-1", "is not valid"]);
    fs::remove_dir_all(change.directory.path().join("tf/compliance")).unwrap();
    check(&by_base(&[]), 3, &["waived X-1", "failed to read the rules in `tf/compliance`"]);
    change.git(&["checkout", "--quiet", "--", "."]);

    check(&change.judge(&["--base", "mian"]), 6, &["there is no commit `mian`", "git fetch"]);
    check(&change.judge(&["--base", "--all"]), 2, &["unexpected argument"]);
    check(&change.judge(&["--base=--all"]), 6, &["there is no commit `--all`"]);
    check(&change.judge(&["--base", "main", "--policy", "x"]), 2, &["cannot be used with"]);
    change.git(&["checkout", "--quiet", "--orphan", "other"]);
    change.git(&["rm", "-r", "--quiet", "--cached", "tf"]);
    change.git(&["commit", "--quiet", "--message=Other"]);
    check(&change.judge(&["--base", "other"]), 4, &["`other` has no `tf/compliance`"]);
}

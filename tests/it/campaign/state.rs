//! A state that can't be read, or is not the one that was written: what can be gone on with is, and the rest is said.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::Value;

use super::{Case, Dice, Fate, NAME, Operation, campaign};

/// What happened to the state.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Damage {
    /// It is cut short.
    Torn,
    /// It can't be opened.
    Forbidden,
    /// It holds bytes that are no text.
    Garbage,
    /// It is of a format that is yet to come.
    NewerFormat,
    /// It holds nothing.
    Empty,
    /// It was merged, and not well.
    ConflictMarkers,
    /// It holds zeroes, as a crash of the machine may leave it.
    Zeroes,
    /// It is another state's history.
    OtherLineage,
    /// A directory has its name.
    Directory,
    /// It is an older one.
    OlderSerial,
    /// It is gone.
    Missing,
    /// It was written by a Terraform that is yet to come.
    NewerTerraform,
    /// It is a new one without resources.
    Fresh,
}

const DAMAGES: [Damage; 13] = [
    Damage::Torn,
    Damage::Forbidden,
    Damage::Garbage,
    Damage::NewerFormat,
    Damage::Empty,
    Damage::ConflictMarkers,
    Damage::Zeroes,
    Damage::OtherLineage,
    Damage::Directory,
    Damage::OlderSerial,
    Damage::Missing,
    Damage::NewerTerraform,
    Damage::Fresh,
];

/// So many of each of the two have all damages once.
const FEW: u64 = 7;

#[test]
fn then_up() {
    campaign("unreadable state, then up", FEW, |dice| case(dice, Operation::Up, 0));
}

#[test]
fn then_destroy() {
    campaign("unreadable state, then destroy", FEW, |dice| case(dice, Operation::Destroy, FEW));
}

/// Damages the state of an environment that runs, goes on, and takes the way out where one is needed.
fn case(dice: &mut Dice, operation: Operation, first: u64) -> Case {
    let damage = dice.turn_from(first, &DAMAGES);
    let mut case = Case::new("sqlite");
    case.must(&["up", NAME]);
    let has_backup = dice.below(2) == 0;
    if has_backup {
        change(&mut case);
    }
    let state = state(&case);
    let whole = fs::read(&state).unwrap();
    inflict(&mut case, damage, dice, &whole);
    case.tell(format!(" {damage:?}{}", if has_backup { " with a backup" } else { "" }));

    case.check_list();
    case.check_listed(NAME);
    for looking in ["show", "status", "logs"] {
        let answer = case.run(&[looking, NAME]);
        if answer.code != Some(0) {
            case.wrong(format!("`env {looking}` shows nothing any more: {}", answer.stderr));
        }
    }
    let answer = case.run(operation.arguments());
    if answer.code == Some(0) {
        case.tell(format!(" → `{}` finished", operation.arguments()[0]));
        case.fate = Some(Fate::Finished);
        if operation == Operation::Up {
            case.check_running();
        }
        case.end(NAME);
        return case;
    }
    case.fate = Some(Fate::Said);
    let said = answer.stderr.trim().replace('\n', " / ");
    case.tell(format!(" → said {said}"));
    if !answer.stderr.contains(state.to_str().unwrap()) || !answer.stderr.contains("hint: ") {
        case.wrong(format!("it does not name the state and the way out: {}", answer.stderr));
    }
    case.check_list();
    case.check_listed(NAME);
    if answer.stderr.contains("env repair") && dice.below(2) == 0 {
        let repair = case.run(&["repair", NAME]);
        case.tell(", repaired");
        if repair.code != Some(0) {
            case.wrong(format!("the way out is none: {}", repair.stderr));
        }
        case.check_running();
    } else {
        take_the_way_out(&mut case, damage, dice, &whole);
    }
    if dice.below(2) == 0 && operation == Operation::Up {
        case.must(&["up", NAME]);
        case.check_running();
    }
    case.end(NAME);
    case
}

/// Applies once more, so that Terraform keeps the state before that.
fn change(case: &mut Case) {
    let main = case.playground.root().join("tf/envs").join(NAME).join("main.tf");
    let text = fs::read_to_string(&main).unwrap();
    let one = "desired_count            = 1";
    assert!(text.contains(one), "{text}");
    fs::write(&main, text.replace(one, "desired_count            = 2")).unwrap();
    case.must(&["up", NAME]);
    case.replicas = 2;
}

fn inflict(case: &mut Case, damage: Damage, dice: &mut Dice, whole: &[u8]) {
    let path = state(case);
    let text = String::from_utf8(whole.to_vec()).unwrap();
    let json = |change: &dyn Fn(&mut Value)| {
        let mut json: Value = serde_json::from_str(&text).unwrap();
        change(&mut json);
        serde_json::to_vec_pretty(&json).unwrap()
    };
    let damaged = match damage {
        Damage::Torn => {
            let length = dice.below(whole.len() as u64 - 2) + 1;
            whole[..usize::try_from(length).unwrap()].to_vec()
        }
        Damage::Garbage => {
            let mut bytes: Vec<u8> =
                whole.iter().map(|_| u8::try_from(dice.below(256)).unwrap()).collect();
            bytes[0] = 0xff;
            bytes
        }
        Damage::NewerFormat => json(&|json| json["version"] = 5.into()),
        Damage::Empty => Vec::new(),
        Damage::ConflictMarkers => {
            let (middle, _) = text.match_indices('\n').nth(3).unwrap();
            let (before, after) = text.split_at(middle + 1);
            format!("{before}<<<<<<< ours\n=======\n>>>>>>> theirs\n{after}").into_bytes()
        }
        Damage::Zeroes => vec![0; whole.len()],
        Damage::OtherLineage => {
            json(&|json| json["lineage"] = "11111111-2222-3333-4444-555555555555".into())
        }
        Damage::OlderSerial => json(&|json| json["serial"] = 1.into()),
        Damage::NewerTerraform => json(&|json| json["terraform_version"] = "99.0.0".into()),
        Damage::Fresh => json(&|json| {
            json["lineage"] = "11111111-2222-3333-4444-555555555555".into();
            json["outputs"] = serde_json::json!({});
            json["resources"] = serde_json::json!([]);
        }),
        Damage::Forbidden => {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
            case.starter = without_privilege();
            return;
        }
        Damage::Directory => {
            fs::remove_file(&path).unwrap();
            fs::create_dir(&path).unwrap();
            return;
        }
        Damage::Missing => {
            fs::remove_file(&path).unwrap();
            return;
        }
    };
    fs::write(&path, damaged).unwrap();
}

/// Does what a person does who was told which file it is.
fn take_the_way_out(case: &mut Case, damage: Damage, dice: &mut Dice, whole: &[u8]) {
    let path = state(case);
    if damage == Damage::Forbidden {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        case.tell(", permitted");
        return;
    }
    // Moved aside first, in any case.
    fs::rename(&path, path.with_extension("aside")).unwrap();
    let backup = path.with_extension("tfstate.backup");
    if dice.below(2) == 0 {
        fs::write(&path, whole).unwrap();
        case.tell(", restored from elsewhere");
    } else if backup.exists() {
        fs::copy(backup, &path).unwrap();
        case.tell(", restored from the backup");
    } else {
        case.tell(", moved aside");
    }
}

/// Root reads whatever it likes, unless it gives that up.
fn without_privilege() -> Vec<&'static str> {
    if rustix::process::geteuid().is_root() {
        vec!["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
    } else {
        Vec::new()
    }
}

fn state(case: &Case) -> PathBuf {
    case.playground.records(NAME).join("terraform.tfstate")
}

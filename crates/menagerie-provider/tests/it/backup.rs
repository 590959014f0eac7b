//! Backup and restore: what was there is there again, or nothing changed.

use crate::harness::{
    Environment, PROVIDER, body, echo_service, entries, finish, has, is_root, kill, psql, until,
};
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Child, Stdio},
    time::Duration,
};

const POSTGRES: &str =
    "resource \"menagerie_database\" \"main\" {\n  name = \"main\"\n  engine = \"postgres\"\n}\n";
const SECRETS: &str = "  secrets = { DATABASE_URL = menagerie_database.main.connection_secret }";

fn path(environment: &Environment, name: &str) -> String {
    environment.root.path().join(name).to_str().unwrap().to_owned()
}

fn start(environment: &Environment, command: &str, option: &str, file: &str) -> Child {
    let mut provider = environment.command(PROVIDER);
    provider.args([command, "--dir", environment.dir.to_str().unwrap(), option, file]);
    provider.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[track_caller]
fn back_up(environment: &Environment, file: &str) -> Value {
    let output = finish(start(environment, "backup", "--output", file)).success();
    serde_json::from_str(&output.stdout).unwrap()
}

#[track_caller]
fn restore(environment: &Environment, file: &str) -> Value {
    let output = finish(start(environment, "restore", "--input", file)).success();
    serde_json::from_str(&output.stdout).unwrap()
}

#[track_caller]
fn refuse(environment: &Environment, command: &str, option: &str, file: &str, says: &[&str]) {
    finish(start(environment, command, option, file)).code(1).says(says);
}

#[test]
fn rows_of_postgres_come_back_and_wrong_files_change_nothing() {
    if !has("terraform") || !has("postgres") || !has("psql") {
        return;
    }
    let environment = Environment::new();
    environment.configure(&(POSTGRES.to_owned() + &echo_service(&[], SECRETS)));
    environment.apply().success();
    psql(&environment, "create table guests (name text); insert into guests values ('otter')");
    let replica = environment.replica(0);
    let backup = path(&environment, "one.backup");
    let made = back_up(&environment, &backup);
    assert_eq!(
        (&made["database"], &made["engine"], &made["note"]),
        (&"main".into(), &"postgres".into(), &Value::Null)
    );
    assert_eq!(made["bytes"], fs::metadata(&backup).unwrap().len());
    assert_eq!(fs::metadata(&backup).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(environment.replica(0), replica, "nothing is ended for a backup");
    refuse(
        &environment,
        "backup",
        "--output",
        &backup,
        &["exists already", "hint: give another name"],
    );
    // PostgreSQL's own tool reads it.
    let mut list = environment.command("pg_restore");
    list.args(["--list", &backup]).stdout(Stdio::piped()).stderr(Stdio::piped());
    finish(list.spawn().unwrap()).success().says(&["TABLE DATA public guests"]);

    psql(&environment, "delete from guests; create table later (id int)");
    // Somebody looks at the database all the time, and it is swapped all the same.
    let secret = environment.attribute("menagerie_database", "connection_secret");
    let url = fs::read_to_string(secret.as_str().unwrap().strip_prefix("file://").unwrap());
    let mut visitor = environment.command("psql");
    visitor.args(["-X", "-c", "select pg_sleep(80)", &url.unwrap()]);
    let visitor = visitor.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let whole = fs::read(&backup).unwrap();
    let torn = path(&environment, "torn");
    for (content, says) in [
        (&whole[..whole.len() / 2], "is no backup of Menagerie, or was cut short"),
        (b"hello\n", "is no backup of Menagerie, or was cut short"),
    ] {
        fs::write(&torn, content).unwrap();
        refuse(&environment, "restore", "--input", &torn, &["nothing was restored", says]);
    }
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    fs::write(&torn, &changed).unwrap();
    refuse(&environment, "restore", "--input", &torn, &["its checksum is another one"]);
    refuse(
        &environment,
        "restore",
        "--input",
        &path(&environment, "none"),
        &["No such file or directory"],
    );
    assert_eq!(psql(&environment, "select count(*) from later"), "0", "nothing changed");
    assert_eq!(environment.replica(0), replica);

    let restored = restore(&environment, &backup);
    assert_eq!((&restored["database"], &restored["note"]), (&"main".into(), &Value::Null));
    finish(visitor).code(2).says(&["terminating connection due to administrator command"]);
    assert_eq!(psql(&environment, "select name from guests"), "otter");
    assert_eq!(
        psql(&environment, "select to_regclass('later') is null"),
        "t",
        "what came later is gone"
    );
    assert_eq!(
        psql(&environment, "select count(*) from pg_database where datname like 'menagerie%'"),
        "0"
    );
    assert_ne!(environment.replica(0), replica, "the service was started anew");
    body(environment.port(), "/pid");
    environment.plan().code(0);
    assert_eq!(
        entries(&environment.dir.join("databases/main"))
            .iter()
            .filter(|name| name.starts_with("tool"))
            .count(),
        0
    );

    let sqlite = Environment::new();
    sqlite.configure(&POSTGRES.replace("postgres", "sqlite"));
    sqlite.apply().success();
    let other = path(&sqlite, "sqlite.backup");
    back_up(&sqlite, &other);
    refuse(
        &environment,
        "restore",
        "--input",
        &other,
        &["of a database with the engine `sqlite`, and `main` has `postgres`"],
    );
    sqlite.destroy().success();
    environment.destroy().success();
    assert!(PathBuf::from(&backup).is_file(), "a backup outlives its database");
    environment.assert_nothing_left();
}

#[test]
fn files_of_sqlite_come_back_together() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    let database = POSTGRES.replace("\"postgres\"", "\"sqlite\"");
    environment.configure(&(database + &echo_service(&[], SECRETS)));
    let dir = environment.dir.to_str().unwrap();
    environment
        .provider(&["backup", "--dir", dir, "--output", "x"])
        .code(1)
        .says(&["there is no database here"]);
    environment.apply().success();
    let file = environment.dir.join("databases/main/data/main.sqlite");
    let wal = environment.dir.join("databases/main/data/main.sqlite-wal");
    fs::write(&file, "pages").unwrap();
    fs::write(&wal, "frames").unwrap();
    let backup = path(&environment, "one.backup");
    back_up(&environment, &backup);
    body(environment.port(), "/pid");
    fs::write(&file, "other pages").unwrap();
    fs::remove_file(&wal).unwrap();
    let replica = environment.replica(0);
    restore(&environment, &backup);
    assert_eq!(fs::read_to_string(&file).unwrap(), "pages");
    assert_eq!(fs::read_to_string(&wal).unwrap(), "frames");
    assert_ne!(environment.replica(0), replica);
    environment.plan().code(0);

    environment
        .provider(&["backup", "--dir", dir, "--database", "other", "--output", "x"])
        .code(1)
        .says(&["there is no database `other`: there is `main`"]);
    kill(environment.supervisor());
    refuse(
        &environment,
        "restore",
        "--input",
        &backup,
        &["nobody supervises the database `main`", "hint: an apply starts"],
    );
    environment.apply().success();
    environment.destroy().success();
    environment.assert_nothing_left();
}

/// Killed at any instant the database holds what it held or what the backup does, and the next restore works.
#[test]
fn killed_in_the_middle_it_holds_the_old_or_the_new() {
    if !has("terraform") || !has("postgres") || !has("psql") {
        return;
    }
    for engine in ["postgres", "sqlite"] {
        let environment = Environment::new();
        let database = POSTGRES.replace("\"postgres\"", &format!("\"{engine}\""));
        environment.configure(&(database + &echo_service(&[], SECRETS)));
        environment.apply().success();
        let file = environment.dir.join("databases/main/data/main.sqlite");
        let write = |text: &str| match engine {
            "postgres" => {
                psql(
                    &environment,
                    &format!(
                        "drop table if exists t; create table t as select '{text}' as v, repeat('x', 1000) from generate_series(1, 2000)"
                    ),
                );
            }
            _ => fs::write(&file, text.repeat(100_000)).unwrap(),
        };
        let read = || match engine {
            "postgres" => psql(&environment, "select distinct v from t"),
            _ => fs::read_to_string(&file).unwrap()[..3].to_owned(),
        };
        write("old");
        let backup = path(&environment, "one.backup");
        back_up(&environment, &backup);
        let mut seen = [0, 0];
        for round in 0..6 {
            write("new");
            let restoring = start(&environment, "restore", "--input", &backup);
            std::thread::sleep(Duration::from_millis(
                round * if engine == "postgres" { 150 } else { 30 },
            ));
            kill(environment.supervisor());
            let output = finish(restoring);
            environment.apply().success();
            let found = read();
            assert!(found == "old" || found == "new", "{engine}: {found}");
            assert!(
                !output.status.success() || found == "old",
                "{engine}: it said that it was restored"
            );
            seen[usize::from(found == "old")] += 1;
        }
        println!("{engine}: not restored {}, restored {}", seen[0], seen[1]);
        write("new");
        let partial = path(&environment, ".two.backup.partial");
        let backing_up =
            start(&environment, "backup", "--output", &path(&environment, "two.backup"));
        kill(environment.supervisor());
        finish(backing_up);
        environment.apply().success();
        // What a killed one left is overwritten.
        if !PathBuf::from(path(&environment, "two.backup")).exists() {
            back_up(&environment, &path(&environment, "two.backup"));
        }
        assert!(!PathBuf::from(&partial).exists());
        restore(&environment, &backup);
        assert_eq!(read(), "old");
        restore(&environment, &path(&environment, "two.backup"));
        assert_eq!(read(), "new");
        until("it runs", || environment.status()["services"][0]["status"] == "running");
        environment.plan().code(0);
        environment.destroy().success();
        environment.assert_nothing_left();
    }
}

#[test]
fn a_full_disk_leaves_no_half_backup() {
    if !has("terraform") || !has("postgres") || !has("psql") {
        return;
    }
    if !is_root() || !cfg!(target_os = "linux") {
        println!("skipped: only root mounts a small disk, on Linux");
        return;
    }
    for engine in ["postgres", "sqlite"] {
        // Two directories: a small one for the backups, an ordinary one for the database.
        let backups = Environment::new();
        let disk = crate::faults::small_disk(&backups);
        let environment = Environment::new();
        environment.configure(&POSTGRES.replace("\"postgres\"", &format!("\"{engine}\"")));
        environment.apply().success();
        if engine == "postgres" {
            psql(
                &environment,
                "create table t as select md5(i::text) from generate_series(1, 20000) i",
            );
        } else {
            let file = environment.dir.join("databases/main/data/main.sqlite");
            fs::write(file, vec![7; 200_000]).unwrap();
        }
        let output = backups.dir.join("one.backup");
        refuse(
            &environment,
            "backup",
            "--output",
            output.to_str().unwrap(),
            &["nothing was backed up", "No space left on device"],
        );
        assert_eq!(entries(&backups.dir), [""; 0]);
        assert_eq!(environment.status()["databases"][0]["status"], "running");
        environment.destroy().success();
        environment.assert_nothing_left();
        drop(disk);
    }
}

//! Validate, plan, apply, no change, drift, heal, import, destroy.

use crate::harness::{
    Environment, body, echo_service, finish, get, has, is_root, kill, psql, until,
};
use std::fs;

const DATABASE: &str = "resource \"menagerie_database\" \"main\" {\n  name = \"main\"\n}\n";
const SECRETS: &str = "  secrets = { DATABASE_URL = menagerie_database.main.connection_secret }";

fn database(engine: &str) -> String {
    DATABASE.replace("\n}", &format!("\n  engine = \"{engine}\"\n}}"))
}

#[test]
fn a_service_with_sqlite_lives_and_goes() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    let lines = format!("  environment = {{ GREETING = \"a \\\"b\\\" $${{c}}\\n\" }}\n{SECRETS}");
    environment.configure(&(database("sqlite") + &echo_service(&[], &lines)));
    environment.terraform(&["validate", "-no-color"]).success();
    let plan = environment.plan().code(2);
    plan.says(&[
        "Plan: 2 to add, 0 to change, 0 to destroy",
        "url = (known after apply)",
        "engine = \"sqlite\"",
    ]);
    assert_eq!(environment.status()["services"], serde_json::json!([]), "a plan starts nothing");
    assert!(environment.status()["supervisor"].is_null());

    environment.apply().success();
    environment.plan().code(0).says(&["No changes."]);
    let port = environment.port();
    assert_eq!(body(port, "/env/GREETING"), "a \"b\" ${c}\n");
    let url = body(port, "/env/DATABASE_URL");
    let file = url.strip_prefix("sqlite://").unwrap();
    assert!(fs::metadata(file).unwrap().is_file());
    assert_eq!(body(port, "/env/MENAGERIE_REPLICA"), "0");
    assert_eq!(
        body(port, "/env/XDG_RUNTIME_DIR"),
        "",
        "the developer's environment is not passed on"
    );

    environment.destroy().success();
    assert!(get(port, "/").is_err());
    environment.assert_nothing_left();
}

#[test]
fn drift_is_shown_and_healed_with_the_data_still_there() {
    if !has("terraform") || !has("postgres") || !has("psql") {
        return;
    }
    let environment = Environment::new();
    environment.configure(&(DATABASE.to_owned() + &echo_service(&[], SECRETS)));
    environment.apply().success();
    environment.plan().code(0);
    assert_eq!(environment.attribute("menagerie_database", "engine"), "postgres");
    psql(&environment, "create table guests (name text); insert into guests values ('otter')");
    let (port, url) = (environment.port(), body(environment.port(), "/env/DATABASE_URL"));
    let password = url.split([':', '@']).nth(2).unwrap();
    assert!(
        password.len() >= 32 && !environment.state().contains(password),
        "the password is in the state"
    );
    if is_root() {
        let status =
            fs::read_to_string(format!("/proc/{}/status", environment.database())).unwrap();
        let uids = status.lines().find(|line| line.starts_with("Uid:")).unwrap();
        assert!(!uids.split_whitespace().any(|uid| uid == "0"), "{uids}");
    }

    // A replica alone: supervision sees to it, and there is no drift.
    let first = environment.replica(0);
    kill(first);
    until("it answers again", || {
        get(port, "/pid").is_ok_and(|(code, pid)| code == 200 && pid != first.to_string())
    });
    environment.plan().code(0);

    // The supervisor alone: everything runs, but nobody sees to it.
    kill(environment.supervisor());
    environment
        .plan()
        .code(2)
        .says(&["\"degraded\" -> \"running\"", "0 to add, 2 to change, 0 to destroy"]);
    environment.apply().success();
    environment.plan().code(0);

    // All of them.
    for pid in [environment.supervisor(), environment.replica(0), environment.database()] {
        kill(pid);
    }
    let plan = environment.plan().code(2);
    plan.says(&[
        "~ status = \"stopped\" -> \"running\"",
        "Plan: 0 to add, 2 to change, 0 to destroy",
    ]);
    assert!(!plan.stdout.contains("known after apply"), "{}", plan.stdout);
    assert!(environment.status()["supervisor"].is_null(), "a plan starts nothing");
    environment.apply().success();
    environment.plan().code(0);
    assert_eq!(environment.port(), port);
    assert_eq!(body(port, "/env/DATABASE_URL"), url);
    assert_eq!(psql(&environment, "select name from guests"), "otter");

    environment.destroy().success();
    environment.assert_nothing_left();
}

#[test]
fn what_runs_is_imported() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    let lines = "  environment = { A = \"b\" }\n  health_check_path = \"/healthz\"";
    environment.configure(&(database("sqlite") + &echo_service(&[], lines)));
    environment.apply().success();
    let replica = environment.replica(0);
    for address in ["menagerie_service.web", "menagerie_database.main"] {
        environment.terraform(&["state", "rm", address]).success();
    }
    let unknown = environment
        .terraform(&["import", "-no-color", "-input=false", "menagerie_service.web", "nobody"])
        .code(1);
    unknown.says(&["there is no service `nobody`"]);
    environment
        .terraform(&["import", "-no-color", "-input=false", "menagerie_service.web", "web"])
        .success();
    environment
        .terraform(&["import", "-no-color", "-input=false", "menagerie_database.main", "main"])
        .success();
    environment.plan().code(0).says(&["No changes."]);
    assert_eq!(environment.replica(0), replica, "nothing was started anew");

    // By import blocks too.
    for address in ["menagerie_service.web", "menagerie_database.main"] {
        environment.terraform(&["state", "rm", address]).success();
    }
    let blocks = "import {\n  to = menagerie_service.web\n  id = \"web\"\n}\nimport {\n  to = menagerie_database.main\n  id = \"main\"\n}\n";
    fs::write(environment.root.path().join("imports.tf"), blocks).unwrap();
    environment.apply().success().says(&["2 imported, 0 added, 0 changed, 0 destroyed"]);

    environment.destroy().success();
    environment.assert_nothing_left();
}

#[test]
fn a_record_that_is_gone_is_planned_anew_and_a_damaged_one_is_an_error() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    environment.configure(&echo_service(&[], ""));
    environment.apply().success();
    kill(environment.supervisor());
    let record = environment.dir.join("services/web/service.json");
    let content = fs::read(&record).unwrap();
    fs::write(&record, "{").unwrap();
    environment.plan().code(1).says(&["failed to read the service `web`", "is damaged"]);
    environment.destroy().code(1).says(&["is damaged"]);
    assert!(
        environment
            .provider(&["down", "--dir", environment.dir.to_str().unwrap()])
            .code(1)
            .stderr
            .contains("is damaged")
    );
    fs::write(&record, content).unwrap();
    environment.down();
    environment.plan().code(2).says(&["Plan: 1 to add, 0 to change, 0 to destroy"]);
    environment.destroy().success();
    environment.assert_nothing_left();
}

#[test]
fn a_half_made_cluster_is_made_anew_and_a_whole_one_never() {
    if !has("terraform") || !has("postgres") {
        return;
    }
    let environment = Environment::new();
    environment.configure(DATABASE);
    let server = environment.serve();
    let terraform = environment
        .start_terraform(&server, &["apply", "-auto-approve", "-no-color", "-input=false"]);
    let cluster = || {
        let record = fs::read(environment.dir.join("databases/main/database.json")).ok()?;
        let record: serde_json::Value = serde_json::from_slice(&record).ok()?;
        Some((
            std::path::PathBuf::from(record["data"].as_str()?).join("cluster"),
            record["initialised"] == true,
        ))
    };
    until("initdb works", || cluster().is_some_and(|(cluster, _)| cluster.join("base").is_dir()));
    kill(environment.supervisor());
    finish(terraform).code(1);
    server.close();
    let (cluster, initialised) = cluster().unwrap();
    if !initialised {
        // What the second attempt must not be misled by.
        fs::write(cluster.join("rubbish"), "half").unwrap();
    }
    environment.apply().success();
    environment.plan().code(0);
    assert!(!cluster.join("rubbish").exists());

    for pid in [environment.supervisor(), environment.database()] {
        kill(pid);
    }
    let aside = cluster.with_file_name("aside");
    fs::rename(&cluster, &aside).unwrap();
    environment
        .apply()
        .code(1)
        .says(&["the database `main` does not run", "the data of the database is gone"]);
    assert!(!cluster.exists(), "data is never replaced by an empty database");
    fs::rename(&aside, &cluster).unwrap();
    environment.apply().success();
    environment.destroy().success();
    environment.assert_nothing_left();
}

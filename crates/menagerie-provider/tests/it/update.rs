//! Changes in place, and what replaces.

use crate::harness::{Environment, body, echo_service, get, has, service, until};
use std::{fs, os::unix::fs::PermissionsExt as _};

#[test]
fn settings_change_in_place_and_the_port_stays() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    environment.configure(&echo_service(&[], "  environment = { A = \"one\" }"));
    environment.apply().success();
    let port = environment.port();

    environment.configure(&echo_service(&[], "  environment = { A = \"two\" }\n  replicas = 3"));
    environment
        .plan()
        .code(2)
        .says(&["~ replicas = 1 -> 3", "0 to add, 1 to change, 0 to destroy"]);
    environment.apply().success();
    assert_eq!((environment.port(), body(port, "/env/A").as_str()), (port, "two"));
    let seen = || {
        (0..6)
            .map(|_| body(port, "/env/MENAGERIE_REPLICA"))
            .collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(seen().len(), 3, "connections are spread over the replicas");

    // Without its lines: back to the defaults, not to what was.
    environment.configure(&echo_service(&[], ""));
    environment.plan().code(2).says(&["~ replicas = 3 -> 1", "- environment ="]);
    environment.apply().success();
    environment.plan().code(0);
    assert_eq!(body(port, "/env/A"), "");
    assert_eq!(environment.status()["services"][0]["replicas"].as_array().unwrap().len(), 1);

    environment.configure(&echo_service(&[], "  replicas = 0"));
    environment.apply().success();
    environment.plan().code(0);
    assert_eq!(get(port, "/").unwrap().0, 503);

    environment.destroy().success();
    environment.assert_nothing_left();
}

#[test]
fn a_fixed_port_moves_in_place_and_another_name_replaces() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    environment.configure(&echo_service(&[], ""));
    environment.apply().success();
    let first = environment.port();
    let second = free_port();
    environment.configure(&echo_service(&[], &format!("  port = {second}")));
    environment.plan().code(2).says(&["0 to add, 1 to change, 0 to destroy"]);
    environment.apply().success();
    assert_eq!(environment.port(), second);
    body(second, "/pid");
    until("the old port is closed", || get(first, "/pid").is_err());
    let renamed = echo_service(&[], "").replace("name = \"web\"", "name = \"api\"");
    environment.configure(&renamed);
    environment
        .plan()
        .code(2)
        .says(&["must be replaced", "name = \"web\" -> \"api\" # forces replacement"]);
    environment.apply().success();
    assert_eq!(environment.status()["services"][0]["name"], "api");
    environment.destroy().success();
    environment.assert_nothing_left();
}

#[test]
fn a_broken_revision_stops_at_its_first_replica() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    environment.configure(&echo_service(&[], "  replicas = 2"));
    environment.apply().success();
    let port = environment.port();
    environment.configure(&echo_service(&["fail"], "  replicas = 2"));
    environment.apply().code(1).says(&[
        "the service `web` does not run",
        "ended with exit status: 3",
        "echo fails as told",
    ]);
    body(port, "/pid");
    environment.plan().code(2).says(&["\"degraded\" -> \"running\""]);
    environment.configure(&echo_service(&[], "  replicas = 2"));
    environment.apply().success();
    environment.plan().code(0);
    environment.destroy().success();
    environment.assert_nothing_left();
}

#[test]
fn a_new_secret_behind_the_same_reference_restarts() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    let secret = environment.root.path().join("a secret");
    fs::write(&secret, "one\n").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    let reference = format!("file://{}", secret.to_str().unwrap().replace(' ', "%20"));
    let configuration = |line: &str| {
        echo_service(&[], &format!("  secrets = {{ TOKEN = \"{reference}\" }}\n{line}"))
    };
    environment.configure(&configuration(""));
    environment
        .apply()
        .code(1)
        .says(&["the secret for `TOKEN`", "is readable by others: its mode is 644, not 600"]);
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    environment.apply().success();
    assert_eq!(body(environment.port(), "/env/TOKEN"), "one");
    fs::write(&secret, "two\n").unwrap();
    environment.configure(&configuration("  replicas = 2"));
    environment.apply().success();
    assert_eq!(body(environment.port(), "/env/TOKEN"), "two");
    assert_eq!(body(environment.port(), "/env/TOKEN"), "two");
    assert!(!environment.state().contains("two"));
    environment.destroy().success();
    environment.assert_nothing_left();
}

#[test]
fn wrong_configurations_are_refused_where_they_stand() {
    if !has("terraform") {
        return;
    }
    let environment = Environment::new();
    let check = |configuration: &str, expected: &[&str]| {
        environment.configure(configuration);
        environment.terraform(&["validate", "-no-color"]).code(1).says(expected);
    };
    check(&service("  command = []"), &["invalid command", "the command is empty"]);
    check(&service("  command = [\"./app\"]"), &["`./app` is relative"]);
    check(&echo_service(&[], "  port = 80"), &["port = 80", "from 1024 to 65535"]);
    check(&echo_service(&[], "  replicas = 21"), &["replicas = 21", "from 0 to 20"]);
    check(&echo_service(&[], "  health_check_path = \"healthz\""), &["begins with `/`"]);
    check(&echo_service(&[], "  secrets = { A = \"hunter2\" }"), &["`hunter2` is no reference"]);
    check(
        &echo_service(&[], "  environment = { PORT = \"1\" }"),
        &["`PORT` is set by the provider"],
    );
    check(&echo_service(&[], "").replace("\"web\"\n", "\"../web\"\n"), &["`../web` is no name"]);
    check(
        "resource \"menagerie_database\" \"main\" {\n  name = \"main\"\n  engine = \"mysql\"\n}\n",
        &["`mysql` is no engine"],
    );
    // What is unknown until apply passes, and is judged then.
    let late = "resource \"terraform_data\" \"port\" {\n  input = 80\n}\n".to_owned()
        + &echo_service(&[], "  port = terraform_data.port.output");
    environment.configure(&late);
    environment.terraform(&["validate", "-no-color"]).success();
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

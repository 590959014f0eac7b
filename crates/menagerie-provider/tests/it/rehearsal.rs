//! Rehearsals with the real Terraform: what is planned, made, changed and removed, and what goes wrong on request.

mod faults;
mod law;
mod lifecycle;
mod validation;

use crate::harness::{Environment, Output, Server, finish};
use serde_json::{Value, json};
use std::fs;

/// One root module, and the server that stands in for its providers.
struct Rehearsal {
    environment: Environment,
    server: Server,
}

impl Rehearsal {
    fn new(options: &[&str]) -> Self {
        let environment = Environment::new();
        let server = environment.rehearse(options);
        Self { environment, server }
    }

    /// Starts another server over the same world.
    fn again(self, options: &[&str]) -> Self {
        let Self { environment, server } = self;
        server.close();
        let server = environment.rehearse(options);
        Self { environment, server }
    }

    /// Writes the root module, below the two providers that most tests use.
    fn configure(&self, text: &str) {
        let head = "terraform {\n  required_providers {\n    aws        = { source = \"hashicorp/aws\" }\n    kubernetes = { source = \"hashicorp/kubernetes\" }\n  }\n}\nprovider \"aws\" {\n  region = \"eu-west-1\"\n  default_tags {\n    tags = { environment = \"calm-otter\" }\n  }\n}\n";
        self.write("main.tf", &format!("{head}{text}"));
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.environment.root.path().join(name), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut all = arguments.to_vec();
        all.push("-no-color");
        finish(self.environment.start_terraform(&self.server, &all))
    }

    fn apply(&self) -> Output {
        self.run(&["apply", "-auto-approve", "-input=false"])
    }

    fn destroy(&self) -> Output {
        self.run(&["destroy", "-auto-approve", "-input=false"])
    }

    /// Exits with 2 when there are changes.
    fn plan(&self) -> Output {
        self.run(&["plan", "-detailed-exitcode", "-input=false"])
    }

    /// Returns what exists.
    fn world(&self) -> Value {
        let text = fs::read(self.environment.dir.join("world.json"));
        text.map_or(json!({}), |text| {
            serde_json::from_slice::<Value>(&text).unwrap()["resources"].take()
        })
    }

    fn change_world(&self, change: impl FnOnce(&mut Value)) {
        let path = self.environment.dir.join("world.json");
        let mut world = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut world);
        fs::write(path, world.to_string()).unwrap();
    }

    /// Returns what the state names, by address.
    fn state(&self) -> Value {
        let shown = self.run(&["show", "-json"]).success();
        let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
        let resources = shown["values"]["root_module"]["resources"].as_array().cloned();
        let resources =
            resources.unwrap_or_default().into_iter().filter(|found| found["mode"] == "managed");
        resources
            .map(|found| (found["address"].as_str().unwrap().to_owned(), found["values"].clone()))
            .collect()
    }

    /// Asserts that state and world name the same things.
    #[track_caller]
    fn assert_agreement(&self) {
        let (state, world) = (self.state(), self.world());
        let ids = |objects: &Value| {
            let objects = objects.as_object().unwrap().values();
            let mut ids: Vec<_> = objects.map(|found| found["id"].to_string()).collect();
            ids.sort_unstable();
            ids
        };
        assert_eq!(ids(&state), ids(&world), "{state:#}\n{world:#}");
    }

    #[track_caller]
    fn close(self) {
        self.server.close();
    }
}

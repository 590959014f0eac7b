//! `kill -9` at random instants: the next run finishes the job, and nothing runs that is not recorded.

use crate::harness::{Environment, body, echo_service, finish, has, kill};
use std::{env, thread::sleep, time::Duration};

/// A small generator: a seed names a run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[derive(Clone, Copy, Debug)]
enum Victim {
    Terraform,
    Serve,
    Supervisor,
}

#[test]
fn killed_at_random_instants_the_next_run_finishes() {
    if !has("terraform") || !has("postgres") {
        return;
    }
    let seeds: u64 = env::var("MENAGERIE_SEEDS")
        .map_or(3, |text| text.parse().expect("MENAGERIE_SEEDS is a number"));
    for seed in 1..=seeds {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let environment = Environment::new();
        environment.configure(
            &("resource \"menagerie_database\" \"main\" {\n  name = \"main\"\n}\n".to_owned()
                + &echo_service(&["slow=100"], "  replicas = 2\n  secrets = { DATABASE_URL = menagerie_database.main.connection_secret }")),
        );
        println!("seed {seed}: apply, {:?}", disturb(&environment, "apply", &mut random, 1200));
        environment.apply().success();
        environment.plan().code(0);
        assert!(body(environment.port(), "/env/DATABASE_URL").starts_with("postgres://"));
        println!("seed {seed}: destroy, {:?}", disturb(&environment, "destroy", &mut random, 300));
        // The record of what is left is enough, whether or not Terraform's state still knows it.
        environment.apply().success();
        println!("seed {seed}: destroy, {:?}", disturb(&environment, "destroy", &mut random, 300));
        environment.destroy().success();
        environment.down();
        environment.assert_nothing_left();
    }
}

/// Starts a run and kills one of its processes after a while.
fn disturb(
    environment: &Environment,
    command: &str,
    random: &mut Random,
    longest: u64,
) -> (Victim, u64) {
    let pause = random.below(longest);
    let victim = [Victim::Terraform, Victim::Serve, Victim::Supervisor]
        [usize::try_from(random.below(3)).unwrap()];
    let mut server = environment.serve();
    let mut terraform = environment
        .start_terraform(&server, &[command, "-auto-approve", "-no-color", "-input=false"]);
    sleep(Duration::from_millis(pause));
    match victim {
        Victim::Terraform => {
            let _ = terraform.kill();
        }
        Victim::Serve => {
            let _ = server.child.kill();
        }
        Victim::Supervisor => {
            // Asking would wait for it: its own record says who it is.
            if let Ok(record) = std::fs::read(environment.dir.join("supervisor.json")) {
                let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
                let pid = i32::try_from(record["identity"]["pid"].as_i64().unwrap()).unwrap();
                if std::path::Path::new(&format!("/proc/{pid}")).exists() {
                    kill(pid);
                }
            }
        }
    }
    finish(terraform);
    drop(server.child.stdin.take());
    (victim, pause)
}

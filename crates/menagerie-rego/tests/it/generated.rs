//! Random policies over random plans.

use serde_json::json;

use crate::dice::Dice;
use crate::engines::{Tally, ours, policy, theirs};
use crate::opa::Opa;
use crate::plans::plan;
use crate::policies::{self, NAMES};
use crate::seeds;

#[test]
fn random_policies_say_the_same_in_both_syntaxes() {
    let Some(mut opa) = Opa::start() else { return };
    let mut tally = Tally::default();
    let (mut refused, mut wrong) = (0, Vec::new());
    for seed in seeds(100) {
        let dice = &mut Dice::new(seed);
        let texts = policies::policy(dice);
        // This OPA knows the newer syntax only; the older one means the same.
        if let Err(error) = opa.load(&[("policy.rego", &texts.v1)], &json!({})) {
            eprintln!("seed {seed}: OPA refuses the policy: {error}");
            refused += 1;
            continue;
        }
        let versions = [&texts.v0, &texts.v1].map(|text| policy(&[("policy.rego", text)]));
        let versions: Vec<_> = versions
            .into_iter()
            .map(|policy| policy.map_err(|error| wrong.push(format!("seed {seed}: {error}"))).ok())
            .collect();
        for number in 0..4 {
            let plan = plan(dice, number == 3).to_string();
            let theirs = theirs(&mut opa, "main", &NAMES, &plan);
            for (version, policy) in versions.iter().enumerate() {
                let Some(policy) = policy else { continue };
                let ours = ours(policy, "main", &NAMES, &plan);
                for ((name, ours), theirs) in NAMES.iter().zip(&ours).zip(&theirs) {
                    let what = format!("seed {seed}, plan {number}, v{version}, {name}");
                    tally.count(ours, theirs, what);
                }
            }
        }
    }
    tally.end("random policies", 1_500);
    assert!(
        wrong.is_empty(),
        "what OPA compiles is refused {} times:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(refused <= 2, "OPA refuses {refused} policies");
}

//! Native rules against the same rules in Rego, which OPA evaluates: two engines that share nothing.

use std::collections::BTreeSet;
use std::path::Path;

use menagerie_compliance::{Input, Rule, Verdict, judge};
use serde_json::json;

use crate::dice::Dice;
use crate::opa::Opa;
use crate::pairs::pair;
use crate::plans::plan;
use crate::seeds;

#[test]
fn native_rules_say_what_they_say_in_rego() {
    let Some(mut opa) = Opa::start() else { return };
    let (mut failed, mut passed) = (0, 0);
    for seed in seeds(150) {
        let dice = &mut Dice::new(seed);
        let pair = pair(dice);
        let text = &pair.native;
        let rule = Rule::parse(text, Path::new("rule.toml"))
            .unwrap_or_else(|error| panic!("seed {seed}: {error}\n{text}"));
        opa.load(&[("pair.rego", &pair.rego)], &json!({}))
            .unwrap_or_else(|error| panic!("seed {seed}: {error}\n{}", pair.rego));
        for _ in 0..5 {
            // What has another type than a rule can ask for is an error natively, and only undefined in Rego.
            let plan = plan(dice, false).to_string();
            let wrong = opa
                .ask("data.pair.wrong", &plan)
                .unwrap_or_else(|error| panic!("seed {seed}: {error}\n{}", pair.rego));
            let theirs: BTreeSet<&str> = wrong
                .as_array()
                .into_iter()
                .flatten()
                .map(|address| address.as_str().expect("addresses are texts"))
                .collect();
            let input = Input { plan: Some(plan.as_bytes()), ..Input::default() };
            let evaluation = judge(&[&rule], &input).expect("it is a plan");
            let ours: BTreeSet<&str> = evaluation
                .findings
                .iter()
                .map(|finding| {
                    assert_eq!(finding.verdict, Verdict::Fail, "seed {seed}: {finding:?}\n{text}");
                    finding.address.as_deref().expect("it is about a resource")
                })
                .collect();
            assert_eq!(ours, theirs, "seed {seed}\n{text}\n{}\n{plan}", pair.rego);
            failed += ours.len();
            passed += evaluation.coverage[0].examined - ours.len();
        }
    }
    eprintln!("native rules: {failed} resources failed, {passed} passed");
    assert!(failed >= 200 && passed >= 200, "this shows little");
}

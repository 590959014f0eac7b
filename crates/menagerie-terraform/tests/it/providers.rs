//! Providers, as far as nothing is downloaded.

use menagerie_terraform::{Ended, ProvidersLockOptions, ProvidersMirrorOptions};

use crate::support::{Root, done, ignore};

const ELSEWHERE: &str = r#"
terraform {
  required_providers {
    elsewhere = {
      source = "registry.invalid/example/elsewhere"
    }
  }
}
"#;

#[test]
fn a_schema_of_what_is_built_in() {
    let Some(root) = Root::new("resource \"terraform_data\" \"web\" {}\n") else { return };
    let schema = root.workdir.providers_schema(&root.terraform, &mut ignore, &root.cancel);
    let schema: serde_json::Value = serde_json::from_slice(&done(schema.unwrap())).unwrap();
    assert!(
        schema["provider_schemas"]["terraform.io/builtin/terraform"]["resource_schemas"]
            ["terraform_data"]
            .is_object()
    );
}

#[test]
fn nothing_to_lock() {
    let Some(root) = Root::new("resource \"terraform_data\" \"web\" {}\n") else { return };
    let options = ProvidersLockOptions::default();
    done(
        root.workdir.providers_lock(&root.terraform, &options, &mut ignore, &root.cancel).unwrap(),
    );
}

#[test]
fn what_cannot_be_had_is_named() {
    let Some(root) = Root::new(ELSEWHERE) else { return };
    let options = ProvidersLockOptions {
        filesystem_mirror: Some(root.beside("absent")),
        platforms: vec!["linux_amd64".into()],
        ..ProvidersLockOptions::default()
    };
    let locked =
        root.workdir.providers_lock(&root.terraform, &options, &mut ignore, &root.cancel).unwrap();
    let Ended::Failed(failure) = locked else { panic!("there is no such mirror") };
    assert!(failure.to_string().contains("Could not retrieve providers for locking"), "{failure}");
    assert!(!root.workdir.directory.join(".terraform.lock.hcl").exists());

    let target = root.beside("mirror");
    let options = ProvidersMirrorOptions { target, ..ProvidersMirrorOptions::default() };
    let mirrored = root
        .workdir
        .providers_mirror(&root.terraform, &options, &mut ignore, &root.cancel)
        .unwrap();
    let Ended::Failed(failure) = mirrored else { panic!("there is no such registry") };
    assert!(failure.to_string().contains("Provider not available"), "{failure}");

    let schema = root.workdir.providers_schema(&root.terraform, &mut ignore, &root.cancel).unwrap();
    assert!(matches!(schema, Ended::NeedsInit(_)), "{schema}");
}

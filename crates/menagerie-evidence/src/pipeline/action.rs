//! Actions of this repository: `action.yml` below `.github`, or at the root.

use super::{Document, step};
use crate::Evidence;
use crate::fields::Fields;
use crate::image::ImageName;
use crate::yaml::Node;

pub(super) fn read(document: &Document<'_>, evidence: &mut Evidence) {
    let Some(runs) = document.root.get("runs").filter(|runs| runs.entries().is_some()) else {
        document.refuse(evidence, document.root, "an action says in `runs` what it does");
        return;
    };
    let mut fields = Fields::default();
    fields.set("name", document.root.get("name").and_then(Node::text));
    fields.set("using", runs.get("using").and_then(Node::text));
    let image = runs.get("image").and_then(Node::text);
    fields.set("image", image);
    // A path of this repository is of the same commit as the action.
    let remote = image.and_then(|image| image.strip_prefix("docker://"));
    fields.set("is_pinned", remote.is_none_or(|image| ImageName::parse(image).is_pinned()));
    let (key, _) = document.root.entry("runs").expect("it was there a moment ago");
    document.add(evidence, ("action", "action"), fields, &key.span);
    if let Some(steps) = runs.get("steps") {
        step::read(document, evidence, "runs", steps);
    }
}

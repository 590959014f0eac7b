//! Names that were mistyped.

/// Returns the name that is near enough to be what was meant.
pub(crate) fn near<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.into_iter().map(|known| (strsim::osa_distance(name, known), known));
    near.min().filter(|(distance, _)| *distance <= (name.len() / 4).max(1)).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Option<&str>) {
        assert_eq!(near(name, ["aws_vpc", "aws_subnet", "aws_ecs_service"]), expected);
    }

    #[test]
    fn what_was_meant() {
        check("aws_subnets", Some("aws_subnet"));
        check("aws_esc_service", Some("aws_ecs_service"));
        check("aws_vcp", Some("aws_vpc"));
        check("google_project", None);
        check("", None);
    }
}

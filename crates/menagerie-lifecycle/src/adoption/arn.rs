//! What a name of AWS, an ARN, is to Terraform: a type, and the id that its import wants.

/// Returns type and id of an object; none for what this does not know.
///
/// The ids are those of the provider's own pages, section "Import": <https://registry.terraform.io/providers/hashicorp/aws/latest/docs>.
pub(super) fn resource(arn: &str) -> Option<(&'static str, String)> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let &["arn", _, service, _, _, resource] = &parts[..] else { return None };
    let (kind, name) = resource.split_once(['/', ':']).unwrap_or(("", resource));
    let found = match (service, kind) {
        ("ec2", _) => (ec2(kind)?, name),
        ("ecs", "cluster") => ("aws_ecs_cluster", name),
        // Without the cluster in it, as it was until 2018, it can't be imported.
        ("ecs", "service") if name.contains('/') => ("aws_ecs_service", name),
        ("ecs", "task-definition") => ("aws_ecs_task_definition", arn),
        ("ecr", "repository") => ("aws_ecr_repository", name),
        ("eks", "cluster") => ("aws_eks_cluster", name),
        ("elasticloadbalancing", "targetgroup") => ("aws_lb_target_group", arn),
        ("elasticloadbalancing", "loadbalancer")
            if name.starts_with("app/") || name.starts_with("net/") =>
        {
            ("aws_lb", arn)
        }
        ("elasticloadbalancing", "listener") => ("aws_lb_listener", arn),
        ("elasticloadbalancing", "listener-rule") => ("aws_lb_listener_rule", arn),
        ("rds", "db") => ("aws_db_instance", name),
        ("rds", "subgrp") => ("aws_db_subnet_group", name),
        ("rds", "pg") => ("aws_db_parameter_group", name),
        ("s3", "") => ("aws_s3_bucket", name),
        ("logs", "log-group") => ("aws_cloudwatch_log_group", name.trim_end_matches(":*")),
        ("cloudwatch", "alarm") => ("aws_cloudwatch_metric_alarm", name),
        ("kms", "key") => ("aws_kms_key", name),
        ("secretsmanager", "secret") => ("aws_secretsmanager_secret", arn),
        ("sns", "") => ("aws_sns_topic", arn),
        ("iam", "role") => ("aws_iam_role", name.rsplit('/').next()?),
        _ => return None,
    };
    Some((found.0, found.1.to_owned()))
}

fn ec2(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "elastic-ip" => "aws_eip",
        "instance" => "aws_instance",
        "internet-gateway" => "aws_internet_gateway",
        "launch-template" => "aws_launch_template",
        "natgateway" => "aws_nat_gateway",
        "route-table" => "aws_route_table",
        "security-group" => "aws_security_group",
        "subnet" => "aws_subnet",
        "vpc" => "aws_vpc",
        "vpc-endpoint" => "aws_vpc_endpoint",
        "vpc-flow-log" => "aws_flow_log",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(arn: &str, expected: Option<(&str, &str)>) {
        let found = resource(arn);
        assert_eq!(found.as_ref().map(|(kind, id)| (*kind, &**id)), expected, "{arn}");
    }

    #[test]
    fn what_it_is_to_terraform() {
        check("arn:aws:ec2:eu-central-1:123456789012:vpc/vpc-1", Some(("aws_vpc", "vpc-1")));
        check("arn:aws:s3:::shop-files", Some(("aws_s3_bucket", "shop-files")));
        let service = "arn:aws:ecs:eu-central-1:123456789012:service/shop/web";
        check(service, Some(("aws_ecs_service", "shop/web")));
        check("arn:aws:ecs:eu-central-1:123456789012:service/web", None);
        check("arn:aws:rds:eu-central-1:123456789012:db:shop", Some(("aws_db_instance", "shop")));
        let group = "arn:aws:logs:eu-central-1:123456789012:log-group:/shop/web:*";
        check(group, Some(("aws_cloudwatch_log_group", "/shop/web")));
        let balancer =
            "arn:aws-cn:elasticloadbalancing:cn-north-1:123456789012:loadbalancer/app/shop/0a1b";
        check(balancer, Some(("aws_lb", balancer)));
        check("arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/classic", None);
        let secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/db-AbCdEf";
        check(secret, Some(("aws_secretsmanager_secret", secret)));
        let topic = "arn:aws:sns:eu-central-1:123456789012:alarms";
        check(topic, Some(("aws_sns_topic", topic)));
        check("arn:aws:iam::123456789012:role/team/shop", Some(("aws_iam_role", "shop")));
        check("arn:aws:glacier:eu-central-1:123456789012:vaults/x", None);
        check("vpc-1", None);
        check("", None);
    }
}

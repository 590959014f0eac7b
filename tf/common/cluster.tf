# The EKS cluster that environments share, in auto mode: AWS makes and replaces the nodes, and its controllers make load
# balancers and volumes. One takes a quarter of an hour to make, so environments have namespaces, not clusters.
locals {
  cluster_policies = ["AmazonEKSBlockStoragePolicy", "AmazonEKSClusterPolicy", "AmazonEKSComputePolicy", "AmazonEKSLoadBalancingPolicy", "AmazonEKSNetworkingPolicy"]
  node_policies    = ["AmazonEC2ContainerRegistryPullOnly", "AmazonEKSWorkerNodeMinimalPolicy"]

  # Environments make namespaces, which is the cluster's administrator's to do. Who plans reads no secrets.
  cluster_access = { plan = "AmazonEKSViewPolicy", apply = "AmazonEKSClusterAdminPolicy", production = "AmazonEKSClusterAdminPolicy" }
}

resource "aws_iam_role" "cluster" {
  count = var.eks == null ? 0 : 1

  name        = "${var.name}-cluster"
  path        = local.role_path
  description = "Control plane of the EKS cluster ${var.name}"

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["sts:AssumeRole", "sts:TagSession"], Principal = { Service = "eks.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy_attachment" "cluster" {
  for_each = toset(var.eks == null ? [] : local.cluster_policies)

  role       = aws_iam_role.cluster[0].name
  policy_arn = "${local.arn}:iam::aws:policy/${each.value}"
}

# The cluster encrypts Kubernetes' secrets with the key.
resource "aws_iam_role_policy" "cluster" {
  count = var.eks == null ? 0 : 1

  name = "use-key"
  role = aws_iam_role.cluster[0].id

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["kms:Encrypt", "kms:Decrypt", "kms:ListGrants", "kms:DescribeKey"], Resource = [aws_kms_key.this.arn] }]
  })
}

resource "aws_iam_role" "node" {
  count = var.eks == null ? 0 : 1

  name        = "${var.name}-node"
  path        = local.role_path
  description = "Nodes of the EKS cluster ${var.name}"

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = toset(var.eks == null ? [] : local.node_policies)

  role       = aws_iam_role.node[0].name
  policy_arn = "${local.arn}:iam::aws:policy/${each.value}"
}

resource "aws_cloudwatch_log_group" "cluster" {
  count = var.eks == null ? 0 : 1

  name              = "/aws/eks/${var.name}/cluster"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this.arn
}

resource "aws_eks_cluster" "this" {
  count = var.eks == null ? 0 : 1

  name                          = var.name
  version                       = var.eks.version
  role_arn                      = aws_iam_role.cluster[0].arn
  bootstrap_self_managed_addons = false
  deletion_protection           = true
  enabled_cluster_log_types     = ["api", "audit", "authenticator"]

  access_config {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = false
  }

  compute_config {
    enabled       = true
    node_pools    = ["general-purpose", "system"]
    node_role_arn = aws_iam_role.node[0].arn
  }

  kubernetes_network_config {
    elastic_load_balancing {
      enabled = true
    }
  }

  storage_config {
    block_storage {
      enabled = true
    }
  }

  encryption_config {
    resources = ["secrets"]

    provider {
      key_arn = aws_kms_key.this.arn
    }
  }

  vpc_config {
    subnet_ids              = module.vpc.private_subnet_ids
    endpoint_private_access = true
    endpoint_public_access  = length(var.eks.public_access_cidrs) > 0
    public_access_cidrs     = length(var.eks.public_access_cidrs) > 0 ? var.eks.public_access_cidrs : null
  }

  upgrade_policy {
    support_type = "STANDARD"
  }

  depends_on = [aws_iam_role_policy.cluster, aws_iam_role_policy_attachment.cluster, aws_iam_role_policy_attachment.node, aws_cloudwatch_log_group.cluster]
}

resource "aws_eks_access_entry" "github" {
  for_each = var.eks == null ? {} : local.cluster_access

  cluster_name  = aws_eks_cluster.this[0].name
  principal_arn = aws_iam_role.github[each.key].arn
}

resource "aws_eks_access_policy_association" "github" {
  for_each = aws_eks_access_entry.github

  cluster_name  = each.value.cluster_name
  principal_arn = each.value.principal_arn
  policy_arn    = "${local.arn}:eks::aws:cluster-access-policy/${local.cluster_access[each.key]}"

  access_scope {
    type = "cluster"
  }
}

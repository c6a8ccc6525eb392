resource "aws_eks_cluster" "main" {
  name     = local.name
  role_arn = aws_iam_role.cluster.arn
  version  = "1.34"

  access_config {
    authentication_mode = "API"
  }

  vpc_config {
    subnet_ids              = [for subnet in aws_subnet.services : subnet.id]
    endpoint_private_access = true
    endpoint_public_access  = false
  }

  encryption_config {
    resources = ["secrets"]

    provider {
      key_arn = aws_kms_key.cluster.arn
    }
  }

  enabled_cluster_log_types = ["api", "audit", "authenticator"]
}

resource "aws_kms_key" "cluster" {
  description             = "secrets of the cluster"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_eks_node_group" "general" {
  cluster_name    = aws_eks_cluster.main.name
  node_group_name = "general"
  node_role_arn   = aws_iam_role.nodes.arn
  subnet_ids      = [for subnet in aws_subnet.services : subnet.id]
  instance_types  = ["m7g.large"]

  scaling_config {
    min_size     = 3
    max_size     = 9
    desired_size = 3
  }

  launch_template {
    id      = aws_launch_template.nodes.id
    version = aws_launch_template.nodes.latest_version
  }
}

resource "aws_launch_template" "nodes" {
  name_prefix            = "${local.name}-nodes-"
  vpc_security_group_ids = [aws_security_group.nodes.id]

  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_size = 50
      encrypted   = true
    }
  }
}

resource "aws_eks_pod_identity_association" "orders_api" {
  cluster_name    = aws_eks_cluster.main.name
  namespace       = "shop"
  service_account = "orders-api"
  role_arn        = aws_iam_role.orders_api.arn
}

resource "aws_eks_pod_identity_association" "payments_worker" {
  cluster_name    = aws_eks_cluster.main.name
  namespace       = "shop"
  service_account = "payments-worker"
  role_arn        = aws_iam_role.payments_worker.arn
}

resource "aws_eks_access_entry" "developers" {
  cluster_name  = aws_eks_cluster.main.name
  principal_arn = "arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/developers"
}

resource "aws_eks_access_policy_association" "developers" {
  cluster_name  = aws_eks_cluster.main.name
  principal_arn = aws_eks_access_entry.developers.principal_arn
  policy_arn    = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"

  access_scope {
    type       = "namespace"
    namespaces = ["shop"]
  }
}

resource "aws_ecr_repository" "service" {
  for_each = toset(["storefront", "orders-api", "customers-api", "payments-worker"])

  name                 = "shop/${each.key}"
  image_tag_mutability = "IMMUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }
}

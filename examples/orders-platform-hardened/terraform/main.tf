terraform {
  required_version = ">= 1.7"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }

  backend "s3" {
    bucket       = "shop-terraform-state"
    key          = "orders-platform/terraform.tfstate"
    region       = "eu-central-1"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      system      = "orders-platform"
      environment = var.environment
    }
  }
}

data "aws_caller_identity" "current" {}

locals {
  name = "orders-${var.environment}"
  azs  = ["${var.region}a", "${var.region}b"]
}

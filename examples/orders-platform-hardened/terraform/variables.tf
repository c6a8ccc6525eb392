variable "region" {
  type    = string
  default = "eu-central-1"
}

variable "environment" {
  type    = string
  default = "prod"
}

variable "vpc_cidr" {
  type    = string
  default = "10.40.0.0/16"
}

variable "office_cidr" {
  description = "Where administrators come from. Set per environment in the pipeline."
  type        = string
}

variable "partner_api_throttle" {
  description = "Requests per second of one partner route."
  type        = number
  default     = 50
}

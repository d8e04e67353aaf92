# Tears down a machine with an account on it: their sessions are terminated before
# both are destroyed.

terraform {
  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

# Configured by SENHASEGURA_URL, SENHASEGURA_CLIENT_ID, and SENHASEGURA_CLIENT_SECRET.
provider "senhasegura" {}

variable "grace_period" {
  description = "How long to wait for sessions to end on their own before terminating them."
  type        = string
  default     = "10m"
}

# Stand for the machine and for an account on it.
resource "terraform_data" "machine" {
  input = "db-01.example.com"
}

resource "terraform_data" "account" {
  input = {
    name    = "root"
    machine = terraform_data.machine.id
  }
}

# It references both, so Terraform destroys the drain first.
resource "senhasegura_session_drain" "machine" {
  match = {
    devices = [terraform_data.machine.output]
  }
  exclude = {
    users = ["breakglass"]
  }
  on_excluded = "continue" # they stay connected while the machine is destroyed
  triggers = {
    machine = terraform_data.machine.id
    account = terraform_data.account.id
  }
  grace_period = var.grace_period
  max_sessions = 50

  # Includes the grace period.
  timeouts = {
    delete = "20m"
  }
}

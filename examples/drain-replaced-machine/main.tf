# Drains a machine before it is replaced under the same name.

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

variable "image" {
  description = "Image of the machine. Changing it replaces the machine; its name stays."
  type        = string
}

# Stands for the machine.
resource "terraform_data" "machine" {
  input            = "db-01.example.com"
  triggers_replace = [var.image]
}

# `match` stays the same when the machine is replaced. The ID of the machine in
# `triggers` changes, and so replaces the drain, which runs it.
resource "senhasegura_session_drain" "machine" {
  match = {
    devices = ["db-01.example.com"]
  }
  triggers = {
    machine = terraform_data.machine.id
  }
  max_sessions = 20
}

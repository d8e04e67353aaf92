# A machine that is replaced under the same address.

terraform {
  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

# Configured by SENHASEGURA_URL, SENHASEGURA_CLIENT_ID and SENHASEGURA_CLIENT_SECRET.
provider "senhasegura" {}

variable "image" {
  description = "A change replaces the machine. Its address stays."
  type        = string
}

# Stands for the machine.
resource "terraform_data" "machine" {
  input            = "db-01.example.com"
  triggers_replace = [var.image]
}

# `match` does not change when the machine is replaced, and without `triggers`
# the drain would not run: the machine's id makes it run.
resource "senhasegura_session_drain" "machine" {
  match = {
    devices = ["db-01.example.com"]
  }
  triggers = {
    machine = terraform_data.machine.id
  }
}

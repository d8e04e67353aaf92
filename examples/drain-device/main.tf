# Protects a machine: its sessions are terminated before it is destroyed.

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

# Stands for the machine.
resource "terraform_data" "machine" {
  input = "db-01.example.com"
}

# It references the machine, so Terraform destroys the drain first.
resource "senhasegura_session_drain" "machine" {
  match = {
    devices = [terraform_data.machine.output]
  }
  max_sessions = 20
}

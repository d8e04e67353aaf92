# A machine that nobody is connected to when it goes.

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

# Stands for the machine.
resource "terraform_data" "machine" {
  input = "db-01.example.com"
}

# The reference to the machine puts the drain before the machine's destruction.
resource "senhasegura_session_drain" "machine" {
  match = {
    devices = [terraform_data.machine.output]
  }
}

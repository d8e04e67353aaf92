# Protects a credential: its sessions are terminated before it is destroyed.

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

# Stands for the credential: an account on the machine, a key, a secret.
resource "terraform_data" "credential" {
  input = {
    name   = "deploy"
    device = "web-01.example.com"
  }
}

# A session must match both arguments. Sessions with the same account name on
# other machines are left open.
resource "senhasegura_session_drain" "credential" {
  match = {
    credentials = [terraform_data.credential.output.name]
    devices     = [terraform_data.credential.output.device]
  }
  max_sessions = 20
}

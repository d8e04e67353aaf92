terraform {
  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

# Stands for the machine: replace it with your own resource.
resource "terraform_data" "machine" {}

resource "senhasegura_session_drain" "machine" {
  match        = { devices = ["db-01.example.com"] }
  triggers     = { machine = terraform_data.machine.id }
  max_sessions = 20
  on_unseen    = "halt" # fail if no session, live or ended, has the name
}

terraform {
  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

resource "terraform_data" "machine" {
  input = "db-01.example.com"
}

resource "senhasegura_session_drain" "machine" {
  match          = { devices = [terraform_data.machine.output] }
  max_sessions   = 20
  only_previewed = true
}

terraform {
  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

variable "image" {
  type = string
}

# A new image replaces the machine under the same name.
resource "terraform_data" "machine" {
  input            = "db-01.example.com"
  triggers_replace = [var.image]
}

resource "senhasegura_session_drain" "machine" {
  match        = { devices = ["db-01.example.com"] }
  triggers     = { machine = terraform_data.machine.id }
  max_sessions = 20
}

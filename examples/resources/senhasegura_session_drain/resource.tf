terraform {
  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

# Stands for the machine: replace it with your own resource.
resource "terraform_data" "machine" {
  input = "db-01.example.com"
}

# It references the machine, so Terraform destroys the drain first. The destroy of
# the machine starts only after its sessions have ended.
resource "senhasegura_session_drain" "machine" {
  match        = { devices = [terraform_data.machine.output] }
  max_sessions = 20
}

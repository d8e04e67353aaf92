# What `make demo` applies: it ends one live session.

terraform {
  required_version = ">= 1.11"

  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

# The address and the credentials come from SENHASEGURA_URL,
# SENHASEGURA_CLIENT_ID and SENHASEGURA_CLIENT_SECRET.
provider "senhasegura" {}

variable "session_id" {
  description = "The session to end."
  type        = string
}

resource "senhasegura_session_termination" "demo" {
  session_id    = var.session_id
  poll_interval = "1s"
}

output "outcome" {
  value = senhasegura_session_termination.demo.outcome
}

output "terminated_at" {
  value = senhasegura_session_termination.demo.terminated_at
}

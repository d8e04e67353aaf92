# `make demo` applies this: it terminates one live session.

terraform {
  required_version = ">= 1.11"

  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

# Configured by SENHASEGURA_URL, SENHASEGURA_CLIENT_ID, and
# SENHASEGURA_CLIENT_SECRET.
provider "senhasegura" {}

variable "session_id" {
  description = "ID of the session to terminate."
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

# All live and ended sessions of a user.

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

variable "user" {
  description = "senhasegura user name. Case-insensitive."
  type        = string
}

data "senhasegura_sessions" "of_user" {
  match = {
    users = [var.user]
  }
  state = "all"
}

output "sessions" {
  description = "Oldest first."
  value       = data.senhasegura_sessions.of_user.sessions
}

output "live_session_ids" {
  description = "Session IDs for senhasegura_session_termination."
  value       = [for s in data.senhasegura_sessions.of_user.sessions : s.session_id if s.live && s.session_id != null]
}

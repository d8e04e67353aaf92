# Incident response: terminates listed sessions, and all sessions of a user.
# Revoke the access of the user first: otherwise the user can reconnect.

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

variable "incident" {
  description = "Name of the incident. Changing it terminates the sessions again."
  type        = string
}

variable "session_ids" {
  description = "IDs of single sessions to terminate."
  type        = set(string)
  default     = []
}

variable "user" {
  description = "User whose sessions are all terminated; null for none."
  type        = string
  default     = null
}

variable "quiet_period" {
  description = "How long no session of the user may be live before the apply succeeds."
  type        = string
  default     = "30s"
}

resource "senhasegura_session_termination" "named" {
  for_each = var.session_ids

  session_id = each.value
  triggers   = { incident = var.incident }
}

# Drains on create, so this apply terminates the sessions. Its destroy
# terminates none.
resource "senhasegura_session_drain" "user" {
  count = var.user == null ? 0 : 1

  match = {
    users = [var.user]
  }
  drain_on     = ["create"]
  triggers     = { incident = var.incident }
  quiet_period = var.quiet_period
}

output "ended" {
  description = "Outcome of each session, for the record of the incident."
  value = merge(
    { for id, t in senhasegura_session_termination.named : id => t.outcome },
    { for s in flatten(senhasegura_session_drain.user[*].sessions) : s.session_id => s.outcome },
  )
}

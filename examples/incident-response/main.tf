# Incident response: ends the sessions that are named, and all sessions of a user.
# Take the access away first: a dropped user can connect again at once.

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

variable "incident" {
  description = "Name of the incident. A new one ends the sessions again."
  type        = string
}

variable "session_ids" {
  description = "Unique hashes of single sessions to end."
  type        = set(string)
  default     = []
}

variable "user" {
  description = "User of PAM whose sessions all end; null for nobody."
  type        = string
  default     = null
}

variable "quiet_period" {
  description = "How long the user may not come back before the apply succeeds."
  type        = string
  default     = "30s"
}

resource "senhasegura_session_termination" "named" {
  for_each = var.session_ids

  session_id = each.value
  triggers   = { incident = var.incident }
}

# Drains when it is created, so that the sessions end with this apply. Its
# destruction drops nobody.
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
  description = "What became of each session, for the record of the incident."
  value = merge(
    { for id, t in senhasegura_session_termination.named : id => t.outcome },
    { for s in flatten(senhasegura_session_drain.user[*].sessions) : s.session_id => s.outcome },
  )
}

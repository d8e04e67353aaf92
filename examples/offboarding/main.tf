# Somebody leaves: the access goes first, then the sessions, then the personal
# credential.

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

variable "user" {
  description = "User of PAM who leaves."
  type        = string
}

variable "credential" {
  description = "The user's personal credential; null once it is to be retired."
  type        = string
  default     = null
}

# Stands for whatever takes the access away: a group, a policy, a directory.
resource "terraform_data" "access_revoked" {
  input = var.user
}

# A drop does not revoke access, so the sessions end after it is revoked.
resource "senhasegura_session_drain" "user" {
  match = {
    users = [terraform_data.access_revoked.output]
  }
  drain_on = ["create"]
}

# Stands for the personal credential.
resource "terraform_data" "credential" {
  count = var.credential == null ? 0 : 1

  input = var.credential
}

# Guards the credential: whoever uses it is dropped before it is destroyed.
resource "senhasegura_session_drain" "credential" {
  count = var.credential == null ? 0 : 1

  match = {
    credentials = [terraform_data.credential[0].output]
  }
}

output "ended" {
  description = "The user's sessions that ended."
  value       = [for s in senhasegura_session_drain.user.sessions : "${s.session_id}: ${s.outcome}"]
}

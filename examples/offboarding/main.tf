# A user leaves: Terraform revokes access, then terminates sessions, and then
# retires the personal credential.

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
  description = "senhasegura user who leaves."
  type        = string
}

variable "credential" {
  description = "Personal credential of the user. Set it to null to retire it."
  type        = string
  default     = null
}

# Stands for the resource that revokes access: a group, a policy, a directory.
resource "terraform_data" "access_revoked" {
  input = var.user
}

# Terminating a session does not revoke access, so access is revoked first.
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

# Protects the credential: its sessions are terminated before it is destroyed.
resource "senhasegura_session_drain" "credential" {
  count = var.credential == null ? 0 : 1

  match = {
    credentials = [terraform_data.credential[0].output]
  }
  max_sessions = 20
}

output "ended" {
  description = "Sessions of the user, with their outcomes."
  value       = [for s in senhasegura_session_drain.user.sessions : "${s.session_id}: ${s.outcome}"]
}

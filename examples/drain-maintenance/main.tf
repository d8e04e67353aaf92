# A maintenance window: sessions get time to end on their own, and are then
# terminated. The work starts once no session has been live for a while.

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

variable "window" {
  description = "Name of the window, such as its date. Changing it drains again."
  type        = string
}

variable "devices" {
  description = "Machines under maintenance."
  type        = set(string)
}

variable "grace_period" {
  description = "How long to wait for sessions to end on their own before terminating them."
  type        = string
  default     = "15m"
}

variable "quiet_period" {
  description = "How long no matching session may be live before the work starts."
  type        = string
  default     = "1m"
}

resource "senhasegura_session_drain" "window" {
  match = {
    devices = var.devices
  }
  exclude = {
    users = ["breakglass", "maintenance"]
  }
  on_excluded  = "continue" # they stay connected while the machine is under maintenance
  drain_on     = ["create"]
  triggers     = { window = var.window }
  grace_period = var.grace_period
  quiet_period = var.quiet_period
  max_sessions = 50 # if more match, none are terminated

  # Includes the grace period and the quiet period.
  timeouts = {
    create = "30m"
  }
}

# Stands for the work. It starts after the drain has succeeded.
resource "terraform_data" "work" {
  triggers_replace = [senhasegura_session_drain.window.id]
}

output "drained" {
  description = "Sessions that the drain handled, with their outcomes."
  value = [
    for s in senhasegura_session_drain.window.sessions :
    "${coalesce(s.user, "unknown user")} on ${coalesce(s.device, "unknown device")}: ${s.outcome}"
  ]
}

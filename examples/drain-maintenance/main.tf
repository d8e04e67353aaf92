# A maintenance window: people get time to finish, then the rest is dropped, and
# nobody comes back while it lasts.

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

variable "window" {
  description = "Names the window, for example its date. A new one drains again."
  type        = string
}

variable "devices" {
  description = "Machines under maintenance."
  type        = set(string)
}

variable "grace_period" {
  description = "How long people may finish."
  type        = string
  default     = "15m"
}

variable "quiet_period" {
  description = "How long nobody may come back before the work begins."
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

  # The grace and quiet periods count.
  timeouts = {
    create = "30m"
  }
}

# Stands for the work. It begins when the drain has succeeded.
resource "terraform_data" "work" {
  triggers_replace = [senhasegura_session_drain.window.id]
}

output "drained" {
  description = "Who was connected, and what became of the session."
  value = [
    for s in senhasegura_session_drain.window.sessions :
    "${coalesce(s.user, "unknown user")} on ${coalesce(s.device, "unknown device")}: ${s.outcome}"
  ]
}

# A module that protects a machine, and its tests. They run against the simulator:
# see the guide "Test your modules offline".

terraform {
  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

variable "device" {
  description = "Device name of the machine, exactly as senhasegura shows it."
  type        = string
}

variable "excluded_users" {
  description = "Users whose sessions are never terminated, such as break-glass accounts. The machine is destroyed while they are connected."
  type        = set(string)
  default     = ["breakglass"]
}

variable "max_sessions" {
  description = "Maximum number of matching sessions. If more sessions match, the drain fails and terminates none of them."
  type        = number
  default     = 10
}

# Stands for the machine.
resource "terraform_data" "machine" {
  input = var.device
}

resource "senhasegura_session_drain" "machine" {
  match = {
    devices = [terraform_data.machine.output]
  }
  exclude = {
    users = var.excluded_users
  }
  on_excluded  = "continue"
  drain_on     = ["create", "destroy"]
  max_sessions = var.max_sessions
}

output "terminated_users" {
  description = "Users whose sessions were terminated when the drain was created."
  value       = [for s in senhasegura_session_drain.machine.sessions : s.user if s.outcome == "terminated"]
}

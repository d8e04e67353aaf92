# A module that guards a machine, and its tests. They run against the simulator,
# without PAM: see the guide "Test your modules offline".

terraform {
  required_providers {
    senhasegura = {
      source = "senhasegura/senhasegura"
    }
  }
}

variable "device" {
  description = "Host name or address of the machine."
  type        = string
}

variable "protected_users" {
  description = "Users of PAM who are never dropped."
  type        = set(string)
  default     = ["breakglass"]
}

variable "max_sessions" {
  description = "More live sessions than this: nobody is dropped, and the run fails."
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
    users = var.protected_users
  }
  drain_on     = ["create", "destroy"]
  max_sessions = var.max_sessions
}

output "dropped_users" {
  description = "Who was dropped when the machine was taken over."
  value       = [for s in senhasegura_session_drain.machine.sessions : s.user if s.outcome == "terminated"]
}

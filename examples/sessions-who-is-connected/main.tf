# Lists the users who are connected to a machine.

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

variable "device" {
  description = "Host name or IP address of the machine. With a port (host:port), only sessions on that port match."
  type        = string
}

data "senhasegura_sessions" "here" {
  match = {
    devices = [var.device]
  }
}

output "who_is_connected" {
  description = "One line for each session, oldest first."
  value = [
    for s in data.senhasegura_sessions.here.sessions : format(
      "%s as %s over %s from %s since %s",
      coalesce(s.user, "unknown user"),
      coalesce(s.credential, "unknown credential"),
      coalesce(s.protocol, "unknown protocol"),
      coalesce(s.origin_ip, "unknown address"),
      coalesce(s.started_at, "an unknown time"),
    )
  ]
}

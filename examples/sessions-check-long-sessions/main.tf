# Warns on every plan and apply if a session has been live for too long. A check
# never stops a run: if the list can't be read, that is a warning too.

terraform {
  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

# Configured by SENHASEGURA_URL, SENHASEGURA_CLIENT_ID, and SENHASEGURA_CLIENT_SECRET.
# `older_than` requires the time zone of the senhasegura server.
provider "senhasegura" {
  time_zone = "UTC"
}

variable "longest" {
  description = "How long a session may be live, as a duration such as 8h."
  type        = string
  default     = "8h"
}

check "long_sessions" {
  data "senhasegura_sessions" "long" {
    match = {
      older_than = var.longest
    }
  }

  assert {
    condition = length(data.senhasegura_sessions.long.sessions) == 0
    error_message = format(
      "Live for longer than %s: %s.",
      var.longest,
      join("; ", [
        for s in data.senhasegura_sessions.long.sessions : format(
          "%s on %s since %s",
          coalesce(s.user, "unknown user"),
          coalesce(s.device, "unknown device"),
          coalesce(s.started_at, "an unknown time"),
        )
      ]),
    )
  }
}

# Every plan and apply warns while sessions are live for longer than they should.
# A check never stops a run: a failed read of the list is a warning, too.

terraform {
  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

# Configured by SENHASEGURA_URL, SENHASEGURA_CLIENT_ID and SENHASEGURA_CLIENT_SECRET.
# The age of a session needs the time zone of the senhasegura server.
provider "senhasegura" {
  time_zone = "UTC"
}

variable "longest" {
  description = "How long a session may live, as a Go duration."
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

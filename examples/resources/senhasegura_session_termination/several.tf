terraform {
  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

variable "incident" {
  type = string
}

variable "session_ids" {
  type = set(string)
}

resource "senhasegura_session_termination" "suspects" {
  for_each = var.session_ids

  session_id = each.value
  triggers   = { incident = var.incident } # a new incident terminates the sessions again
}

terraform {
  required_providers {
    noop = {
      source = "senhasegura/noop"
    }
  }
}

resource "noop_session_termination" "each" {
  count      = length(local.sessions)
  session_id = local.sessions[count.index].session_id
  timeouts = {
    create = "3s"
  }
}

terraform {
  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

resource "senhasegura_session_drain" "leaver" {
  match    = { users = ["alice"] }
  drain_on = ["create"]
}

output "outcomes" {
  value = { for s in senhasegura_session_drain.leaver.sessions : s.session_id => s.outcome }
}

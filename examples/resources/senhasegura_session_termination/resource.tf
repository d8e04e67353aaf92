terraform {
  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

# Terminates one live session, and waits until senhasegura reports its end time.
resource "senhasegura_session_termination" "suspect" {
  session_id = "c819cbc5f2fad2065f1d132a22d0e2dfacccb228"
}

output "ended_session" {
  value = {
    outcome  = senhasegura_session_termination.suspect.outcome
    user     = senhasegura_session_termination.suspect.session.user
    device   = senhasegura_session_termination.suspect.session.device
    ended_at = senhasegura_session_termination.suspect.session.ended_at
  }
}

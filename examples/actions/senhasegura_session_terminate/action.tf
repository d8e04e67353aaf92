terraform {
  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

# Terminates all sessions of a user, except those on the jump host.
action "senhasegura_session_terminate" "user" {
  config {
    match = {
      users = ["alice"]
    }
    exclude = {
      devices = ["jump-01.example.com"]
    }
  }
}

# The same as a dry run: lists the matching sessions, and terminates none.
action "senhasegura_session_terminate" "user_dry_run" {
  config {
    match = {
      users = ["alice"]
    }
    exclude = {
      devices = ["jump-01.example.com"]
    }
    dry_run = true
  }
}

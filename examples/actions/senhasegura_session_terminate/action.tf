# Ends every session of one user, when it is invoked.
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

# The same without dropping anybody: who would be meant now.
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

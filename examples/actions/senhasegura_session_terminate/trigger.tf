# Terminates the sessions of revoked users whenever the list of them changes.
action "senhasegura_session_terminate" "revoked" {
  config {
    match = {
      users = var.revoked_users
    }
  }
}

variable "revoked_users" {
  type = set(string)
}

resource "terraform_data" "revocation" {
  input = var.revoked_users

  lifecycle {
    action_trigger {
      events  = [after_create, after_update]
      actions = [action.senhasegura_session_terminate.revoked]
    }
  }
}

# Runs an action before the destroy of a machine. Requires Terraform 1.16. The
# action does not protect the machine: see the guide.

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

action "senhasegura_session_terminate" "machine" {
  config {
    match = {
      devices = ["db-01.example.com"]
    }
    max_sessions = 20
  }
}

# Stands for the machine.
resource "terraform_data" "machine" {
  input = "db-01.example.com"

  lifecycle {
    action_trigger {
      events  = [before_destroy]
      actions = [action.senhasegura_session_terminate.machine]
    }
  }
}

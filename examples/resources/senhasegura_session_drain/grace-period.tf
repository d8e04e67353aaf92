terraform {
  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

resource "terraform_data" "machine" {
  input = "db-01.example.com"
}

resource "senhasegura_session_drain" "machine" {
  match        = { devices = [terraform_data.machine.output] }
  exclude      = { users = ["breakglass"] } # while one is live, the destroy fails
  grace_period = "5m"                       # sessions can end on their own
  max_sessions = 5                          # if more match, none are terminated
}

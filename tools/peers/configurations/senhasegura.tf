terraform {
  required_providers {
    senhasegura = {
      source = "senhasegura/senhasegura"
    }
  }
}

provider "senhasegura" {
  url           = var.url
  client_id     = var.client_id
  client_secret = var.client_secret
}

resource "senhasegura_session_termination" "each" {
  count      = length(local.sessions)
  session_id = local.sessions[count.index].session_id
  # The default is an hour, which nobody waits for here.
  timeouts = {
    create = "3s"
  }
}

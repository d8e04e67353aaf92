terraform {
  required_providers {
    restful = {
      source = "magodo/restful"
    }
  }
}

provider "restful" {
  base_url = var.url
  security = {
    oauth2 = {
      client_credentials = {
        token_url     = "${var.url}/iso/oauth2/token"
        client_id     = var.client_id
        client_secret = var.client_secret
        in            = "params"
      }
    }
  }
}

resource "restful_operation" "each" {
  count  = length(local.sessions)
  method = "DELETE"
  path   = "/api/pam/session/drop/${local.sessions[count.index].session_id}"
}

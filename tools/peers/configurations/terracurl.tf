terraform {
  required_providers {
    terracurl = {
      source = "devops-rob/terracurl"
    }
  }
}

data "terracurl_request" "token" {
  name           = "token"
  method         = "POST"
  url            = "${var.url}/iso/oauth2/token"
  headers        = { Content-Type = "application/x-www-form-urlencoded" }
  request_body   = "grant_type=client_credentials&client_id=${urlencode(var.client_id)}&client_secret=${urlencode(var.client_secret)}"
  response_codes = ["200"]
}

locals {
  headers = { Authorization = "Bearer ${jsondecode(data.terracurl_request.token.response).access_token}" }
}

resource "terracurl_request" "each" {
  count          = length(local.sessions)
  name           = local.sessions[count.index].session_id
  method         = "DELETE"
  url            = "${var.url}/api/pam/session/drop/${local.sessions[count.index].session_id}"
  headers        = local.headers
  response_codes = ["200"]
}

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

# Terraform reads these after the termination requests.
data "terracurl_request" "after" {
  count          = length(local.sessions)
  name           = "${local.sessions[count.index].session_id} afterwards"
  method         = "GET"
  url            = "${var.url}/api/session/remotesessions/${local.sessions[count.index].record_id}"
  headers        = local.headers
  response_codes = ["200"]
  depends_on     = [terracurl_request.each]
  lifecycle {
    postcondition {
      condition     = try(jsondecode(self.response).remote_session[0].end, null) != null
      error_message = "The session has not ended."
    }
  }
}

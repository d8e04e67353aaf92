terraform {
  required_providers {
    restapi = {
      source = "Mastercard/restapi"
    }
  }
}

provider "restapi" {
  uri = var.url
  oauth_client_credentials {
    oauth_token_endpoint = "${var.url}/iso/oauth2/token"
    oauth_client_id      = var.client_id
    oauth_client_secret  = var.client_secret
  }
}

resource "restapi_object" "each" {
  count                     = length(local.sessions)
  path                      = "/api/pam/session/drop"
  data                      = jsonencode({ id = local.sessions[count.index].session_id })
  create_method             = "DELETE"
  create_path               = "/api/pam/session/drop/{id}"
  read_path                 = "/api/session/remotesessions/${local.sessions[count.index].record_id}"
  ignore_all_server_changes = true
  # The provider reads the session once after it has created the object.
  lifecycle {
    postcondition {
      condition     = try(jsondecode(self.api_response).remote_session[0].end, null) != null
      error_message = "The session has not ended."
    }
  }
}

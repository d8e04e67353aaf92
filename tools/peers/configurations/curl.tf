resource "terraform_data" "each" {
  count = length(local.sessions)
  input = local.sessions[count.index].session_id

  provisioner "local-exec" {
    command = <<-EOT
      set -eu
      token=$(curl --silent --show-error --fail "$SENHASEGURA_URL/iso/oauth2/token" \
        --data grant_type=client_credentials \
        --data-urlencode "client_id=$SENHASEGURA_CLIENT_ID" \
        --data-urlencode "client_secret=$SENHASEGURA_CLIENT_SECRET" |
        sed 's/.*"access_token":"\([^"]*\)".*/\1/')
      curl --silent --show-error --fail --request DELETE --header "Authorization: Bearer $token" \
        "$SENHASEGURA_URL/api/pam/session/drop/${self.input}"
    EOT
  }
}

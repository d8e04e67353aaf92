# What the response to the termination request says is not used. The session is
# read until it shows an end time, for as long as the other configurations wait.
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
      curl --silent --show-error --request DELETE --header "Authorization: Bearer $token" \
        "$SENHASEGURA_URL/api/pam/session/drop/${self.input}" || true
      for attempt in 1 2 3; do
        if curl --silent --show-error --fail --header "Authorization: Bearer $token" \
          "$SENHASEGURA_URL/api/session/remotesessions/${local.sessions[count.index].record_id}" |
          grep -q '"end":"[1-9]'; then
          exit 0
        fi
        sleep 1
      done
      echo "The session has not ended." >&2
      exit 1
    EOT
  }
}

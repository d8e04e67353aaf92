terraform {
  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

data "senhasegura_visibility" "this" {}

output "visibility" {
  value = {
    live_sessions  = data.senhasegura_visibility.this.live_sessions
    ended_sessions = data.senhasegura_visibility.this.ended_sessions
    devices        = data.senhasegura_visibility.this.devices
  }
}

# Warns on every plan and apply while the authorization doesn't see the device.
check "device_is_visible" {
  assert {
    condition = anytrue([
      for device in data.senhasegura_visibility.this.devices :
      device == "db-01.example.com" || startswith(device, "db-01.example.com:")
    ])
    error_message = "The authorization sees no session on db-01.example.com."
  }
}

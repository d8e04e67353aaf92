terraform {
  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

# All sessions on the machine that senhasegura has recorded, live and ended.
data "senhasegura_sessions" "db" {
  match = { devices = ["db-01.example.com"] }
  state = "all"
}

# Warns on every plan and apply while no session has the name, and shows similar ones.
check "names" {
  assert {
    condition = length(data.senhasegura_sessions.db.unseen) == 0
    error_message = join("\n", [
      for value in data.senhasegura_sessions.db.unseen :
      "No session has ${value.argument} \"${value.value}\". Similar: ${join(", ", value.similar)}"
    ])
  }
}

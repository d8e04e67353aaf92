terraform {
  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

# Live sessions on a machine, on any port, except those of the runner.
data "senhasegura_sessions" "on_db" {
  match = {
    devices = ["db.example.com"]
  }
  exclude = {
    users = ["terraform"]
  }
}

output "who_is_on_db" {
  value = [
    for s in data.senhasegura_sessions.on_db.sessions :
    "${coalesce(s.user, "unknown user")} from ${coalesce(s.origin_ip, "unknown address")}"
  ]
}

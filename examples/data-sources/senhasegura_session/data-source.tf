terraform {
  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

# By record ID: one small request.
data "senhasegura_session" "by_record" {
  record_id = "1042"
}

# By session ID: the provider reads the list of sessions.
data "senhasegura_session" "by_hash" {
  session_id = "c819cbc5f2fad2065f1d132a22d0e2dfacccb228"
}

output "is_live" {
  value = data.senhasegura_session.by_record.live
}

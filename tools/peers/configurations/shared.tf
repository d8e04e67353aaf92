variable "url" {
  type = string
}

variable "client_id" {
  type = string
}

variable "client_secret" {
  type      = string
  sensitive = true
}

locals {
  sessions = jsondecode(file("${path.module}/sessions.json"))
}

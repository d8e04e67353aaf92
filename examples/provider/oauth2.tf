terraform {
  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

variable "senhasegura_client_secret" {
  type      = string
  sensitive = true
}

provider "senhasegura" {
  url           = "https://pam.example.com"
  ca_cert_file  = "${path.module}/senhasegura.pem"
  client_id     = "your-client-id"
  client_secret = var.senhasegura_client_secret
}

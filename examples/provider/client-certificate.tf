terraform {
  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

variable "senhasegura_client_key_pem" {
  type      = string
  sensitive = true
}

# The client ID and the client secret come from the environment.
provider "senhasegura" {
  url             = "https://pam.example.com"
  ca_cert_file    = "${path.module}/senhasegura.pem"
  client_cert_pem = file("${path.module}/client.pem")
  client_key_pem  = var.senhasegura_client_key_pem
}

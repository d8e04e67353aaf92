terraform {
  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

variable "senhasegura_oauth1" {
  type = object({
    consumer_key    = string
    consumer_secret = string
    token_key       = string
    token_secret    = string
  })
  sensitive = true
}

provider "senhasegura" {
  url          = "https://pam.example.com"
  ca_cert_file = "${path.module}/senhasegura.pem"
  oauth1       = var.senhasegura_oauth1
}

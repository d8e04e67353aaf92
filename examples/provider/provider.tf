terraform {
  required_providers {
    senhasegura = {
      source = "senhasegura/senhasegura"
    }
  }
}

# The credentials come from SENHASEGURA_CLIENT_ID and SENHASEGURA_CLIENT_SECRET,
# so that they are in no file.
provider "senhasegura" {
  url       = "https://pam.example.com"
  time_zone = "America/Sao_Paulo"
}

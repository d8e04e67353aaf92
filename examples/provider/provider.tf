terraform {
  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

# URL, credentials, and certificate come from the environment.
provider "senhasegura" {
  time_zone = "America/Sao_Paulo" # of the senhasegura server
}

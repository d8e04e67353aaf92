terraform {
  required_providers {
    senhasegura = {
      source  = "senhasegura/senhasegura"
      version = "~> 0.0"
    }
  }
}

provider "senhasegura" {
  time_zone = "America/Sao_Paulo" # of the senhasegura server
}

data "senhasegura_visibility" "clock" {}

output "clock" {
  value = {
    newest_start = data.senhasegura_visibility.clock.newest_start
    read_at      = data.senhasegura_visibility.clock.read_at
  }
}

# Run this within 15 minutes of connecting to a device through senhasegura.
check "clock" {
  assert {
    condition = try(
      timecmp(data.senhasegura_visibility.clock.newest_start, timeadd(data.senhasegura_visibility.clock.read_at, "-15m")) >= 0 &&
      timecmp(data.senhasegura_visibility.clock.newest_start, timeadd(data.senhasegura_visibility.clock.read_at, "15m")) <= 0,
      false,
    )
    error_message = "No session seems to have started in the last 15 minutes. Compare newest_start with read_at, and correct time_zone."
  }
}

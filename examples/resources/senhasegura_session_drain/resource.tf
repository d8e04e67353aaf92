# Stands for the machine: a virtual machine, a database, an account.
resource "terraform_data" "machine" {
  input = "db-01.example.com"
}

# It references the machine, so Terraform destroys the drain first. The destroy of
# the machine starts only after its sessions have ended.
resource "senhasegura_session_drain" "machine" {
  match = {
    devices = [terraform_data.machine.output]
  }
  exclude = {
    users = ["breakglass"]
  }
  triggers = {
    machine = terraform_data.machine.id
  }
  grace_period = "5m"
  max_sessions = 20
}

# Stands for the machine: a virtual machine, a database, an account.
resource "terraform_data" "machine" {
  input = "db-01.example.com"
}

# It refers to the machine, so Terraform destroys it first: nobody is connected
# to the machine any more when its own destruction begins.
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

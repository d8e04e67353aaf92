set -e
senhasegura-sim -addr 127.0.0.1:8080 -sessions tests/sessions.json &
trap 'kill $!' EXIT

export SENHASEGURA_URL=http://127.0.0.1:8080
export SENHASEGURA_CLIENT_ID=simulator-client
export SENHASEGURA_CLIENT_SECRET=simulator-secret
terraform init
kill -0 $! # fails if the simulator could not start
terraform test

export SENHASEGURA_URL=https://pam.example.com
export SENHASEGURA_CLIENT_ID=your-client-id
export SENHASEGURA_CLIENT_SECRET=your-client-secret
export SENHASEGURA_CA_CERT_FILE=$PWD/senhasegura.pem

provider_installation {
  filesystem_mirror {
    path = "/opt/providers"
  }
}

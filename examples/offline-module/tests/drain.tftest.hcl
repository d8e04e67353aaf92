# Needs the simulator with tests/sessions.json, and its address in the environment.

run "terminates_all_but_excluded_sessions" {
  variables {
    device = "db-01.example.com"
  }

  assert {
    condition     = output.terminated_users == ["alice"]
    error_message = "Want the session of alice terminated, got: ${join(", ", output.terminated_users)}."
  }
}

# The module moves to another machine. No session on the first one matches any more.
run "moves_to_another_machine" {
  variables {
    device = "db-02.example.com"
  }

  assert {
    condition     = output.terminated_users == ["bob"]
    error_message = "Want the session of bob terminated, got: ${join(", ", output.terminated_users)}."
  }
}

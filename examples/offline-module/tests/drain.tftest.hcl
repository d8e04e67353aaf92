# Needs the simulator with tests/sessions.json, and its address in the environment.

run "drops_people_but_not_break_glass" {
  variables {
    device = "db-01.example.com"
  }

  assert {
    condition     = output.dropped_users == ["alice"]
    error_message = "Dropped: ${join(", ", output.dropped_users)}. Alice alone was to be dropped."
  }
}

# The module moves to another machine; nobody is left on the first one.
run "takes_over_another_machine" {
  variables {
    device = "db-02.example.com"
  }

  assert {
    condition     = output.dropped_users == ["bob"]
    error_message = "Dropped: ${join(", ", output.dropped_users)}. Bob alone was to be dropped."
  }
}

import {
  to = senhasegura_session_termination.suspect
  identity = {
    session_id = "c819cbc5f2fad2065f1d132a22d0e2dfacccb228"
  }
}

package neighbortest

import "syscall"

// endWithParent has the kernel end the program if the test dies without its clean-up.
// SIGTERM lets the program end its own children.
func endWithParent(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGTERM }

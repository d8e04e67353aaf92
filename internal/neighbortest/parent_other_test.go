//go:build unix && !linux

package neighbortest

import "syscall"

// endWithParent: this system has no such order. The clean-up of the test ends the
// program.
func endWithParent(*syscall.SysProcAttr) {}

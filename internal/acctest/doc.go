// Package acctest is the support of every test that needs senhasegura and Terraform's
// side of the provider. Only tests import it.
//
// # The server
//
// Start serves a simulator on loopback. Server.Requests and Server.ExpectRequests read
// its journal, so that a test asserts the requests that were made and, as the
// list is complete, those that were not.
//
// # Three ways to run the provider
//
//   - Driver speaks the protocol with the provider in process and does what
//     Terraform core does around it, in milliseconds and without a Terraform
//     binary. Most tests of behavior use it.
//   - Factories serves the provider to terraform-plugin-testing, with a Spy that
//     sees warnings and the progress of actions, which that library cannot
//     assert.
//   - Terraform runs a real binary with the provider built as a program, for
//     what only two processes show: signals, crashes, logs, files.
//
// The last two need TF_ACC, and skip without it. The binary is the one that
// TF_ACC_TERRAFORM_PATH names, else `terraform` on PATH; OpenTofu works too.
//
// # Test programs
//
// A package with tests of the last two kinds calls Main from its TestMain: it
// shields the tests from the configuration of the person at the keyboard, and
// keeps what is built once for a process.
package acctest

package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cookie shows a provider that Terraform starts it. It is no secret.
const cookie = "TF_PLUGIN_MAGIC_COOKIE=d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"

// answerWithin bounds how long a provider may take to say which protocol it speaks.
const answerWithin = 30 * time.Second

// checkProtocol compares the manifest, from which the registry tells Terraform what
// it can install, with what the program of this platform answers.
func (a assets) checkProtocol(ctx context.Context, work string) (string, error) {
	content, err := a.readProgram(thisPlatform)
	if err != nil {
		return "", err
	}
	program := filepath.Join(work, a.program(thisPlatform))
	if err := os.WriteFile(program, content, 0o700); err != nil { //nolint:gosec // it is run below
		return "", err
	}
	spoken, err := protocolsOf(ctx, program)
	if err != nil {
		return "", err
	}
	if !slices.Equal(spoken, []int{6}) {
		return "", fmt.Errorf("the program speaks the protocol versions %v, and %s says 6.0", spoken, a.manifest())
	}
	return "the program speaks version 6 only, as the manifest says", nil
}

// protocolsOf asks the provider for one version after the other. It answers with
// another if it doesn't speak that one.
func protocolsOf(ctx context.Context, program string) ([]int, error) {
	var spoken []int
	for asked := 4; asked <= 7; asked++ {
		answered, err := handshake(ctx, program, asked)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(program), err)
		}
		if answered == asked {
			spoken = append(spoken, asked)
		}
	}
	return spoken, nil
}

// handshake starts the provider as Terraform does, reads its first line, and ends
// it. The line is "1|PROTOCOL|network|address|grpc|".
func handshake(ctx context.Context, program string, protocol int) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	command := exec.CommandContext(ctx, program)
	command.Env = append(os.Environ(), cookie, fmt.Sprintf("PLUGIN_PROTOCOL_VERSIONS=%d", protocol))
	output, err := command.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := command.Start(); err != nil {
		return 0, err
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	cancel()
	_ = command.Wait() // it was ended
	if err != nil {
		return 0, fmt.Errorf("it ended without saying which protocol it speaks: %w", err)
	}
	fields := strings.Split(line, "|")
	if len(fields) < 5 || fields[4] != "grpc" {
		return 0, fmt.Errorf("its first line is %q", line)
	}
	return strconv.Atoi(fields[1])
}

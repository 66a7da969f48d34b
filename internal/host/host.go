// Package host starts processes for functions and states: each in a process group of its own, with output limits, and
// ended as a whole group when its job ends. Nothing else in the program starts a process on a user's behalf.
package host

import (
	"context"
	"time"
)

// Runner starts processes. Real is the one that does; tests of single functions may bring their own.
type Runner interface {
	// Run starts a command and waits for it. A command that ran and failed is no error: see Result.Retcode. The error
	// is for a command that could not be started. When ctx ends the whole process group is ended too.
	Run(ctx context.Context, c Cmd) (Result, error)
	// Start starts a command that goes on after the call, in a session of its own, and returns its pid.
	Start(c Cmd) (pid int, err error)
}

// Cmd says what to run.
type Cmd struct {
	// Argv is the program and its arguments; no shell looks at them.
	Argv []string
	// Path is the program's file when it is not what Argv[0] is found as in our own PATH.
	Path string
	// Dir is the working folder; empty is the home folder of the user that runs it.
	Dir string
	// Env is the whole environment, KEY=value.
	Env   []string
	Stdin []byte
	// User and Group run the command as somebody else; empty is who we are.
	User, Group string
	// Umask is octal text such as "077"; empty keeps ours.
	Umask string
	// Timeout ends the command: SIGTERM to the group, SIGKILL two seconds later. Zero is none but ctx's.
	Timeout time.Duration
	// MergeStderr puts both streams into Result.Stdout in the order written.
	MergeStderr bool
	// MaxOutput bounds each stream in bytes; more is dropped and Result.Truncated set. Zero is 64 MiB.
	MaxOutput int
}

// Result of a command that ran.
type Result struct {
	Pid int
	// Retcode is the exit status; minus the signal number when a signal ended it.
	Retcode        int
	Stdout, Stderr []byte
	TimedOut       bool
	Truncated      bool
}

// Command brine runs commands, states and software updates on fleets of devices: master, minion and command line in one.
package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"golang.org/x/term"

	"brine/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	dir, _ := os.Getwd()
	self, _ := os.Executable()
	code := cli.Main(ctx, &cli.Env{
		Name: filepath.Base(os.Args[0]), Args: os.Args[1:], Getenv: os.Getenv, Dir: dir, Self: self,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Terminal: term.IsTerminal(int(os.Stdout.Fd())),
	})
	stop()
	os.Exit(code)
}

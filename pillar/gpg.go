package pillar

import (
	"context"
	"fmt"
	"os"
	"strings"

	"brine/internal/host"
)

// GPG opens PGP messages with the gpg program and the keys of a folder, as Salt's gpg renderer does.
func GPG(h host.Runner, keydir string) func(context.Context, string) (string, error) {
	return func(ctx context.Context, message string) (string, error) {
		r, err := h.Run(ctx, host.Cmd{Argv: []string{"gpg", "--homedir", keydir, "--status-fd", "2", "--no-tty", "--batch", "-d"}, Env: os.Environ(), Dir: "/", Stdin: []byte(message), Timeout: externalTime})
		if err != nil {
			return "", fmt.Errorf("gpg cannot be run: %w: install gnupg, and put the keys into %s", err, keydir)
		}
		if r.Retcode != 0 {
			return "", fmt.Errorf("gpg could not decrypt: %s", strings.TrimSpace(string(r.Stderr)))
		}
		return string(r.Stdout), nil
	}
}

package cli

import "github.com/spf13/cobra"

func newExec(env *Env) *cobra.Command {
	return &cobra.Command{Use: "brine [options] TARGET FUN [ARGS]", Args: cobra.ArbitraryArgs, RunE: func(*cobra.Command, []string) error { return nil }}
}

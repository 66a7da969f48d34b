// Package builtin is the list of the execution modules that the program is built with.
package builtin

import (
	"brine/modules"
	"brine/modules/cmd"
	"brine/modules/sys"
	"brine/modules/test"
)

// Deps are what functions need of the minion beyond their Env. Each may be nil: functions that need it then say so.
type Deps struct {
	Sys sys.Deps
}

// Modules lists every family, by name.
func Modules(d Deps) []modules.Module {
	return []modules.Module{
		cmd.Module(),
		sys.Module(d.Sys),
		test.Module(),
	}
}

// Package builtin is the list of the execution modules that the program is built with.
package builtin

import (
	"brine/modules"
	"brine/modules/test"
)

// Modules lists every family, by name.
func Modules() []modules.Module {
	return []modules.Module{
		test.Module(),
	}
}

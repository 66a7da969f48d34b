// Package file holds the file.* functions: they look at files, change them and manage their content and permissions.
package file

import (
	"errors"
	"slices"

	"brine/internal/fileinfo"
	"brine/internal/pyerr"
	"brine/internal/pyfmt"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "file", Doc: "Functions for files, folders, links and devices.",
		Funcs: slices.Concat(ownerFuncs(), sumFuncs(), pathFuncs(), statFuncs(), contentFuncs(), treeFuncs(), deviceFuncs(), backupFuncs(),
			sedFuncs(), searchFuncs(), editFuncs(), sourceFuncs(), manageFuncs())}
}

// plain is an error of the operating system as Python prints it, for functions that let it through.
func plain(err error) error {
	if err == nil || pyerr.Errno(err) == 0 {
		return err
	}
	return errors.New(pyerr.Text(err))
}

// stat is fileinfo.Stat with the error that users see.
func stat(path string, follow bool) (*fileinfo.Info, error) {
	i, err := fileinfo.Stat(path, follow)
	if err != nil {
		return nil, modules.Errorf("%v", err)
	}
	return i, nil
}

// text is a value as text, "" for one that is not there.
func text(v any) string {
	if v == nil {
		return ""
	}
	return pyfmt.Str(v)
}

// pathArgs is the signature of functions of a path alone.
type pathArgs struct {
	Path string `arg:"path"`
}

// nameArgs is the same where Salt calls it name.
type nameArgs struct {
	Name string `arg:"name"`
}

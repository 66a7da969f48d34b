// Package ini holds the ini.* functions: they read and edit ini files.
package ini

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"brine/internal/fileops"
	"brine/internal/inifile"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pytext"
	"brine/modules"
)

// maxFile bounds what is read into memory.
const maxFile = 16 << 20

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "ini", Doc: "Functions for ini files.", Funcs: []modules.Func{
		modules.PureFn("get_ini", getIniDoc, getIni),
		modules.PureFn("get_option", getOptionDoc, getOption),
		modules.PureFn("get_section", getSectionDoc, getSection),
		modules.Fn("remove_option", removeOptionDoc, removeOption),
		modules.Fn("remove_section", removeSectionDoc, removeSection),
		modules.Fn("set_option", setOptionDoc, setOption),
	}}
}

// open parses a file; one that is not there is empty.
func open(name, separator string, noSpaces any) (*inifile.File, error) {
	if fi, err := os.Stat(name); err == nil && fi.Size() > maxFile {
		return nil, fmt.Errorf("%s is too large for an ini file", name)
	}
	p, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, modules.Errorf("Unable to open file '%s'. Exception: %v", name, err)
	}
	return inifile.Parse(pytext.Universal(string(p)), inifile.Style{Separator: separator, NoSpaces: pyfmt.Truth(noSpaces)})
}

func flush(name string, f *inifile.File) error {
	if err := fileops.Put(name, []byte(f.Text())); err != nil {
		return modules.Errorf("Unable to write file '%s'. Exception: %v", name, err)
	}
	return nil
}

const setOptionDoc = `Set options of an ini file: a map of sections, each a map of options; options by themselves stand before the first section.
The answer tells what changed.

CLI Example:

    salt '*' ini.set_option /path/to/ini '{section_foo: {key: value}}'`

type setArgs struct {
	File     string       `arg:"file_name"`
	Sections *ordered.Map `arg:"sections" def:"None"`
	Sep      string       `arg:"separator" def:"'='"`
	Encoding any          `arg:"encoding" def:"None"`
	NoSpaces any          `arg:"no_spaces" def:"False"`
}

func setOption(_ context.Context, _ *modules.Env, in setArgs) (any, error) {
	f, err := open(in.File, in.Sep, in.NoSpaces)
	if err != nil {
		return nil, err
	}
	changes, err := f.Update(in.Sections)
	if err != nil {
		return nil, err
	}
	return changes, flush(in.File, f)
}

const getOptionDoc = `Tell the value of an option of an ini file, None when there is none.

CLI Example:

    salt '*' ini.get_option /path/to/ini section_name option_name`

type optionArgs struct {
	File     string `arg:"file_name"`
	Section  any    `arg:"section"`
	Option   any    `arg:"option"`
	Sep      string `arg:"separator" def:"'='"`
	Encoding any    `arg:"encoding" def:"None"`
	NoSpaces any    `arg:"no_spaces" def:"False"`
}

func getOption(_ context.Context, _ *modules.Env, in optionArgs) (any, error) {
	f, err := open(in.File, in.Sep, in.NoSpaces)
	if err != nil {
		return nil, err
	}
	if !pyfmt.Truth(in.Section) {
		return f.Data().Value(in.Option), nil
	}
	return f.Section(pyfmt.Str(in.Section)).Value(in.Option), nil
}

const removeOptionDoc = `Remove an option of an ini file and tell its value, None when there is none.

CLI Example:

    salt '*' ini.remove_option /path/to/ini section_name option_name`

func removeOption(_ context.Context, _ *modules.Env, in optionArgs) (any, error) {
	f, err := open(in.File, in.Sep, in.NoSpaces)
	if err != nil {
		return nil, err
	}
	section := ""
	if in.Section != nil {
		section = pyfmt.Str(in.Section)
	}
	v := f.Remove(section, pyfmt.Str(in.Option))
	if !pyfmt.Truth(v) {
		return v, nil
	}
	return v, flush(in.File, f)
}

const getSectionDoc = `Tell the options of a section of an ini file.

CLI Example:

    salt '*' ini.get_section /path/to/ini section_name`

type sectionArgs struct {
	File     string `arg:"file_name"`
	Section  string `arg:"section"`
	Sep      string `arg:"separator" def:"'='"`
	Encoding any    `arg:"encoding" def:"None"`
	NoSpaces any    `arg:"no_spaces" def:"False"`
}

func getSection(_ context.Context, _ *modules.Env, in sectionArgs) (any, error) {
	f, err := open(in.File, in.Sep, in.NoSpaces)
	if err != nil {
		return nil, err
	}
	if s := f.Section(in.Section); s != nil {
		return s, nil
	}
	return ordered.New(0), nil
}

const removeSectionDoc = `Remove a section of an ini file and tell its options, None when there is none.

CLI Example:

    salt '*' ini.remove_section /path/to/ini section_name`

func removeSection(_ context.Context, _ *modules.Env, in sectionArgs) (any, error) {
	f, err := open(in.File, in.Sep, in.NoSpaces)
	if err != nil {
		return nil, err
	}
	s := f.RemoveSection(in.Section)
	if s == nil {
		return nil, nil
	}
	return s, flush(in.File, f)
}

const getIniDoc = `Tell the whole content of an ini file.

CLI Example:

    salt '*' ini.get_ini /path/to/ini`

type iniArgs struct {
	File     string `arg:"file_name"`
	Sep      string `arg:"separator" def:"'='"`
	Encoding any    `arg:"encoding" def:"None"`
	NoSpaces any    `arg:"no_spaces" def:"False"`
}

func getIni(_ context.Context, _ *modules.Env, in iniArgs) (any, error) {
	f, err := open(in.File, in.Sep, in.NoSpaces)
	if err != nil {
		return nil, err
	}
	return f.Data(), nil
}

// Package config reads configuration files in Salt's form: one YAML file, then NAME.d/*.conf over it. What may stand in
// them is declared by a struct; a value of a wrong type is an error with file, line and option, an unknown option a
// warning with the nearest known name.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyyaml"
)

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	File   string
	Line   int
	Option string
	Msg    string
}

func (p Problem) Error() string {
	place := p.File
	if p.Line > 0 {
		place += ":" + strconv.Itoa(p.Line)
	}
	if p.Option != "" {
		return fmt.Sprintf("%s: option %s: %s", place, p.Option, p.Msg)
	}
	return place + ": " + p.Msg
}

// Option is the declaration of one option, for reference pages.
type Option struct {
	Name, Doc, Type, Default string
}

// Loaded is a configuration that was read.
type Loaded struct {
	// Set holds what the files say, under the options' names, merged.
	Set *ordered.Map
	// Warnings are unknown options and options that have no effect here.
	Warnings []Problem
	// Files are those that were read.
	Files []string
}

// Schema declares the options of one program. Each field of the struct type is one:
//
//	Timeout time.Duration `opt:"timeout" def:"5" doc:"Seconds that the command line waits."`
//
// Field types are string, bool, int, int64, float64, time.Duration (seconds in the file), []string (one string counts as
// a list of one), *ordered.Map, map[string][]string and any. Fields without an opt tag are left alone.
type Schema struct {
	// Ignored are names that are accepted and have no effect, such as options of Salt that mean nothing here.
	Ignored []string
}

// Load reads the file at path and path.d/*.conf into dst, a pointer to a struct with its defaults set by SetDefaults. A
// missing file is an empty one.
func (s Schema) Load(path string, dst any) (*Loaded, error) {
	l := &Loaded{Set: ordered.New(0)}
	files, err := filepath.Glob(path + ".d/*.conf")
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var errs []error
	for _, f := range append([]string{path}, files...) {
		if err := s.file(f, l, dst); err != nil {
			errs = append(errs, err)
		}
	}
	return l, errors.Join(errs...)
}

func (s Schema) file(path string, l *Loaded, dst any) error {
	src, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	l.Files = append(l.Files, path)
	m, lines, err := pyyaml.LoadMap(src, pyyaml.Options{Name: path})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	fields := fieldsOf(reflect.TypeOf(dst).Elem())
	var errs []error
	for k, v := range m.All() {
		name := pyfmt.Str(k)
		p := Problem{File: path, Line: lines.Of(k), Option: name}
		i, known := fields[name]
		switch {
		case known:
			v = merge(l.Set.Value(k), v)
			if err := Assign(reflect.ValueOf(dst).Elem().Field(i), v); err != nil {
				p.Msg = err.Error()
				errs = append(errs, p)
			}
		case slices.Contains(s.Ignored, name):
			p.Msg = "has no effect here"
			l.Warnings = append(l.Warnings, p)
		default:
			p.Msg = "is not known"
			if near := nearest(name, fields); near != "" {
				p.Msg += fmt.Sprintf("; did you mean %s?", near)
			}
			l.Warnings = append(l.Warnings, p)
		}
		l.Set.Set(k, v)
	}
	return errors.Join(errs...)
}

// merge lays a later value over an earlier one: maps are merged, all else is replaced.
func merge(old, v any) any {
	a, ok1 := old.(*ordered.Map)
	b, ok2 := v.(*ordered.Map)
	if !ok1 || !ok2 {
		return v
	}
	out := a.Clone()
	for k, e := range b.All() {
		out.Set(k, merge(out.Value(k), e))
	}
	return out
}

func fieldsOf(t reflect.Type) map[string]int {
	out := map[string]int{}
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("opt"); name != "" {
			out[name] = i
		}
	}
	return out
}

// SetDefaults gives every option of dst, a pointer to a struct, the value of its def tag (YAML). It panics on a tag that
// does not fit its field: that is a mistake in the program.
func SetDefaults(dst any) {
	v := reflect.ValueOf(dst).Elem()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		def, ok := f.Tag.Lookup("def")
		if f.Tag.Get("opt") == "" || !ok {
			continue
		}
		data, err := pyyaml.Load([]byte(def), pyyaml.Options{})
		if err == nil {
			err = Assign(v.Field(i), data)
		}
		if err != nil {
			panic(fmt.Sprintf("default of %s: %v", f.Name, err))
		}
	}
}

// Values returns the options of src, a struct, under their names, as the templates' opts and config.get show them.
func Values(src any) *ordered.Map {
	v := reflect.Indirect(reflect.ValueOf(src))
	out := ordered.New(v.NumField())
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("opt")
		if name == "" {
			continue
		}
		val := v.Field(i).Interface()
		if d, ok := val.(time.Duration); ok {
			val = seconds(d)
		}
		out.Set(name, ordered.Of(val))
	}
	return out
}

func seconds(d time.Duration) any {
	if d%time.Second == 0 {
		return int64(d / time.Second)
	}
	return d.Seconds()
}

// Options lists what the struct type of src declares, sorted by name.
func Options(src any) []Option {
	t := reflect.TypeOf(src)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var out []Option
	for i := range t.NumField() {
		f := t.Field(i)
		if name := f.Tag.Get("opt"); name != "" {
			out = append(out, Option{Name: name, Doc: f.Tag.Get("doc"), Type: typeName(f.Type), Default: f.Tag.Get("def")})
		}
	}
	slices.SortFunc(out, func(a, b Option) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Below puts a path under root unless it is there already, Salt's rule for root_dir. An empty path stays empty.
func Below(root, path string) string {
	root = filepath.Clean(root)
	if path == "" || root == "/" || path == root || strings.HasPrefix(path, root+"/") {
		return path
	}
	return filepath.Join(root, path)
}

func typeName(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "seconds"
	case t == reflect.TypeFor[*ordered.Map]():
		return "map"
	case t == reflect.TypeFor[map[string][]string]():
		return "map of lists"
	case t.Kind() == reflect.Slice:
		return "list"
	case t.Kind() == reflect.Int || t.Kind() == reflect.Int64:
		return "integer"
	case t.Kind() == reflect.Float64:
		return "number"
	case t.Kind() == reflect.Interface:
		return "any"
	}
	return t.Kind().String()
}

// nearest finds the known name that a typing mistake is closest to, "" when none is close.
func nearest(name string, known map[string]int) string {
	best, limit := "", 1+len(name)/4
	for k := range known {
		d := distance(name, k)
		if d < limit || d == limit && (best == "" || k < best) {
			best, limit = k, d
		}
	}
	return best
}

// distance is the Levenshtein distance.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		prev := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := prev
			if a[i] != b[j] {
				cost++
			}
			prev = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

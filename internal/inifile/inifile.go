// Package inifile edits ini files by the rules of Salt's ini functions: comments and lines that mean nothing stay where
// they are, an option that is commented out is taken up at its place.
package inifile

import (
	"strconv"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyregex"
	"brine/internal/pytext"
)

// Style is how options are written.
type Style struct {
	// Separator stands between option and value, "=" when empty; NoSpaces leaves out the spaces around it.
	Separator string
	NoSpaces  bool
}

// File is a parsed file: options outside of sections, then sections (*ordered.Map). Keys that begin with # hold lines that
// are no options.
type File struct {
	top    *ordered.Map
	style  Style
	option *pyregex.Regexp
}

// Parse reads a text.
func Parse(text string, style Style) (*File, error) {
	if style.Separator == "" {
		style.Separator = "="
	}
	option, err := pyregex.Compile(`(\s*)(.+?)\s*(\`+style.Separator+`)\s*(.*)\s*`, 0)
	if err != nil {
		return nil, err
	}
	head, err := pyregex.Compile(`^\s*\[(.+?)\]\s*$`, pyregex.Multiline)
	if err != nil {
		return nil, err
	}
	f := &File{top: ordered.New(0), style: style, option: option}
	parts, err := head.Split(text, 0)
	if err != nil {
		return nil, err
	}
	if err := f.read(f.top, pyfmt.Str(parts[0])); err != nil {
		return nil, err
	}
	for i := 1; i+1 < len(parts); i += 2 {
		section := ordered.New(0)
		if err := f.read(section, pyfmt.Str(parts[i+1])); err != nil {
			return nil, err
		}
		if _, err := f.update(f.top, ordered.Pairs(pyfmt.Str(parts[i]), section)); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func isComment(line string) bool {
	s := pytext.Lstrip(line)
	return s != "" && (s[0] == '#' || s[0] == ';')
}

// read fills a section with the lines of a text.
func (f *File) read(into *ordered.Map, text string) error {
	text = strings.Trim(text, "\n")
	if text == "" {
		return nil
	}
	comments, unknown, indent := 0, 0, ""
	for _, line := range strings.Split(text, "\n") {
		if isComment(line) {
			comments++
			into.Set("#comment"+strconv.Itoa(comments), line)
			continue
		}
		if own := line[:len(line)-len(pytext.Lstrip(line))]; own != "" && strings.ReplaceAll(own, "\t", "    ") > indent {
			if keys := into.Keys(); len(keys) > 0 {
				last := keys[len(keys)-1]
				into.Set(last, pyfmt.Str(into.Value(last))+"\n"+line)
			}
			continue
		}
		m, err := f.option.Match(line)
		if err != nil {
			return err
		}
		if m == nil {
			unknown++
			into.Set("#unknown"+strconv.Itoa(unknown), line)
			continue
		}
		lead, _ := m.Group(1)
		name, _ := m.Group(2)
		value, _ := m.Group(4)
		indent = strings.ReplaceAll(lead, "\t", "    ")
		into.Set(name, value)
	}
	return nil
}

// Data is the content without the lines that are no options.
func (f *File) Data() *ordered.Map { return plain(f.top) }

func plain(m *ordered.Map) *ordered.Map {
	out := ordered.New(m.Len())
	for k, v := range m.All() {
		if strings.HasPrefix(pyfmt.Str(k), "#") {
			continue
		}
		if s, ok := v.(*ordered.Map); ok {
			v = plain(s)
		}
		out.Set(k, v)
	}
	return out
}

// Section is a section, without the lines that are no options; nil for none.
func (f *File) Section(name string) *ordered.Map {
	if s := f.top.Map(name); s != nil {
		return plain(s)
	}
	return nil
}

// Update sets options and sections and tells what changed: before and after.
func (f *File) Update(options *ordered.Map) (*ordered.Map, error) { return f.update(f.top, options) }

func (f *File) update(into, options *ordered.Map) (*ordered.Map, error) {
	changes := ordered.New(0)
	for k, v := range options.All() {
		key := pyfmt.Str(k)
		var shown any
		section, isSection := v.(*ordered.Map)
		if isSection {
			own := ordered.New(0)
			if _, err := f.update(own, section); err != nil {
				return nil, err
			}
			v, shown = own, ordered.Copy(own)
		} else {
			v = pyfmt.Str(v)
			shown = v
		}
		have, known := into.Get(key)
		sub, hasSection := have.(*ordered.Map)
		switch {
		case !known:
			changes.Set(key, ordered.Pairs("before", nil, "after", shown))
			if !isSection {
				if err := f.uncomment(into, key); err != nil {
					return nil, err
				}
			}
			into.Set(key, v)
		case hasSection && isSection:
			more, err := f.update(sub, v.(*ordered.Map))
			if err != nil {
				return nil, err
			}
			if more.Len() > 0 {
				changes.Set(key, more)
			}
		case !ordered.Equal(have, v):
			changes.Set(key, ordered.Pairs("before", have, "after", shown))
			into.Set(key, v)
		}
	}
	return changes, nil
}

// uncomment makes a place for an option: where it stands commented out, else at the end.
func (f *File) uncomment(into *ordered.Map, option string) error {
	at, after := "", ordered.New(0)
	for k, v := range into.All() {
		key := pyfmt.Str(k)
		if at != "" {
			after.Set(k, v)
			continue
		}
		if !strings.Contains(key, "#comment") {
			continue
		}
		m, err := f.option.Match(strings.TrimLeft(pyfmt.Str(v), "#"))
		if err != nil {
			return err
		}
		if m != nil {
			if name, _ := m.Group(2); name == option {
				at = key
			}
		}
	}
	for k := range after.All() {
		into.Delete(k)
	}
	if at != "" {
		into.Delete(at)
	}
	into.Set(option, nil)
	for k, v := range after.All() {
		into.Set(k, v)
	}
	return nil
}

// Remove takes an option out of a section, or from the top for no section, and gives its value; nil for none.
func (f *File) Remove(section, option string) any {
	from := f.top
	if s := f.top.Map(section); s != nil {
		from = s
	}
	v := from.Value(option)
	from.Delete(option)
	return v
}

// RemoveSection takes a section out and gives its options; nil for none.
func (f *File) RemoveSection(name string) *ordered.Map {
	v, ok := f.top.Get(name)
	if !ok {
		return nil
	}
	f.top.Delete(name)
	if s, isSection := v.(*ordered.Map); isSection {
		return plain(s)
	}
	return ordered.New(0)
}

// Text is the file as it is to be written.
func (f *File) Text() string {
	var b strings.Builder
	f.write(&b, f.top)
	return strings.TrimLeft(b.String(), "\n")
}

func (f *File) write(b *strings.Builder, m *ordered.Map) {
	sep := f.style.Separator
	if !f.style.NoSpaces {
		sep = " " + sep + " "
	}
	for k, v := range m.All() {
		switch key := pyfmt.Str(k); {
		case isComment(key):
			b.WriteString(pyfmt.Str(v) + "\n")
		default:
			if _, isSection := v.(*ordered.Map); !isSection {
				b.WriteString(key + sep + pyfmt.Str(v) + "\n")
			}
		}
	}
	for k, v := range m.All() {
		if s, ok := v.(*ordered.Map); ok {
			b.WriteString("\n[" + pyfmt.Str(k) + "]\n")
			f.write(b, s)
		}
	}
}

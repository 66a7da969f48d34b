package pkg

import (
	"strings"

	"brine/internal/ordered"
)

// source is a line of sources.list(5) in its one-line form.
type source struct {
	file     string
	disabled bool
	kind     string // deb or deb-src
	options  []string
	uri      string
	dist     string
	comps    []string
	comment  string
}

// parseSource reads a line; false for one that is none.
func parseSource(line string) (source, bool) {
	s := source{}
	text := strings.TrimSpace(line)
	for strings.HasPrefix(text, "#") {
		s.disabled = true
		text = strings.TrimSpace(text[1:])
	}
	text, s.comment, _ = strings.Cut(text, "#")
	s.comment = strings.TrimSpace(s.comment)
	f := strings.Fields(text)
	if len(f) < 3 || f[0] != "deb" && f[0] != "deb-src" {
		return s, false
	}
	s.kind = f[0]
	f = f[1:]
	if strings.HasPrefix(f[0], "[") {
		for len(f) > 0 {
			word := strings.Trim(f[0], "[]")
			end := strings.HasSuffix(f[0], "]")
			if word != "" {
				s.options = append(s.options, word)
			}
			if f = f[1:]; end {
				break
			}
		}
	}
	if len(f) < 2 || !strings.Contains(f[0], ":") {
		return s, false
	}
	s.uri, s.dist, s.comps = f[0], f[1], f[2:]
	return s, true
}

// String is the line.
func (s source) String() string {
	words := []string{s.kind}
	if s.disabled {
		words = []string{"#", s.kind}
	}
	if len(s.options) > 0 {
		words = append(words, "["+strings.Join(s.options, " ")+"]")
	}
	words = append(words, s.uri, s.dist)
	words = append(words, s.comps...)
	if s.comment != "" {
		words = append(words, "#", s.comment)
	}
	return strings.Join(words, " ")
}

func (s source) option(name string) string {
	for _, o := range s.options {
		if v, ok := strings.CutPrefix(o, name+"="); ok {
			return v
		}
	}
	return ""
}

// same tells whether two lines are of one repository.
func (s source) same(o source) bool {
	return s.kind == o.kind && strings.TrimRight(s.uri, "/") == strings.TrimRight(o.uri, "/") && s.dist == o.dist
}

func (s source) data() *ordered.Map {
	comps := make([]any, len(s.comps))
	for i, c := range s.comps {
		comps[i] = c
	}
	archs := []any{}
	for _, a := range strings.FieldsFunc(s.option("arch"), func(r rune) bool { return r == ',' }) {
		archs = append(archs, a)
	}
	return ordered.Pairs("file", s.file, "comps", comps, "disabled", s.disabled, "dist", s.dist, "type", s.kind, "uri", s.uri, "line", s.String(),
		"architectures", archs, "signedby", s.option("signed-by"))
}

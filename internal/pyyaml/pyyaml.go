// Package pyyaml reads and writes YAML as Salt does: PyYAML's YAML 1.1 with libyaml's grammar and error texts, and the
// few rules that Salt's own loader adds (no octal numbers, no timestamps, no duplicate keys).
//
// The scanner and the parser follow libyaml step by step, because Salt's users know its error texts and the lines they
// name; the emitter follows it too, so that what is dumped is equal byte for byte. Values are job data (see
// internal/ordered).
package pyyaml

import (
	"fmt"
	"strings"

	"brine/internal/ordered"
)

// Bounds that hold when Options leaves them at 0.
const (
	DefaultMaxBytes = 16 << 20
	DefaultMaxDepth = 200
	DefaultMaxNodes = 2_000_000
)

// Options bounds what Load accepts. The zero value takes the defaults.
type Options struct {
	MaxBytes int // size of the document
	MaxDepth int // nesting of lists and maps
	MaxNodes int // number of values once every alias is written out
	// Name stands for the document in error texts; empty is PyYAML's <unicode string>.
	Name string
}

func (o Options) withDefaults() Options {
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.MaxDepth <= 0 {
		o.MaxDepth = DefaultMaxDepth
	}
	if o.MaxNodes <= 0 {
		o.MaxNodes = DefaultMaxNodes
	}
	if o.Name == "" {
		o.Name = "<unicode string>"
	}
	return o
}

// Load reads one YAML document into job data, as Salt 3006 reads an SLS. An empty document is nil. An alias and its
// anchor share one map or list. Every error is an *Error.
func Load(src []byte, o Options) (any, error) {
	v, _, err := load(src, o, false)
	return v, err
}

// Lines tells on which line of a document each map key and list item stands.
type Lines struct{ at map[string]int }

// Of returns the 1-based line of the value at path (map keys and list indexes from the top), 0 when it is not known.
func (l *Lines) Of(path ...any) int { return l.at[pathKey(path)] }

func pathKey(path []any) string {
	parts := make([]string, len(path))
	for i, p := range path {
		parts[i] = fmt.Sprint(p)
	}
	return strings.Join(parts, "\x00")
}

// LoadMap reads a document whose top is a map, as a configuration file is, and tells where each of its keys stands.
// An empty document is an empty map.
func LoadMap(src []byte, o Options) (*ordered.Map, *Lines, error) {
	v, lines, err := load(src, o, true)
	if err != nil {
		return nil, nil, err
	}
	switch t := v.(type) {
	case nil:
		return ordered.New(0), lines, nil
	case *ordered.Map:
		return t, lines, nil
	}
	return nil, nil, &Error{Stage: Constructor, Problem: "the document is not a map", ProblemMark: &Mark{1, 1}, name: o.withDefaults().Name}
}

func load(src []byte, o Options, wantLines bool) (any, *Lines, error) {
	o = o.withDefaults()
	lines := &Lines{at: map[string]int{}}
	if len(src) > o.MaxBytes {
		return nil, nil, &Error{Stage: Reader, Problem: fmt.Sprintf("the document has %d bytes, the limit is %d", len(src), o.MaxBytes), name: o.Name}
	}
	root, err := parse(src, o)
	if err != nil || root == nil {
		return nil, lines, err
	}
	c := &constructor{o: o, made: map[*docNode]any{}, busy: map[*docNode]bool{}, flat: map[*docNode]bool{}}
	v, err := c.document(root)
	if err != nil {
		return nil, nil, err
	}
	if err := c.measure(root); err != nil {
		return nil, nil, err
	}
	if wantLines {
		lines.collect(root, nil)
	}
	return v, lines, nil
}

// collect notes the line of each key and item; what an alias brings in stands where its anchor does.
func (l *Lines) collect(n *docNode, path []any) {
	switch n.kind {
	case mappingNode:
		for i := 0; i+1 < len(n.content); i += 2 {
			here := append(path[:len(path):len(path)], n.content[i].value)
			l.at[pathKey(here)] = n.content[i].at.Line
			l.collect(n.content[i+1], here)
		}
	case sequenceNode:
		for i, e := range n.content {
			here := append(path[:len(path):len(path)], i)
			l.at[pathKey(here)] = e.at.Line
			l.collect(e, here)
		}
	}
}

// Stage says which part of loading failed, by PyYAML's names of its errors.
type Stage string

// The stages, each the class of a PyYAML error.
const (
	Reader      Stage = "ReaderError"
	Scanner     Stage = "ScannerError"
	Parser      Stage = "ParserError"
	Composer    Stage = "ComposerError"
	Constructor Stage = "ConstructorError"
)

// Mark is a place in the document; lines and columns count from 1.
type Mark struct{ Line, Column int }

// Error is a document that cannot be loaded. Its text has PyYAML's form.
type Error struct {
	Stage                    Stage
	Context, Problem         string
	ContextMark, ProblemMark *Mark
	name                     string
}

// Line is the 1-based line of the problem, 0 when it has none.
func (e *Error) Line() int {
	if e.ProblemMark == nil {
		return 0
	}
	return e.ProblemMark.Line
}

func (e *Error) Error() string {
	var lines []string
	if e.Context != "" {
		lines = append(lines, e.Context)
	}
	if e.ContextMark != nil && (e.ProblemMark == nil || *e.ContextMark != *e.ProblemMark) {
		lines = append(lines, e.place(e.ContextMark))
	}
	if e.Problem != "" {
		lines = append(lines, e.Problem)
	}
	if e.ProblemMark != nil {
		lines = append(lines, e.place(e.ProblemMark))
	}
	return strings.Join(lines, "\n")
}

func (e *Error) place(m *Mark) string {
	return fmt.Sprintf("  in \"%s\", line %d, column %d", e.name, m.Line, m.Column)
}

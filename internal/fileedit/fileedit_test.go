package fileedit

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/pyregex"
)

func p(s string) *string { return &s }

func TestLine(t *testing.T) {
	t.Parallel()
	const text = "one\n  two\nthree\n"
	for name, c := range map[string]struct {
		text string
		e    LineEdit
		want string
	}{
		"insert at the end":            {text, LineEdit{Mode: "insert", Content: p("x"), Location: "end"}, "one\n  two\nthree\n\nx"}, // the empty line is Salt's
		"insert at the start":          {text, LineEdit{Mode: "insert", Content: p("x"), Location: "start"}, "x\none\n  two\nthree\n"},
		"insert into nothing":          {"", LineEdit{Mode: "insert", Content: p("x"), Location: "start"}, "x\n"},
		"insert at the end of nothing": {"", LineEdit{Mode: "insert", Content: p("x"), Location: "end"}, "x"},
		"insert after":                 {text, LineEdit{Mode: "insert", Content: p("x"), After: p("two"), Indent: true}, "one\n  two\n  x\nthree\n"},
		"insert after, no indent":      {text, LineEdit{Mode: "insert", Content: p("x"), After: p("two")}, "one\n  two\nx\nthree\n"},
		"insert after, already there":  {text, LineEdit{Mode: "insert", Content: p("three"), After: p("two")}, text},
		"insert before":                {text, LineEdit{Mode: "insert", Content: p("x"), Before: p("^three"), Indent: true}, "one\n  two\nx\nthree\n"},
		"insert between":               {text, LineEdit{Mode: "insert", Content: p("x"), After: p("one"), Before: p("three"), Indent: true}, "one\n  two\nx\nthree\n"},
		"ensure after":                 {text, LineEdit{Mode: "ensure", Content: p("x"), After: p("one")}, "one\nx\n  two\nthree\n"},
		"ensure before the first":      {text, LineEdit{Mode: "ensure", Content: p("x"), Before: p("one")}, "x\none\n  two\nthree\n"},
		"ensure replaces between":      {text, LineEdit{Mode: "ensure", Content: p("x"), After: p("one"), Before: p("three")}, "one\nx\nthree\n"},
		"ensure between neighbours":    {"a\nb\n", LineEdit{Mode: "ensure", Content: p("x"), After: p("a"), Before: p("b")}, "a\nx\nb\n"},
		"replace":                      {text, LineEdit{Mode: "replace", Content: p("x"), Match: p("two"), Indent: true}, "one\n  x\nthree\n"},
		"replace nothing":              {text, LineEdit{Mode: "replace", Content: p("x"), Match: p("nope")}, text},
		"delete":                       {text, LineEdit{Mode: "delete", Match: p("t.o")}, "one\nthree\n"},
		"delete by content":            {text, LineEdit{Mode: "delete", Content: p("three")}, "one\n  two\n"},
		"delete in nothing":            {"", LineEdit{Mode: "delete", Match: p("x")}, ""},
		"carriage returns become \\n":  {"a\r\nb\r\n", LineEdit{Mode: "delete", Match: p("a")}, "b\n"},
	} {
		_, got, err := c.e.Apply(c.text)
		require.NoError(t, err, name)
		assert.Equal(t, c.want, strings.Join(got, ""), name)
	}
	for want, e := range map[string]LineEdit{
		`Content can only be empty if mode is "delete"`:                                                {Mode: "replace"},
		`On insert either "location" or "before/after" conditions are required.`:                       {Mode: "insert", Content: p("x")},
		`Found more than expected occurrences in "after" expression`:                                   {Mode: "insert", Content: p("x"), After: p("o")},
		"Neither before or after was found in file":                                                    {Mode: "insert", Content: p("x"), After: p("zzz")},
		`Found more than one line between boundaries "before" and "after".`:                            {Mode: "ensure", Content: p("x"), After: p("three"), Before: p("one")},
		"Wrong conditions? Unable to ensure line without knowing where to put it before and/or after.": {Mode: "ensure", Content: p("x"), After: p("zzz")},
		"missing ), unterminated subpattern at position 0: '('":                                        {Mode: "delete", Match: p("(")},
	} {
		_, _, err := e.Apply(text)
		assert.EqualError(t, err, want)
	}
}

func TestBlock(t *testing.T) {
	t.Parallel()
	no, yes := false, true
	const text = "a\n# S\nold\n# E tail\nb\n"
	for name, c := range map[string]struct {
		text string
		e    BlockEdit
		want string
	}{
		"content with its own end": {text, BlockEdit{Content: "new\n", Newline: &no}, "a\n# S\nnew\n# E tail\nb\n"},
		"content without an end":   {text, BlockEdit{Content: "new", Newline: &no}, "a\n# S\nnew# E tail\nb\n"},
		"an end added":             {text, BlockEdit{Content: "new", Newline: &yes}, "a\n# S\nnew\n# E tail\nb\n"},
		"an end added if needed":   {text, BlockEdit{Content: "new\n"}, "a\n# S\nnew\n# E tail\nb\n"},
		"append":                   {"a", BlockEdit{Content: "x", Append: true}, "a\n# S\nx\n# E\n"},
		"prepend":                  {"a\n", BlockEdit{Content: "x", Prepend: true}, "# S\nx\n# E\na\n"},
		"before a match":           {"a\nb\n", BlockEdit{Content: "x", InsertBefore: "^b"}, "a\n# S\nx\n# E\nb\n"},
		"after a match":            {"a\nb\n", BlockEdit{Content: "x", InsertAfter: "^a"}, "a\n# S\nx\n# E\nb\n"},
		"carriage returns stay":    {"a\r\n# S\r\nold\r\n# E\r\n", BlockEdit{Content: "x\ny"}, "a\r\n# S\r\nx\r\ny\r\n# E\r\n"},
		"into nothing":             {"", BlockEdit{Content: "x", Append: true}, "# S\nx\n# E\n"},
	} {
		c.e.Start, c.e.End = "# S", "# E"
		_, got, err := c.e.Apply(c.text)
		require.NoError(t, err, name)
		assert.Equal(t, c.want, strings.Join(got, ""), name)
	}
	_, _, err := BlockEdit{Start: "# S", End: "zzz"}.Apply(text)
	assert.ErrorIs(t, err, ErrUnterminated)
	_, _, err = BlockEdit{Start: "zzz", End: "# E"}.Apply(text)
	assert.ErrorIs(t, err, ErrNoMarkers)
	_, _, err = BlockEdit{Start: "zzz", End: "# E", InsertAfter: "nope"}.Apply(text)
	assert.ErrorIs(t, err, ErrNoMarkers)
}

func TestComment(t *testing.T) {
	t.Parallel()
	before, after, out, err := Comment("a\nb c\n a\n", "^a$", "#", true)
	require.NoError(t, err)
	assert.Equal(t, []string{"a\n"}, before)
	assert.Equal(t, []string{"#a\n"}, after)
	assert.Equal(t, "#a\nb c\n a\n", out)
	_, after, out, err = Comment("##  a\n#b\n", "a", "#", false)
	require.NoError(t, err)
	assert.Empty(t, after, "one comment character, then blanks")
	assert.Equal(t, "##  a\n#b\n", out)
	_, _, out, err = Comment("#  a\n#b\n", "^a", "#", false)
	require.NoError(t, err)
	assert.Equal(t, "  a\n#b\n", out)
}

func TestSubstitution(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text, want     string
		s              Substitution
		changed, added bool
	}{
		"all":               {"a1 a2\n", "b1 b2\n", Substitution{Pattern: `a(\d)`, Repl: `b\1`}, true, false},
		"one":               {"a1 a2\n", "b1 a2\n", Substitution{Pattern: `a(\d)`, Repl: `b\1`, Count: 1}, true, false},
		"literal":           {"a1\n", `b\1` + "\n", Substitution{Pattern: `a(\d)`, Repl: `b\1`, Literal: true}, true, false},
		"same":              {"a\n", "a\n", Substitution{Pattern: `a`, Repl: `a`}, false, false},
		"append":            {"a", "a\nx\n", Substitution{Pattern: `z`, Repl: `x`, Append: true}, false, true},
		"append is there":   {"a\nx\n", "a\nx\n", Substitution{Pattern: `z`, Repl: `x`, Append: true, Flags: pyregex.Multiline}, false, false},
		"prepend other":     {"a\n", "y\na\n", Substitution{Pattern: `z`, Repl: `x`, Prepend: true, NotFound: p("y")}, false, true},
		"append to nothing": {"", "x\n", Substitution{Pattern: `z`, Repl: `x`, Append: true}, false, true},
	} {
		o, err := c.s.Apply(c.text)
		require.NoError(t, err, name)
		assert.Equal(t, c.want, o.Text(), name)
		assert.Equal(t, []bool{c.changed, c.added}, []bool{o.Changed, o.Added}, name)
	}
}

package jinja

import (
	"errors"
	"fmt"
	"strings"

	"brine/internal/pytext"
	"brine/render/pyvalue"
	"brine/render/syntax"
)

// Error is a template that could not be rendered, in Salt's words.
type Error struct {
	// Message is what happened, without the place.
	Message string
	// Line is the 1-based line in the template that was rendered, 0 when the fault is in a file that it imports, which
	// the message then names.
	Line    int
	context string
	cause   error
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Message
	}
	return fmt.Sprintf("%s; line %d\n\n%s", e.Message, e.Line, e.context)
}

func (e *Error) Unwrap() error { return e.cause }

// limitError is a render that asks for too much.
type limitError struct{ message string }

func (e *limitError) Error() string { return e.message }

// located is an error with the innermost place in a template where it came up.
type located struct {
	err  error
	t    *loaded
	line int
}

func (e *located) Error() string { return e.err.Error() }
func (e *located) Unwrap() error { return e.err }

func locate(err error, t *loaded, line int) error {
	var l *located
	if errors.As(err, &l) {
		return err
	}
	return &located{err, t, line}
}

// templateErrorf is jinja2's TemplateRuntimeError.
func templateErrorf(format string, a ...any) error {
	return pyvalue.Errorf("TemplateRuntimeError", format, a...)
}

// prefix is how Salt introduces an error of this kind.
func prefix(err error) string {
	var undefined *pyvalue.ErrUndefined
	var syntaxError *syntax.Error
	var python *pyvalue.Error
	switch {
	case errors.As(err, &undefined):
		return "Jinja variable "
	case errors.As(err, &syntaxError):
		return "Jinja syntax error: "
	case errors.As(err, &python):
		switch python.Class {
		case "TemplateRuntimeError", "TemplateSyntaxError", "TemplateAssertionError", "FilterArgumentError", "SecurityError":
			return "Jinja syntax error: "
		case "CommandExecutionError", "SaltInvocationError":
			return "Problem running salt function in Jinja template: "
		}
	}
	return "Jinja error: "
}

// text is the message of the innermost error that a user knows.
func text(err error) string {
	var undefined *pyvalue.ErrUndefined
	var syntaxError *syntax.Error
	var python *pyvalue.Error
	switch {
	case errors.As(err, &undefined):
		return undefined.Error()
	case errors.As(err, &syntaxError):
		return syntaxError.Error()
	case errors.As(err, &python):
		return python.Error()
	}
	return err.Error()
}

func saltError(err error, src string, r *run) *Error {
	out := &Error{Message: prefix(err) + text(err), cause: err}
	line, file := 0, (*loaded)(nil)
	var l *located
	var s *syntax.Error
	switch {
	case errors.As(err, &l):
		line, file = l.line, l.t
	case errors.As(err, &s):
		line = s.Line
	}
	if file != nil && file.path != "" {
		out.Message += fmt.Sprintf("\n%s(%d):\n%s", file.path, line, Context(file.source, line))
		return out
	}
	out.Line = line
	out.context = Context(src, line)
	return out
}

const (
	contextLines = 5
	marker       = "    <======================"
)

// Context shows the lines around one, which is marked, as Salt's get_context.
func Context(src string, line int) string {
	lines := pytext.Splitlines(src, false)
	if line > len(lines) || line < 1 {
		return src
	}
	start, end := max(0, line-contextLines-1), min(len(lines), line+contextLines)
	var b strings.Builder
	b.WriteString("---\n")
	if start > 0 {
		b.WriteString("[...]\n")
	}
	for i := start; i < end; i++ {
		b.WriteString(lines[i])
		if i == line-1 {
			b.WriteString(marker)
		}
		b.WriteByte('\n')
	}
	if end < len(lines) {
		b.WriteString("[...]\n")
	}
	b.WriteString("---")
	return b.String()
}

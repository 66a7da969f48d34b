// Package crontab reads and writes crontabs by the rules of Salt's cron functions: the jobs below a marker line are Salt's,
// each with a comment and an identifier in the line before it.
package crontab

import (
	"strings"

	"brine/internal/pytext"
)

// Marker stands above the lines that are managed.
const Marker = "# Lines below here are managed by Salt, do not edit"

const (
	idWord = "SALT_CRON_IDENTIFIER"
	// NoID stands for the identifier of a job that has none.
	NoID     = "NO ID SET"
	disabled = "#DISABLED#"
)

// Job is one line: five times, or a word such as @hourly (Special).
type Job struct {
	Minute, Hour, Daymonth, Month, Dayweek string
	Special                                string
	Cmd                                    string
	// ID and Comment are nil when there is none.
	ID, Comment *string
	Commented   bool
}

// Variable is a line that sets a variable of the environment.
type Variable struct{ Name, Value string }

// Tab is a crontab.
type Tab struct {
	// Pre are the lines above the marker.
	Pre           []string
	Env           []Variable
	Jobs, Special []Job
}

// Parse reads a crontab.
func Parse(text string) Tab {
	var t Tab
	p := parser{t: &t}
	for _, line := range pytext.Splitlines(text, false) {
		switch {
		case line == Marker:
			p.managed = true
		case p.managed:
			p.line(line)
		default:
			t.Pre = append(t.Pre, line)
		}
	}
	return t
}

type parser struct {
	t           *Tab
	managed     bool
	id, comment *string
}

func (p *parser) line(line string) {
	line, commented := strings.CutPrefix(line, disabled)
	words := strings.Split(line, " ")
	eq := strings.IndexByte(line, '=')
	space := strings.IndexByte(line, ' ')
	switch {
	case strings.HasPrefix(line, "@"):
		if f := pytext.Fields(line); len(f) > 1 {
			p.t.Special = append(p.t.Special, Job{Special: f[0], Cmd: strings.Join(f[1:], " "), ID: p.id, Comment: p.comment, Commented: commented})
			p.id, p.comment = nil, nil
		}
	case strings.HasPrefix(line, "#"):
		p.note(strings.TrimLeft(line, "# "))
	case eq > 0 && (space < 0 || eq < space):
		p.t.Env = append(p.t.Env, Variable{line[:eq], line[eq+1:]})
	case len(words) > 5:
		p.t.Jobs = append(p.t.Jobs, Job{Minute: words[0], Hour: words[1], Daymonth: words[2], Month: words[3], Dayweek: words[4], Cmd: strings.Join(words[5:], " "),
			ID: p.id, Comment: p.comment, Commented: commented})
		p.id, p.comment = nil, nil
	}
}

// note reads a comment line, which may end in an identifier.
func (p *parser) note(line string) {
	if before, after, ok := strings.Cut(line, idWord); ok {
		line = pytext.Rstrip(before)
		if len(after) > 1 {
			id := after[1:]
			p.id = &id
		}
	}
	if p.comment != nil {
		line = *p.comment + "\n" + line
	}
	p.comment = &line
}

// Text is the crontab as it is written.
func (t Tab) Text() string {
	var b strings.Builder
	for _, l := range t.Pre {
		b.WriteString(l + "\n")
	}
	if len(t.Pre) == 0 || t.Pre[len(t.Pre)-1] != Marker {
		b.WriteString(Marker + "\n")
	}
	for _, v := range t.Env {
		if v.Value == "" {
			v.Value = `""`
		}
		b.WriteString(v.Name + "=" + v.Value + "\n")
	}
	for _, list := range [][]Job{t.Jobs, t.Special} {
		for _, j := range list {
			b.WriteString(j.text())
		}
	}
	return b.String()
}

func (j Job) text() string {
	var b strings.Builder
	if j.Comment != nil || j.ID != nil {
		b.WriteByte('#')
		if j.Comment != nil && *j.Comment != "" {
			b.WriteString(" " + strings.ReplaceAll(pytext.Rstrip(*j.Comment), "\n", "\n# "))
		}
		if j.ID != nil && *j.ID != "" {
			b.WriteString(" " + idWord + ":" + *j.ID)
		}
		b.WriteByte('\n')
	}
	if j.Commented {
		b.WriteString(disabled)
	}
	if j.Special != "" {
		b.WriteString(j.Special)
	} else {
		b.WriteString(strings.Join([]string{j.Minute, j.Hour, j.Daymonth, j.Month, j.Dayweek}, " "))
	}
	b.WriteString(" " + j.Cmd + "\n")
	return b.String()
}

// IDText is the identifier, NoID for none.
func (j Job) IDText() string {
	if j.ID == nil || *j.ID == "" {
		return NoID
	}
	return *j.ID
}

// Matches tells whether a job is the one of a command and an identifier ("" for none): by the identifier where there is
// one, else by the command.
func (j Job) Matches(cmd, id string) bool {
	own, wanted := j.IDText(), id
	if wanted == "" {
		wanted = NoID
	}
	if j.Cmd != cmd && own == NoID && wanted == NoID {
		return false
	}
	if j.Cmd == cmd && own == NoID && wanted != NoID {
		return true
	}
	return own == wanted
}

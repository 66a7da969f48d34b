package console

import (
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/url"
	"path"
	"strings"
	"time"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyyaml"
)

// view is a page's template, with the layout around it.
type view = *template.Template

func parseViews() (map[string]view, error) {
	funcs := template.FuncMap{"yaml": yamlText, "moment": moment, "class": class, "diff": diffLines, "str": pyfmt.Str, "counts": counts, "list": func(v ...any) []any { return v }, "escape": url.PathEscape}
	base, err := template.New("layout").Funcs(funcs).ParseFS(files, "templates/layout.html", "templates/parts.html")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return nil, err
	}
	out := map[string]view{}
	for _, n := range names {
		page, err := base.Clone()
		if err != nil {
			return nil, err
		}
		if out[strings.TrimSuffix(path.Base(n), ".html")], err = page.ParseFS(files, n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// shown is what every page gets.
type shown struct {
	Page, Title, Said string
	User              *User
	Data              any
}

// show renders a page.
func (c *Console) show(r *request, page, title string, data any) error {
	return c.render(r, page, "layout", shown{Page: page, Title: title, Said: c.said(r), User: r.user, Data: data})
}

// part renders a part of a page alone.
func (c *Console) part(r *request, page, name string, data any) error {
	return c.render(r, page, name, data)
}

func (c *Console) render(r *request, page, name string, data any) error {
	var b strings.Builder // so that a page with an error in it is not half sent
	if err := c.views[page].ExecuteTemplate(&b, name, data); err != nil {
		return err
	}
	r.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err := io.WriteString(r.w, b.String())
	return err
}

func yamlText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	text := pyyaml.Dump(v, pyyaml.DumpOptions{DefaultFlowStyle: pyyaml.Block()})
	return strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\n...")
}

// instant is a time as the pages show it: in UTC, until a script puts it into the viewer's zone.
type instant struct{ ISO, Text string }

func moment(v any) instant {
	t, ok := v.(time.Time)
	if text, is := v.(string); is {
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999", "2006, Jan 02 15:04:05.999999", "2006-01-02 15:04:05"} {
			var err error
			if t, err = time.Parse(layout, text); err == nil {
				ok = true
				break
			}
		}
		if !ok {
			return instant{Text: text}
		}
	}
	if !ok || t.IsZero() {
		return instant{}
	}
	t = t.UTC()
	return instant{t.Format("2006-01-02T15:04:05.000Z"), t.Format("2006-01-02 15:04:05") + " UTC"}
}

// class is the colour of a state.
func class(state any) string {
	switch pyfmt.Str(state) {
	case "online", "updated", "accepted", "succeeded", "True":
		return "good"
	case "failed", "denied", "rejected", "False", "error", "interrupted", "expired":
		return "bad"
	case "asleep", "pending", "retrying", "forcing", "suspended", "missing", "unconfirmed":
		return "warn"
	}
	return "dim"
}

type line struct{ Class, Text string }

// diffLines colours a text that looks like a diff.
func diffLines(v any) []line {
	var out []line
	text := yamlText(v)
	diff := strings.Contains(text, "@@ ")
	for l := range strings.SplitSeq(text, "\n") {
		class := ""
		trimmed := strings.TrimLeft(l, " ")
		switch {
		case !diff:
		case strings.HasPrefix(trimmed, "@@"):
			class = "dim"
		case strings.HasPrefix(trimmed, "+"):
			class = "good"
		case strings.HasPrefix(trimmed, "-"):
			class = "bad"
		}
		out = append(out, line{class, l})
	}
	return out
}

// state is one result of a state run.
type state struct {
	Num                             int64
	SLS, ID, Name, Fun, Start, Kind string
	Duration, Comment, Changes      any
}

// The three kinds of results: as the pages name them.
const (
	kindFailed, kindChanged, kindSuccessful = "Failed", "Changed", "Successful"
)

// results takes the answer of a state run apart; ok is false when it is none.
func results(v any) (out []state, ok bool) {
	m, _ := v.(*ordered.Map)
	if m.Len() == 0 {
		return nil, false
	}
	for k, e := range m.All() {
		parts := strings.Split(ordered.KeyText(k), "_|-")
		r, isMap := e.(*ordered.Map)
		if len(parts) != 4 || !isMap || !r.Has("result") {
			return nil, false
		}
		num, _ := r.Value("__run_num__").(int64)
		s := state{Num: num, SLS: r.String("__sls__"), ID: r.String("__id__"), Name: r.String("name"), Fun: parts[0] + "." + parts[3],
			Start: r.String("start_time"), Duration: r.Value("duration"), Comment: r.Value("comment"), Changes: r.Value("changes"), Kind: kindSuccessful}
		switch changes := r.Value("changes"); {
		case r.Value("result") == false:
			s.Kind = kindFailed
		case pyfmt.Truth(changes):
			s.Kind = kindChanged
		}
		if !pyfmt.Truth(s.Changes) {
			s.Changes = nil
		}
		out = append(out, s)
	}
	sortBy(out, func(s state) int64 { return s.Num })
	return out, true
}

// group are the results of one kind.
type group struct {
	Kind, Class string
	Open        bool
	States      []state
	Of          int
}

// groups sorts results into failed, changed and successful.
func groups(list []state) []group {
	out := []group{{Kind: kindFailed, Class: "bad", Open: true}, {Kind: kindChanged, Class: "warn"}, {Kind: kindSuccessful, Class: "good"}}
	for i := range out {
		for _, s := range list {
			if s.Kind == out[i].Kind {
				out[i].States = append(out[i].States, s)
			}
		}
		out[i].Of = len(list)
	}
	return out
}

// counts are those of a run, in the order of the columns.
func counts(run *ordered.Map) []string {
	c := run.Map("counts")
	out := make([]string, 3)
	for i, k := range []string{"changed", "successful", "failed"} {
		out[i] = "–"
		if n, ok := c.Value(k).(int64); ok {
			out[i] = fmt.Sprint(n)
		}
	}
	return out
}

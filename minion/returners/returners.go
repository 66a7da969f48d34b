// Package returners hands the results of jobs to other systems, Salt's returners
// (https://docs.saltproject.io/en/3006/ref/returners/all/index.html): files, databases, brokers, web servers, the system log
// and the minion's own event bus. The master gets every result anyway; returners are beside it.
package returners

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyjson"
)

// Returner takes results. Return may be called again with the same result after an error.
type Returner interface {
	// Return hands over one result in Salt's form: id, jid, fun, fun_args, return, retcode, success ...
	Return(ctx context.Context, ret *ordered.Map) error
	// Close lets go of connections and files.
	Close() error
}

// Options are what returners work with.
type Options struct {
	// Opts is the configuration, under Salt's names such as returner.postgres.host or sqlite3.database.
	Opts *ordered.Map
	// Profile is ret_config: options that begin with it and a dot win.
	Profile string
	// Dir is where relative and default files lie.
	Dir string
	// Fire puts an event on the minion's own bus.
	Fire func(ctx context.Context, tag string, data *ordered.Map) error
	// Out is where the returner local prints.
	Out io.Writer
}

// Names lists the returners.
func Names() []string {
	return []string{"event", "event_result", "file", "http", "local", "mqtt", "multi_returner", "pgjsonb", "postgres", "rawfile_json", "sqlite", "sqlite3", "syslog"}
}

// New makes a returner by name.
func New(name string, o Options) (Returner, error) {
	c := conf{o: o, names: []string{name}}
	switch name {
	case "local":
		return local{o.Out}, nil
	case "file", "rawfile_json":
		c.names = []string{name, "rawfile_json", "file"}
		return &file{path: c.path("filename", "returns.jsonl")}, nil
	case "sqlite", "sqlite3":
		c.names = []string{name, "sqlite3", "sqlite"}
		return newSQLite(c)
	case "postgres", "pgjsonb":
		c.names = []string{name, "postgres"}
		return newPostgres(c)
	case "mqtt":
		return newMQTT(c)
	case "http":
		return newHTTP(c)
	case "syslog":
		return newSyslog(c)
	case "event":
		return eventReturner{o.Fire, false}, nil
	case "event_result":
		return eventReturner{o.Fire, true}, nil
	case "multi_returner", "multi":
		return newMulti(o)
	}
	return nil, fmt.Errorf("there is no returner %q: known are %s", name, strings.Join(Names(), ", "))
}

// conf reads a returner's options: PROFILE.NAME.KEY, returner.NAME.KEY, NAME.KEY, or KEY in a map NAME or returner.NAME.
type conf struct {
	o     Options
	names []string
}

func (c conf) value(key string) any {
	for _, name := range c.names {
		var prefixes []string
		if c.o.Profile != "" {
			prefixes = append(prefixes, c.o.Profile+"."+name)
		}
		for _, p := range append(prefixes, "returner."+name, name) {
			if v, ok := c.o.Opts.Get(p + "." + key); ok && v != nil {
				return v
			}
			if m := c.o.Opts.Map(p); m != nil && m.Value(key) != nil {
				return m.Value(key)
			}
		}
	}
	return nil
}

func (c conf) text(key, def string) string {
	if v := c.value(key); v != nil {
		return pyfmt.Str(v)
	}
	return def
}

// path is a file option; a relative one lies in Dir.
func (c conf) path(key, def string) string {
	p := c.text(key, def)
	if !strings.HasPrefix(p, "/") {
		p = c.o.Dir + "/" + p
	}
	return p
}

// stamped is a result with the time in it, as JSON.
func stamped(ret *ordered.Map) string {
	m := ret
	if !m.Has("_stamp") {
		m = ret.Clone()
		m.Set("_stamp", time.Now().UTC().Format("2006-01-02T15:04:05.000000"))
	}
	return pyjson.Dumps(m, pyjson.Options{})
}

// multi hands a result to several returners.
type multi []Returner

func newMulti(o Options) (Returner, error) {
	list, _ := o.Opts.Value("multi_returner").([]any)
	if len(list) == 0 {
		return nil, fmt.Errorf("returner multi_returner: the option multi_returner lists no returners")
	}
	var out multi
	for _, n := range list {
		name := pyfmt.Str(n)
		if strings.HasPrefix(name, "multi") {
			return nil, fmt.Errorf("returner multi_returner cannot be in its own list")
		}
		r, err := New(name, o)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// Return implements Returner: all are tried; the error names those that failed.
func (m multi) Return(ctx context.Context, ret *ordered.Map) error {
	return m.each(func(r Returner) error { return r.Return(ctx, ret) })
}

// Close implements Returner.
func (m multi) Close() error { return m.each(Returner.Close) }

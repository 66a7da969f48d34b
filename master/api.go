package master

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"sync"
	"time"

	"brine/console"
	"brine/event"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/master/api"
	"brine/master/jobs"
	"brine/modules"
	"brine/proto"
)

// backend is the master for the API.
type backend struct {
	m   *Master
	ctx context.Context // of functions that go on when their request is answered
	wg  *sync.WaitGroup
}

var _ api.Backend = (*backend)(nil)

// serveAPI serves the HTTP interface, when it is configured.
func (m *Master) serveAPI(ctx context.Context) error {
	if m.o.APIListen == "" {
		<-ctx.Done()
		return ctx.Err()
	}
	o := api.Options{Users: m.users, Static: m.o.APIStatic, Log: m.log}
	if m.o.APITLS {
		cert, err := m.serverCert()
		if err != nil {
			return err
		}
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"}}
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	o.Backend = &backend{m, ctx, &wg}
	srv := api.New(o)
	pages, err := console.New(console.Options{Backend: &consoleBackend{m, srv}, Secure: o.TLS != nil, Log: m.log})
	if err != nil {
		return err
	}
	srv.Mount(pages.Handler())
	return srv.Serve(ctx, m.o.APIListen)
}

// Resolve implements api.Backend.
func (b *backend) Resolve(ctx context.Context, tgt any, tgtType string) ([]string, error) {
	ids, missing, err := b.m.Resolve(ctx, &jobs.Request{Tgt: tgt, TgtType: tgtType})
	return append(ids, missing...), err
}

// Subscribe implements api.Backend.
func (b *backend) Subscribe() *event.Sub { return b.m.bus.Subscribe(1000, nil) }

// Fire implements api.Backend.
func (b *backend) Fire(tag string, data *ordered.Map) { b.m.fire(tag, data) }

func number(low *ordered.Map, key string) float64 {
	switch t := low.Value(key).(type) {
	case int64:
		return float64(t)
	case float64:
		return t
	}
	return 0
}

// Local implements api.Backend.
func (b *backend) Local(ctx context.Context, c *api.Call, each func(api.Answer) error) (string, []string, error) {
	arg := slices.Clone(c.Arg)
	if c.Kwarg.Len() > 0 {
		kw := c.Kwarg.Clone()
		kw.Set("__kwarg__", true)
		arg = append(arg, kw)
	}
	if arg == nil {
		arg = []any{}
	}
	q := &LocalRequest{Tgt: c.Tgt, TgtType: c.TgtType, Fun: c.Fun, Arg: arg, User: c.User, Async: each == nil, Timeout: number(c.Low, "timeout"), Gather: number(c.Low, "gather_job_timeout"),
		Delimiter: c.Low.String("delimiter"), Ret: c.Low.String("ret"), Queue: number(c.Low, "queue")}
	q.Meta, _ = c.Low.Value("metadata").(*ordered.Map)
	switch c.Client {
	case "local_batch":
		if q.Batch = pyfmt.Str(c.Low.Value("batch")); c.Low.Value("batch") == nil {
			q.Batch = "10%"
		}
	case "local_subset":
		q.Subset = 3
		for _, key := range []string{"subset", "sub"} {
			if n := number(c.Low, key); n > 0 {
				q.Subset = int(n)
			}
		}
	}
	s := &apiSink{each: each}
	err := b.m.jobs.Do(ctx, b.m.local(q), s)
	if errors.Is(err, jobs.ErrNoMatch) {
		err = api.ErrNoMatch
	}
	return s.jid, s.minions, err
}

// apiSink hands the answers of a job to the API.
type apiSink struct {
	each    func(api.Answer) error
	jid     string
	minions []string
}

var _ jobs.Sink = (*apiSink)(nil)

func (s *apiSink) Started(jid string, minions, missing []string) error {
	s.jid, s.minions = jid, append(s.minions, minions...)
	if s.each == nil {
		return nil
	}
	for _, id := range missing {
		if err := s.each(api.Answer{ID: id, JID: jid, Out: "no_return", Value: "Minion did not return. [No response]", Retcode: 1}); err != nil {
			return err
		}
	}
	return nil
}

func (s *apiSink) Return(r *proto.Return) error {
	v, err := r.Value()
	if err != nil || s.each == nil {
		return err
	}
	return s.each(api.Answer{ID: r.ID, JID: r.JID, Out: r.Out, Value: v, Retcode: r.Retcode})
}

func (s *apiSink) Absent(jid string, a jobs.Absent) error {
	if s.each == nil {
		return nil
	}
	return s.each(api.Answer{ID: a.ID, JID: jid, Silent: true})
}

func (s *apiSink) Down(string) error { return nil }

// apiTime bounds a function that runs on when its request is answered.
const apiTime = time.Hour

// Function implements api.Backend.
func (b *backend) Function(ctx context.Context, kind string, c *api.Call) (string, any, error) {
	reg := b.m.runners
	if kind == "wheel" || kind == "wheel async" {
		reg = b.m.wheels
	}
	pos := slices.Clone(c.Arg)
	q := &FunRequest{Fun: pyfmt.Str(c.Fun), Pos: pos, Kwargs: c.Kwarg, User: c.User, JID: b.m.jobs.NextJID(), Quiet: c.Quiet}
	if kind == "run async" || kind == "wheel async" {
		name := kind[:len(kind)-len(" async")]
		b.wg.Go(func() {
			ctx, cancel := context.WithTimeout(b.ctx, apiTime)
			defer cancel()
			_, _ = b.m.runFun(ctx, reg, name, q) // its events tell what came of it
		})
		return q.JID, nil, nil
	}
	v, err := b.m.runFun(ctx, reg, kind, q)
	if err != nil {
		return q.JID, nil, err
	}
	return q.JID, v.Value, nil
}

type userArgs struct {
	Name     string `arg:"name"`
	Password string `arg:"password"`
	Role     string `arg:"role" def:"'operator'"`
	Perms    any    `arg:"perms" def:"None"`
}

type userName struct {
	Name string `arg:"name"`
}

// userRunner is the runner "user": who may use the API. It cannot be called through the API itself but by admins.
func (m *Master) userRunner() modules.Module {
	return modules.Module{Name: "user", Doc: "Users of the API.", Funcs: []modules.Func{
		modules.Fn("add", "Make a user, or give one another password. Use brine user add, which asks for the password.", func(ctx context.Context, _ *modules.Env, in userArgs) (any, error) {
			perms, _ := in.Perms.([]any)
			if err := m.users.Add(ctx, in.Name, in.Password, api.Role(in.Role), perms); err != nil {
				return nil, modules.Errorf("%v", err)
			}
			return true, nil
		}),
		modules.Fn("delete", "Remove a user and end its sessions.", func(ctx context.Context, _ *modules.Env, in userName) (any, error) {
			return true, m.users.Delete(ctx, in.Name)
		}),
		modules.Fn("link", "Make a link that logs a user in to the console, once and within a quarter of an hour.", func(ctx context.Context, _ *modules.Env, in userName) (any, error) {
			if m.o.APIListen == "" {
				return nil, modules.Errorf("the master serves no console: set the option api_listen")
			}
			path, err := m.LoginLink(ctx, in.Name)
			if err != nil {
				return nil, modules.Errorf("%v", err)
			}
			if m.o.APITLS {
				return "https://" + m.o.APIListen + path, nil
			}
			return "http://" + m.o.APIListen + path, nil
		}),
		modules.PureFn("list", "List the users.", func(ctx context.Context, _ *modules.Env, _ struct{}) (any, error) { return m.users.List(ctx) }),
	}}
}

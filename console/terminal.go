package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/saltargs"
	"brine/internal/shlex"
)

type terminalPage struct {
	Target  string
	Devices []Device
	Recent  []jobRow
}

func (c *Console) terminal(r *request) (err error) {
	p := terminalPage{Target: cmp.Or(r.FormValue("tgt"), "*")}
	if p.Devices = c.Backend.Devices(); len(p.Devices) > 1000 {
		p.Devices = p.Devices[:1000]
	}
	if p.Recent, err = c.jobRows(r, "user", r.user.Name, "limit", int64(5)); err != nil {
		return err
	}
	return c.show(r, "terminal", "Terminal", p)
}

// command starts what was typed and shows its output as it arrives.
func (c *Console) command(r *request) error {
	words, err := shlex.Split(strings.TrimSpace(r.PostFormValue("command")))
	if err != nil {
		return fmt.Errorf("cannot read the command: %w", err)
	}
	if len(words) == 0 {
		return errors.New("type a function, such as test.ping")
	}
	tgt := strings.TrimSpace(r.PostFormValue("tgt"))
	if tgt == "" {
		return errors.New("type a target: a device, a glob such as web*, or a compound expression")
	}
	pos, kw := saltargs.Parse(words[1:])
	kv := []any{"tgt", tgt, "tgt_type", "compound", "arg", pos}
	if kw.Len() > 0 {
		kv = append(kv, "kwarg", kw)
	}
	m, err := c.table(r, "local_async", words[0], kv...)
	if err != nil {
		return err
	}
	if m.String("jid") == "" {
		return fmt.Errorf("no device matches %q", tgt)
	}
	if r.Header.Get("HX-Request") == "" {
		http.Redirect(r.w, r.Request, Prefix+"jobs/"+m.String("jid"), http.StatusSeeOther)
		return nil
	}
	b, err := c.block(r, m.String("jid"))
	if err != nil {
		return err
	}
	return c.part(r, "job", "block", b)
}

// functions are the options that complete what is typed.
func (c *Console) functions(r *request) error {
	v, err := c.low(r, "runner", "doc.functions")
	if err != nil {
		return err
	}
	list, _ := v.([]any)
	return c.part(r, "terminal", "functions", list)
}

// doc tells what is known of the function that is being typed.
func (c *Console) doc(r *request) error {
	fun, _, _ := strings.Cut(strings.TrimSpace(r.FormValue("command")), " ")
	m, err := c.table(r, "runner", "doc.function", "name", fun)
	if err != nil {
		return err
	}
	return c.part(r, "terminal", "doc", m)
}

// jobRow is a job in a list.
type jobRow struct {
	JID, Fun, Target, User, Start string
	Arg                           []any
}

// jobRows lists jobs, newest first.
func (c *Console) jobRows(r *request, kv ...any) ([]jobRow, error) {
	m, err := c.table(r, "runner", "jobs.find", kv...)
	var out []jobRow
	for k, v := range m.All() {
		j, _ := v.(*ordered.Map)
		out = append(out, jobRow{JID: ordered.KeyText(k), Fun: pyfmt.Str(j.Value("Function")), Target: target(j), User: j.String("User"), Start: j.String("StartTime"), Arg: j.List("Arguments")})
	}
	return out, err
}

func target(j *ordered.Map) string {
	if l, ok := j.Value("Target").([]any); ok {
		parts := make([]string, len(l))
		for i, e := range l {
			parts[i] = pyfmt.Str(e)
		}
		return strings.Join(parts, ",")
	}
	return pyfmt.Str(j.Value("Target"))
}

type jobsPage struct {
	Fun, Target, User string
	Jobs              []jobRow
	Older             string
}

func (c *Console) jobs(r *request) (err error) {
	p := jobsPage{Fun: r.FormValue("fun"), Target: r.FormValue("target"), User: r.FormValue("user")}
	p.Jobs, err = c.jobRows(r, "fun", p.Fun, "target", p.Target, "user", p.User, "before", r.FormValue("before"), "limit", int64(pageSize))
	if err != nil {
		return err
	}
	if len(p.Jobs) == pageSize {
		p.Older = p.Jobs[pageSize-1].JID
	}
	return c.show(r, "jobs", "Jobs", p)
}

// answerOf is what a device gave back for a job.
type answerOf struct {
	ID, State string
	Text      any
	Groups    []group // when it is the answer of a state run
}

// block is a job as a terminal shows it.
type block struct {
	JID, Command, Target, User, Start string
	Answers                           []answerOf
	Waiting                           []string
	Failed                            int
	Open                              bool
}

func (c *Console) block(r *request, jid string) (*block, error) {
	m, err := c.table(r, "runner", "jobs.list_job", "jid", jid)
	if err != nil {
		return nil, err
	}
	if m.String("Error") != "" {
		return nil, fmt.Errorf("there is no job %s", jid)
	}
	b := &block{JID: jid, Command: commandLine(m), Target: target(m), User: m.String("User"), Start: m.String("StartTime")}
	res := m.Map("Result")
	for _, id := range m.List("Minions") {
		name := pyfmt.Str(id)
		a := res.Map(name)
		if a == nil {
			b.Waiting = append(b.Waiting, name)
			continue
		}
		one := answerOf{ID: name, State: "succeeded", Text: a.Value("return")}
		if list, ok := results(a.Value("return")); ok {
			one.Groups = groups(list)
		}
		if a.Value("success") == false || pyfmt.Truth(a.Value("retcode")) {
			one.State = "failed"
			b.Failed++
		}
		b.Answers = append(b.Answers, one)
	}
	slices.SortFunc(b.Answers, func(x, y answerOf) int { return cmp.Compare(x.ID, y.ID) })
	if len(b.Waiting) > 0 {
		active, err := c.table(r, "runner", "jobs.active")
		if err != nil {
			return nil, err
		}
		b.Open = active.Has(jid)
	}
	return b, nil
}

// commandLine is a job as somebody would type it.
func commandLine(j *ordered.Map) string {
	parts := []string{pyfmt.Str(j.Value("Function"))}
	for _, a := range j.List("Arguments") {
		m, ok := a.(*ordered.Map)
		if !ok {
			parts = append(parts, shlex.Quote(pyfmt.Str(a)))
			continue
		}
		for k, v := range m.All() {
			if k != "__kwarg__" {
				parts = append(parts, ordered.KeyText(k)+"="+shlex.Quote(pyfmt.Str(v)))
			}
		}
	}
	return strings.Join(parts, " ")
}

func (c *Console) job(r *request) error {
	b, err := c.block(r, r.PathValue("jid"))
	if err != nil {
		return err
	}
	return c.show(r, "job", "Job "+b.JID, b)
}

// pollTime is how long an answer waits for news.
const pollTime = 20 * time.Second

// jobOutput answers when more devices have answered than the page has seen, or after a while.
func (c *Console) jobOutput(r *request) error {
	jid := r.PathValue("jid")
	seen, _ := strconv.Atoi(r.FormValue("seen"))
	var b *block
	err := c.await(r, func(tag string) bool { return strings.HasPrefix(tag, "salt/job/"+jid+"/") }, func() (news bool, err error) {
		b, err = c.block(r, jid)
		return err == nil && (!b.Open || len(b.Answers) > seen), err
	})
	if err != nil {
		return err
	}
	return c.part(r, "job", "block", b)
}

// await asks until there are news, each time that an event of interest has come, for at most pollTime.
func (c *Console) await(r *request, want func(tag string) bool, ask func() (news bool, err error)) error {
	sub := c.Backend.Subscribe()
	defer sub.Close()
	ctx, cancel := context.WithTimeout(r.Context(), pollTime)
	defer cancel()
	for {
		news, err := ask()
		if news || err != nil {
			return err
		}
		for {
			e, err := sub.Next(ctx)
			if err != nil {
				return nil // nothing new: the page asks again
			}
			if want(e.Tag) {
				break
			}
		}
		settle(ctx, sub.C())
	}
}

// gatherTime is how long events are gathered before the pages are told: a fleet answers in bursts.
const gatherTime = 100 * time.Millisecond

func settle[T any](ctx context.Context, more <-chan T) {
	end := time.NewTimer(gatherTime)
	defer end.Stop()
	for {
		select {
		case <-more:
		case <-end.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

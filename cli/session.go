package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"
	"syscall"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/rpc"
	"brine/master"
	"brine/proto"
)

// session is one command for minions: it follows the answers and prints them.
type session struct {
	o      *execOptions
	env    *Env
	p      *printer
	socket string

	jid      string
	targeted int
	returned int
	retcode  int // the highest
	missing  []string
	away     []string
	failed   []string
	all      *ordered.Map // collected with --static and for documentation
	out      string
}

// reach puts the errors of a socket that nobody listens on into words.
func reach(err error, socket string) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("The salt master could not be contacted. Is master running?\nNobody listens on %s: start a master with brine master or make run, or name its configuration with -c", socket)
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: run the command as the user that the master runs as", err)
	}
	return err
}

func (s *session) run(ctx context.Context, q *master.LocalRequest) error {
	s.all = ordered.New(0)
	err := rpc.Call(ctx, s.socket, "local", q, s.frame)
	if err != nil {
		return s.trouble(ctx, err)
	}
	switch {
	case s.o.preview, s.o.async:
		return nil
	case s.o.doc:
		s.docs()
		return nil
	case s.o.static:
		s.p.print(s.all, s.out)
	}
	if (s.o.summary) && s.o.out == "" && s.o.batch == "" {
		s.summary()
	}
	return s.exit()
}

// trouble prints what went wrong before or while the answers came.
func (s *session) trouble(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		if s.jid != "" {
			fmt.Fprintf(s.env.Stdout, "\nThis job's jid is: %s\nExiting gracefully on Ctrl-c\nThe minions may not have all finished running and any remaining minions will return upon completion. To look up the return data for this job later, run the following command:\n\nsalt-run jobs.lookup_jid %s\n", s.jid, s.jid)
		}
		return exit(exitError)
	case rpc.ErrCode(err) == master.CodeNoMatch:
		fmt.Fprintln(s.env.Stdout, err.Error())
		if s.o.batch != "" || s.o.async {
			return exit(exitNoReturn)
		}
		return &exitErr{exitNoReturn, errors.New("ERROR: No return received")}
	case rpc.ErrCode(err) == master.CodeNodegroup:
		return &exitErr{exitNoReturn, fmt.Errorf("%w in the master's configuration", err)}
	}
	return reach(err, s.socket)
}

func (s *session) frame(b rpc.Body) error {
	var f master.Frame
	if err := b.Decode(&f); err != nil {
		return err
	}
	switch {
	case f.Started != nil:
		s.started(f.Started)
	case f.Return != nil:
		return s.answer(f.Return)
	case f.Absent != nil:
		s.absent(f.Absent)
	case f.Down != "":
		if !s.quiet() {
			s.p.text(fmt.Sprintf("Minion %s did not respond. No job will be sent.", f.Down))
		}
	}
	return nil
}

// quiet tells whether only results are to be printed, for programs that read them.
func (s *session) quiet() bool { return s.o.out != "" && s.o.out != "nested" && s.o.out != "highstate" }

func (s *session) started(st *master.Started) {
	s.jid = st.JID
	switch {
	case s.o.preview:
		list := make([]any, len(st.Minions))
		for i, id := range st.Minions {
			list[i] = id
		}
		s.p.print(list, "")
		return
	case s.o.async:
		s.p.text("Executed command with job ID: " + st.JID)
		return
	}
	s.targeted += len(st.Minions) + len(st.Missing)
	switch {
	case s.o.batch != "":
		if !s.quiet() {
			s.p.text(fmt.Sprintf("\nExecuting run on %s\n", pyfmt.Repr(ordered.Of(sorted(st.Minions)))))
		}
	case s.o.static:
	case s.o.verbose:
		line := "Executing job with jid " + st.JID
		s.p.text(line + "\n" + strings.Repeat("-", len(line)) + "\n")
	case s.o.showJID:
		s.p.text("jid: " + st.JID)
	}
}

func (s *session) answer(r *proto.Return) error {
	v, err := r.Value()
	if err != nil {
		return err
	}
	s.returned++
	if r.Retcode != 0 {
		s.failed = append(s.failed, r.ID)
		s.retcode = max(s.retcode, r.Retcode)
	}
	s.progress()
	if s.o.doc || s.o.static {
		s.all.Set(r.ID, v)
		if s.out == "" {
			s.out = r.Out
		}
		return nil
	}
	s.p.one(r.ID, v, r.Out, r.Retcode)
	return nil
}

func (s *session) absent(a *master.Absent) {
	if a.Connected {
		s.missing = append(s.missing, a.ID)
	} else {
		s.away = append(s.away, a.ID)
	}
	if s.o.hideTimeout || s.o.doc {
		return
	}
	text := a.Text
	if s.o.queue != "" && !a.Connected {
		text += "\nThe job waits on the master for the minion, as asked for with --queue=" + s.o.queue
	}
	if s.o.static {
		s.all.Set(a.ID, text)
		return
	}
	s.p.one(a.ID, text, "no_return", 1)
}

// progress shows how far the answers are, on standard error so that results stay clean.
func (s *session) progress() {
	if !s.o.progress || s.targeted == 0 {
		return
	}
	const width = 40
	done := int(math.Round(float64(s.returned) / float64(s.targeted) * width))
	fmt.Fprintf(s.env.Stderr, "\r%3d%% |%s%s| Returns: [%d/%d]", s.returned*100/s.targeted, strings.Repeat("#", done), strings.Repeat(" ", width-done), s.returned, s.targeted)
	if s.returned == s.targeted {
		fmt.Fprintln(s.env.Stderr)
	}
}

func (s *session) summary() {
	rule := strings.Repeat("-", 43)
	lines := []string{"", "", rule, "Summary", rule,
		fmt.Sprintf("# of minions targeted: %d", s.targeted),
		fmt.Sprintf("# of minions returned: %d", s.returned),
		fmt.Sprintf("# of minions that did not return: %d", len(s.missing)+len(s.away)),
		fmt.Sprintf("# of minions with errors: %d", len(s.failed)),
	}
	if s.o.verbose {
		for _, g := range []struct {
			text string
			ids  []string
		}{{"Minions not connected: ", s.away}, {"Minions not responding: ", s.missing}, {"Minions with failures: ", s.failed}} {
			if len(g.ids) > 0 {
				lines = append(lines, g.text+strings.Join(g.ids, " "))
			}
		}
	}
	s.p.text(strings.Join(append(lines, rule), "\n"))
}

// docs prints the documentation of all minions as one.
func (s *session) docs() {
	merged := ordered.New(0)
	for _, v := range s.all.All() {
		if m, ok := v.(*ordered.Map); ok {
			merged.Update(m)
		}
	}
	if s.o.out != "" {
		s.p.print(merged, "")
		return
	}
	s.p.docs(merged)
}

// exit gives the exit code that the answers mean.
func (s *session) exit() error {
	absent := len(s.missing)+len(s.away) > 0 && !s.o.hideTimeout
	switch {
	case s.o.batch != "" && s.retcode != 0:
		return exit(s.retcode)
	case s.retcode != 0 || absent:
		return &exitErr{exitError, errors.New("ERROR: Minions returned with non-zero exit code")}
	}
	return nil
}

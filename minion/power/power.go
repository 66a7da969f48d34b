// Package power puts the device to sleep and wakes it, and starts it again, through a backend: the kernel's timer of the
// clock (rtcwake), a program for boards with a power controller (hook), or a simulator that really stops the minion and
// starts it again after the interval.
package power

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"

	"brine/internal/atomicfile"
	"brine/internal/host"
	"brine/internal/ordered"
	"brine/modules"
	powers "brine/modules/power"
	"brine/release"
)

// Backend is how the device is switched off.
type Backend interface {
	// Off ends what runs here, for the interval, or for good when it is 0. Reboot starts again at once. It returns when
	// the machine is going down; for the simulator, with an *Asleep.
	Off(ctx context.Context, interval time.Duration, reboot bool) error
}

// Asleep is how a simulated power-off ends the minion: it is to be started again at Until.
type Asleep struct {
	Until  time.Time
	Reboot bool
}

func (a *Asleep) Error() string { return "asleep until " + a.Until.UTC().Format(time.RFC3339) }

// Simulator stops the minion.
type Simulator struct{}

// Off implements Backend.
func (Simulator) Off(_ context.Context, interval time.Duration, reboot bool) error {
	return &Asleep{Until: time.Now().Add(interval), Reboot: reboot}
}

// RTC uses the clock's timer and the system's own power commands.
type RTC struct{ Host host.Runner }

// Off implements Backend.
func (r RTC) Off(ctx context.Context, interval time.Duration, reboot bool) error {
	argv := []string{"poweroff"}
	switch {
	case reboot:
		argv = []string{"reboot"}
	case interval > 0:
		argv = []string{"rtcwake", "-m", "off", "-s", strconv.Itoa(int(interval.Seconds()))}
	}
	return run(ctx, r.Host, argv)
}

// Hook runs a program: PROGRAM sleep SECONDS, PROGRAM hibernate, PROGRAM reboot.
type Hook struct {
	Host host.Runner
	Path string
}

// Off implements Backend.
func (h Hook) Off(ctx context.Context, interval time.Duration, reboot bool) error {
	argv := []string{h.Path, "hibernate"}
	switch {
	case reboot:
		argv = []string{h.Path, "reboot"}
	case interval > 0:
		argv = []string{h.Path, "sleep", strconv.Itoa(int(interval.Seconds()))}
	}
	return run(ctx, h.Host, argv)
}

func run(ctx context.Context, h host.Runner, argv []string) error {
	r, err := h.Run(ctx, host.Cmd{Argv: argv, Env: os.Environ(), Dir: "/", MergeStderr: true, Timeout: time.Minute})
	if err == nil && r.Retcode != 0 {
		err = fmt.Errorf("%v ended with %d: %s", argv, r.Retcode, r.Stdout)
	}
	return err
}

// Options of a Manager.
type Options struct {
	Backend Backend
	// Path is where the note of the last power-off is kept.
	Path string
	Lock *release.Lock
	// RunJob runs a function as a job of its own.
	RunJob func(ctx context.Context, fun string, a modules.Args, ret string) (any, error)
	Events modules.Events
	// Waiting tells how many events the master has not stored.
	Waiting func() int
	// Leave tells the master that the minion goes, and until when.
	Leave func(until time.Time, reason string)
	// Deadline is how long work under way, and the shutdown states, may take before they are cut off.
	Deadline time.Duration
	Log      *zap.Logger
}

// Manager does what the power functions ask for.
type Manager struct {
	o     Options
	start time.Time
	off   chan plan

	mu      sync.Mutex
	busy    string // the function that is at it
	pending bool   // somebody has asked for a reboot
}

// plan is a power-off that is due.
type plan struct {
	at       time.Time
	interval time.Duration
	reboot   bool
	reason   string
}

// note is what is kept over a power-off.
type note struct {
	Kind   string    `json:"kind"` // sleeping, hibernating or rebooting
	At     time.Time `json:"at"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason"`
}

var _ powers.Manager = (*Manager)(nil)

// New makes a manager.
func New(o Options) *Manager {
	return &Manager{o: o, start: time.Now(), off: make(chan plan, 1)}
}

// Run switches off when it is due. It ends with ctx, or with what the backend says of a power-off that was done.
func (m *Manager) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case p := <-m.off:
			if err := m.down(ctx, p); err != nil {
				var asleep *Asleep
				if errors.As(err, &asleep) || ctx.Err() != nil {
					return err
				}
				m.o.Log.Error("power off", zap.Error(err))
				m.release()
			}
		}
	}
}

// flushTime bounds how long a power-off waits for the master to store the last events.
const flushTime = 20 * time.Second

func (m *Manager) down(ctx context.Context, p plan) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Until(p.at)):
	}
	deadline := time.Now().Add(flushTime)
	for m.o.Waiting() > 0 && time.Now().Before(deadline) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	n := note{Kind: "hibernating", At: time.Now().UTC(), Reason: p.reason}
	var until time.Time
	switch {
	case p.reboot:
		n.Kind = "rebooting"
	case p.interval > 0:
		until = time.Now().Add(p.interval)
		n.Kind, n.Until = "sleeping", until.UTC()
	}
	src, err := json.Marshal(n)
	if err != nil {
		return err
	}
	if err := atomicfile.Write(m.o.Path, src, 0o600); err != nil {
		m.o.Log.Error("note of the power-off", zap.Error(err))
	}
	m.o.Leave(until, n.Kind)
	return m.o.Backend.Off(ctx, p.interval, p.reboot)
}

// Woke fires what a start tells about the power-off before it, once.
func (m *Manager) Woke(ctx context.Context) error {
	src, err := os.ReadFile(m.o.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var n note
	if err := json.Unmarshal(src, &n); err != nil {
		m.o.Log.Warn("note of the last power-off", zap.Error(err))
	}
	trigger := "unknown"
	switch {
	case n.Kind == "rebooting":
		trigger = "rpi"
	case n.Kind == "sleeping" && !time.Now().Before(n.Until.Add(-2*time.Second)):
		trigger = "timer"
	case n.Kind == "sleeping":
		trigger = "plug"
	}
	awaken := n.Kind
	if awaken == "rebooting" || awaken == "" {
		awaken = "off"
	}
	if err := m.fire(ctx, "system/power/last_off", ordered.Pairs("timestamp", n.At.Format("2006-01-02T15:04:05.000000"))); err != nil {
		return err
	}
	if err := m.fire(ctx, "system/power/on", ordered.Pairs("trigger", trigger, "awaken", awaken)); err != nil {
		return err
	}
	return atomicfile.Remove(m.o.Path)
}

func (m *Manager) fire(ctx context.Context, tag string, data *ordered.Map) error {
	if err := m.o.Events.Fire(ctx, tag, data); err != nil {
		return err
	}
	return m.o.Events.Send(ctx, tag, data)
}

func (m *Manager) claim(fun string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.busy != "" {
		return modules.Errorf("%s is already running: the device is going down", m.busy)
	}
	m.busy = fun
	return nil
}

func (m *Manager) release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.busy = ""
}

// Sleep implements the power functions: shutdown states, event, power-off.
func (m *Manager) Sleep(ctx context.Context, env *modules.Env, q powers.Sleep) (any, error) {
	if err := m.claim("power.sleep"); err != nil {
		return nil, err
	}
	done := false
	defer func() {
		if !done {
			m.release()
		}
	}()
	who := release.Holder{Fun: env.Job.Fun, JID: env.Job.JID}
	work, free, err := m.o.Lock.Insist(ctx, who, m.o.Deadline) // an update under way ends, or is cut off cleanly
	if err != nil {
		return nil, err
	}
	defer free()
	m.shutdown(work, q.AllowUpdate)
	tag := "system/power/sleep"
	data := ordered.Pairs("delay", int64(q.Delay), "interval", int64(q.Interval), "reason", q.Reason, "uptime", m.uptime())
	if q.Interval == 0 {
		tag = "system/power/hibernate"
	}
	if err := m.fire(ctx, tag, data); err != nil {
		m.o.Log.Error("event of the power-off", zap.Error(err))
	}
	done = true
	m.off <- plan{at: time.Now().Add(time.Duration(q.Delay) * time.Second), interval: time.Duration(q.Interval) * time.Second, reason: q.Reason}
	what := "sleep"
	if q.Interval == 0 {
		what = "hibernate"
	}
	return ordered.Pairs("result", true, "comment", fmt.Sprintf("Planned %s in %d second(s)", what, q.Delay)), nil
}

// shutdown runs the shutdown states as a job of its own. Whatever comes of them, the device goes to sleep; at the deadline
// they are cut off.
func (m *Manager) shutdown(ctx context.Context, update bool) {
	ctx, cancel := context.WithTimeoutCause(ctx, m.o.Deadline, release.ErrCutOff)
	defer cancel()
	a := modules.Args{Pos: []any{"shutdown"}, Kw: ordered.Pairs("pillar", ordered.Pairs("allow_auto_update", update))}
	if _, err := m.o.RunJob(ctx, "state.sls", a, "event_result"); err != nil {
		m.o.Log.Warn("shutdown states", zap.Error(err))
	}
}

func (m *Manager) uptime() int64 { return int64(time.Since(m.start).Seconds()) }

// Reboot implements the power functions.
func (m *Manager) Reboot(ctx context.Context, env *modules.Env, reason string, delay int) (any, error) {
	if err := m.claim("power.reboot"); err != nil {
		return nil, err
	}
	_, free, err := m.o.Lock.Insist(ctx, release.Holder{Fun: env.Job.Fun, JID: env.Job.JID}, m.o.Deadline)
	if err != nil {
		m.release()
		return nil, err
	}
	defer free()
	if err := m.fire(ctx, "system/power/reboot", ordered.Pairs("reason", reason, "uptime", m.uptime())); err != nil {
		m.o.Log.Error("event of the reboot", zap.Error(err))
	}
	m.off <- plan{at: time.Now().Add(time.Duration(delay) * time.Second), reboot: true, reason: reason}
	return ordered.Pairs("result", true, "comment", fmt.Sprintf("Reboot in %d second(s)", delay)), nil
}

// Request implements the power functions: it notes that a reboot is wanted.
func (m *Manager) Request(pending bool) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pending = m.pending || pending
	return m.pending
}

// Status implements the power functions.
func (m *Manager) Status() *ordered.Map {
	m.mu.Lock()
	defer m.mu.Unlock()
	state := "on"
	if m.busy != "" {
		state = "going down"
	}
	return ordered.Pairs("state", state, "uptime", m.uptime(), "backend", fmt.Sprintf("%T", m.o.Backend)[len("power."):], "reboot_pending", m.pending)
}

// NotePath is where the note of a power-off lies.
func NotePath(cachedir string) string { return filepath.Join(cachedir, "power.json") }

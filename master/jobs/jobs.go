// Package jobs publishes jobs, sees to it that each target answers exactly once, and hands the answers to whoever waits.
//
// A job is stored before it is sent. To an online minion it is sent again, with growing delay, until the minion
// acknowledges or answers; to one that is away when it comes back, within the job's deadline. A job that was never sent
// expires here; of one that was sent only the minion knows what became of it, so the last word is the minion's.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"brine/event"
	"brine/internal/ordered"
	"brine/master/store"
	"brine/proto"
)

// Store is where jobs and returns are kept.
type Store interface {
	JobStore
	ReturnStore
}

// JobStore is the part of Store for jobs.
type JobStore interface {
	SaveJob(ctx context.Context, j store.Job) error
	CloseJob(ctx context.Context, jid string) error
	OpenJobs(ctx context.Context) ([]store.Job, error)
	Job(ctx context.Context, jid string) (*store.Job, error)
}

// ReturnStore is the part of Store for returns.
type ReturnStore interface {
	Returned(ctx context.Context, jid string) (map[string]bool, error)
	Returns(ctx context.Context, jid string) ([]proto.Return, error)
	SaveReturn(r *proto.Return, body []byte, received time.Time, done func(fresh bool, err error))
}

// Sender reaches minions.
type Sender interface {
	Send(ctx context.Context, id string, e proto.Envelope) error
	Online(id string) (since time.Time, ok bool)
}

// Resolver finds the minions that a target means: those with an accepted key that match, sorted, and of a list target
// the names that have none.
type Resolver interface {
	Resolve(ctx context.Context, r *Request) (ids, missing []string, err error)
}

// Request asks for a job.
type Request struct {
	Tgt       any // string, or list of ids
	TgtType   string
	Delimiter string
	Fun       any // string, or list of functions
	// Arg are the positional arguments (for a compound command a list for each function); keywords stand last in a map
	// with __kwarg__: true.
	Arg  []any
	Ret  string
	User any
	Meta *ordered.Map
	// Extra are the optional fields of proto.Job.Extra.
	Extra *ordered.Map
	// JID is a wanted job id; "" makes one.
	JID string
	// StartWithin is how long the job may wait for a minion; zero is the manager's default.
	StartWithin time.Duration
	// RunFor is how long the job may run; zero is the minion's own limit.
	RunFor time.Duration
	// Depth is how many reactions led to the job.
	Depth int
	// IDs skips the resolution: the job is for exactly these.
	IDs []string

	missing []string // of a resolution that was made already
}

// ErrNoMatch says that no minion matched the target.
var ErrNoMatch = errors.New("No minions matched the target. No command was sent, no jid was assigned.")

// Options configure a Manager.
type Options struct {
	// StartWithin is the default of Request.StartWithin.
	StartWithin time.Duration
	Log         *zap.Logger
}

// Manager is the service. Safe for concurrent use.
type Manager struct {
	o       Options
	store   Store
	sender  Sender
	resolve Resolver
	bus     *event.Bus
	jids    proto.JIDs
	// returners are told every fresh return.
	returners []func(*store.Job, *proto.Return)

	mu       sync.Mutex
	open     map[string]*live            // by jid
	byMinion map[string]map[string]*live // open jobs that wait for a minion
	done     map[string][]string         // jids to acknowledge, by minion
	// firstDone and lastDone are when the oldest and the newest of them were stored.
	firstDone, lastDone time.Time
}

// New reads the jobs that are open. lastJID is the newest id of the store: new ones come after it.
func New(ctx context.Context, o Options, s Store, sender Sender, r Resolver, bus *event.Bus) (*Manager, error) {
	m := &Manager{
		o: o, store: s, sender: sender, resolve: r, bus: bus,
		open: map[string]*live{}, byMinion: map[string]map[string]*live{}, done: map[string][]string{},
	}
	list, err := s.OpenJobs(ctx)
	if err != nil {
		return nil, err
	}
	for i := range list {
		returned, err := s.Returned(ctx, list[i].JID)
		if err != nil {
			return nil, err
		}
		m.jids.Seen(list[i].JID)
		l := newLive(&list[i])
		for _, id := range list[i].Minions {
			if !returned[id] {
				l.pending[id] = &delivery{sent: 1} // it may have been sent before the restart: the minion knows
			}
		}
		if len(l.pending) == 0 {
			if err := s.CloseJob(ctx, list[i].JID); err != nil {
				return nil, err
			}
			continue
		}
		m.add(l)
	}
	return m, nil
}

// Seen makes new job ids come after jid.
func (m *Manager) Seen(jid string) { m.jids.Seen(jid) }

// OnReturn adds a function that is told every fresh return, after it is stored. Before Run.
func (m *Manager) OnReturn(f func(*store.Job, *proto.Return)) { m.returners = append(m.returners, f) }

// NextJID gives out a job id.
func (m *Manager) NextJID() string { return m.jids.Next() }

func (m *Manager) add(l *live) {
	m.open[l.job.JID] = l
	for id := range l.pending {
		if m.byMinion[id] == nil {
			m.byMinion[id] = map[string]*live{}
		}
		m.byMinion[id][l.job.JID] = l
	}
}

// Publish stores a job and sends it. The handle gets every answer; close it.
func (m *Manager) Publish(ctx context.Context, r *Request) (*Handle, error) {
	ids, missing := r.IDs, r.missing
	if ids == nil {
		var err error
		if ids, missing, err = m.resolve.Resolve(ctx, r); err != nil {
			return nil, err
		}
	}
	if len(ids) == 0 {
		return nil, ErrNoMatch
	}
	job := m.job(r, ids, missing)
	if err := m.store.SaveJob(ctx, *job); err != nil {
		return nil, err
	}
	l := newLive(job)
	for _, id := range ids {
		l.pending[id] = &delivery{}
	}
	h := l.watch()
	m.mu.Lock()
	m.add(l)
	m.mu.Unlock()
	m.fireNew(job)
	m.sendAll(context.WithoutCancel(ctx), l, ids)
	return h, nil
}

func (m *Manager) job(r *Request, ids, missing []string) *store.Job {
	jid := r.JID
	if jid == "" {
		jid = m.jids.Next()
	}
	within := r.StartWithin
	if within == 0 {
		within = m.o.StartWithin
	}
	arg := r.Arg
	if arg == nil {
		arg = []any{}
	}
	slices.Sort(ids)
	return &store.Job{
		Job: proto.Job{
			JID: jid, Fun: r.Fun, Arg: arg, Tgt: r.Tgt, TgtType: r.TgtType, Ret: r.Ret, User: r.User, Meta: r.Meta, Extra: r.Extra,
			Deadline: time.Now().Add(within).UnixMilli(), Timeout: r.RunFor.Milliseconds(), Depth: r.Depth,
		},
		Minions: ids, Missing: missing, Open: true,
	}
}

func (m *Manager) fireNew(j *store.Job) {
	now := time.Now()
	minions := ordered.Of(slices.Clone(j.Minions))
	if m.bus.Wanted(j.JID) {
		m.bus.Fire(event.New(j.JID, ordered.Pairs("minions", minions), now))
	}
	if tag := "salt/job/" + j.JID + "/new"; m.bus.Wanted(tag) {
		e := event.New(tag, ordered.Pairs("jid", j.JID, "tgt_type", j.TgtType, "tgt", j.Tgt, "user", j.User, "fun", j.Fun, "arg", j.Arg,
			"minions", minions, "missing", slices.Clone(j.Missing)), now)
		e.Depth = j.Depth
		m.bus.Fire(e)
	}
}

// senders is how many goroutines seal the messages of one job.
const senders = 4

// sendAll sends a job to many minions at once.
func (m *Manager) sendAll(ctx context.Context, l *live, ids []string) {
	if len(ids) < 64 {
		for _, id := range ids {
			m.send(ctx, l, id)
		}
		return
	}
	var wg sync.WaitGroup
	per := (len(ids) + senders - 1) / senders
	for part := range slices.Chunk(ids, per) {
		wg.Go(func() {
			for _, id := range part {
				m.send(ctx, l, id)
			}
		})
	}
	wg.Wait()
}

// deliveryTime is how long a sealed job stays valid on its way.
const deliveryTime = 2 * time.Minute

// send sends a job to one minion when it is online and the job is not over.
func (m *Manager) send(ctx context.Context, l *live, id string) {
	if _, online := m.sender.Online(id); !online {
		return
	}
	attempt, ok := l.beginSend(id, time.Now())
	if !ok {
		return
	}
	body, err := l.body(attempt)
	if err == nil {
		err = m.sender.Send(ctx, id, proto.Envelope{
			Type: proto.TypeJob, Body: body, JID: l.job.JID, Attempt: attempt, Expires: time.Now().Add(deliveryTime).UnixMilli(),
		})
	}
	if err != nil {
		m.o.Log.Debug("send job", zap.String("jid", l.job.JID), zap.String("minion", id), zap.Error(err))
	}
}

// Online sends a minion that has come back what waits for it. running are the jobs that it says are under way.
func (m *Manager) Online(ctx context.Context, id string, running []string) {
	m.mu.Lock()
	waiting := make([]*live, 0, len(m.byMinion[id]))
	for _, l := range m.byMinion[id] {
		waiting = append(waiting, l)
	}
	m.mu.Unlock()
	slices.SortFunc(waiting, func(a, b *live) int {
		if a.job.JID < b.job.JID {
			return -1
		}
		return 1
	})
	for _, l := range waiting {
		switch signal := l.cancelled(id); {
		case signal != 0:
			m.sendCancel(ctx, l, id, signal)
		case slices.Contains(running, l.job.JID):
			l.acked(id)
		default:
			m.send(ctx, l, id)
		}
	}
}

// Ack notes that a minion has accepted a job.
func (m *Manager) Ack(id string, a proto.JobAck) {
	m.mu.Lock()
	l := m.open[a.JID]
	m.mu.Unlock()
	if l != nil {
		l.acked(id)
	}
}

// Cancel ends a job on all targets that have not answered, or on those named: at once where it was never sent, else by
// asking the minion. It returns how many targets that concerns.
func (m *Manager) Cancel(ctx context.Context, jid string, signal int, ids ...string) (int, error) {
	m.mu.Lock()
	l := m.open[jid]
	m.mu.Unlock()
	if l == nil {
		return 0, fmt.Errorf("job %s: %w", jid, store.ErrNotFound)
	}
	n := 0
	for _, id := range l.waitingFor() {
		if len(ids) > 0 && !slices.Contains(ids, id) {
			continue
		}
		n++
		if l.neverSent(id) {
			m.finish(l, id, proto.Cancelled, "The job was cancelled before it was sent.")
			continue
		}
		l.cancel(id, signal)
		m.sendCancel(ctx, l, id, signal)
	}
	return n, nil
}

// sendCancel asks a minion to end a job. When that gets lost the minion is asked again when it comes back.
func (m *Manager) sendCancel(ctx context.Context, l *live, id string, signal int) {
	body, err := proto.Encode(proto.Cancel{JID: l.job.JID, Signal: signal})
	if err == nil {
		err = m.sender.Send(ctx, id, proto.Envelope{Type: proto.TypeCancel, Body: body, JID: l.job.JID})
	}
	if err != nil {
		m.o.Log.Debug("cancel job", zap.String("jid", l.job.JID), zap.String("minion", id), zap.Error(err))
	}
}

// finish ends a job on one target without the minion's word.
func (m *Manager) finish(l *live, id string, status proto.Status, text string) {
	r := &proto.Return{ID: id, JID: l.job.JID, Fun: l.job.Fun, FunArgs: l.job.Arg, Retcode: 1, Status: status, User: l.job.User}
	if err := r.SetValue(text); err != nil {
		m.o.Log.Error("finish job", zap.Error(err))
		return
	}
	m.save(l, r, nil)
}

// Open is how many jobs some minion has not answered.
func (m *Manager) Open() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.open)
}

// Running tells which targets of an open job have accepted it without having answered, and which have not answered.
func (m *Manager) Running(jid string) (accepted, waiting []string) {
	m.mu.Lock()
	l := m.open[jid]
	m.mu.Unlock()
	if l == nil {
		return nil, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, d := range l.pending {
		waiting = append(waiting, id)
		if d.acked {
			accepted = append(accepted, id)
		}
	}
	slices.Sort(accepted)
	slices.Sort(waiting)
	return accepted, waiting
}

// Forget ends what waits for an id whose key was revoked: a new holder of the id must not get it.
func (m *Manager) Forget(id string) {
	m.mu.Lock()
	list := make([]*live, 0, len(m.byMinion[id]))
	for _, l := range m.byMinion[id] {
		list = append(list, l)
	}
	m.mu.Unlock()
	for _, l := range list {
		m.finish(l, id, proto.Cancelled, "The minion's key was revoked.")
	}
}

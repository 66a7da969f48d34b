package returners

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"brine/internal/ordered"
)

// Set is the returners of a minion. Each has a bounded queue and a goroutine of its own: a slow one holds up neither jobs
// nor the others. Safe for concurrent use.
type Set struct {
	o   Options
	log *zap.Logger

	dropped, failed atomic.Int64

	mu     sync.Mutex
	lanes  map[string]*lane
	ctx    context.Context //nolint:containedctx // of the set's life
	cancel context.CancelFunc
	wg     sync.WaitGroup
	closed bool
}

type lane struct {
	returner Returner
	queue    chan *ordered.Map
}

const (
	waiting  = 1000 // results that may wait for one returner
	attempts = 4
	oneTime  = time.Minute // for one attempt
)

// NewSet makes a set; returners are made when they are first named.
func NewSet(o Options, log *zap.Logger) *Set {
	s := &Set{o: o, log: log, lanes: map[string]*lane{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Split takes names apart that are separated by commas.
func Split(names string) []string {
	var out []string
	for _, n := range strings.Split(names, ",") {
		if n = strings.TrimSpace(n); n != "" {
			out = append(out, n)
		}
	}
	return out
}

// Give hands a result to the named returners and does not wait. profile is ret_config. A name that is wrong is an error;
// a returner that fails is tried again a few times, then logged and counted.
func (s *Set) Give(names []string, profile string, ret *ordered.Map) error {
	var errs []error
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		l, err := s.lane(name, profile)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		select {
		case l.queue <- ret:
		default:
			s.dropped.Add(1)
			errs = append(errs, errors.New("returner "+name+": too many results wait for it"))
		}
	}
	return errors.Join(errs...)
}

// lane finds a returner's queue, or makes the returner; the lock is held.
func (s *Set) lane(name, profile string) (*lane, error) {
	if s.closed {
		return nil, errors.New("the minion is stopping")
	}
	key := profile + "/" + name
	if l := s.lanes[key]; l != nil {
		return l, nil
	}
	o := s.o
	o.Profile = profile
	r, err := New(name, o)
	if err != nil {
		return nil, err
	}
	if len(s.lanes) >= 100 {
		return nil, errors.Join(errors.New("too many returners"), r.Close())
	}
	l := &lane{returner: r, queue: make(chan *ordered.Map, waiting)}
	s.lanes[key] = l
	s.wg.Go(func() {
		for {
			select {
			case <-s.ctx.Done():
				return
			case ret, ok := <-l.queue:
				if !ok {
					return
				}
				s.try(name, l.returner, ret)
			}
		}
	})
	return l, nil
}

// try hands over one result, again with growing delay when that fails.
func (s *Set) try(name string, r Returner, ret *ordered.Map) {
	delay := time.Second
	for n := 1; ; n++ {
		ctx, cancel := context.WithTimeout(s.ctx, oneTime)
		err := r.Return(ctx, ret)
		cancel()
		if err == nil {
			return
		}
		if n == attempts || s.ctx.Err() != nil {
			s.failed.Add(1)
			s.log.Error("returner", zap.String("returner", name), zap.String("jid", ret.String("jid")), zap.Error(err))
			return
		}
		select {
		case <-time.After(delay):
		case <-s.ctx.Done():
		}
		delay *= 4
	}
}

// Lost tells how many results found no room, and how many no returner would take.
func (s *Set) Lost() (dropped, failed int64) { return s.dropped.Load(), s.failed.Load() }

// Close hands over what waits, for at most the time given, and closes the returners.
func (s *Set) Close(within time.Duration) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	for _, l := range s.lanes {
		close(l.queue)
	}
	s.mu.Unlock()
	late := time.AfterFunc(within, s.cancel)
	s.wg.Wait()
	late.Stop()
	s.cancel()
	for key, l := range s.lanes {
		if err := l.returner.Close(); err != nil {
			s.log.Warn("close returner", zap.String("returner", key), zap.Error(err))
		}
	}
}

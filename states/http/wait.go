package http

import (
	"context"
	"time"

	"brine/internal/pyregex"
	"brine/modules"
	"brine/states"
)

type waitArgs struct {
	Name            string         `arg:"name"`
	WaitFor         any            `arg:"wait_for" def:"300"`
	RequestInterval any            `arg:"request_interval" def:"None"`
	Match           any            `arg:"match" def:"None"`
	MatchType       string         `arg:"match_type" def:"'string'"`
	Status          any            `arg:"status" def:"None"`
	StatusType      string         `arg:"status_type" def:"'string'"`
	Kwargs          modules.Kwargs `arg:"**kwargs"`
}

func wait(ctx context.Context, env *states.Env, in waitArgs) (*states.Result, error) {
	limit, err := modules.Float(in.WaitFor)
	if err != nil {
		return nil, err
	}
	pause := 1.0 // without a pause a server that is down would be flooded
	if in.RequestInterval != nil {
		if pause, err = modules.Float(in.RequestInterval); err != nil {
			return nil, err
		}
	}
	over := time.After(time.Duration(limit * float64(time.Second)))
	for {
		r, err := query(ctx, env, queryArgs{Name: in.Name, Match: in.Match, MatchType: in.MatchType, Status: in.Status, StatusType: in.StatusType, Kwargs: in.Kwargs})
		if err != nil || env.Test || r.OK != nil && *r.OK {
			return r, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-over:
			return r, nil
		case <-time.After(time.Duration(pause * float64(time.Second))):
		}
	}
}

// search tells whether a pattern of Python's re occurs in a text.
func search(pattern, text string) (bool, error) {
	re, err := pyregex.Compile(pattern, 0)
	if err != nil {
		return false, err
	}
	m, err := re.Search(text)
	return m != nil, err
}

package states

import (
	"errors"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// Truth reads the answer of an execution function as Python's truth: Truth(env.Call(...)).
func Truth(v any, err error) (bool, error) { return err == nil && pyfmt.Truth(v), err }

// Dict reads the answer of an execution function as a map; another kind of answer is an empty one.
func Dict(v any, err error) (*ordered.Map, error) {
	if m, ok := v.(*ordered.Map); ok && err == nil {
		return m, nil
	}
	return ordered.New(0), err
}

// Refused turns an expected failure of an execution function into the result of a state; any other error stays one.
func Refused(err error) (*Result, error) {
	var c *modules.CommandError
	if errors.As(err, &c) {
		return Failed("%s", c.Msg), nil
	}
	return nil, err
}

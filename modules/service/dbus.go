package service

import (
	"context"
	"fmt"

	"github.com/coreos/go-systemd/v22/dbus"
)

// bus is what is asked of systemd over D-Bus (org.freedesktop.systemd1(5)).
type bus interface {
	unit(ctx context.Context, name string) (unitState, error)
	// job starts a job and, with wait, waits for its result: "done" or why not.
	job(ctx context.Context, verb, name string, wait bool) (string, error)
	close()
}

type unitState struct{ load, active string }

type systemConn struct{ c *dbus.Conn }

// systemBus connects to the bus of the system, or to systemd itself.
func systemBus(ctx context.Context) (bus, error) {
	c, err := dbus.NewWithContext(ctx)
	if err != nil {
		return nil, err
	}
	return systemConn{c}, nil
}

func (b systemConn) close() { b.c.Close() }

func (b systemConn) unit(ctx context.Context, name string) (unitState, error) {
	props, err := b.c.GetUnitPropertiesContext(ctx, name)
	load, _ := props["LoadState"].(string)
	active, _ := props["ActiveState"].(string)
	return unitState{load, active}, err
}

func (b systemConn) job(ctx context.Context, verb, name string, wait bool) (string, error) {
	type starter = func(context.Context, string, string, chan<- string) (int, error)
	start := map[string]starter{
		"start": b.c.StartUnitContext, "stop": b.c.StopUnitContext, "restart": b.c.RestartUnitContext,
		"reload": b.c.ReloadUnitContext, "force-reload": b.c.ReloadOrRestartUnitContext,
	}[verb]
	if start == nil {
		return "", fmt.Errorf("no job is called %s", verb)
	}
	var done chan string
	if wait {
		done = make(chan string, 1)
	}
	if _, err := start(ctx, name, "replace", done); err != nil {
		return "", err
	}
	if !wait {
		return "done", nil
	}
	select {
	case result := <-done:
		return result, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"brine/internal/config"
	"brine/internal/logging"
	"brine/internal/version"
	"brine/master"
	"brine/minion"
	"brine/transport/mqtt"
)

// daemon are the options of the programs that stay.
type daemon struct {
	configDir, logLevel string
	check               bool
}

func (d *daemon) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&d.configDir, "config-dir", "c", "", "folder of the configuration (default: $BRINE_CONFIG_DIR, /etc/brine)")
	f.StringVarP(&d.logLevel, "log-level", "l", "", "console log level (default: the configured one)")
	f.BoolVar(&d.check, "check", false, "look at configuration, keys, broker and clock, say what is wrong, and end")
}

// log makes the daemon's log: the console, and the configured file. The closer may be nil.
func (d *daemon) log(env *Env, level, file string) (*zap.Logger, io.Closer, error) {
	if d.logLevel != "" {
		level = d.logLevel
	}
	l, err := logging.Level(level)
	if err != nil {
		return nil, nil, err
	}
	log := logging.New(env.Stderr, l)
	if file == "" {
		return log, nil, nil
	}
	return logging.WithFile(log, file, l)
}

func newMaster(env *Env) *cobra.Command {
	d := &daemon{}
	cmd := &cobra.Command{
		Use:     "master [options]",
		Short:   "run the master",
		Long:    "Run the master: keys, jobs, files, the embedded broker. It ends cleanly on Ctrl-C and SIGTERM.",
		Example: "  brine master -c /etc/brine\n  brine master --check",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return d.master(cmd.Context(), env) },
	}
	d.add(cmd)
	return cmd
}

func (d *daemon) master(ctx context.Context, env *Env) error {
	opts, loaded, err := master.Load(env.configDir(d.configDir, "master"))
	if err != nil {
		return err
	}
	log, f, err := d.log(env, opts.LogLevel, opts.LogFile)
	if err != nil {
		return err
	}
	if f != nil {
		defer f.Close()
	}
	warn(log, loaded)
	if d.check {
		return d.checkMaster(env, opts, loaded)
	}
	if env.Getenv("GOGC") == "" {
		debug.SetGCPercent(300) // a burst of returns is mostly garbage: memory for the time that a fleet takes to answer
	}
	m, err := master.New(ctx, opts, log)
	if err != nil {
		return err
	}
	return m.Run(ctx)
}

func newMinion(env *Env) *cobra.Command {
	d := &daemon{}
	cmd := &cobra.Command{
		Use:     "minion [options]",
		Short:   "run the minion on this device",
		Long:    "Run the minion: it connects to its master and runs jobs. It ends cleanly on Ctrl-C and SIGTERM.",
		Example: "  brine minion -c /etc/brine\n  brine minion --check",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return d.minion(cmd.Context(), env) },
	}
	d.add(cmd)
	return cmd
}

func (d *daemon) minion(ctx context.Context, env *Env) error {
	opts, loaded, err := minion.Load(env.configDir(d.configDir, "minion"))
	if err != nil {
		return err
	}
	log, f, err := d.log(env, opts.LogLevel, opts.LogFile)
	if err != nil {
		return err
	}
	if f != nil {
		defer f.Close()
	}
	warn(log, loaded)
	if d.check {
		return d.checkMinion(ctx, env, opts, loaded)
	}
	debug.SetGCPercent(50)
	for {
		m, err := minion.New(opts, log)
		if err != nil {
			return err
		}
		err = m.Run(ctx)
		var asleep *minion.Asleep
		switch {
		case errors.As(err, &asleep):
			log.Info(asleep.Error())
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(time.Until(asleep.Until)):
			}
		case !errors.Is(err, minion.ErrRestart):
			return err
		}
		if opts, _, err = minion.Load(opts.ConfDir); err != nil {
			return err
		}
	}
}

func newVersion(env *Env) *cobra.Command {
	var report bool
	cmd := &cobra.Command{
		Use: "version", Short: "show the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprintf(env.Stdout, "brine %s (as Salt %s, %s)\n", version.Version, version.Salt, version.Codename)
			if report {
				fmt.Fprintf(env.Stdout, "%12s: %s\n%12s: %s/%s\n", "Go", runtime.Version(), "platform", runtime.GOOS, runtime.GOARCH)
				if info, ok := debug.ReadBuildInfo(); ok {
					for _, dep := range info.Deps {
						fmt.Fprintf(env.Stdout, "%12s: %s %s\n", "module", dep.Path, dep.Version)
					}
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVarP(&report, "report", "V", false, "show the versions of everything inside")
	return cmd
}

// checks collects what a --check finds.
type checks struct {
	env *Env
	bad int
}

func (c *checks) ok(what, detail string) { fmt.Fprintf(c.env.Stdout, "ok    %-14s %s\n", what, detail) }

func (c *checks) fail(what string, err error, mend string) {
	c.bad++
	fmt.Fprintf(c.env.Stdout, "WRONG %-14s %v\n      %-14s %s\n", what, err, "", mend)
}

func (c *checks) end() error {
	if c.bad > 0 {
		return &exitErr{exitError, fmt.Errorf("%d things are wrong", c.bad)}
	}
	return nil
}

func (c *checks) config(loaded *config.Loaded, dir string) {
	if len(loaded.Files) == 0 {
		c.ok("configuration", "no file in "+dir+": defaults are in force")
		return
	}
	for _, w := range loaded.Warnings {
		c.fail("configuration", w, "correct the name, or remove the option")
	}
	if len(loaded.Warnings) == 0 {
		c.ok("configuration", fmt.Sprint(loaded.Files))
	}
}

// folder tells whether files can be made in a folder, making it when it is missing.
func (c *checks) folder(what, dir string) {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, ".check-*"); err == nil {
			_ = f.Close()
			err = os.Remove(f.Name())
		}
	}
	if err != nil {
		c.fail(what, err, "run as a user that may write there, or choose another folder in the configuration")
		return
	}
	c.ok(what, dir)
}

// clock refuses a clock that certainly is wrong: nothing this program knows of is older than itself.
func (c *checks) clock() {
	now := time.Now().UTC()
	if now.Year() < 2025 {
		c.fail("clock", fmt.Errorf("the clock says %s", now.Format(time.RFC3339)), "set the clock: timedatectl set-ntp true")
		return
	}
	c.ok("clock", now.Format(time.RFC3339))
}

func (d *daemon) checkMaster(env *Env, o *master.Options, loaded *config.Loaded) error {
	c := &checks{env: env}
	c.config(loaded, o.ConfDir)
	c.folder("keys", o.PKIDir)
	c.folder("store", o.StateDir)
	c.folder("socket", filepath.Dir(o.SocketPath()))
	c.clock()
	if o.Broker == "embedded" {
		for _, port := range []int{o.BrokerPort, o.BrokerTLS, o.BrokerWS} {
			if port == 0 {
				continue
			}
			addr := net.JoinHostPort(o.Interface, fmt.Sprint(port))
			l, err := net.Listen("tcp", addr)
			if err != nil {
				c.fail("broker", err, "stop what uses the port (a running master is fine), or set broker_port to another")
				continue
			}
			_ = l.Close()
			c.ok("broker", "embedded, "+addr)
		}
	} else {
		d.checkBroker(c, o.Broker)
	}
	return c.end()
}

func (d *daemon) checkMinion(ctx context.Context, env *Env, o *minion.Options, loaded *config.Loaded) error {
	c := &checks{env: env}
	c.config(loaded, o.ConfDir)
	c.ok("id", o.ID)
	c.folder("keys", o.PKIDir)
	c.folder("cache", o.CacheDir)
	c.folder("socket", o.SockDir)
	c.clock()
	d.checkBroker(c, o.BrokerURL())
	return c.end()
}

// checkBroker tells whether something answers at the broker's address.
func (d *daemon) checkBroker(c *checks, text string) {
	u, err := mqtt.ParseURL(text)
	if err != nil {
		c.fail("broker", err, "write the address as mqtt://HOST[:PORT]")
		return
	}
	conn, err := net.DialTimeout("tcp", u.Host, 5*time.Second)
	if err != nil {
		c.fail("broker", err, "check the name, that the master or broker runs there, and that no firewall stands between")
		return
	}
	_ = conn.Close()
	c.ok("broker", u.Scheme+"://"+u.Host+" accepts connections")
}

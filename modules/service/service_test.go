package service

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/pyfmt"
	"brine/modules"
	"brine/modules/moduletest"
)

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	require.NoError(t, os.Chmod(path, mode))
}

func TestPlain(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, Module())
	dir := b.Dir + "/services"
	b.Opts.Set("service_provider", "plain")
	write(t, dir+"/sleeper.yaml", "start: sleep 1000\nstart_wait: 0.03\n", 0o644)
	write(t, dir+"/stubborn.yml", "start: sleep 1000\n", 0o644)
	b.Want("['sleeper', 'stubborn']", "service.get_all")
	b.Want("False", "service.status", "sleeper")
	b.Want("True", "service.start", "sleeper")
	t.Cleanup(func() { _, _ = b.Call(context.Background(), "service.stop", modules.Pos("sleeper")) })
	b.Want("True", "service.status", "sleeper")
	b.Want("['sleeper']", "service.get_running")
	b.Want("{'sleeper': True, 'stubborn': False}", "service.status", "s*")
	pid := b.Read(dir + "/run/sleeper.pid")
	b.Want("True", "service.start", "sleeper")
	assert.Equal(t, pid, b.Read(dir+"/run/sleeper.pid"), "a second start leaves the process alone")
	b.Want("True", "service.restart", "sleeper")
	assert.NotEqual(t, pid, b.Read(dir+"/run/sleeper.pid"))
}

func TestPlainEdges(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, Module())
	dir := b.Dir + "/services"
	b.Opts.Set("service_provider", "plain")
	write(t, dir+"/brief.yaml", "start: [sh, -c, 'exit 3']\nstart_wait: 2\n", 0o644)
	write(t, dir+"/broken.yaml", "stop: x\n", 0o644)
	write(t, dir+"/run/other.pid", "1 2\n", 0o644)
	write(t, dir+"/other.yaml", "start: sleep 1000\n", 0o644)
	b.Fails("Service brief ended right after its start", "service.start", modules.Pos("brief"))
	b.Fails(dir+"/broken.yaml does not say how to start the service", "service.start", modules.Pos("broken"))
	b.Fails("The named service absent is not available", "service.start", modules.Pos("absent"))
	b.Fails("The named service ../x is not available", "service.enable", modules.Pos("../x"))
	b.Want("False", "service.status", "../../etc/passwd")
	b.Want("False", "service.status", "other")
	self := moduletest.KW([]any{"other"})
	write(t, dir+"/run/other.pid", pyfmt.Str(os.Getpid())+"\n12\n", 0o644)
	b.WantArgs("False", "service.status", self)
	b.Want("False", "service.enabled", "brief")
	b.Want("True", "service.enable", "brief")
	b.Want("True", "service.enabled", "brief")
	b.Want("['brief']", "service.get_enabled")
	b.Want("True", "service.disable", "brief")
	b.Want("True", "service.disabled", "brief")
	b.Want("True", "service.missing", "absent")
	b.Fails("Service masking not available on this minion", "service.mask", modules.Pos("brief"))
}

func TestPlainForks(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, Module())
	dir := b.Dir + "/services"
	b.Opts.Set("service_provider", "plain")
	write(t, dir+"/forker.yaml", "start: [sh, -c, 'sleep 1000 >/dev/null 2>&1 & echo $! > "+dir+"/forker.pid']\nforks: true\npidfile: "+dir+"/forker.pid\n"+
		"reload: touch "+dir+"/reloaded\n", 0o644)
	write(t, dir+"/stubborn.yml", "start: [sh, -c, 'trap : TERM; while :; do sleep 0.01; done']\nstop_timeout: 0.05\nstart_wait: 0.1\n", 0o644)
	b.Want("True", "service.start", "forker")
	b.Want("True", "service.reload", "forker")
	assert.FileExists(t, dir+"/reloaded")
	b.Want("True", "service.stop", "forker")
	b.Want("False", "service.status", "forker")
	assert.NoFileExists(t, dir+"/forker.pid")
	b.Fails("Service forker is not running", "service.reload", modules.Pos("forker"))
	b.Want("True", "service.start", "stubborn")
	b.Want("True", "service.stop", "stubborn")
	b.Want("False", "service.status", "stubborn")
}

// fakeSystemctl writes what it was asked to a log and knows the unit web.service.
const fakeSystemctl = `#!/bin/sh
echo "$*" >> "$FAKE/log"
case "$*" in
"is-active web.service") test -e "$FAKE/active" ;;
"is-enabled web.service") test -e "$FAKE/enabled" && echo enabled ;;
"enable web.service") touch "$FAKE/enabled" ;;
"disable web.service") rm -f "$FAKE/enabled" ;;
*"restart web.service"|*"start web.service") touch "$FAKE/active" ;;
"stop web.service") rm -f "$FAKE/active" ;;
"start bad.service") echo "Job for bad.service failed." >&2; exit 1 ;;
"status web.service"*) exit 3 ;;
"status "*) exit 4 ;;
"show web.service --property=NeedDaemonReload") echo NeedDaemonReload=yes ;;
"show web.service") printf 'Id=web.service\nExecStart={ path=/bin/web ; argv[]=/bin/web -d ; pid=0 }\n' ;;
*list-unit-files) printf 'web.service enabled\ncold.service disabled\nodd.socket static\n\n' ;;
*list-units) printf 'web.service loaded active running Web\nrun-1.scope loaded active running x\ngone.service not-found inactive dead gone\n' ;;
esac
`

func TestSystemctl(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/systemctl", fakeSystemctl, 0o755)
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("FAKE", dir)
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+dir+"/no-bus")
	b := moduletest.New(t, Module())
	b.Opts.Set("service_provider", "systemd")
	b.Want("True", "service.available", "web")
	b.Want("False", "service.available", "nothing")
	b.Want("False", "service.status", "web")
	b.WantArgs("True", "service.start", moduletest.KW([]any{"web"}, "no_block", true))
	b.Want("True", "service.status", "web")
	b.Want("True", "service.enable", "web")
	b.Want("True", "service.enabled", "web.service")
	b.Fails("Job for bad.service failed.", "service.start", modules.Pos("bad"))
	b.Want("['cold', 'odd.socket', 'run-1.scope', 'web']", "service.get_all")
	b.Want("['web']", "service.get_enabled")
	b.Want("['odd.socket']", "service.get_static")
	b.Want("['run-1.scope', 'web']", "service.get_running")
	b.Want("{'Id': 'web.service', 'ExecStart': {'path': '/bin/web', 'argv[]': '/bin/web -d', 'pid': '0'}}", "service.show", "web")
	log := b.Read(dir + "/log")
	assert.Contains(t, log, "--system daemon-reload\n--no-block start web.service\n")
}

type fakeBus struct {
	state  unitState
	result string
	jobs   []string
}

func (f *fakeBus) unit(context.Context, string) (unitState, error) { return f.state, nil }

func (f *fakeBus) job(_ context.Context, verb, name string, _ bool) (string, error) {
	f.jobs = append(f.jobs, verb+" "+name)
	return f.result, nil
}

func (f *fakeBus) close() {}

func TestSystemdBus(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/systemctl", fakeSystemctl, 0o755)
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("FAKE", dir)
	b := moduletest.New(t, Module())
	f := &fakeBus{state: unitState{"not-found", "inactive"}, result: "done"}
	s := &systemd{env: b.Env, etc: dir + "/etc", run: dir + "/run", connect: func(context.Context) (bus, error) { return f, nil }}
	known, err := s.knows(t.Context(), "web")
	require.NoError(t, err)
	assert.False(t, known)
	f.state = unitState{"loaded", "active"}
	up, err := s.running(t.Context(), "web", options{})
	require.NoError(t, err)
	assert.True(t, up)
	ok, err := s.act(t.Context(), "reload", "web", options{})
	require.NoError(t, err)
	assert.True(t, ok)
	f.result = "failed"
	_, err = s.act(t.Context(), "start", "web.socket", options{})
	assert.EqualError(t, err, "Job for web.socket failed: failed")
	assert.Equal(t, []string{"reload web.service", "start web.socket"}, f.jobs)
	assert.False(t, s.masked("web", false))
	require.NoError(t, os.MkdirAll(dir+"/etc", 0o755))
	require.NoError(t, os.Symlink("/dev/null", dir+"/etc/web.service"))
	assert.True(t, s.masked("web", false))
	assert.False(t, s.masked("web", true))
}

func TestSysv(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/bin/service", "#!/bin/sh\necho \"$*\" >> "+dir+"/log\ntest \"$1 $2\" = 'web status' -o \"$2\" = start\n", 0o755)
	write(t, dir+"/bin/update-rc.d", "#!/bin/sh\necho \"rc $*\" >> "+dir+"/log\nln -sf ../init.d/$1 "+dir+"/etc/rc3.d/S01$1\n", 0o755)
	write(t, dir+"/etc/init.d/web", "#!/bin/sh\n", 0o755)
	write(t, dir+"/etc/init.d/README", "text", 0o644)
	require.NoError(t, os.MkdirAll(dir+"/etc/rc3.d", 0o755))
	t.Setenv("PATH", dir+"/bin:"+os.Getenv("PATH"))
	b := moduletest.New(t, Module())
	s := &sysv{env: b.Env, root: dir + "/etc"}
	all, err := s.list(t.Context())
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"web": "disabled"}, all)
	ok, err := s.enable(t.Context(), "web", true)
	require.NoError(t, err)
	assert.True(t, ok)
	on, _ := s.enabled(t.Context(), "web")
	assert.True(t, on)
	up, err := s.running(t.Context(), "web", options{})
	require.NoError(t, err)
	assert.True(t, up)
	ok, _ = s.act(t.Context(), "restart", "web", options{})
	assert.False(t, ok)
	assert.Equal(t, "rc web defaults\nrc web enable\nweb status\nweb restart\n", b.Read(dir+"/log"))
}

func TestPick(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, Module())
	b.Opts.Set("service_provider", "upstart")
	b.Fails("'service' __virtual__ returned False: there is no service provider called upstart", "service.start", modules.Pos("x"))
}

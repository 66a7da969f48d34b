package schedule_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/modules/moduletest"
	"brine/modules/schedule"
)

// fake keeps the schedule in memory.
type fake struct {
	m     *ordered.Map
	saved int
	log   []string
}

func (f *fake) List(string) *ordered.Map { return ordered.Copy(f.m).(*ordered.Map) }
func (f *fake) Put(name string, job *ordered.Map, persist bool) error {
	f.m.Set(name, job)
	return f.note(persist)
}

func (f *fake) note(persist bool) error {
	if persist {
		f.saved++
	}
	return nil
}

func (f *fake) Remove(name string, persist bool) error {
	f.m.Delete(name)
	return f.note(persist)
}

func (f *fake) SetEnabled(name string, on, persist bool) error {
	if name == "" {
		f.m.Set("enabled", on)
	} else {
		f.m.Map(name).Set("enabled", on)
	}
	return f.note(persist)
}
func (f *fake) Save() error              { return errors.New("disk full") }
func (f *fake) RunNow(name string) error { f.log = append(f.log, "run "+name); return nil }
func (f *fake) Skip(name string, at, instead time.Time) error {
	f.log = append(f.log, "skip "+name+at.Format(" 15:04")+instead.Format(" 15:04"))
	return nil
}

func (f *fake) NextFire(name string) (time.Time, bool) {
	return time.Date(2031, 5, 4, 10, 0, 0, 0, time.UTC), name == "j"
}
func (f *fake) Status(string) *ordered.Map { return ordered.Pairs("x", 1) }
func (f *fake) Reset() error               { return nil }

func bench(t *testing.T) (*moduletest.Bench, *fake) {
	f := &fake{m: ordered.New(0)}
	return moduletest.New(t, schedule.Module(schedule.Deps{Store: f, Clock: f})), f
}

func TestChanges(t *testing.T) {
	t.Parallel()
	b, f := bench(t)
	kw := moduletest.KW
	b.WantArgs("{'comment': 'Job: j would be added to schedule.', 'result': True, 'changes': {}}", "schedule.add", kw([]any{"j"}, "function", "test.ping", "seconds", 60, "test", true))
	b.WantArgs("{'comment': 'Added job: j to schedule.', 'result': True, 'changes': {'j': 'added'}}", "schedule.add",
		kw([]any{"j"}, "function", "test.ping", "seconds", 60, "job_args", []any{"a"}, "splay", 5))
	b.WantArgs("{'comment': 'Job j already exists in schedule.', 'result': False, 'changes': {}}", "schedule.add", kw([]any{"j"}, "function", "test.ping"))
	b.WantArgs(`{'comment': 'Error: Unable to use "seconds", "minutes", "hours", or "days" with "when" or "cron" options.', 'result': False, 'changes': {}}`,
		"schedule.add", kw([]any{"k"}, "function", "test.ping", "seconds", 1, "cron", "* * * * *"))
	b.WantArgs(`{'comment': 'Unable to use "when" and "cron" options together.  Ignoring.', 'result': False, 'changes': {}}`,
		"schedule.add", kw([]any{"k"}, "function", "test.ping", "when", "5pm", "cron", "* * * * *"))
	b.Want("'schedule:\\n  j:\\n    args:\\n    - a\\n    enabled: true\\n    function: test.ping\\n    jid_include: true\\n    maxrunning: 1\\n    name: j\\n    seconds: 60\\n    splay: 5\\n'", "schedule.list")
	assert.Equal(t, 1, f.saved)
	b.WantArgs("{'comment': 'Job j in correct state', 'result': True, 'changes': {}}", "schedule.modify",
		kw([]any{"j"}, "function", "test.ping", "seconds", 60, "job_args", []any{"a"}, "splay", 5))
	b.WantArgs("{'comment': 'Modified job: j in schedule.', 'result': True, 'changes': {'diff': \"--- \\n+++ \\n-args:['a']\\n-seconds:60\\n+seconds:30\\n-splay:5\\n\"}}",
		"schedule.modify", kw([]any{"j"}, "function", "test.ping", "seconds", 30, "persist", false))
	assert.Equal(t, 1, f.saved)
	b.WantArgs("{'comment': 'Job z does not exist in schedule.', 'result': False, 'changes': {}}", "schedule.modify", kw([]any{"z"}, "seconds", 1))
	b.Want("{'comment': 'Disabled Job j in schedule.', 'result': True, 'changes': {'j': 'disabled'}}", "schedule.disable_job", "j")
	b.Want("{'comment': 'Job j is disabled.', 'result': False}", "schedule.run_job", "j")
	b.Want("{'comment': 'Enabled Job j in schedule.', 'result': True, 'changes': {'j': 'enabled'}}", "schedule.enable_job", "j")
	b.Want("{'comment': 'Disabled schedule on minion.', 'result': True, 'changes': {'schedule': 'disabled'}}", "schedule.disable")
	b.Want("False", "schedule.is_enabled")
	b.Want("{'comment': 'Enabled schedule on minion.', 'result': True, 'changes': {'schedule': 'enabled'}}", "schedule.enable")
	b.Want("True", "schedule.is_enabled")
	b.Want("{}", "schedule.is_enabled", "z")
	b.Want("{'comment': 'Job z does not exist.', 'result': False, 'changes': {}}", "schedule.delete", "z")
	b.Want("{'comment': 'Deleted Job j from schedule.', 'result': True, 'changes': {'j': 'removed'}}", "schedule.delete", "j")
}

func TestTimes(t *testing.T) {
	t.Parallel()
	b, f := bench(t)
	f.m = ordered.Pairs("j", ordered.Pairs("function", "f"), "__hidden", ordered.Pairs("function", "g"), "never", ordered.Pairs("function", "h"))
	b.Want("{'comment': 'Scheduling Job j on minion.', 'result': True}", "schedule.run_job", "j")
	b.Want("{'result': True, 'next_fire_time': '2031-05-04T10:00:00'}", "schedule.show_next_fire_time", "j")
	b.Want("{'result': True, 'next_fire_time': None}", "schedule.show_next_fire_time", "never")
	b.Want("{'comment': 'Job z does not exist.', 'result': False}", "schedule.show_next_fire_time", "z")
	b.Want("{'comment': 'Added Skip Job j in schedule.', 'result': True}", "schedule.skip_job", "j", "2031-05-04T10:00:00")
	b.Want("{'comment': 'Postponed Job j in schedule.', 'result': True}", "schedule.postpone_job", "j", "2031-05-04T10:00:00", "2031-05-04T12:00:00")
	b.Want("{'comment': 'Date string could not be parsed: x, %Y-%m-%dT%H:%M:%S', 'result': False}", "schedule.skip_job", "j", "x")
	assert.Equal(t, []string{"run j", "skip j 10:00 00:00", "skip j 10:00 12:00"}, f.log)
	b.Want("{'comment': 'disk full', 'result': False, 'changes': {}}", "schedule.save")
	b.Want("{'comment': ['Reloaded schedule on minion.'], 'result': True}", "schedule.reload")
	all, _ := b.Run("schedule.list", moduletest.KW(nil, "show_all", true, "return_yaml", false)).(*ordered.Map)
	assert.Equal(t, []any{"j", "__hidden", "never"}, all.Keys())
	b.Want("{'comment': ['Deleted job: j from schedule.', 'Deleted job: never from schedule.'], 'changes': {'j': 'removed', 'never': 'removed'}, 'result': True}", "schedule.purge")
	assert.Equal(t, "{'function': 'x', 'maxrunning': 1, 'name': 'n', 'enabled': True, 'jid_include': True}",
		pyfmt.Repr(b.Run("schedule.build_schedule_item", moduletest.KW([]any{"n"}, "function", "x"))))
	alone := moduletest.New(t, schedule.Module(schedule.Deps{}))
	alone.Fails("'schedule' __virtual__ returned False: there is no scheduler here: ask the running minion, without --local", "schedule.list", modules.Pos())
}

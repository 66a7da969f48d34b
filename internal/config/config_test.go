package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
)

type options struct {
	Name    string              `opt:"id" def:"''" doc:"The id."`
	Timeout time.Duration       `opt:"timeout" def:"5" doc:"Seconds to wait."`
	Ports   int                 `opt:"publish_port" def:"1883"`
	Open    bool                `opt:"open_mode" def:"false"`
	Roots   map[string][]string `opt:"file_roots" def:"{base: [/srv/salt]}"`
	Groups  *ordered.Map        `opt:"nodegroups" def:"{}"`
	List    []string            `opt:"renderers" def:"[]"`
	private int
}

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func TestLoad(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master")
	write(t, path, "id: m1\ntimeout: 2.5\nfile_roots:\n  base: /a\nnodegroups: {web: 'web*', n: {a: 1}}\nrenderers: one\nworker_threads: 5\ntimeuot: 3\nzzzzzz: 1\n")
	write(t, path+".d/20.conf", "nodegroups: {db: 'db*', n: {b: 2}}\n")
	write(t, path+".d/10.conf", "timeout: 1m\nopen_mode: yes\n")
	write(t, path+".d/30.conf.bak", "id: wrong\n")
	o := options{private: 1}
	SetDefaults(&o)
	assert.Equal(t, 5*time.Second, o.Timeout)
	l, err := Schema{Ignored: []string{"worker_threads"}}.Load(path, &o)
	require.NoError(t, err)
	assert.Equal(t, "m1", o.Name)
	assert.Equal(t, time.Minute, o.Timeout)
	assert.True(t, o.Open)
	assert.Equal(t, map[string][]string{"base": {"/a"}}, o.Roots)
	assert.Equal(t, []string{"one"}, o.List)
	assert.Equal(t, []any{"web", "n", "db"}, o.Groups.Keys())
	assert.Equal(t, 2, o.Groups.Map("n").Len())
	require.Len(t, l.Warnings, 3)
	assert.Equal(t, path+":7: option worker_threads: has no effect here", l.Warnings[0].Error())
	assert.Equal(t, path+":8: option timeuot: is not known; did you mean timeout?", l.Warnings[1].Error())
	assert.Equal(t, path+":9: option zzzzzz: is not known", l.Warnings[2].Error())
	assert.Equal(t, int64(60), Values(o).Value("timeout"))
	assert.Len(t, Options(o), 7)
}

func TestWrongTypesAreAllNamed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master")
	write(t, path, "timeout: soon\npublish_port: 'x'\nopen_mode: 'yes'\nfile_roots: [a]\nnodegroups: 5\nrenderers: {a: 1}\nid: [1]\n")
	var o options
	_, err := Schema{}.Load(path, &o)
	for _, want := range []string{
		":1: option timeout: want seconds, or a time such as 90s or 5m, got 'soon'", ":2: option publish_port: want a whole number, got 'x' (str)",
		":3: option open_mode: want True or False", ":4: option file_roots: want a map of lists", ":5: option nodegroups: want a map",
		":6: option renderers: item 1: want a text", ":7: option id: want a text",
	} {
		require.ErrorContains(t, err, path+want)
	}
	write(t, path, "a: [1\n")
	_, err = Schema{}.Load(path, &o)
	require.ErrorContains(t, err, "line 2")
	_, err = Schema{}.Load(filepath.Join(t.TempDir(), "absent"), &o)
	require.NoError(t, err)
}

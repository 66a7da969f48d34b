// Package conformance runs recorded cases against the program and compares its answers with those that Salt 3006 gave:
// each case is a small tree of SLS files, a list of calls and the answers.
package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"brine/test/testbed"
)

func TestMain(m *testing.M) {
	code := m.Run()
	testbed.Clean()
	os.Exit(code)
}

// call is one call of a case.
type call struct {
	Fun    string         `json:"fun"`
	Args   []any          `json:"args"`
	Kwargs map[string]any `json:"kwargs"`
	Drop   []string       `json:"drop"`
}

// unlike are calls whose recorded answers hold what only that machine could answer, with the reason.
func unlike() map[string]string {
	return map[string]string{
		"mod-test/test.arg_repr":   "the recorded text has the process number and job id of that call",
		"mod-test/test.fib":        "the recorded answer has the time that it took",
		"mod-test/test.collatz":    "the recorded answer has the time that it took",
		"mod-test/test.not_loaded": "the recorded list is that of Salt's own modules",
	}
}

func TestAsSalt(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	var grains map[string]any
	src, err := os.ReadFile("testdata/grains.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(src, &grains))
	bin := testbed.Binary(t)
	for _, p := range paths {
		name := strings.TrimSuffix(filepath.Base(p), ".txtar")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(p)
			require.NoError(t, err)
			run(t, bin, name, a, grains)
		})
	}
}

// infinite finds what Python writes for numbers that JSON has no form of.
var infinite = regexp.MustCompile(`([\[:,]\s*)(-?Infinity|NaN)`)

// bench is the scratch space of one case.
type bench struct {
	bin, work, base string
}

func run(t *testing.T, bin, name string, a *txtar.Archive, grains map[string]any) {
	t.Helper()
	dir := t.TempDir()
	b := &bench{bin: bin, work: dir + "/work", base: dir + "/base"}
	files := map[string]string{}
	for _, f := range a.Files {
		files[f.Name] = string(f.Data)
	}
	b.prepare(t, files, grains)
	var calls []call
	var want []any
	require.NoError(t, json.Unmarshal([]byte(files["calls.json"]), &calls))
	require.NoError(t, json.Unmarshal(infinite.ReplaceAll([]byte(files["want.json"]), []byte(`$1"$2"`)), &want))
	for i, c := range calls {
		reason := unlike()[name+"/"+c.Fun]
		got, failed, said := b.call(t, c)
		if reason != "" {
			t.Logf("call %d %s is not compared: %s", i+1, c.Fun, reason)
			continue
		}
		if s, ok := want[i].(string); ok && failed && got != nil {
			_ = s
			failed = false
		}
		if diff := b.check(want[i], norm(got, c.Drop, b), failed, said); diff != "" {
			t.Errorf("call %d %s %v: %s", i+1, c.Fun, c.Args, diff)
		}
	}
}

func (b *bench) prepare(t *testing.T, files map[string]string, grains map[string]any) {
	t.Helper()
	for _, d := range []string{b.work, b.base + "/srv", b.base + "/pillar", b.base + "/conf"} {
		require.NoError(t, os.MkdirAll(d, 0o755))
	}
	for name, body := range files {
		if strings.HasPrefix(name, "srv/") || strings.HasPrefix(name, "pillar/") {
			p := filepath.Join(b.base, name)
			require.NoError(t, os.MkdirAll(filepath.Dir(p), 0o755))
			require.NoError(t, os.WriteFile(p, []byte(strings.ReplaceAll(body, "$WORK", b.work)), 0o600))
		}
	}
	all := map[string]any{}
	for k, v := range grains {
		all[k] = v
	}
	for k, v := range simpleYAML(files["grains.yaml"]) {
		all[k] = v
	}
	conf := map[string]any{
		"id": "m1", "root_dir": b.base, "pki_dir": b.base + "/pki", "cachedir": b.base + "/cache", "file_client": "local",
		"file_roots": map[string]any{"base": []string{b.base + "/srv"}}, "pillar_roots": map[string]any{"base": []string{b.base + "/pillar"}},
		"nodegroups": map[string]string{"web": "m1 or m2"}, "grains": all,
	}
	for k, v := range simpleYAML(files["minion.yaml"]) {
		conf[k] = v
	}
	src, err := json.Marshal(conf)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(b.base+"/conf/minion", src, 0o600))
}

// simpleYAML reads the few forms that the cases use: key: [a, b] and key: scalar.
func simpleYAML(text string) map[string]any {
	out := map[string]any{}
	for line := range strings.Lines(text) {
		key, val, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		val = strings.TrimSpace(val)
		switch {
		case strings.HasPrefix(val, "["):
			var list []string
			for _, e := range strings.Split(strings.Trim(val, "[]"), ",") {
				list = append(list, strings.TrimSpace(e))
			}
			out[strings.TrimSpace(key)] = list
		case val == "true" || val == "false":
			out[strings.TrimSpace(key)] = val == "true"
		default:
			out[strings.TrimSpace(key)] = val
		}
	}
	return out
}

func compact(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // data that came from JSON
	return strings.TrimSpace(b.String())
}

// call runs the command line and tells whether it failed, and all that it said.
func (b *bench) call(t *testing.T, c call) (got any, failed bool, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	argv := []string{"call", "--local", "-c", b.base + "/conf", "--out=json", c.Fun}
	for _, a := range c.Args {
		argv = append(argv, strings.ReplaceAll(compact(a), "$WORK", b.work))
	}
	for k, v := range c.Kwargs {
		argv = append(argv, k+"="+strings.ReplaceAll(compact(v), "$WORK", b.work))
	}
	cmd := exec.CommandContext(ctx, b.bin, argv...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var answer map[string]any
	if json.Unmarshal(infinite.ReplaceAll(out.Bytes(), []byte(`$1"$2"`)), &answer) != nil {
		failed = true
	} else {
		got = answer["local"]
	}
	if _, isText := got.(string); err != nil && (isText || got == nil) {
		failed = true
	}
	return got, failed, b.plain(out.String() + errs.String())
}

func (b *bench) plain(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, b.work, "$WORK"), b.base, "$BASE")
}

// norm drops what differs from run to run.
func norm(v any, drop []string, b *bench) any {
	switch t := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range t {
			if slices.Contains(drop, k) || strings.HasPrefix(k, "__pub_") || volatile(k, e) {
				continue
			}
			out[b.plain(k)] = norm(e, drop, b)
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i := range t {
			out[i] = norm(t[i], drop, b)
		}
		return out
	case string:
		return b.plain(t)
	}
	return v
}

func volatile(key string, v any) bool {
	if key != "pid" && key != "start_time" && key != "duration" {
		return false
	}
	switch v.(type) {
	case string, float64:
		return true
	}
	return false
}

var (
	facts    = regexp.MustCompile(`line \d+|SLS '?([\w.:-]+)'?|ID '?([\w.-]+)'?|'(?:base:)?([\w.-]{2,})'`)
	refusals = []string{"failed", "rror", "not", "annot", "ecursive", "onflict", "llegal", "uplicate", "Specified", "Detected", "No matching", "ambiguous", "does", "must"}
)

// check compares an answer; errors need not have the same words, but must name the same SLS files, ids and lines.
func (b *bench) check(want, got any, failed bool, said string) string {
	if m, ok := want.(map[string]any); ok {
		if e, has := m["__error__"]; has {
			if !failed {
				return fmt.Sprintf("Salt raised %v, and the answer here is %s", e, compact(got))
			}
			return ""
		}
	}
	list, ok := errorList(want)
	if ok && slices.ContainsFunc(refusals, func(w string) bool { return strings.Contains(list[0], w) }) {
		if _, isList := errorList(got); !failed && !isList {
			return fmt.Sprintf("Salt refused with %q, and the answer here is %s", list[0], compact(got))
		}
		if !failed {
			said = compact(got)
		}
		for _, w := range list {
			head, _, _ := strings.Cut(w, "\n---")
			head, _, _ = strings.Cut(head, "[...]")
			for _, m := range facts.FindAllStringSubmatch(head, -1) {
				fact := m[0]
				for _, g := range m[1:] {
					if g != "" {
						fact = g
						break
					}
				}
				fact = strings.Trim(fact[strings.LastIndexByte(fact, ':')+1:], ".")
				if !strings.Contains(said, fact) {
					return fmt.Sprintf("the error does not name %q: %s", fact, said)
				}
			}
		}
		return ""
	}
	if failed {
		return "it failed: " + said
	}
	return same(want, got, "")
}

func errorList(v any) ([]string, bool) {
	l, ok := v.([]any)
	if !ok || len(l) == 0 {
		return nil, false
	}
	out := make([]string, len(l))
	for i, e := range l {
		s, ok := e.(string)
		if !ok {
			return nil, false
		}
		out[i] = s
	}
	return out, true
}

// same tells the first difference.
func same(want, got any, path string) string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		for k := range w {
			if _, ok := g[k]; !ok {
				return fmt.Sprintf("%s: %q is missing", path, k)
			}
		}
		for k := range g {
			if _, ok := w[k]; !ok {
				return fmt.Sprintf("%s: %q is not in Salt's answer", path, k)
			}
		}
		for k := range w {
			if d := same(w[k], g[k], path+"/"+k); d != "" {
				return d
			}
		}
		return ""
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			break
		}
		for i := range w {
			if d := same(w[i], g[i], fmt.Sprintf("%s[%d]", path, i)); d != "" {
				return d
			}
		}
		return ""
	default:
		if want == got {
			return ""
		}
	}
	return fmt.Sprintf("%s: want %s, got %s", path, compact(want), compact(got))
}

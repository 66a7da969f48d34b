// Command gen writes the reference pages below docs/reference from the code: functions, states, runners, options, topics
// and events. Run it with make docs; a test fails when the pages are not what the code says.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"brine/event"
	"brine/internal/config"
	"brine/internal/pyfmt"
	"brine/master"
	"brine/minion"
	"brine/modules"
	"brine/modules/builtin"
	"brine/proto"
	statelist "brine/states/builtin"
)

func main() {
	for name, text := range pages() {
		path := filepath.Join("docs", "reference", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil { //nolint:gosec // a page for everybody
			fatal(err)
		}
	}
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// pages are the texts by file name.
func pages() map[string]string {
	return map[string]string{
		"modules.md": functions(), "states.md": stateFunctions(), "runners.md": runners(), "master-options.md": options("master", "DIR/master and DIR/master.d/*.conf", master.Options{}),
		"minion-options.md": options("minion", "DIR/minion and DIR/minion.d/*.conf", minion.Options{}), "topics.md": topics(), "events.md": events(),
	}
}

const note = "\n<!-- Written by make docs from the code. -->\n"

// signature is a function as it is called: name(args, key=default).
func signature(full string, s *modules.Spec) string {
	var parts []string
	for _, p := range s.Params {
		if p.Required {
			parts = append(parts, p.Name)
		} else {
			parts = append(parts, p.Name+"="+pyfmt.Repr(p.Default))
		}
	}
	if s.VarArgs != "" {
		parts = append(parts, "*"+s.VarArgs)
	}
	if s.KwArg != "" {
		parts = append(parts, "**"+s.KwArg)
	}
	return full + "(" + strings.Join(parts, ", ") + ")"
}

func summary(doc string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(doc), "\n\n")
	return strings.ReplaceAll(strings.Join(strings.Fields(first), " "), "|", `\|`)
}

func families(b *strings.Builder, list []modules.Module) {
	for _, m := range list {
		fmt.Fprintf(b, "\n## %s\n\n%s\n\n", m.Name, m.Doc)
		for _, f := range m.Funcs {
			fmt.Fprintf(b, "- `%s`: %s\n", signature(m.Name+"."+f.Name, f.Spec()), summary(f.Doc))
		}
	}
}

func functions() string {
	var b strings.Builder
	b.WriteString("# Execution functions\n" + note + "\n`brine '*' sys.doc FUNCTION` shows the whole text of one.\n")
	families(&b, builtin.Modules(builtin.Deps{}))
	return b.String()
}

func runners() string {
	var b strings.Builder
	b.WriteString("# Runners and wheel functions\n" + note + "\nRunners run on the master: `brine run FUNCTION`. Wheel functions are for the API.\n")
	r, w := master.Functions()
	families(&b, r)
	b.WriteString("\n# Wheel functions\n")
	families(&b, w)
	return b.String()
}

func stateFunctions() string {
	var b strings.Builder
	b.WriteString("# State functions\n" + note)
	for _, s := range statelist.States() {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", s.Name, s.Doc)
		if s.Watch != nil {
			b.WriteString("Reacts to `watch`.\n\n")
		}
		for _, f := range s.Funcs {
			fmt.Fprintf(&b, "- `%s`: %s\n", signature(s.Name+"."+f.Name, f.Spec()), summary(f.Doc))
		}
	}
	return b.String()
}

func options(role, where string, o any) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Options of the %s\n%s\nRead from %s. Times are in seconds.\n\n| Option | Default | |\n|---|---|---|\n", role, note, where)
	for _, opt := range config.Options(o) {
		fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", opt.Name, strings.ReplaceAll(opt.Default, "|", `\|`), opt.Doc)
	}
	return b.String()
}

func topics() string {
	t := proto.Topics{Prefix: proto.DefaultPrefix}
	return "# MQTT topics\n" + note + fmt.Sprintf(`
The prefix is the option topic_prefix. Messages are sealed to their one reader, but for those of the last two.

| Topic | Direction | What |
|---|---|---|
| %s | master to minion | jobs, acknowledgements, answers |
| %s | minion to master | returns, events, questions; the shard is FNV-1a of the id modulo %d |
| %s | minion to master, retained | presence, and the last will; signed |
| %s | master to all | small notices; signed |
`, "`"+t.Down("<id>")+"`", "`"+t.Prefix+"/u/<shard>/<id>`", proto.Shards, "`"+t.State("<id>")+"`", "`"+t.All()+"`")
}

func events() string {
	var b strings.Builder
	b.WriteString("# Events\n" + note + "\n`brine event` follows them. Data is a map; `_stamp` is when it happened.\n\n| Tag | Where | When | Data |\n|---|---|---|---|\n")
	for _, e := range event.Catalogue() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", e.Tag, e.Where, e.When, e.Data)
	}
	return b.String()
}

package output

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// StateOptions are Salt's options for the results of states.
type StateOptions struct {
	// Output is full, terse, mixed, changes or filter, each also with _id; "" is full.
	Output string
	// Quiet hides states that are fine and changed nothing (state_verbose: False). They are counted.
	Quiet bool
	// Tabular prints terse states in columns.
	Tabular bool
	// Percent adds the share of states that went well.
	Percent bool
	// NoProfile leaves times out.
	NoProfile bool
	// Exclude and Terse are for filter: results (True, False, None) that are left out, or printed on one line.
	Exclude, Terse []string
}

// highstate lays out the results of states by minion. It is not ok when data is no such thing.
func highstate(data any, o Options) (string, bool) {
	m, ok := data.(*ordered.Map)
	if !ok {
		return "", false
	}
	if m.Len() == 1 && m.Has("data") { // a runner that ran states
		if inner, ok := m.Value("data").(*ordered.Map); ok {
			m = inner
		}
	}
	var hosts []string
	for id, v := range m.All() {
		text, _, ok := host(ordered.KeyText(id), v, o)
		if !ok {
			return "", false
		}
		hosts = append(hosts, text)
	}
	return strings.Join(hosts, "\n"), true
}

// report is what is printed of one minion.
type report struct {
	o        Options
	lines    []string
	color    string // of the id
	counts   map[string]int
	changed  int
	duration float64
	parallel float64
}

// host lays out the result of one minion and tells whether anything changed.
func host(id string, data any, o Options) (text string, changed, ok bool) {
	r := &report{o: o, color: green, counts: map[string]int{}}
	switch t := data.(type) {
	case int64, string:
		r.color, r.changed = cyan, 1
		for _, line := range splitLines(pyfmt.Str(t)) {
			r.add(green, "    "+safe(line))
		}
	case []any:
		r.color = lightRed
		r.lines = append(r.lines, "    "+o.paint(lightRed, "Data failed to compile:"))
		for _, e := range t {
			r.add(lightRed, "----------\n    "+safe(pyfmt.Str(e)))
		}
	case *ordered.Map:
		if !r.states(t) {
			return "", false, false
		}
		r.summary(id)
	default:
		return "", false, false
	}
	return o.paint(r.color, safe(id)+":") + joined(r.lines), r.changed > 0, true
}

func joined(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return "\n" + strings.Join(lines, "\n")
}

func (r *report) add(color, text string) { r.lines = append(r.lines, r.o.paint(color, text)) }

// state is one result, ready to print.
type state struct {
	tag     []string // module, id, name, function
	ret     *ordered.Map
	result  any
	changed bool
	changes string
	color   string
}

// states prints all states in the order in which they ran; it is false when the map holds something else.
func (r *report) states(m *ordered.Map) bool {
	type entry struct {
		tag string
		ret *ordered.Map
		num int64
	}
	var list []entry
	for k, v := range m.All() {
		ret, ok := v.(*ordered.Map)
		if !ok || !ret.Has("result") {
			if m.Len() == 1 || !ok {
				return false
			}
			continue
		}
		n, _ := ret.Value("__run_num__").(int64)
		list = append(list, entry{ordered.KeyText(k), ret, n})
	}
	slices.SortStableFunc(list, func(a, b entry) int { return int(a.num - b.num) })
	for _, e := range list {
		tag := strings.Split(e.tag, "_|-")
		for len(tag) < 4 {
			tag = append(tag, "")
		}
		s := &state{tag: tag, ret: e.ret, result: e.ret.Value("result"), color: green}
		r.one(s)
	}
	return true
}

// one counts and prints a state.
func (r *report) one(s *state) {
	r.counts[pyfmt.Str(s.result)]++
	d := milliseconds(s.ret.Value("duration"))
	if pyfmt.Truth(s.ret.Value("__parallel__")) {
		r.parallel = max(r.parallel, d)
	} else {
		r.duration += d
	}
	s.changed, s.changes = r.changesOf(s.ret.Value("changes"))
	if s.changed {
		r.changed++
		s.color = cyan
	}
	switch s.result {
	case false:
		s.color, r.color = red, red
	case nil:
		s.color, r.color = yellow, yellow
	}
	fine := s.result == true && !s.changed
	if r.o.State.Quiet && fine {
		return
	}
	mode := strings.ToLower(r.o.State.Output)
	if strings.HasSuffix(mode, "_id") {
		s.tag[2] = s.tag[1]
	}
	result := pyfmt.Str(s.result)
	switch {
	case strings.HasPrefix(mode, "terse"),
		strings.HasPrefix(mode, "mixed") && s.result != false,
		strings.HasPrefix(mode, "changes") && pyfmt.Truth(s.result) && !s.changed,
		strings.HasPrefix(mode, "filter") && slices.Contains(r.o.State.Terse, result):
		r.terse(s)
	case strings.HasPrefix(mode, "filter") && slices.Contains(r.o.State.Exclude, result):
	default:
		r.full(s)
	}
}

// milliseconds reads a duration: a number, or a text such as "12.3 ms".
func milliseconds(v any) float64 {
	switch t := v.(type) {
	case int64:
		return float64(t)
	case float64:
		return t
	case string:
		number, _, _ := strings.Cut(t, " ms")
		f, _ := strconv.ParseFloat(number, 64) // what is no number took no time
		return f
	}
	return 0
}

// duration is the text of a duration, without its unit.
func duration(v any) string {
	text, _, _ := strings.Cut(pyfmt.Str(v), " ms")
	return text
}

// changesOf lays out the changes of a state.
func (r *report) changesOf(v any) (changed bool, text string) {
	if !pyfmt.Truth(v) {
		return false, ""
	}
	m, ok := v.(*ordered.Map)
	if !ok {
		return true, "Invalid Changes data: " + safe(pyfmt.Str(v))
	}
	if inner, ok := m.Value("ret").(*ordered.Map); ok && m.String("out") == "highstate" {
		for id, v := range inner.All() {
			text1, did, ok := host(ordered.KeyText(id), v, r.o)
			if !ok {
				text1 = nested(ordered.Pairs(id, v), 0, r.o, 0)
			}
			for _, line := range strings.Split(text1, "\n") {
				text += "\n" + strings.Repeat(" ", 14) + line
			}
			changed = changed || did
		}
		return changed, text
	}
	return true, "\n" + nested(m, 14, r.o, 0)
}

// full prints a state on several lines.
func (r *report) full(s *state) {
	line := func(label, text string) { r.lines = append(r.lines, "    "+r.o.paint(s.color, label+": "+text)) }
	r.add(s.color, "----------")
	line("      ID", safe(s.tag[1]))
	line("Function", s.tag[0]+"."+s.tag[3])
	if s.tag[1] != s.tag[2] {
		line("    Name", safe(s.tag[2]))
	}
	line("  Result", pyfmt.Str(s.result))
	line(" Comment", safe(comment(s.ret)))
	if !r.o.State.NoProfile && s.ret.Has("start_time") {
		line(" Started", pyfmt.Str(s.ret.Value("start_time")))
		d := ""
		if s.ret.Has("duration") && s.ret.Value("duration") != "" {
			d = duration(s.ret.Value("duration")) + " ms"
		}
		line("Duration", d)
	}
	r.add(s.color, "     Changes:   "+s.changes)
	if w := warnings(s.ret); len(w) > 0 {
		r.counts["warnings"]++
		text := strings.TrimLeft(fill(safe(strings.Join(w, "\n")), 80, 14), " ")
		r.lines = append(r.lines, "   "+r.o.paint(lightRed, " Warnings: "+text))
	}
}

// comment is a comment as it is printed: a list as one text, further lines under the first, data behind it.
func comment(ret *ordered.Map) string {
	var text string
	const under = "\n              "
	if list, ok := ret.Value("comment").([]any); ok {
		parts := make([]string, len(list))
		for i, e := range list {
			parts[i] = pyfmt.Str(e)
		}
		text = strings.ReplaceAll(strings.Join(parts, " "), "\n", under)
	} else {
		text = strings.ReplaceAll(strings.TrimSpace(pyfmt.Str(ret.Value("comment"))), "\n", under)
	}
	switch t := ret.Value("data").(type) {
	case nil:
	case []any:
		for _, e := range t {
			text += " " + pyfmt.Str(e)
		}
	case *ordered.Map:
		for k, v := range t.All() {
			text += "\n\t\t" + ordered.KeyText(k) + ": " + pyfmt.Str(v)
		}
	default:
		text += " " + pyfmt.Str(t)
	}
	return text
}

func warnings(ret *ordered.Map) []string {
	var out []string
	for _, w := range ret.List("warnings") {
		out = append(out, pyfmt.Str(w))
	}
	return out
}

// fill wraps text at width columns, each line indented: Python's textwrap.fill.
func fill(text string, width, indent int) string {
	pad := strings.Repeat(" ", indent)
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		for len([]rune(word)) > width-indent { // a word longer than a line is broken
			if line != "" {
				lines = append(lines, line)
				line = ""
			}
			lines = append(lines, string([]rune(word)[:width-indent]))
			word = string([]rune(word)[width-indent:])
		}
		switch {
		case line == "":
			line = word
		case len([]rune(line))+1+len([]rune(word)) <= width-indent:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return pad + strings.Join(lines, "\n"+pad)
}

// terse prints a state on one line.
func (r *report) terse(s *state) {
	result := "Clean"
	switch {
	case s.result == false:
		result = "Failed"
	case s.result == nil:
		result = "Differs"
	case pyfmt.Truth(s.ret.Value("changes")):
		result = "Changed"
	}
	w := warnings(s.ret)
	var text string
	timed := !r.o.State.NoProfile && s.ret.Has("start_time")
	started, took := pyfmt.Str(s.ret.Value("start_time")), duration(s.ret.Value("duration"))
	if r.o.State.Tabular {
		if timed {
			text = fmt.Sprintf("%s [%7s ms] ", started, took)
		}
		text += fmt.Sprintf("%10s.%-10s %-7s   Name: %s", s.tag[0], s.tag[3], result, safe(s.tag[2]))
	} else {
		text = fmt.Sprintf("  Name: %s - Function: %s.%s - Result: %s", safe(s.tag[2]), s.tag[0], s.tag[3], result)
		if timed {
			text += fmt.Sprintf(" - Started: %s - Duration: %s ms", started, took)
		}
	}
	before := ""
	if len(w) > 0 {
		before = r.o.paint(lightRed, "Warnings:\n"+safe(strings.Join(w, "\n")))
		if r.o.State.Tabular {
			before += "\n"
		}
	}
	r.lines = append(r.lines, before+r.o.paint(s.color, text))
}

// summary prints the counts.
func (r *report) summary(id string) {
	digits, total := 0, 0
	for k, n := range r.counts {
		digits = max(digits, len(strconv.Itoa(n)))
		if k != "warnings" {
			total += n
		}
	}
	width := len("Succeeded") + digits + 2
	rule := strings.Repeat("-", width)
	count := func(label string, n any) string {
		return fmt.Sprintf("%s: %*v", label, width-len(label)-2, n)
	}
	r.add(cyan, "\nSummary for "+safe(id)+"\n"+rule)
	good, bad := r.counts["True"]+r.counts["None"], r.counts["False"]
	var notes []string
	if n := r.counts["None"]; n > 0 {
		notes = append(notes, r.o.paint(yellow, fmt.Sprintf("unchanged=%d", n)))
	}
	if r.changed > 0 {
		notes = append(notes, r.o.paint(green, fmt.Sprintf("changed=%d", r.changed)))
	}
	line := r.o.paint(green, count("Succeeded", good))
	if len(notes) > 0 {
		line += " (" + strings.Join(notes, ", ") + ")"
	}
	r.lines = append(r.lines, line)
	failed := cyan
	if bad > 0 {
		failed = red
	}
	r.add(failed, count("Failed", bad))
	if r.o.State.Percent && total > 0 {
		r.add(green, count("Success %", percent(good, total)))
		r.add(failed, count("Failure %", percent(bad, total)))
	}
	if n := r.counts["warnings"]; n > 0 {
		r.add(lightRed, count("Warnings", n))
	}
	r.add(cyan, fmt.Sprintf("%s\nTotal states run: %*d", rule, width-7, total))
	if r.o.State.NoProfile {
		return
	}
	sum, unit := r.duration+r.parallel, "ms"
	if sum > 999 {
		sum, unit = sum/1000, "s"
	}
	r.add(cyan, fmt.Sprintf("Total run time: %*s %s", width-5, strconv.FormatFloat(sum, 'f', 3, 64), unit))
}

func percent(part, whole int) string {
	f, _ := strconv.ParseFloat(strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 2, 64), 64) // its own text
	return pyfmt.Float(f)
}

// Package difflib makes the unified diffs that Python's difflib makes, equal to the letter: Salt shows them as the
// changes of a file. See https://docs.python.org/3/library/difflib.html.
package difflib

import (
	"slices"
	"strconv"
	"strings"
)

// Unified is "".join(difflib.unified_diff(a, b, fromfile, tofile)): three lines of context, "" when a and b are equal.
// Lines carry their own ends.
func Unified(a, b []string, fromFile, toFile string) string {
	var out strings.Builder
	for _, group := range grouped(opcodes(a, b), 3) {
		if out.Len() == 0 {
			out.WriteString("--- " + fromFile + "\n+++ " + toFile + "\n")
		}
		first, last := group[0], group[len(group)-1]
		out.WriteString("@@ -" + span(first.a0, last.a1) + " +" + span(first.b0, last.b1) + " @@\n")
		for _, op := range group {
			write(&out, op, a, b)
		}
	}
	return out.String()
}

// Joined is "\n".join(difflib.unified_diff(a, b)) for lines without ends: the heads, which have ends, are followed by an
// empty line.
func Joined(a, b []string) string {
	ended := func(lines []string) []string {
		out := make([]string, len(lines))
		for i, l := range lines {
			out[i] = l + "\n"
		}
		return out
	}
	var out strings.Builder
	for i, l := range strings.SplitAfter(Unified(ended(a), ended(b), "", ""), "\n") {
		out.WriteString(l)
		if i < 2 || strings.HasPrefix(l, "@@") {
			out.WriteByte('\n')
		}
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func write(out *strings.Builder, op opcode, a, b []string) {
	if op.equal {
		for _, l := range a[op.a0:op.a1] {
			out.WriteString(" " + l)
		}
		return
	}
	for _, l := range a[op.a0:op.a1] {
		out.WriteString("-" + l)
	}
	for _, l := range b[op.b0:op.b1] {
		out.WriteString("+" + l)
	}
}

// span is the range of lines in a hunk's head: counted from 1, an empty range begins before.
func span(start, stop int) string {
	begin, length := start+1, stop-start
	if length == 1 {
		return strconv.Itoa(begin)
	}
	if length == 0 {
		begin--
	}
	return strconv.Itoa(begin) + "," + strconv.Itoa(length)
}

// opcode says that a[a0:a1] becomes b[b0:b1].
type opcode struct {
	equal          bool
	a0, a1, b0, b1 int
}

// grouped cuts the opcodes into hunks with up to n equal lines around the changes.
func grouped(codes []opcode, n int) [][]opcode {
	if len(codes) == 0 {
		return nil
	}
	if c := &codes[0]; c.equal {
		c.a0, c.b0 = max(c.a0, c.a1-n), max(c.b0, c.b1-n)
	}
	if c := &codes[len(codes)-1]; c.equal {
		c.a1, c.b1 = min(c.a1, c.a0+n), min(c.b1, c.b0+n)
	}
	var out [][]opcode
	var group []opcode
	for _, c := range codes {
		if c.equal && c.a1-c.a0 > 2*n {
			group = append(group, opcode{true, c.a0, min(c.a1, c.a0+n), c.b0, min(c.b1, c.b0+n)})
			out = append(out, group)
			group = nil
			c.a0, c.b0 = max(c.a0, c.a1-n), max(c.b0, c.b1-n)
		}
		group = append(group, c)
	}
	if len(group) > 0 && (len(group) > 1 || !group[0].equal) {
		out = append(out, group)
	}
	return out
}

func opcodes(a, b []string) []opcode {
	var out []opcode
	i, j := 0, 0
	for _, m := range matchingBlocks(a, b) {
		if i < m.a || j < m.b {
			out = append(out, opcode{false, i, m.a, j, m.b})
		}
		i, j = m.a+m.size, m.b+m.size
		if m.size > 0 {
			out = append(out, opcode{true, m.a, i, m.b, j})
		}
	}
	return out
}

// match says that a[a:a+size] equals b[b:b+size].
type match struct{ a, b, size int }

// matcher is SequenceMatcher(None, a, b) with its automatic junk: in a text of 200 lines or more a line that makes up
// more than one in a hundred does not start a match.
type matcher struct {
	a, b []string
	b2j  map[string][]int
	// run[j] is the length of the match that ends with b[j], for the line of a before the current one.
	run, next map[int]int
}

func newMatcher(a, b []string) *matcher {
	m := &matcher{a: a, b: b, b2j: make(map[string][]int, len(b)), run: map[int]int{}, next: map[int]int{}}
	for j, l := range b {
		m.b2j[l] = append(m.b2j[l], j)
	}
	if n := len(b); n >= 200 {
		for l, where := range m.b2j {
			if len(where) > n/100+1 {
				delete(m.b2j, l)
			}
		}
	}
	return m
}

func matchingBlocks(a, b []string) []match {
	m := newMatcher(a, b)
	type part struct{ alo, ahi, blo, bhi int }
	queue := []part{{0, len(a), 0, len(b)}}
	var found []match
	for len(queue) > 0 {
		p := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		x := m.longest(p.alo, p.ahi, p.blo, p.bhi)
		if x.size == 0 {
			continue
		}
		found = append(found, x)
		if p.alo < x.a && p.blo < x.b {
			queue = append(queue, part{p.alo, x.a, p.blo, x.b})
		}
		if x.a+x.size < p.ahi && x.b+x.size < p.bhi {
			queue = append(queue, part{x.a + x.size, p.ahi, x.b + x.size, p.bhi})
		}
	}
	slices.SortFunc(found, func(x, y match) int { return x.a - y.a })
	return append(joined(found), match{len(a), len(b), 0})
}

// joined makes one block of blocks that touch.
func joined(blocks []match) []match {
	var out []match
	for _, m := range blocks {
		if n := len(out); n > 0 && out[n-1].a+out[n-1].size == m.a && out[n-1].b+out[n-1].size == m.b {
			out[n-1].size += m.size
			continue
		}
		out = append(out, m)
	}
	return out
}

// longest finds the longest matching block in a part: of equal ones that which begins first in a, then in b.
func (m *matcher) longest(alo, ahi, blo, bhi int) match {
	best := match{alo, blo, 0}
	clear(m.run)
	for i := alo; i < ahi; i++ {
		clear(m.next)
		for _, j := range m.b2j[m.a[i]] {
			if j < blo {
				continue
			}
			if j >= bhi {
				break
			}
			k := m.run[j-1] + 1
			m.next[j] = k
			if k > best.size {
				best = match{i - k + 1, j - k + 1, k}
			}
		}
		m.run, m.next = m.next, m.run
	}
	for best.a > alo && best.b > blo && m.a[best.a-1] == m.b[best.b-1] {
		best.a, best.b, best.size = best.a-1, best.b-1, best.size+1
	}
	for best.a+best.size < ahi && best.b+best.size < bhi && m.a[best.a+best.size] == m.b[best.b+best.size] {
		best.size++
	}
	return best
}

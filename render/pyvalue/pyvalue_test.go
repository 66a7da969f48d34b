package pyvalue

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.starlark.net/starlark"
	"pgregory.net/rapid"
)

func call(t *testing.T, v starlark.Value, name string, args ...starlark.Value) starlark.Value {
	t.Helper()
	m, err := Attr(v, name)
	require.NoError(t, err)
	out, err := m.(*Func).Run(Args{Pos: args})
	require.NoError(t, err)
	return out
}

func TestListMayChangeWhileItIsWalked(t *testing.T) {
	t.Parallel()
	l := starlark.NewList([]starlark.Value{starlark.MakeInt(1)})
	c, err := Iterate(l)
	require.NoError(t, err)
	n := 0
	for {
		v, ok, err := c.Next()
		require.NoError(t, err)
		if !ok {
			break
		}
		if n++; n < 4 {
			call(t, l, "append", v)
		}
	}
	assert.Equal(t, 4, n)
}

func TestDictMayNotGrowWhileItIsWalked(t *testing.T) {
	t.Parallel()
	d := starlark.NewDict(1)
	require.NoError(t, SetKey(d, starlark.String("a"), starlark.None))
	c, err := Iterate(d)
	require.NoError(t, err)
	require.NoError(t, SetKey(d, starlark.String("b"), starlark.None))
	_, _, err = c.Next()
	assert.EqualError(t, err, "dictionary changed size during iteration")
}

func TestFrozenValuesRefuseChanges(t *testing.T) {
	t.Parallel()
	l := starlark.NewList(nil)
	l.Freeze()
	m, err := Attr(l, "append")
	require.NoError(t, err)
	_, err = m.(*Func).Run(Args{Pos: []starlark.Value{starlark.None}})
	assert.Error(t, err)
}

func TestReprOfWhatContainsItself(t *testing.T) {
	t.Parallel()
	l := starlark.NewList(nil)
	require.NoError(t, l.Append(l))
	s, err := Repr(l)
	require.NoError(t, err)
	assert.Equal(t, "[[...]]", s)
	_, err = Equal(l, starlark.NewList([]starlark.Value{l}))
	assert.NoError(t, err)
}

func TestUndefinedFailsOnUse(t *testing.T) {
	t.Parallel()
	u := Missing("x")
	for name, use := range map[string]func() error{
		"str":   func() error { _, err := Str(u); return err },
		"truth": func() error { _, err := Truth(u); return err },
		"len":   func() error { _, err := Len(u); return err },
		"walk":  func() error { _, err := Iterate(u); return err },
		"equal": func() error { _, err := Equal(starlark.None, u); return err },
		"add":   func() error { _, err := Binary("+", u, starlark.None); return err },
		"attr":  func() error { _, err := GetAttr(u, "y"); return err },
		"item":  func() error { _, err := GetItem(u, starlark.None); return err },
	} {
		assert.EqualError(t, use(), "'x' is undefined", name)
	}
	s, err := Str(&Undefined{Lenient: true})
	require.NoError(t, err)
	assert.Empty(t, s)
}

// TestFloorDivision holds // and % to what Python promises of them.
func TestFloorDivision(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := starlark.MakeInt64(rapid.Int64().Draw(t, "a"))
		b := starlark.MakeInt64(rapid.Int64().Filter(func(i int64) bool { return i != 0 }).Draw(t, "b"))
		q, err := Binary("//", a, b)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Binary("%", a, b)
		if err != nil {
			t.Fatal(err)
		}
		back, _ := Binary("*", q, b)
		back, _ = Binary("+", back, m)
		if same, err := Equal(back, a); err != nil || !same {
			t.Fatalf("%v // %v is %v, remainder %v", a, b, q, m)
		}
		if i := m.(starlark.Int); i.Sign() != 0 && i.Sign() != b.Sign() {
			t.Fatalf("the remainder of %v by %v is %v", a, b, m)
		}
	})
}

// TestSlices compares slices with picking the items one by one.
func TestSlices(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 8).Draw(t, "n")
		items := make([]starlark.Value, n)
		for i := range items {
			items[i] = starlark.MakeInt(i)
		}
		start, step := rapid.IntRange(-10, 10).Draw(t, "start"), rapid.IntRange(-3, 3).Draw(t, "step")
		out, err := Slice(starlark.NewList(items), starlark.MakeInt(start), nil, starlark.MakeInt(step))
		if step == 0 {
			if err == nil {
				t.Fatal("a step of 0 is taken")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		l := out.(*starlark.List)
		for i := 1; i < l.Len(); i++ {
			a, _ := starlark.AsInt32(l.Index(i - 1))
			b, _ := starlark.AsInt32(l.Index(i))
			if b-a != step {
				t.Fatalf("[%d::%d] of %d items is %v", start, step, n, l)
			}
		}
	})
}

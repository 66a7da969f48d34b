// Package dictupdate merges maps by the rules of Salt's merge strategies (recurse, overwrite, list, aggregate, smart), as
// pillar, slsutil, defaults and config use them.
package dictupdate

import (
	"errors"
	"strings"

	"brine/internal/ordered"
)

// ErrNotDict says that one of the sides is no map.
var ErrNotDict = errors.New("Cannot update using non-dict types in dictupdate.update()")

// Update merges upd into dest in place, maps into maps; with lists, items that are not in dest's list yet are added to
// it, otherwise a list replaces a list.
func Update(dest, upd *ordered.Map, lists bool) *ordered.Map {
	for k, v := range upd.All() {
		old := dest.Value(k)
		oldMap, isMap := old.(*ordered.Map)
		newMap, isNewMap := v.(*ordered.Map)
		if isMap && isNewMap {
			Update(oldMap, newMap, lists)
			continue
		}
		oldList, isList := old.([]any)
		newList, isNewList := v.([]any)
		if lists && isList && isNewList {
			dest.Set(k, union(oldList, newList))
			continue
		}
		dest.Set(k, v)
	}
	return dest
}

// union is a deep copy of a followed by the items of b that are not in it.
func union(a, b []any) []any {
	out, _ := ordered.Copy(a).([]any)
	for _, v := range b {
		if !Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// Contains is Python's "v in list".
func Contains(list []any, v any) bool {
	for _, e := range list {
		if ordered.Equal(e, v) {
			return true
		}
	}
	return false
}

// Shallow sets the pairs of upd in dest without looking inside: dict.update.
func Shallow(dest, upd *ordered.Map) *ordered.Map {
	dest.Update(upd)
	return dest
}

// Options of Merge.
type Options struct {
	// Strategy is smart, recurse, overwrite, list, aggregate or none; others mean recurse.
	Strategy string
	// Renderer decides for smart: yamlex means aggregate, all else recurse.
	Renderer string
	// MergeLists joins lists instead of replacing them.
	MergeLists bool
}

// Merge returns a merged with b over it. Neither is changed.
func Merge(a, b *ordered.Map, o Options) *ordered.Map {
	strategy := o.Strategy
	if strategy == "smart" {
		strategy = "recurse"
		last := o.Renderer[strings.LastIndexByte(o.Renderer, '|')+1:]
		if last == "yamlex" || strings.HasPrefix(o.Renderer, "yamlex_") {
			strategy = "aggregate"
		}
	}
	left := copyMap(a)
	switch strategy {
	case "list":
		return asLists(left, b)
	case "aggregate":
		return Shallow(left, copyMap(b))
	case "overwrite":
		for k, v := range b.All() {
			if left.Has(k) {
				left.Set(k, ordered.Copy(v))
			}
		}
	case "none":
		return Update(left, copyMap(b), false)
	}
	return Update(left, copyMap(b), o.MergeLists)
}

func copyMap(m *ordered.Map) *ordered.Map {
	out, _ := ordered.Copy(m).(*ordered.Map)
	if out == nil {
		out = ordered.New(0)
	}
	return out
}

// asLists pairs what both have under a key; what only b has is left out, as in Salt.
func asLists(a, b *ordered.Map) *ordered.Map {
	out := ordered.New(a.Len())
	for k, v := range a.All() {
		if other, ok := b.Get(k); ok {
			out.Set(k, []any{v, ordered.Copy(other)})
			continue
		}
		out.Set(k, v)
	}
	return out
}

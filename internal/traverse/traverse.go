// Package traverse finds values in nested data by paths such as "os:family:0", as grains.get, pillar.get and the
// targeting by grains do.
package traverse

import (
	"errors"
	"strconv"
	"strings"

	"brine/internal/dictupdate"
	"brine/internal/fnmatch"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// Get walks data by key, Salt's traverse_dict_and_list. The key is a text that delim splits, or a list of keys. In a
// list a number is an index, any other part is looked up in the maps of the list.
func Get(data, key any, delim string) (any, bool) {
	for _, k := range path(key, delim) {
		var ok bool
		if list, isList := data.([]any); isList {
			data, ok = inList(list, k)
		} else {
			data, ok = inMap(data, k)
		}
		if !ok {
			return nil, false
		}
	}
	return data, true
}

// Dict is Get through maps alone, Salt's traverse_dict.
func Dict(data, key any, delim string) (any, bool) {
	for _, k := range path(key, delim) {
		var ok bool
		if data, ok = inMap(data, k); !ok {
			return nil, false
		}
	}
	return data, true
}

// Default is Get with an answer for what is not there.
func Default(data, key, def any, delim string) any {
	if v, ok := Get(data, key, delim); ok {
		return v
	}
	return def
}

func path(key any, delim string) []any {
	switch k := key.(type) {
	case string:
		if delim == "" {
			return []any{k}
		}
		parts := strings.Split(k, delim)
		out := make([]any, len(parts))
		for i, p := range parts {
			out[i] = p
		}
		return out
	case []any:
		return k
	}
	return []any{key}
}

func inMap(data, key any) (any, bool) {
	m, ok := data.(*ordered.Map)
	if !ok {
		return nil, false
	}
	if v, ok := m.Get(key); ok {
		return v, true
	}
	text, ok := key.(string)
	if !ok {
		return nil, false
	}
	typed := scalar(text)
	if typed == key {
		return nil, false
	}
	return m.Get(typed)
}

func inList(list []any, key any) (any, bool) {
	look := key
	index, numeric := 0, false
	switch k := key.(type) {
	case int64:
		index, numeric = int(k), true
	case string:
		if n, err := strconv.Atoi(strings.TrimSpace(k)); err == nil {
			index, numeric, look = n, true, int64(n)
		}
	}
	for _, e := range list {
		if m, ok := e.(*ordered.Map); ok {
			if v, ok := m.Get(look); ok {
				return v, true
			}
		}
	}
	if !numeric {
		return nil, false
	}
	if index < 0 {
		index += len(list)
	}
	if index < 0 || index >= len(list) {
		return nil, false
	}
	return list[index], true
}

// scalar reads a part of a path as YAML would, so that keys that are no strings can be named.
func scalar(s string) any {
	switch s {
	case "null", "Null", "NULL", "~", "None":
		return nil
	case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON":
		return true
	case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF":
		return false
	}
	if strings.Contains(s, "_") {
		return s
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && strings.Contains(s, ".") {
		return f
	}
	return s
}

// Choice is what FilterBy chooses from and how.
type Choice struct {
	Table *ordered.Map
	// Key is the path, in Data, of the value that the patterns of the table are held against.
	Key  any
	Data any
	// Merge goes over the chosen entry, Base names the entry that lies under it, Default the one for no match.
	Merge   any
	Default any
	Base    any
}

// FilterBy is salt.utils.data.filter_by, behind grains.filter_by and pillar.filter_by.
func FilterBy(c Choice) (any, error) {
	ret := c.match()
	if ret == nil {
		ret = c.Table.Value(c.Default)
	}
	if pyfmt.Truth(c.Base) && c.Table.Has(c.Base) {
		base := c.Table.Value(c.Base)
		baseMap, isMap := base.(*ordered.Map)
		switch {
		case ret == nil:
			ret = base
		case isMap:
			m, ok := ret.(*ordered.Map)
			if !ok {
				return nil, errors.New("filter_by default and look-up values must both be dictionaries.")
			}
			ret = dictupdate.Update(deepCopy(baseMap), m, false)
		}
	}
	if !pyfmt.Truth(c.Merge) {
		return ret, nil
	}
	over, ok := c.Merge.(*ordered.Map)
	if !ok {
		return nil, errors.New("filter_by merge argument must be a dictionary.")
	}
	if ret == nil {
		return over, nil
	}
	m, ok := ret.(*ordered.Map)
	if !ok {
		return nil, dictupdate.ErrNotDict
	}
	return dictupdate.Update(deepCopy(m), deepCopy(over), false), nil
}

func deepCopy(m *ordered.Map) *ordered.Map {
	out, _ := ordered.Copy(m).(*ordered.Map)
	return out
}

func (c Choice) match() any {
	val := Default(c.Data, c.Key, []any{}, ":")
	values, ok := val.([]any)
	if !ok {
		values = []any{val}
	}
	for _, v := range values {
		for pattern, entry := range c.Table.All() {
			if fnmatch.Match(pyfmt.Str(pattern), pyfmt.Str(v)) {
				if entry != nil {
					return entry
				}
				break
			}
		}
	}
	return nil
}

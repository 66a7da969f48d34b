package reactor

import (
	"fmt"
	"strings"
	"sync"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyregex"
)

// Where the engine keeps what its own hooks store in the context.
const (
	cacheKey  = "cache"
	resultKey = "result_cache"
)

// maxEntries bounds the cache, and the context's first level: beyond it the oldest go.
const maxEntries = 10_000

// store is the engine's context: data by nested keys, the caches among it. It lives as long as the engine.
type store struct {
	mu   sync.Mutex
	data *ordered.Map
}

func newStore() *store {
	return &store{data: ordered.Pairs(cacheKey, ordered.New(0), resultKey, ordered.New(0))}
}

// snapshot is a copy of everything.
func (s *store) snapshot() *ordered.Map {
	s.mu.Lock()
	defer s.mu.Unlock()
	return ordered.Copy(s.data).(*ordered.Map)
}

// missingKeyError names a key that the context does not have.
type missingKeyError struct{ key string }

func (e *missingKeyError) Error() string { return e.key }

// get reads the value at a path; no path reads everything.
func (s *store) get(path []string) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var v any = s.data
	for _, key := range path {
		m, _ := v.(*ordered.Map)
		next, ok := m.Get(key)
		if !ok {
			return nil, &missingKeyError{key}
		}
		v = next
	}
	return ordered.Copy(v), nil
}

// set writes the value at a path and makes the maps on the way.
func (s *store) set(path []string, v any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.data
	for _, key := range path[:len(path)-1] {
		next, ok := m.Get(key)
		if !ok {
			next = ordered.New(1)
			m.Set(key, next)
		}
		inner, isMap := next.(*ordered.Map)
		if !isMap {
			return fmt.Errorf("'%s' is no map but %s", key, pyfmt.Type(next))
		}
		m = inner
	}
	last := path[len(path)-1]
	if m == s.data && (last == cacheKey || last == resultKey) {
		if _, isMap := v.(*ordered.Map); !isMap {
			return fmt.Errorf("'%s' must be a map", last)
		}
	}
	m.Set(last, ordered.Copy(v))
	trim(m)
	return nil
}

func trim(m *ordered.Map) {
	if m.Len() <= maxEntries {
		return
	}
	for _, k := range m.Keys()[:m.Len()-maxEntries] {
		m.Delete(k)
	}
}

// put stores fields under a key of the cache. What begins with an underscore does not count in the comparison with what
// is there: an equal entry is counted up, a different one starts at 1.
func (s *store) put(key string, fields *ordered.Map) *ordered.Map {
	entry := ordered.Copy(fields).(*ordered.Map)
	s.mu.Lock()
	defer s.mu.Unlock()
	cache := s.data.Map(cacheKey)
	count := int64(1)
	if old := cache.Map(key); old != nil && ordered.Equal(public(old), public(entry)) {
		if n, ok := old.Value("_count").(int64); ok {
			count = n + 1
		}
	}
	entry.Set("_count", count)
	cache.Delete(key) // the oldest entry is the one that was not touched for longest
	cache.Set(key, entry)
	trim(cache)
	return ordered.Copy(entry).(*ordered.Map)
}

// public is a copy without the keys that begin with an underscore, at any depth.
func public(v any) any {
	switch t := v.(type) {
	case *ordered.Map:
		out := ordered.New(t.Len())
		for k, e := range t.All() {
			if name, ok := k.(string); ok && strings.HasPrefix(name, "_") {
				continue
			}
			out.Set(k, public(e))
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = public(e)
		}
		return out
	}
	return v
}

// result keeps what a function gave back.
func (s *store) result(fun string, v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.data.Map(resultKey)
	m.Delete(fun)
	m.Set(fun, ordered.Copy(v))
	trim(m)
}

// helper is a function that expressions find in $context.
type helper func(pos []any, kw *ordered.Map) (any, error)

func (s *store) helpers() map[string]helper {
	under := func(root string) helper {
		return func(pos []any, kw *ordered.Map) (any, error) {
			path := make([]string, 0, len(pos)+1)
			path = append(path, root)
			for _, p := range pos {
				path = append(path, pyfmt.Str(p))
			}
			v, err := s.get(path)
			if def, ok := kw.Get("default"); err != nil && ok {
				return def, nil
			}
			return v, err
		}
	}
	return map[string]helper{"cache.get": under(cacheKey), "result_cache.get": under(resultKey), "cache.find": s.find}
}

// find gives the first entry of the cache whose value at a path (levels separated by colons) matches a pattern.
func (s *store) find(pos []any, _ *ordered.Map) (any, error) {
	if len(pos) != 2 {
		return nil, fmt.Errorf("cache.find: want a path and a regular expression")
	}
	re, err := pyregex.Compile(pyfmt.Str(pos[1]), 0)
	if err != nil {
		return nil, err
	}
	path := strings.Split(pyfmt.Str(pos[0]), ":")
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.data.Map(cacheKey).All() {
		v := e
		for _, key := range path {
			m, _ := v.(*ordered.Map)
			v = m.Value(key)
		}
		if v == nil {
			continue
		}
		if m, err := re.Search(pyfmt.Str(v)); err != nil {
			return nil, err
		} else if m != nil {
			return ordered.Copy(e), nil
		}
	}
	return nil, nil
}

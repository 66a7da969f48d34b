package filters

import (
	"math"
	"math/big"

	"brine/internal/ordered"
)

// goValue turns job data into the plain maps and floats that the JMESPath library works on.
func goValue(v any) any {
	switch t := v.(type) {
	case int64:
		return float64(t)
	case *big.Int:
		f, _ := new(big.Float).SetInt(t).Float64()
		return f
	case []byte:
		return string(t)
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = goValue(e)
		}
		return out
	case *ordered.Map:
		out := make(map[string]any, t.Len())
		for k, e := range t.All() {
			out[ordered.KeyText(k)] = goValue(e)
		}
		return out
	}
	return v
}

// fromGo turns such values back; whole numbers become integers again.
func fromGo(v any) any {
	switch t := v.(type) {
	case float64:
		if t == math.Trunc(t) && math.Abs(t) < 1<<53 {
			return int64(t)
		}
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = fromGo(e)
		}
		return out
	case map[string]any:
		m := ordered.Of(t).(*ordered.Map)
		for k, e := range m.Clone().All() {
			m.Set(k, fromGo(e))
		}
		return m
	}
	return v
}

package api

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyjson"
	"brine/internal/pyyaml"
	"brine/internal/saltargs"
)

// maxBody bounds a request.
const maxBody = 1 << 20

// statusError is an error with the code that it is answered with.
type statusError struct {
	code int
	msg  string
}

func (e *statusError) Error() string { return e.msg }

func fail(code int, format string, a ...any) error {
	return &statusError{code, fmt.Sprintf(format, a...)}
}

// read reads a body by its content type: JSON, YAML, a form, or text that may be JSON.
func read(w http.ResponseWriter, r *http.Request) (any, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return nil, fail(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", maxBody)
	}
	if err != nil {
		return nil, fail(http.StatusBadRequest, "read the body: %v", err)
	}
	kind := r.Header.Get("Content-Type")
	media, _, err := mime.ParseMediaType(kind)
	if kind != "" && err != nil {
		return nil, fail(http.StatusNotAcceptable, "the content type %q cannot be read", kind)
	}
	return parse(media, body)
}

func parse(media string, body []byte) (any, error) {
	switch media {
	case "application/json":
		v, err := ordered.FromJSON(body)
		if err != nil {
			return nil, fail(http.StatusBadRequest, "Invalid JSON document")
		}
		return v, nil
	case "application/x-yaml", "text/yaml", "application/yaml":
		v, err := pyyaml.Load(body, pyyaml.Options{})
		if err != nil {
			return nil, fail(http.StatusBadRequest, "Invalid YAML document")
		}
		return v, nil
	case "application/x-www-form-urlencoded":
		values, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, fail(http.StatusBadRequest, "Invalid form")
		}
		return form(values), nil
	case "text/plain", "":
		if v, err := ordered.FromJSON(body); err == nil {
			return v, nil
		}
		return string(body), nil
	}
	return nil, fail(http.StatusNotAcceptable, "the content type %q cannot be read", media)
}

// form makes a chunk of a form: arg and kwarg are typed as on the command line.
func form(values url.Values) *ordered.Map {
	out := ordered.New(len(values))
	for k, list := range values {
		if len(list) == 1 && k != "arg" {
			out.Set(k, list[0])
			continue
		}
		all := make([]any, len(list))
		for i, s := range list {
			all[i] = s
		}
		out.Set(k, all)
	}
	if l, ok := out.Value("arg").([]any); ok {
		words := make([]string, len(l))
		for i := range l {
			words[i] = pyfmt.Str(l[i])
		}
		pos, kw := saltargs.Parse(words)
		out.Set("arg", append([]any{}, pos...))
		if kw.Len() > 0 {
			out.Set("kwarg", kw)
		}
	}
	if s, ok := out.Value("kwarg").(string); ok {
		out.Set("kwarg", saltargs.Value(s))
	}
	return out
}

// lowstate makes a list of chunks of what was sent.
func lowstate(v any) ([]*ordered.Map, error) {
	if m, ok := v.(*ordered.Map); ok {
		v = []any{m}
	}
	list, ok := v.([]any)
	if !ok {
		return nil, fail(http.StatusBadRequest, "Lowstates must be a list")
	}
	out := make([]*ordered.Map, len(list))
	for i, e := range list {
		m, ok := e.(*ordered.Map)
		if !ok {
			return nil, fail(http.StatusBadRequest, "a lowstate is a map")
		}
		if a, has := m.Get("arg"); has && a != nil {
			if _, isList := a.([]any); !isList {
				m.Set("arg", []any{a})
			}
		}
		out[i] = m
	}
	return out, nil
}

// answer writes data in the form that the client prefers.
func answer(w http.ResponseWriter, r *http.Request, code int, v any) {
	accept := r.Header.Get("Accept")
	if strings.Contains(accept, "yaml") && !strings.Contains(accept, "json") {
		w.Header().Set("Content-Type", "application/x-yaml")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, pyyaml.Dump(v, pyyaml.DumpOptions{DefaultFlowStyle: pyyaml.Block()})) // the client may be gone
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, pyjson.Dumps(v, pyjson.Options{}))
}

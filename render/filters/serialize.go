package filters

import (
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyjson"
	"brine/internal/pytext"
	"brine/internal/pyyaml"
	"brine/internal/starval"
	"brine/render/pyvalue"

	"go.starlark.net/starlark"
)

// serializers are the filters that write data as text, and read it again.
func serializers(name string) *Filter {
	switch name {
	case "json":
		return run(toJSON, "sort_keys?", "indent?")
	case "tojson":
		return run(tojson, "indent?")
	case "yaml":
		return &Filter{Params: []string{"flow_style?"}, Lenient: true, Run: func(c *Call) (starlark.Value, error) {
			if _, missing := c.Value.(*pyvalue.Undefined); missing {
				return pyvalue.Markup("NULL"), nil
			}
			return yamlText(c, c.Value, true, 0)
		}}
	case "dict_to_sls_yaml_params":
		return run(slsParams, "flow_style?")
	case "yaml_encode":
		return run(yamlEncode)
	case "yaml_dquote":
		return onText(doubleQuoted)
	case "yaml_squote":
		return onText(singleQuoted)
	case "python":
		return run(func(c *Call) (starlark.Value, error) {
			s, err := pprint(c.Value)
			return pyvalue.Markup(strings.TrimSpace(s)), err
		})
	case "xml":
		return run(toXML)
	case "load_yaml":
		return run(loadYAML)
	case "load_json":
		return run(loadJSON)
	case "load_text":
		return run(func(c *Call) (starlark.Value, error) {
			if t, ok := c.Value.(starval.Texter); ok {
				return starlark.String(t.Text()), nil
			}
			return c.Value, nil
		})
	}
	return nil
}

func toJSON(c *Call) (starlark.Value, error) {
	v, err := starval.Data(c.Value)
	if err != nil {
		return nil, err
	}
	sorted, err := c.flag(0, true)
	if err != nil {
		return nil, err
	}
	o, err := indentOf(c, 1)
	o.SortKeys = sorted
	return pyvalue.Markup(strings.TrimSpace(pyjson.Dumps(v, o))), err
}

// indentOf is the indent argument of json: none is one line, 0 breaks lines without indenting.
func indentOf(c *Call, i int) (pyjson.Options, error) {
	if c.Args[i] == nil || c.Args[i] == starlark.None {
		return pyjson.Options{}, nil
	}
	n, err := c.number(i, 0)
	return pyjson.Options{Indent: min(n, 100), Newlines: true}, err
}

func tojson(c *Call) (starlark.Value, error) {
	v, err := starval.Data(c.Value)
	if err != nil {
		return nil, err
	}
	o, err := indentOf(c, 0)
	o.EnsureASCII = true
	s := strings.NewReplacer("<", `\u003c`, ">", `\u003e`, "&", `\u0026`, "'", `\u0027`).Replace(pyjson.Dumps(v, o))
	return starlark.String(s), err
}

// yamlText dumps v; arg is the place of the flow style, def its default.
func yamlText(c *Call, v starlark.Value, def bool, arg int) (starlark.Value, error) {
	data, err := starval.Data(v)
	if err != nil {
		return nil, err
	}
	o := pyyaml.DumpOptions{DefaultFlowStyle: &def}
	switch a := c.Args[arg]; {
	case a == starlark.None:
		o.DefaultFlowStyle = nil
	case a != nil:
		flow, err := pyvalue.Truth(a)
		if err != nil {
			return nil, err
		}
		o.DefaultFlowStyle = &flow
	}
	s := strings.TrimSuffix(pytext.Strip(pyyaml.Dump(data, o)), "\n...")
	return pyvalue.Markup(s), nil
}

func slsParams(c *Call) (starlark.Value, error) {
	d, ok := c.Value.(*starlark.Dict)
	if !ok {
		return nil, pyvalue.Errorf("TemplateRuntimeError", "Value is not a dictionary: %s", pyvalue.TypeName(c.Value))
	}
	out := starlark.NewList(nil)
	for _, kv := range d.Items() {
		one := starlark.NewDict(1)
		if err := one.SetKey(kv[0], kv[1]); err != nil {
			return nil, err
		}
		if err := out.Append(one); err != nil {
			return nil, err
		}
	}
	return yamlText(c, out, false, 0)
}

func doubleQuoted(s string) string {
	return strings.TrimSuffix(pyyaml.Dump(s, pyyaml.DumpOptions{DefaultStyle: '"', Width: -1, EscapeUnicode: true}), "\n")
}

func singleQuoted(s string) string {
	return "'" + strings.ReplaceAll(strings.ReplaceAll(s, "'", "''"), "\n", "\n\n") + "'"
}

func yamlEncode(c *Call) (starlark.Value, error) {
	if s, ok := pyvalue.Text(c.Value); ok {
		return starlark.String(doubleQuoted(s)), nil
	}
	v, err := starval.Data(c.Value)
	if err != nil {
		return nil, err
	}
	switch v.(type) {
	case []any, *ordered.Map:
		return nil, typeErrorf("yaml_encode() only works with YAML scalar data; failed for <class '%s'>", pyvalue.TypeName(c.Value))
	}
	return starlark.String(strings.TrimSuffix(pyyaml.Dump(v, pyyaml.DumpOptions{}), "\n")), nil
}

func loadYAML(c *Call) (starlark.Value, error) {
	s, err := c.text()
	if err != nil {
		return nil, err
	}
	if _, ok := pyvalue.Text(c.Value); !ok {
		if _, ok := c.Value.(starval.Texter); !ok {
			return nil, pyvalue.Errorf("TemplateRuntimeError", "Unable to load yaml from %s", s)
		}
	}
	v, err := pyyaml.Load([]byte(s), pyyaml.Options{})
	if err != nil {
		return nil, pyvalue.Errorf("TemplateRuntimeError", "Encountered error loading yaml: %s", err.Error())
	}
	return starval.Of(v), nil
}

func loadJSON(c *Call) (starlark.Value, error) {
	s, err := c.text()
	if err != nil {
		return nil, err
	}
	v, err := ordered.FromJSON([]byte(s))
	if err != nil {
		return nil, pyvalue.Errorf("TemplateRuntimeError", "Unable to load json from %s", s)
	}
	return starval.Of(v), nil
}

// pprint is pprint.pformat: sorted dicts, and lines of at most 80 characters where they can be broken.
func pprint(v starlark.Value) (string, error) {
	d, err := starval.Data(v)
	if err != nil {
		return "", err
	}
	return prettyLines(d, 0, 0), nil
}

const prettyWidth = 80

// prettyLines writes v at a column, with so many characters to come behind it.
func prettyLines(v any, column, behind int) string {
	flat := prettyFlat(v)
	if column+len(flat)+behind <= prettyWidth {
		return flat
	}
	var parts []string
	switch t := v.(type) {
	case []any:
		for i, e := range t {
			parts = append(parts, prettyLines(e, column+1, commaOr(i, len(t), behind)))
		}
		return wrap("[", "]", parts, column)
	case *ordered.Map:
		keys := sortedKeys(t)
		for i, k := range keys {
			head := pyfmt.Repr(k) + ": "
			parts = append(parts, head+prettyLines(t.Value(k), column+1+len(head), commaOr(i, len(keys), behind)))
		}
		return wrap("{", "}", parts, column)
	}
	return flat
}

func commaOr(i, n, behind int) int {
	if i == n-1 {
		return behind + 1
	}
	return 1
}

func wrap(open, end string, parts []string, column int) string {
	if len(parts) == 0 {
		return open + end
	}
	return open + strings.Join(parts, ",\n"+strings.Repeat(" ", column+1)) + end
}

func sortedKeys(m *ordered.Map) []any {
	var texts []string
	for k := range m.All() {
		s, ok := k.(string)
		if !ok {
			return m.Keys()
		}
		texts = append(texts, s)
	}
	out := make([]any, 0, len(texts))
	for _, s := range sortedStrings(texts) {
		out = append(out, s)
	}
	return out
}

func prettyFlat(v any) string {
	switch t := v.(type) {
	case []any:
		var parts []string
		for _, e := range t {
			parts = append(parts, prettyFlat(e))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *ordered.Map:
		var parts []string
		for _, k := range sortedKeys(t) {
			parts = append(parts, pyfmt.Repr(k)+": "+prettyFlat(t.Value(k)))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return pyfmt.Repr(v)
}

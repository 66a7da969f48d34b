package filters

import (
	"slices"
	"strings"

	"brine/render/pyvalue"

	"go.starlark.net/starlark"
)

func sortedStrings(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

// element is a node of the XML that the xml filter writes.
type element struct {
	tag      string
	text     string
	attrs    [][2]string
	children []*element
}

func toXML(c *Call) (starlark.Value, error) {
	pairs, err := xmlPairs(c.Value)
	if err != nil {
		return nil, err
	}
	root := &element{}
	for _, p := range pairs {
		if err := xmlChild(root, p[0], p[1], 0); err != nil {
			return nil, err
		}
	}
	if len(root.children) == 0 {
		return nil, pyvalue.Errorf("TemplateRuntimeError", "Value is not a dict or list. Cannot render as XML")
	}
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" ?>` + "\n")
	root.children[len(root.children)-1].write(&b, 0)
	return pyvalue.Markup(b.String()), nil
}

// xmlPairs are the tags in a value: a dict's entries, or a list of pairs.
func xmlPairs(v starlark.Value) ([][2]starlark.Value, error) {
	var out [][2]starlark.Value
	switch t := v.(type) {
	case *starlark.Dict:
		for _, kv := range t.Items() {
			out = append(out, [2]starlark.Value{kv[0], kv[1]})
		}
	case *starlark.List, starlark.Tuple:
		items, err := pyvalue.Items(t)
		if err != nil {
			return nil, err
		}
		for _, e := range items {
			if pair, err := pyvalue.Items(e); err == nil && len(pair) == 2 {
				out = append(out, [2]starlark.Value{pair[0], pair[1]})
			}
		}
	default:
		return nil, pyvalue.Errorf("TemplateRuntimeError", "Value is not a dict or list. Cannot render as XML")
	}
	return out, nil
}

func xmlChild(parent *element, tag, v starlark.Value, depth int) error {
	if depth > 100 {
		return pyvalue.Errorf("RecursionError", "maximum recursion depth exceeded")
	}
	name, err := pyvalue.Str(tag)
	if err != nil {
		return err
	}
	if l, ok := v.(*starlark.List); ok {
		for i := range l.Len() {
			if err := xmlChild(parent, tag, l.Index(i), depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	e := &element{tag: name}
	parent.children = append(parent.children, e)
	d, ok := v.(*starlark.Dict)
	if !ok {
		e.text, err = pyvalue.Str(v)
		return err
	}
	for _, kv := range d.Items() {
		switch kv[1].(type) {
		case *starlark.Dict, *starlark.List:
			err = xmlChild(e, kv[0], kv[1], depth+1)
		default:
			var k, s string
			if k, err = pyvalue.Str(kv[0]); err == nil {
				s, err = pyvalue.Str(kv[1])
			}
			e.attrs = append(e.attrs, [2]string{k, s})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *element) write(b *strings.Builder, depth int) {
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")
	b.WriteString(strings.Repeat(" ", depth) + "<" + e.tag)
	for _, a := range e.attrs {
		b.WriteString(" " + a[0] + `="` + escape.Replace(a[1]) + `"`)
	}
	switch {
	case e.text != "":
		b.WriteString(">" + strings.ReplaceAll(escape.Replace(e.text), "&quot;", `"`) + "</" + e.tag + ">\n")
	case len(e.children) == 0:
		b.WriteString("/>\n")
	default:
		b.WriteString(">\n")
		for _, c := range e.children {
			c.write(b, depth+1)
		}
		b.WriteString(strings.Repeat(" ", depth) + "</" + e.tag + ">\n")
	}
}

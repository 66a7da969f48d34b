package modules

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// Param is one named parameter of a function.
type Param struct {
	Name     string
	Required bool
	Default  any
	field    int
}

// Spec is a signature, Python's view of it: parameters in order, then the names of *args and **kwargs ("" for none).
type Spec struct {
	Params         []Param
	VarArgs, KwArg string
	varField       int
	kwField        int
	// hidden parameters cannot be given; they always have their default.
	hidden []Param
}

// Kwargs is the type of a field that takes all other keyword arguments; tag it `arg:"**kwargs"`. Names that begin with
// two underscores are left out.
type Kwargs = *ordered.Map

// SpecOf reads the signature from a struct type. Each exported field is a parameter in order:
//
//	Name  string       `arg:"name"`              // required
//	Mode  any          `arg:"mode" def:"None"`   // default as a Python literal: None True 5 1.5 'text' [] {}
//	Args  []any        `arg:"*args"`             // all other positional arguments
//	Extra Kwargs       `arg:"**kwargs"`          // all other keyword arguments
//
// It panics on a type that cannot be a signature: that is a mistake in the program, and every test of the function
// meets it.
func SpecOf(t reflect.Type) *Spec {
	s := &Spec{varField: -1, kwField: -1}
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("arg")
		switch {
		case tag == "":
			panic(fmt.Sprintf("%s.%s has no arg tag", t, f.Name))
		case strings.HasPrefix(tag, "**"):
			s.KwArg, s.kwField = tag[2:], i
		case strings.HasPrefix(tag, "*"):
			s.VarArgs, s.varField = tag[1:], i
		default:
			def, ok := f.Tag.Lookup("def")
			p := Param{Name: tag, Required: !ok, field: i}
			if ok {
				p.Default = literal(def)
			}
			s.Params = append(s.Params, p)
		}
	}
	return s
}

// pick keeps the named parameters, in the order given; the others are hidden. "name=literal" gives one another default.
func (s *Spec) pick(params string) *Spec {
	out := *s
	out.Params, out.hidden = nil, nil
	for _, word := range strings.Fields(params) {
		name, def, has := strings.Cut(word, "=")
		i := s.index(name)
		if i < 0 {
			panic("no such parameter: " + name)
		}
		p := s.Params[i]
		if has {
			p.Required, p.Default = false, literal(def)
		}
		out.Params = append(out.Params, p)
	}
	for _, p := range s.Params {
		if out.index(p.Name) < 0 {
			out.hidden = append(out.hidden, p)
		}
	}
	return &out
}

// literal reads the few Python literals that defaults are made of.
func literal(text string) any {
	switch text {
	case "None":
		return nil
	case "True":
		return true
	case "False":
		return false
	case "[]", "()":
		return []any{}
	case "{}":
		return ordered.New(0)
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		return f
	}
	if n := len(text); n >= 2 && (text[0] == '\'' || text[0] == '"') && text[n-1] == text[0] {
		return text[1 : n-1]
	}
	panic("not a literal that a default can be: " + text)
}

// ArgError says that the arguments do not fit the signature. The text is Python's TypeError.
type ArgError struct {
	Fun, Msg string
	// Keywords is set when only unknown keyword arguments are wrong: "bogus=1".
	Keywords string
}

func (e *ArgError) Error() string {
	if e.Keywords != "" {
		return "The following keyword arguments are not valid: " + e.Keywords
	}
	return e.Msg
}

// bind puts the arguments into a new struct of type t. fun is the name for errors, without the module.
func (s *Spec) bind(fun string, t reflect.Type, a Args) (reflect.Value, error) {
	out := reflect.New(t).Elem()
	set := make([]bool, len(s.Params))
	if err := s.bindPos(fun, out, set, a.Pos); err != nil {
		return out, err
	}
	if err := s.bindKw(fun, out, set, a.Kw); err != nil {
		return out, err
	}
	var missing []string
	for i, p := range s.Params {
		if set[i] {
			continue
		}
		if p.Required {
			missing = append(missing, "'"+p.Name+"'")
			continue
		}
		if err := assign(out.Field(p.field), ordered.Copy(p.Default)); err != nil {
			return out, &ArgError{Fun: fun, Msg: fmt.Sprintf("%s() default of '%s': %v", fun, p.Name, err)}
		}
	}
	if len(missing) > 0 {
		return out, &ArgError{Fun: fun, Msg: missingText(fun, missing)}
	}
	for _, p := range s.hidden {
		if err := assign(out.Field(p.field), ordered.Copy(p.Default)); err != nil {
			return out, &ArgError{Fun: fun, Msg: fmt.Sprintf("%s() default of '%s': %v", fun, p.Name, err)}
		}
	}
	return out, nil
}

func (s *Spec) bindPos(fun string, out reflect.Value, set []bool, pos []any) error {
	if len(pos) > len(s.Params) && s.varField < 0 {
		return &ArgError{Fun: fun, Msg: s.tooManyText(fun, len(pos))}
	}
	for i, v := range pos {
		if i >= len(s.Params) {
			rest := make([]any, len(pos)-i)
			copy(rest, pos[i:])
			out.Field(s.varField).Set(reflect.ValueOf(rest))
			break
		}
		if err := assign(out.Field(s.Params[i].field), v); err != nil {
			return &ArgError{Fun: fun, Msg: fmt.Sprintf("%s() argument '%s': %v", fun, s.Params[i].Name, err)}
		}
		set[i] = true
	}
	return nil
}

func (s *Spec) bindKw(fun string, out reflect.Value, set []bool, kw *ordered.Map) error {
	var extra *ordered.Map
	if s.kwField >= 0 {
		extra = ordered.New(0)
		out.Field(s.kwField).Set(reflect.ValueOf(extra))
	}
	var unknown []string
	for k, v := range kw.All() {
		name, _ := k.(string)
		i := s.index(name)
		switch {
		case i >= 0 && set[i]:
			return &ArgError{Fun: fun, Msg: fmt.Sprintf("%s() got multiple values for argument '%s'", fun, name)}
		case i >= 0:
			if err := assign(out.Field(s.Params[i].field), v); err != nil {
				return &ArgError{Fun: fun, Msg: fmt.Sprintf("%s() argument '%s': %v", fun, name, err)}
			}
			set[i] = true
		case strings.HasPrefix(name, "__"):
		case extra != nil:
			extra.Set(k, v)
		default:
			unknown = append(unknown, fmt.Sprintf("%s=%s", pyfmt.Str(k), pyfmt.Str(v)))
		}
	}
	if len(unknown) > 0 {
		return &ArgError{Fun: fun, Keywords: strings.Join(unknown, ", ")}
	}
	return nil
}

func (s *Spec) index(name string) int {
	for i := range s.Params {
		if s.Params[i].Name == name {
			return i
		}
	}
	return -1
}

func missingText(fun string, missing []string) string {
	list, plural := missing[0], ""
	if n := len(missing); n > 1 {
		plural = "s"
		sep := " and "
		if n > 2 {
			sep = ", and "
		}
		list = strings.Join(missing[:n-1], ", ") + sep + missing[n-1]
	}
	return fmt.Sprintf("%s() missing %d required positional argument%s: %s", fun, len(missing), plural, list)
}

func (s *Spec) tooManyText(fun string, given int) string {
	required := 0
	for _, p := range s.Params {
		if p.Required {
			required++
		}
	}
	takes, plural := strconv.Itoa(len(s.Params)), "s"
	if required < len(s.Params) {
		takes = fmt.Sprintf("from %d to %d", required, len(s.Params))
	} else if len(s.Params) == 1 {
		plural = ""
	}
	were := "were"
	if given == 1 {
		were = "was"
	}
	return fmt.Sprintf("%s() takes %s positional argument%s but %d %s given", fun, takes, plural, given, were)
}

package syntax

import "go.starlark.net/starlark"

// Template is a parsed template. It is never changed after Parse, so it may be shared.
type Template struct {
	Body   []Stmt
	Blocks map[string]*Block // all blocks, nested ones too
	// Filters and Tests are the names used where Jinja checks them before running anything.
	Filters, Tests []Use
}

// Use is a filter or test that is named on a line.
type Use struct {
	Name string
	Line int
}

// Expr is an expression.
type Expr interface{ Line() int }

// Stmt is a statement.
type Stmt interface{ Line() int }

// At is the 1-based line that errors name.
type At int

// Line is the line itself.
func (a At) Line() int { return int(a) }

// The expressions.
type (
	// Const is a literal.
	Const struct {
		At
		Value starlark.Value
	}
	// Name reads a variable.
	Name struct {
		At
		Name string
	}
	// NSRef is the attribute of a namespace, as the target of set.
	NSRef struct {
		At
		Name, Attr string
	}
	// Tuple is a, b.
	Tuple struct {
		At
		Items []Expr
	}
	// List is [a, b].
	List struct {
		At
		Items []Expr
	}
	// Dict is {k: v}.
	Dict struct {
		At
		Keys, Values []Expr
	}
	// Cond is Then if Test else Else; Else may be nil.
	Cond struct {
		At
		Test, Then, Else Expr
	}
	// Binary is an arithmetic operator, by its symbol.
	Binary struct {
		At
		Op          string
		Left, Right Expr
	}
	// And is Left and Right.
	And struct {
		At
		Left, Right Expr
	}
	// Or is Left or Right.
	Or struct {
		At
		Left, Right Expr
	}
	// Unary is not, - or +.
	Unary struct {
		At
		Op   string
		Expr Expr
	}
	// Compare is a chain of comparisons.
	Compare struct {
		At
		First Expr
		Rest  []Operand
	}
	// Concat is a ~ b.
	Concat struct {
		At
		Parts []Expr
	}
	// Getattr is Node.Attr.
	Getattr struct {
		At
		Node Expr
		Attr string
	}
	// Getitem is Node[Arg].
	Getitem struct {
		At
		Node, Arg Expr
	}
	// Slice is start:stop:step inside brackets; each may be nil.
	Slice struct {
		At
		Start, Stop, Step Expr
	}
	// Call is Node(...).
	Call struct {
		At
		Node Expr
		Args Args
	}
	// Filter is Node | Name(...); Node is nil at the head of a filter block.
	Filter struct {
		At
		Node Expr
		Name string
		Args Args
	}
	// Test is Node is Name(...).
	Test struct {
		At
		Node Expr
		Name string
		Args Args
	}
	// Data is literal text.
	Data struct {
		At
		Text string
	}
)

// Operand is one step of a comparison.
type Operand struct {
	Op   string // eq ne lt lteq gt gteq in notin
	Expr Expr
}

// Args are the arguments of a call.
type Args struct {
	Pos           []Expr
	Kw            []Keyword
	DynPos, DynKw Expr // *args and **kwargs, nil when absent
}

// Keyword is name=value.
type Keyword struct {
	Name string
	Expr Expr
}

// Signature is the parameters of a macro; the last len(Defaults) of them have defaults.
type Signature struct {
	Params   []string
	Defaults []Expr
	// UsesCaller, UsesVarargs and UsesKwargs tell whether the body reads these names.
	UsesCaller, UsesVarargs, UsesKwargs bool
}

// The statements.
type (
	// Output prints expressions and text.
	Output struct {
		At
		Items []Expr
	}
	// Set is {% set target = expr %}.
	Set struct {
		At
		Target, Expr Expr
	}
	// SetBlock is {% set target | filter %}...{% endset %}.
	SetBlock struct {
		At
		Target Expr
		Filter *Filter
		Body   []Stmt
	}
	// For is a loop.
	For struct {
		At
		Target, Iter, Test Expr
		Recursive          bool
		Body, Else         []Stmt
	}
	// If is a condition with its elif branches.
	If struct {
		At
		Test  Expr
		Body  []Stmt
		Elifs []*If
		Else  []Stmt
	}
	// With is {% with a = 1 %}.
	With struct {
		At
		Targets, Values []Expr
		Body            []Stmt
	}
	// Macro defines a macro.
	Macro struct {
		At
		Name string
		Sig  Signature
		Body []Stmt
	}
	// CallBlock calls a macro with a body.
	CallBlock struct {
		At
		Sig  Signature
		Call *Call
		Body []Stmt
	}
	// FilterBlock filters a body.
	FilterBlock struct {
		At
		Filter *Filter
		Body   []Stmt
	}
	// Block is a part that other templates may replace.
	Block struct {
		At
		Name             string
		Scoped, Required bool
		Body             []Stmt
	}
	// Extends names the parent.
	Extends struct {
		At
		Template Expr
	}
	// Include renders another template in place.
	Include struct {
		At
		Template      Expr
		IgnoreMissing bool
		WithContext   bool
	}
	// Import binds another template's names; Format is "" or the kind of data to read (yaml, json, text).
	Import struct {
		At
		Template    Expr
		Target      string
		WithContext bool
		Format      string
	}
	// FromImport binds some names of another template.
	FromImport struct {
		At
		Template    Expr
		Names       [][2]string // name and alias
		WithContext bool
	}
	// Do evaluates and prints nothing.
	Do struct {
		At
		Expr Expr
	}
	// Break leaves a loop.
	Break struct{ At }
	// Continue goes to the next round.
	Continue struct{ At }
	// Scope is a body with variables of its own.
	Scope struct {
		At
		Expr Expr // evaluated first, for its errors; may be nil
		Body []Stmt
	}
	// Load is {% load_yaml as target %}...{% endload %}; Format is yaml, json or text.
	Load struct {
		At
		Format string
		Target Expr
		Body   []Stmt
	}
	// Profile is {% profile as label %}: the body in the scope around it.
	Profile struct {
		At
		Label Expr
		Body  []Stmt
	}
)

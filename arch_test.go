package brine_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The rules of the house, read from the source files themselves so that no cache hides a change.
const (
	maxFileLines  = 440 // "near 400"
	maxFuncLines  = 66  // "near 60"
	maxPkgFiles   = 16
	maxMethods    = 6
	maxParameters = 6
)

// layers, lowest first: a package may import packages of lower layers only, and siblings of its own layer only where
// the table says so. The first entry that matches a folder counts, so special cases stand above general ones.
var layers = []struct {
	dirs  string // comma-separated globs of folders
	level int
	// inside tells which imports of the same level are allowed, as folder prefixes.
	inside string
}{
	{"internal/rpc", 2, ""}, // speaks the wire's codec
	{"internal,internal/*", 0, "internal/"},
	{"proto", 1, ""},
	{"target", 2, ""}, {"render,render/*", 2, "render"}, {"event", 2, ""}, {"release", 2, ""}, {"transport,transport/*", 2, "transport"},
	{"fileroots", 2, ""},
	{"modules/builtin", 7, ""}, {"states/builtin", 7, ""},
	{"modules", 3, ""}, {"states", 4, ""}, {"pillar", 4, ""},
	{"states/sls,states/sls/*", 5, "states/sls"}, {"reactor,reactor/*", 5, "reactor"},
	{"modules/rendering", 4, ""}, {"modules/moduletest", 5, ""},
	{"modules/*", 6, ""}, {"states/*", 6, ""},
	{"master", 9, ""}, {"minion", 9, ""}, {"master/store", 7, ""},
	{"master/*", 8, ""}, {"minion/*", 8, ""},
	{"console,console/*", 8, "console"},
	{"cli/output,cli/argv,cli/optparse", 9, ""},
	{"bench,bench/*", 10, "bench"}, {"test,test/*", 10, "test"},
	{"cli,cli/*", 10, "cli"},
	{"cmd/*", 11, ""}, {"examples,examples/*,examples/*/*", 12, ""}, {"docs/*", 12, ""},
}

// exceptions may only shrink. Each gives its reason.
var exceptions = map[string]string{}

func level(dir string) (int, string, bool) {
	for _, l := range layers {
		for _, g := range strings.Split(l.dirs, ",") {
			if ok, _ := path.Match(g, dir); ok {
				return l.level, l.inside, true
			}
		}
	}
	return 0, "", false
}

type pkg struct {
	dir   string
	files map[string]*ast.File
	fset  *token.FileSet
	tests map[string]*ast.File
}

func load(t *testing.T) []*pkg {
	t.Helper()
	byDir := map[string]*pkg{}
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && p != "." || d.Name() == "testdata" || d.Name() == "node_modules" || d.Name() == "bin") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		dir := path.Dir(filepath.ToSlash(p))
		if byDir[dir] == nil {
			byDir[dir] = &pkg{dir: dir, files: map[string]*ast.File{}, tests: map[string]*ast.File{}, fset: token.NewFileSet()}
		}
		f, err := parser.ParseFile(byDir[dir].fset, p, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		if strings.HasSuffix(p, "_test.go") {
			byDir[dir].tests[p] = f
		} else {
			byDir[dir].files[p] = f
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var out []*pkg
	for _, p := range byDir {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *pkg) int { return strings.Compare(a.dir, b.dir) })
	return out
}

func report(t *testing.T, place, format string, a ...any) {
	t.Helper()
	if _, ok := exceptions[place]; !ok {
		t.Errorf("%s: %s", place, fmt.Sprintf(format, a...))
	}
}

func TestImportsPointDownward(t *testing.T) {
	t.Parallel()
	for _, p := range load(t) {
		if p.dir == "." {
			continue
		}
		from, inside, ok := level(p.dir)
		if !ok {
			t.Errorf("%s: no layer is declared for this folder in arch_test.go", p.dir)
			continue
		}
		for name, f := range p.files {
			for _, imp := range f.Imports {
				to, ours := strings.CutPrefix(strings.Trim(imp.Path.Value, `"`), "brine/")
				if !ours {
					continue
				}
				lv, _, known := level(to)
				sameFamily := inside != "" && strings.HasPrefix(to, inside)
				if !known || lv > from || lv == from && !sameFamily {
					report(t, name, "imports brine/%s, which is not below it", to)
				}
			}
		}
	}
}

func TestPackageDocs(t *testing.T) {
	t.Parallel()
	for _, p := range load(t) {
		if len(p.files) == 0 {
			continue
		}
		found := false
		for _, f := range p.files {
			found = found || f.Doc != nil && strings.TrimSpace(f.Doc.Text()) != ""
		}
		if !found {
			report(t, p.dir, "the package has no doc comment")
		}
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	for _, p := range load(t) {
		if len(p.files) > maxPkgFiles {
			report(t, p.dir, "%d files in one package, at most %d: split by meaning", len(p.files), maxPkgFiles)
		}
		for name, f := range p.files {
			if n := p.fset.Position(f.End()).Line; n > maxFileLines {
				report(t, name, "%d lines, at most %d", n, maxFileLines)
			}
			for _, d := range f.Decls {
				checkDecl(t, p, name, d)
			}
		}
	}
}

func checkDecl(t *testing.T, p *pkg, name string, d ast.Decl) {
	t.Helper()
	switch d := d.(type) {
	case *ast.FuncDecl:
		lines := p.fset.Position(d.End()).Line - p.fset.Position(d.Pos()).Line + 1
		if lines > maxFuncLines {
			report(t, name+":"+d.Name.Name, "%d lines, at most %d", lines, maxFuncLines)
		}
		if n := d.Type.Params.NumFields(); n > maxParameters {
			report(t, name+":"+d.Name.Name, "%d parameters, at most %d: use a struct", n, maxParameters)
		}
		if d.Name.Name == "init" && d.Recv == nil {
			report(t, name, "has an init function: pass things in instead")
		}
		checkDoc(t, name, d)
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if i, ok := s.Type.(*ast.InterfaceType); ok && i.Methods.NumFields() > maxMethods {
					report(t, name+":"+s.Name.Name, "%d methods, at most %d", i.Methods.NumFields(), maxMethods)
				}
				if s.Name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
					report(t, name+":"+s.Name.Name, "exported without a doc comment")
				}
			case *ast.ValueSpec:
				if d.Tok == token.VAR {
					checkVar(t, name, s)
				}
			}
		}
	}
}

func checkDoc(t *testing.T, name string, d *ast.FuncDecl) {
	t.Helper()
	if !d.Name.IsExported() || d.Doc != nil {
		return
	}
	if d.Recv != nil {
		return // methods that implement a contract are documented there
	}
	report(t, name+":"+d.Name.Name, "exported without a doc comment")
}

// checkVar holds package variables to what cannot change: errors, compiled patterns, interface guards, embedded files
// and tables that only a composite literal or a function call fills.
func checkVar(t *testing.T, name string, s *ast.ValueSpec) {
	t.Helper()
	for i, id := range s.Names {
		if id.Name == "_" || i < len(s.Values) {
			continue
		}
		if strings.Contains(fmt.Sprint(s.Type), "embed") || fromEmbed(s) {
			continue
		}
		report(t, name+":"+id.Name, "a package variable without a value is mutable state")
	}
}

func fromEmbed(s *ast.ValueSpec) bool {
	sel, ok := s.Type.(*ast.SelectorExpr)
	if !ok {
		id, isIdent := s.Type.(*ast.Ident)
		return isIdent && (id.Name == "string") || isBytes(s.Type)
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == "embed"
}

func isBytes(e ast.Expr) bool {
	a, ok := e.(*ast.ArrayType)
	if !ok {
		return false
	}
	id, ok := a.Elt.(*ast.Ident)
	return ok && id.Name == "byte"
}

// Only these folders may start processes; everything else asks internal/host.
var mayStartProcesses = []string{"internal/host", "cli/dev", "cli", "bench", "test", "cmd/brine"}

func TestProcessesStartInOnePlace(t *testing.T) {
	t.Parallel()
	for _, p := range load(t) {
		if slices.ContainsFunc(mayStartProcesses, func(d string) bool { return p.dir == d || strings.HasPrefix(p.dir, d+"/") }) {
			continue
		}
		for name, f := range p.files {
			for _, imp := range f.Imports {
				if imp.Path.Value == `"os/exec"` && !lookPathOnly(f) {
					report(t, name, "starts processes: use internal/host")
				}
			}
		}
	}
}

func lookPathOnly(f *ast.File) bool {
	only := true
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "exec" && strings.HasPrefix(s.Sel.Name, "Command") {
				only = false
			}
		}
		return only
	})
	return only
}

// TestBuiltinListsAreComplete keeps a family from being written and forgotten.
func TestBuiltinListsAreComplete(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"modules", "states"} {
		list, err := os.ReadFile(filepath.Join(kind, "builtin", "builtin.go"))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range load(t) {
			family, ok := strings.CutPrefix(p.dir, kind+"/")
			if !ok || family == "builtin" || family == "moduletest" || family == "rendering" || strings.HasPrefix(family, "sls") || len(p.files) == 0 {
				continue
			}
			if !strings.Contains(string(list), fmt.Sprintf("%q", "brine/"+p.dir)) {
				t.Errorf("%s is not in %s/builtin/builtin.go", p.dir, kind)
			}
		}
	}
}

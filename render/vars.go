package render

import (
	"strings"

	"brine/internal/ordered"
)

// SLSVars are the variables that tell a template where it stands, as Salt computes them: from the name of the SLS and the
// path of its file. They are tplpath, tplfile, tpldir, tpldot (when there is a path), slspath, slsdotpath, slscolonpath
// and sls_path.
func SLSVars(sls, path string) *ordered.Map {
	out := ordered.New(8)
	slspath := strings.ReplaceAll(sls, ".", "/")
	if path != "" {
		template := path
		switch {
		case sls == "":
			template = path[strings.LastIndexByte(path, '/')+1:]
		case strings.HasSuffix(path, slspath+".sls"):
			template = slspath + ".sls"
		case strings.HasSuffix(path, slspath+"/init.sls"):
			template = slspath + "/init.sls"
		}
		slspath = ""
		if at := strings.LastIndexByte(template, '/'); at >= 0 {
			slspath = template[:at]
		}
		dir := slspath
		if dir == "" {
			dir = "."
		}
		out.Set("tplpath", path)
		out.Set("tplfile", template)
		out.Set("tpldir", dir)
		out.Set("tpldot", strings.ReplaceAll(slspath, "/", "."))
	}
	out.Set("slspath", slspath)
	out.Set("slsdotpath", strings.ReplaceAll(slspath, "/", "."))
	out.Set("slscolonpath", strings.ReplaceAll(slspath, "/", ":"))
	out.Set("sls_path", strings.ReplaceAll(slspath, "/", "_"))
	return out
}

// variables are what a template sees, each made when it is first read.
func (e *Env) variables() map[string]func() any {
	vars := map[string]func() any{
		"grains":  lazy(e.Grains),
		"pillar":  lazy(e.Pillar),
		"opts":    func() any { return orEmpty(e.Opts) },
		"saltenv": func() any { return e.Saltenv },
		"sls":     func() any { return e.SLS },
	}
	path := e.Path
	if path == "" {
		path = ":string:" // what Salt calls a template that is no file
	}
	for _, m := range []*ordered.Map{SLSVars(e.SLS, path), e.Vars} {
		for k, v := range m.All() {
			vars[ordered.KeyText(k)] = func() any { return v }
		}
	}
	return vars
}

func lazy(get func() *ordered.Map) func() any {
	return func() any {
		if get == nil {
			return ordered.New(0)
		}
		return orEmpty(get())
	}
}

func orEmpty(m *ordered.Map) *ordered.Map {
	if m == nil {
		return ordered.New(0)
	}
	return m
}

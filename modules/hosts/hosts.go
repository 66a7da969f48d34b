// Package hosts holds the hosts.* functions: they read and edit the file of host names, /etc/hosts.
package hosts

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"brine/internal/fileops"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pytext"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "hosts", Doc: "Functions for the file of host names.", Funcs: []modules.Func{
		modules.Fn("add_host", addHostDoc, addHost),
		modules.PureFn("get_alias", getAliasDoc, getAlias),
		modules.PureFn("get_ip", getIPDoc, getIP),
		modules.PureFn("has_pair", hasPairDoc, hasPair),
		modules.PureFn("list_hosts", listHostsDoc, listHosts),
		modules.Fn("rm_host", rmHostDoc, rmHost),
		modules.Fn("set_comment", setCommentDoc, setComment),
		modules.Fn("set_host", setHostDoc, setHost),
	}}
}

// path is the file, as the option hosts.file says.
func path(env *modules.Env) string {
	if s, ok := env.Opt("hosts.file").(string); ok && s != "" {
		return s
	}
	return "/etc/hosts"
}

func readLines(env *modules.Env) ([]string, error) {
	p, err := os.ReadFile(path(env))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return pytext.Lines(pytext.Universal(string(p))), err
}

func writeLines(env *modules.Env, lines []string) error {
	return fileops.Put(path(env), []byte(strings.Join(lines, "")))
}

// entry is a line of the file: its address and names, or nothing.
func entry(line string) (ip string, aliases []string, comment string) {
	line = pytext.Strip(line)
	if strings.HasPrefix(line, "#") {
		return "", nil, ""
	}
	line, comment, _ = strings.Cut(line, "#")
	fields := pytext.Fields(line)
	if len(fields) == 0 {
		return "", nil, ""
	}
	return fields[0], fields[1:], pytext.Lstrip(comment)
}

// read lists the file: addresses with names and comment, and the lines that are comments.
func read(env *modules.Env) (*ordered.Map, error) {
	lines, err := readLines(env)
	if err != nil {
		return nil, err
	}
	out := ordered.New(len(lines))
	comments := 0
	for _, l := range lines {
		if s := pytext.Strip(l); strings.HasPrefix(s, "#") {
			out.Set("comment-"+strconv.Itoa(comments), []any{s})
			comments++
			continue
		}
		ip, aliases, comment := entry(l)
		if ip == "" {
			continue
		}
		e := out.Map(ip)
		if e == nil {
			e = ordered.Pairs("aliases", []any{})
			out.Set(ip, e)
		}
		list := e.List("aliases")
		for _, a := range aliases {
			list = append(list, a)
		}
		e.Set("aliases", list)
		if comment != "" {
			e.Set("comment", comment)
		}
	}
	return out, nil
}

func aliasesOf(all *ordered.Map, ip string) []any { return all.Map(ip).List("aliases") }

const listHostsDoc = `List the addresses of the file with their names.

CLI Example:

    salt '*' hosts.list_hosts`

func listHosts(_ context.Context, env *modules.Env, _ struct{}) (any, error) { return read(env) }

const getIPDoc = `Tell the address of a host, an empty text for none.

CLI Example:

    salt '*' hosts.get_ip <hostname>`

type hostArgs struct {
	Host string `arg:"host"`
}

func getIP(_ context.Context, env *modules.Env, in hostArgs) (any, error) {
	all, err := read(env)
	if err != nil {
		return nil, err
	}
	for ip := range all.All() {
		if slices.Contains(aliasesOf(all, pyfmt.Str(ip)), any(in.Host)) {
			return ip, nil
		}
	}
	return "", nil
}

const getAliasDoc = `List the names of an address.

CLI Example:

    salt '*' hosts.get_alias <ip addr>`

type ipArgs struct {
	IP string `arg:"ip"`
}

func getAlias(_ context.Context, env *modules.Env, in ipArgs) (any, error) {
	all, err := read(env)
	if err != nil {
		return nil, err
	}
	if list := aliasesOf(all, in.IP); list != nil {
		return list, nil
	}
	return []any{}, nil
}

const hasPairDoc = `Tell whether an address has a name.

CLI Example:

    salt '*' hosts.has_pair <ip> <alias>`

type pairArgs struct {
	IP    string `arg:"ip"`
	Alias string `arg:"alias"`
}

func hasPair(_ context.Context, env *modules.Env, in pairArgs) (any, error) {
	all, err := read(env)
	return err == nil && slices.Contains(aliasesOf(all, in.IP), any(in.Alias)), err
}

const setHostDoc = `Give an address a name, or several parted by spaces, in the place of those that it has.

CLI Example:

    salt '*' hosts.set_host <ip> <alias>`

type setHostArgs struct {
	IP      string `arg:"ip"`
	Alias   any    `arg:"alias"`
	Comment any    `arg:"comment" def:"None"`
}

func setHost(_ context.Context, env *modules.Env, in setHostArgs) (any, error) {
	if pypath.IsDir(path(env)) {
		return false, nil
	}
	lines, err := readLines(env)
	if err != nil {
		return nil, err
	}
	alias := pyfmt.Str(in.Alias)
	if list, ok := in.Alias.([]any); ok {
		var names []string
		for _, a := range list {
			names = append(names, pyfmt.Str(a))
		}
		alias = strings.Join(names, " ")
	}
	wish := ""
	if strings.TrimSpace(alias) != "" {
		wish = in.IP + "\t\t" + alias
		if pyfmt.Truth(in.Comment) {
			wish += "\t\t# " + pyfmt.Str(in.Comment)
		}
		wish += "\n"
	}
	found := false
	for i, l := range lines {
		if ip, _, _ := entry(l); ip == in.IP {
			lines[i] = ""
			if !found {
				lines[i], found = wish, true
			}
		}
	}
	if !found {
		lines = append(ended(lines), wish)
	}
	return true, writeLines(env, lines)
}

// ended sees that the last line has an end.
func ended(lines []string) []string {
	if n := len(lines); n > 0 && !strings.HasSuffix(lines[n-1], "\n") {
		lines[n-1] += "\n"
	}
	return lines
}

const rmHostDoc = `Take a name away from an address.

CLI Example:

    salt '*' hosts.rm_host <ip> <alias>`

func rmHost(ctx context.Context, env *modules.Env, in pairArgs) (any, error) {
	has, err := hasPair(ctx, env, in)
	if err != nil || has == false {
		return true, err
	}
	lines, err := readLines(env)
	if err != nil {
		return nil, err
	}
	for i, l := range lines {
		ip, aliases, comment := entry(l)
		if ip != in.IP || !slices.Contains(aliases, in.Alias) {
			continue
		}
		aliases = slices.DeleteFunc(aliases, func(a string) bool { return a == in.Alias })
		if len(aliases) == 0 {
			lines[i] = ""
			continue
		}
		lines[i] = ip + "\t\t" + strings.Join(aliases, " ")
		if comment != "" {
			lines[i] += "\t\t# " + comment
		}
		lines[i] += "\n"
	}
	return true, writeLines(env, lines)
}

const addHostDoc = `Give an address one more name.

CLI Example:

    salt '*' hosts.add_host <ip> <alias>`

func addHost(ctx context.Context, env *modules.Env, in pairArgs) (any, error) {
	if pypath.IsDir(path(env)) {
		return false, nil
	}
	if has, err := hasPair(ctx, env, in); err != nil || has == true {
		return true, err
	}
	all, err := read(env)
	if err != nil {
		return nil, err
	}
	e := all.Map(in.IP)
	if e == nil {
		e = ordered.New(1)
		all.Set(in.IP, e)
	}
	e.Set("aliases", append(e.List("aliases"), in.Alias))
	return true, write(env, all)
}

// write writes the whole file: one line an address.
func write(env *modules.Env, all *ordered.Map) error {
	var lines []string
	for ip, v := range all.All() {
		if list, isComment := v.([]any); isComment {
			lines = append(lines, pyfmt.Str(list[0])+"\n")
			continue
		}
		e, _ := v.(*ordered.Map)
		var names []string
		for _, a := range e.List("aliases") {
			names = append(names, pyfmt.Str(a))
		}
		line := pyfmt.Str(ip) + "\t\t" + strings.Join(names, " ")
		if c := e.String("comment"); c != "" {
			line += "\t\t# " + c
		}
		lines = append(lines, line+"\n")
	}
	return writeLines(env, lines)
}

const setCommentDoc = `Put a comment behind the names of an address.

CLI Example:

    salt '*' hosts.set_comment <ip> <comment>`

type commentArgs struct {
	IP      string `arg:"ip"`
	Comment string `arg:"comment"`
}

func setComment(_ context.Context, env *modules.Env, in commentArgs) (any, error) {
	all, err := read(env)
	if err != nil {
		return nil, err
	}
	e := all.Map(in.IP)
	if e == nil {
		return false, nil
	}
	if e.String("comment") == in.Comment {
		return true, nil
	}
	e.Set("comment", in.Comment)
	return true, write(env, all)
}

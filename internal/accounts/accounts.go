// Package accounts reads the account files of Linux: passwd(5), group(5) and shadow(5). It reads the files alone, so
// what it tells is what useradd and its kin will change.
package accounts

import (
	"os"
	"slices"
	"strconv"
	"strings"
)

// User is a line of passwd.
type User struct {
	Name, Passwd       string
	UID, GID           int64
	Gecos, Home, Shell string
}

// Group is a line of group.
type Group struct {
	Name, Passwd string
	GID          int64
	Members      []string
}

// Shadow is a line of shadow; -1 stands for an empty number, dates are days since 1970.
type Shadow struct {
	Name, Passwd                              string
	Changed, Min, Max, Warn, Inactive, Expire int64
}

// Users lists all users in the order of the file.
func Users() ([]User, error) { return read("/etc/passwd", ParseUser) }

// Groups lists all groups in the order of the file.
func Groups() ([]Group, error) { return read("/etc/group", ParseGroup) }

// Shadows lists all entries of shadow; it needs root.
func Shadows() ([]Shadow, error) { return read("/etc/shadow", ParseShadow) }

func read[T any](path string, parse func(string) (T, bool)) ([]T, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out []T
	for line := range strings.Lines(string(text)) {
		if v, ok := parse(strings.TrimRight(line, "\n")); ok {
			out = append(out, v)
		}
	}
	return out, nil
}

// ParseUser reads a line of passwd; false for one that is none.
func ParseUser(line string) (User, bool) {
	f := strings.Split(line, ":")
	if len(f) != 7 || f[0] == "" {
		return User{}, false
	}
	uid, err1 := strconv.ParseUint(f[2], 10, 32)
	gid, err2 := strconv.ParseUint(f[3], 10, 32)
	return User{f[0], f[1], int64(uid), int64(gid), f[4], f[5], f[6]}, err1 == nil && err2 == nil
}

// ParseGroup reads a line of group; false for one that is none.
func ParseGroup(line string) (Group, bool) {
	f := strings.Split(line, ":")
	if len(f) != 4 || f[0] == "" {
		return Group{}, false
	}
	gid, err := strconv.ParseUint(f[2], 10, 32)
	g := Group{Name: f[0], Passwd: f[1], GID: int64(gid)}
	for _, m := range strings.Split(f[3], ",") {
		if m != "" {
			g.Members = append(g.Members, m)
		}
	}
	return g, err == nil
}

// ParseShadow reads a line of shadow; false for one that is none.
func ParseShadow(line string) (Shadow, bool) {
	f := strings.Split(line, ":")
	if len(f) != 9 || f[0] == "" {
		return Shadow{}, false
	}
	s := Shadow{Name: f[0], Passwd: f[1]}
	for i, dst := range []*int64{&s.Changed, &s.Min, &s.Max, &s.Warn, &s.Inactive, &s.Expire} {
		*dst = -1
		if text := f[i+2]; text != "" {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return Shadow{}, false
			}
			*dst = n
		}
	}
	return s, true
}

// FindUser looks a user up by name; nil for none.
func FindUser(name string) (*User, error) {
	all, err := Users()
	i := slices.IndexFunc(all, func(u User) bool { return u.Name == name })
	if i < 0 {
		return nil, err
	}
	return &all[i], nil
}

// FindGroup looks a group up by name; nil for none.
func FindGroup(name string) (*Group, error) {
	all, err := Groups()
	i := slices.IndexFunc(all, func(g Group) bool { return g.Name == name })
	if i < 0 {
		return nil, err
	}
	return &all[i], nil
}

// FindShadow looks the entry of a user up; nil for none.
func FindShadow(name string) (*Shadow, error) {
	all, err := Shadows()
	i := slices.IndexFunc(all, func(s Shadow) bool { return s.Name == name })
	if i < 0 {
		return nil, err
	}
	return &all[i], nil
}

// GroupsOf lists the names of the groups of a user, the own one included, sorted.
func GroupsOf(u User, groups []Group) []string {
	var out []string
	for _, g := range groups {
		if g.GID == u.GID || slices.Contains(g.Members, u.Name) {
			out = append(out, g.Name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

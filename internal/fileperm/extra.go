package fileperm

import (
	"strings"

	"brine/internal/fileattr"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// DiffAttrs compares the attribute letters of a file with those wished: what to add and what to remove. ok is false
// where the file system keeps none.
func DiffAttrs(path, wish string) (add, remove string, ok bool) {
	have, err := fileattr.Get(path)
	if err != nil {
		return "", "", false
	}
	return missing(wish, have), missing(have, wish), true
}

// missing lists the letters of a that b lacks.
func missing(a, b string) string {
	var out strings.Builder
	for _, r := range a {
		if !strings.ContainsRune(b, r) && !strings.ContainsRune(out.String(), r) {
			out.WriteRune(r)
		}
	}
	return out.String()
}

func (c *check) attrs() {
	if c.w.Attrs == nil || c.dir || c.link {
		return
	}
	wish := pyfmt.Str(c.w.Attrs)
	add, remove, ok := DiffAttrs(c.w.Path, wish)
	if !ok || add == "" && remove == "" {
		return
	}
	old, _ := fileattr.Get(c.w.Path)
	now := wish
	if !c.w.Test {
		err := fileattr.Change(c.w.Path, add, remove)
		add, remove, _ = DiffAttrs(c.w.Path, wish)
		if err != nil || add != "" || remove != "" {
			c.r.fail("Failed to change attributes to " + wish)
			now, _ = fileattr.Get(c.w.Path)
		}
	}
	if old != now {
		c.r.Changes.Set("attrs", ordered.Pairs("old", old, "new", now))
	}
}

// part is one of the four parts of an SELinux context.
type part struct{ name, arg, wish, have string }

func (c *check) label() {
	l := c.w.Label
	if l == (Label{}) {
		return
	}
	context, err := fileattr.Label(c.w.Path)
	have := strings.SplitN(context, ":", 4)
	if err != nil || len(have) != 4 {
		c.r.fail("Failed to get selinux attributes")
		return
	}
	parts := []part{{"User", "seuser", l.User, have[0]}, {"Role", "serole", l.Role, have[1]}, {"Type", "setype", l.Type, have[2]}, {"Range", "serange", l.Range, have[3]}}
	var before, after []string
	for i, p := range parts {
		if p.wish != "" && p.wish != p.have {
			before, after = append(before, p.name+": "+p.have), append(after, p.name+": "+p.wish)
			have[i] = p.wish
		}
	}
	if len(after) == 0 {
		return
	}
	change := ordered.Pairs("Old", strings.Join(before, " "), "New", strings.Join(after, " "))
	if c.w.Test {
		c.r.Comments = append(c.r.Comments, "File "+c.w.Path+" selinux context to be updated")
		c.r.Changes.Set("selinux", change)
		return
	}
	c.applyLabel(parts, strings.Join(have, ":"))
	if !c.r.Failed {
		c.r.Changes.Set("selinux", change)
	}
}

func (c *check) applyLabel(parts []part, context string) {
	if err := fileattr.SetLabel(c.w.Path, context); err != nil {
		c.r.fail("Failed to set selinux attributes")
		return
	}
	c.r.Comments = append(c.r.Comments, "The file "+c.w.Path+" is set to be changed")
	now, _ := fileattr.Label(c.w.Path)
	have := strings.SplitN(now, ":", 4)
	for i, p := range parts {
		if p.wish != "" && (len(have) != 4 || have[i] != p.wish) {
			c.r.fail("Unable to update " + p.arg + " context")
		}
	}
}

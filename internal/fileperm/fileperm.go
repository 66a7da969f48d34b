// Package fileperm brings owner, group, mode, attributes and SELinux label of a file to what is wished and reports what
// it changed, in Salt's words: the work behind file.check_perms and the permissions of file states.
package fileperm

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"brine/internal/fileinfo"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
)

// Wish is what a file should have. A nil value leaves things as they are.
type Wish struct {
	Path              string
	User, Group, Mode any // names, numbers; text such as "0644"
	Attrs             any // letters as text; "" removes all
	Label             Label
	// Follow looks behind a link; otherwise a link's own owner is set and its mode left alone.
	Follow bool
	// Test changes nothing and reports what would.
	Test bool
}

// Label is the wished parts of an SELinux context, "" for any.
type Label struct{ User, Role, Type, Range string }

// Report is what was found and done.
type Report struct {
	Changes  *ordered.Map
	Comments []string
	// Failed says that something could not be brought to the wish.
	Failed bool
	// Perms is how it was (luser, lgroup, lmode) and what had to change (cuser, cgroup, cmode).
	Perms *ordered.Map
}

func (r *Report) fail(comment string) {
	r.Failed = true
	r.Comments = append(r.Comments, comment)
}

// Check compares, changes and looks again. The error is for a path where nothing is.
func Check(w Wish) (*Report, error) {
	w.Path = pypath.Expanduser(w.Path)
	cur, err := fileinfo.Stat(w.Path, w.Follow)
	if err != nil {
		return nil, err
	}
	r := &Report{Changes: ordered.New(0), Perms: ordered.New(5)}
	r.Perms.Set("luser", either(w.User, cur.UID, cur.User))
	r.Perms.Set("lgroup", either(w.Group, cur.GID, cur.Group))
	r.Perms.Set("lmode", cur.Mode)
	c := check{w: w, r: r, cur: cur, link: pypath.IsLink(w.Path) && !w.Follow, dir: pypath.IsDir(w.Path)}
	c.mode, c.hasMode = fileinfo.ModeOf(w.Mode)
	c.owner()
	c.setMode()
	if err := c.verify(); err != nil {
		return nil, err
	}
	c.attrs()
	c.label()
	return r, nil
}

type check struct {
	w       Wish
	r       *Report
	cur     *fileinfo.Info
	link    bool // a link that is not followed
	dir     bool
	mode    string
	hasMode bool
}

// either answers in the kind that the wish has: a number for a number, else the name.
func either(wish any, id int, name any) any {
	if _, isID := wish.(int64); isID {
		return int64(id)
	}
	return name
}

// differs tells whether the wished owner is another than (id, name).
func differs(wish any, id int, name any) bool {
	if !pyfmt.Truth(wish) {
		return false
	}
	n, isID := wish.(int64)
	return pyfmt.Str(wish) != pyfmt.Str(name) && !(isID && int(n) == id)
}

func (c *check) owner() {
	if differs(c.w.User, c.cur.UID, c.cur.User) {
		c.r.Perms.Set("cuser", c.w.User)
	}
	if differs(c.w.Group, c.cur.GID, c.cur.Group) {
		c.r.Perms.Set("cgroup", c.w.Group)
	}
	if c.w.Test || !c.r.Perms.Has("cuser") && !c.r.Perms.Has("cgroup") {
		return
	}
	user, group := c.w.User, c.w.Group
	if user == nil {
		user = c.cur.User
	}
	if group == nil {
		group = c.cur.Group
	}
	text, err := Chown(c.w.Path, user, group, !c.link)
	switch {
	case err != nil:
		c.r.Failed = true
	case text != "":
		c.r.fail(text)
	case !c.link:
		_ = chmod(c.w.Path, c.cur.Mode) // the change of owner cleared setuid and setgid
	}
}

// Chown gives a file to a user and a group, each by name or number; "" and nil keep what there is. The text names what
// does not exist; the error is the operating system's.
func Chown(path string, user, group any, follow bool) (text string, err error) {
	uid, ok := fileinfo.UID(user)
	if !ok {
		uid = -1
		if pyfmt.Truth(user) {
			text = "User does not exist\n"
		}
	}
	gid, ok := fileinfo.GID(group)
	if !ok {
		gid = -1
		if pyfmt.Truth(group) {
			text += "Group does not exist\n"
		}
	}
	if follow && !pypath.Exists(path) {
		if text == "" && os.Lchown(path, uid, gid) == nil { // a broken link
			return "", nil
		}
		text += "File not found"
	}
	if text != "" {
		return text, nil
	}
	if !follow {
		return "", os.Lchown(path, uid, gid)
	}
	return "", os.Chown(path, uid, gid)
}

func chmod(path, mode string) error {
	bits, err := fileinfo.Octal(mode)
	if err != nil {
		return err
	}
	return unix.Chmod(path, bits)
}

func (c *check) setMode() {
	if !c.hasMode || c.link || c.w.Test || c.mode == c.cur.Mode {
		return
	}
	c.r.Perms.Set("cmode", c.mode)
	_ = chmod(c.w.Path, c.mode) // verify looks whether it worked
}

func (c *check) verify() error {
	post, err := fileinfo.Stat(c.w.Path, c.w.Follow)
	if err != nil {
		return err
	}
	c.outcome("user", c.w.User, differs(c.w.User, post.UID, post.User), "cuser")
	c.outcome("group", c.w.Group, differs(c.w.Group, post.GID, post.Group), "cgroup")
	if c.hasMode && !c.link {
		c.outcome("mode", c.mode, c.mode != post.Mode, "cmode")
	}
	return nil
}

func (c *check) outcome(what string, wish any, wrong bool, perm string) {
	switch {
	case wrong && c.w.Test:
		c.r.Changes.Set(what, wish)
	case wrong:
		c.r.fail("Failed to change " + what + " to " + pyfmt.Str(wish))
	case c.r.Perms.Has(perm):
		c.r.Changes.Set(what, wish)
	}
}

// Apply merges the report into the return of a state function or of file.check_perms; with ret empty it starts one.
func (r *Report) Apply(ret *ordered.Map, path string, test bool) *ordered.Map {
	comment, isText := "", true
	if ret.Len() == 0 {
		ret = ordered.Pairs("name", path, "changes", ordered.New(0), "comment", []any{}, "result", true)
	} else {
		comment, isText = ret.Value("comment").(string)
	}
	changes := ret.Map("changes")
	if changes == nil {
		changes = ordered.New(0)
		ret.Set("changes", changes)
	}
	changes.Update(r.Changes)
	if r.Failed {
		ret.Set("result", false)
	}
	comments := r.Comments
	if isText {
		if comment != "" {
			comments = append([]string{comment}, comments...)
		}
		ret.Set("comment", strings.Join(comments, "; "))
	} else {
		ret.Set("comment", ordered.Of(comments))
	}
	if test && changes.Len() > 0 {
		ret.Set("result", nil)
	}
	return ret
}

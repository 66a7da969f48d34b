package file

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"brine/internal/fileops"
	"brine/internal/ordered"
	"brine/internal/pyerr"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/modules"
)

func backupFuncs() []modules.Func {
	return []modules.Func{
		modules.Fn("delete_backup", deleteBackupDoc, deleteBackup),
		modules.PureFn("list_backup", listBackupDoc, listBackups),
		modules.PureFn("list_backups", listBackupsDoc, listBackups),
		modules.PureFn("list_backups_dir", listBackupsDirDoc, listBackupsDir),
		modules.Fn("remove_backup", removeBackupDoc, deleteBackup),
		modules.Fn("restore_backup", restoreBackupDoc, restoreBackup),
	}
}

const listBackupsDoc = `List the earlier versions of a file that the minion kept, the newest first, by number.

CLI Example:

    salt '*' file.list_backups /foo/bar/baz.txt`

const listBackupDoc = `Another name of file.list_backups.

CLI Example:

    salt '*' file.list_backup /foo/bar/baz.txt`

type listBackupsArgs struct {
	Path  string `arg:"path"`
	Limit any    `arg:"limit" def:"None"`
}

// backup is one earlier version.
type backup struct {
	at       time.Time
	location string
	size     int64
}

var stamp = regexp.MustCompile(`^_([A-Z][a-z]{2}_[A-Z][a-z]{2}_\d{1,2}_\d{1,2}:\d{1,2}:\d{1,2})_(\d{1,6})_(\d{4})$`)

// backupTime reads the time behind the name of a file.
func backupTime(name, base string) (time.Time, bool) {
	rest, ok := strings.CutPrefix(name, base)
	m := stamp.FindStringSubmatch(rest)
	if !ok || m == nil {
		return time.Time{}, false
	}
	t, err := time.ParseInLocation("Mon Jan 2 15:4:5 2006", strings.ReplaceAll(m[1], "_", " ")+" "+m[3], time.Local)
	if err != nil {
		return time.Time{}, false
	}
	micros, _ := strconv.Atoi((m[2] + "00000")[:6]) // digits, by the pattern
	return t.Add(time.Duration(micros) * time.Microsecond), true
}

// backups finds the earlier versions of base in the backup folder dir, the newest first.
func backups(dir, base string, folders bool) []backup {
	names, err := pypath.Listdir(dir)
	if err != nil {
		return nil
	}
	var out []backup
	for _, n := range names {
		p := pypath.Join(dir, n)
		at, ok := backupTime(n, base)
		fi, err := os.Stat(p)
		if !ok || err != nil || !folders && !fi.Mode().IsRegular() {
			continue
		}
		out = append(out, backup{at, p, fi.Size()})
	}
	slices.SortFunc(out, func(a, b backup) int { return b.at.Compare(a.at) })
	return out
}

// numbered is the answer of file.list_backups, at most limit of them.
func numbered(list []backup, limit any) *ordered.Map {
	n := len(list)
	if v, err := modules.Int(limit); err == nil && limit != nil {
		n = min(n, int(v))
		if v < 0 {
			n = max(0, len(list)+int(v))
		}
	}
	out := ordered.New(n)
	for i, b := range list[:n] {
		out.Set(i, ordered.Pairs("Backup Time", b.at.Format("Mon Jan 02 2006 15:04:05.000000"), "Size", b.size, "Location", b.location))
	}
	return out
}

func backupDir(env *modules.Env, path string) (dir, base string) {
	head, base := pypath.Split(path)
	return pypath.Join(fileops.BackupRoot(env.Opts.String("cachedir")), strings.TrimPrefix(head, "/")), base
}

func listBackups(_ context.Context, env *modules.Env, in listBackupsArgs) (any, error) {
	dir, base := backupDir(env, pypath.Expanduser(in.Path))
	return numbered(backups(dir, base, false), in.Limit), nil
}

const listBackupsDirDoc = `List the earlier versions of what is in a folder, by name and number.

CLI Example:

    salt '*' file.list_backups_dir /foo/bar/baz/`

func listBackupsDir(_ context.Context, env *modules.Env, in listBackupsArgs) (any, error) {
	dir, _ := backupDir(env, pypath.Expanduser(in.Path))
	out := ordered.New(0)
	names, err := pypath.Listdir(dir)
	if err != nil {
		return out, nil
	}
	slices.Sort(names)
	for _, n := range names {
		base, _, _ := strings.Cut(n, "_")
		if !out.Has(base) {
			out.Set(base, numbered(backups(dir, base, true), in.Limit))
		}
	}
	return out, nil
}

type backupIDArgs struct {
	Path string `arg:"path"`
	ID   any    `arg:"backup_id"`
}

// pick finds the backup of a number; problem is the answer when there is none.
func (in backupIDArgs) pick(env *modules.Env, path string) (b backup, problem *ordered.Map) {
	id := pyfmt.Str(in.ID)
	n, err := modules.Int(in.ID)
	if err != nil || len(strconv.FormatInt(n, 10)) != len(id) {
		return b, ordered.Pairs("result", false, "comment", "Invalid backup_id '"+id+"'")
	}
	dir, base := backupDir(env, path)
	list := backups(dir, base, false)
	if n < 0 || int(n) >= len(list) {
		return b, ordered.Pairs("result", false, "comment", "backup_id '"+id+"' does not exist for "+path)
	}
	return list[n], nil
}

const restoreBackupDoc = `Put an earlier version of a file back; what is in it now is kept as a further one.

CLI Example:

    salt '*' file.restore_backup /foo/bar/baz.txt 0`

func restoreBackup(_ context.Context, env *modules.Env, in backupIDArgs) (any, error) {
	path := pypath.Expanduser(in.Path)
	b, problem := in.pick(env, path)
	if problem != nil {
		return problem, nil
	}
	if pypath.Exists(path) {
		if err := fileops.Backup(path, fileops.BackupRoot(env.Opts.String("cachedir")), time.Now()); err != nil {
			return nil, plain(err)
		}
	}
	if err := fileops.Copy(b.location, path); err != nil {
		return ordered.Pairs("result", false, "comment", "Unable to restore "+b.location+" to "+path+": "+pyerr.Text(err)), nil
	}
	return ordered.Pairs("result", true, "comment", "Successfully restored "+b.location+" to "+path), nil
}

const deleteBackupDoc = `Remove an earlier version of a file.

CLI Example:

    salt '*' file.delete_backup /foo/bar/baz.txt 0`

const removeBackupDoc = `Another name of file.delete_backup.

CLI Example:

    salt '*' file.remove_backup /foo/bar/baz.txt 0`

func deleteBackup(_ context.Context, env *modules.Env, in backupIDArgs) (any, error) {
	b, problem := in.pick(env, pypath.Expanduser(in.Path))
	if problem != nil {
		return problem, nil
	}
	if err := os.Remove(b.location); err != nil {
		return ordered.Pairs("result", false, "comment", "Unable to remove "+b.location+": "+pyerr.Text(err)), nil
	}
	return ordered.Pairs("result", true, "comment", "Successfully removed "+b.location), nil
}

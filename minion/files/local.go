// Package files is the minion's file client: Local reads the file roots of this machine, Remote the master's, through a
// cache.
package files

import (
	"context"
	"errors"
	"io/fs"

	"brine/fileroots"
	"brine/modules"
)

// Local serves files of this machine where they lie.
type Local struct{ Roots *fileroots.Roots }

var _ modules.Files = Local{}

// Envs implements modules.Files.
func (l Local) Envs(context.Context) ([]string, error) { return l.Roots.Envs(), nil }

// List implements modules.Files.
func (l Local) List(ctx context.Context, saltenv, prefix string) ([]string, error) {
	return l.Roots.List(ctx, saltenv, prefix)
}

// Dirs implements modules.Files.
func (l Local) Dirs(ctx context.Context, saltenv, prefix string) ([]string, error) {
	return l.Roots.Dirs(ctx, saltenv, prefix)
}

// Cache implements modules.Files: the file itself is the copy.
func (l Local) Cache(_ context.Context, saltenv, path string) (string, error) {
	return l.Roots.Path(saltenv, path), nil
}

// Hash implements modules.Files.
func (l Local) Hash(_ context.Context, saltenv, path string) (string, error) {
	sum, err := l.Roots.Hash(saltenv, path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return sum, err
}

// Package files answers the minions' questions about the master's file roots. Files go out in chunks that minions ask
// for, so the minion sets the pace and a transfer that was cut off goes on where it stopped.
package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"brine/fileroots"
	"brine/proto"
)

// Service serves file roots.
type Service struct{ Roots *fileroots.Roots }

type query struct {
	Env    string `msgpack:"env"`
	Path   string `msgpack:"path"`
	Offset int64  `msgpack:"off"`
	Len    int    `msgpack:"len"`
	Hash   string `msgpack:"hash"`
}

type stat struct {
	Hash string `msgpack:"hash"`
	Size int64  `msgpack:"size"`
	Mode uint32 `msgpack:"mode"`
}

// Answer answers a request whose name begins with "files.".
func (s *Service) Answer(ctx context.Context, _ string, what string, body []byte) (any, error) {
	var q query
	if len(body) > 0 {
		if err := proto.Decode(body, &q); err != nil && what != "files.envs" {
			return nil, err
		}
	}
	switch what {
	case "files.envs":
		return s.Roots.Envs(), nil
	case "files.list":
		return s.Roots.List(ctx, q.Env, q.Path)
	case "files.dirs":
		return s.Roots.Dirs(ctx, q.Env, q.Path)
	case "files.stat":
		return s.stat(q)
	case "files.chunk":
		return s.chunk(q)
	}
	return nil, fmt.Errorf("unknown request %q", what)
}

func (s *Service) stat(q query) (*stat, error) {
	f, err := s.Roots.Open(q.Env, q.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return &stat{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	sum, err := s.Roots.Hash(q.Env, q.Path)
	return &stat{Hash: sum, Size: info.Size(), Mode: uint32(info.Mode().Perm())}, err
}

func (s *Service) chunk(q query) ([]byte, error) {
	if q.Len <= 0 || q.Len > proto.MaxInline || q.Offset < 0 {
		return nil, fmt.Errorf("a chunk of %d bytes at %d", q.Len, q.Offset)
	}
	f, err := s.Roots.Open(q.Env, q.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, q.Len)
	n, err := f.ReadAt(data, q.Offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return data[:n], nil
}

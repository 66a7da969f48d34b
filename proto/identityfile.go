package proto

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"brine/internal/atomicfile"
)

// LoadIdentity reads the key NAME.pem of a folder and makes it, with NAME.pub, when it is missing.
func LoadIdentity(dir, name string) (*Identity, error) {
	path := filepath.Join(dir, name+".pem")
	text, err := os.ReadFile(path)
	if err == nil {
		k, err := ParseIdentity(text)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", path, err)
		}
		return k, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	k, err := NewIdentity()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	private, err := k.PrivatePEM()
	if err != nil {
		return nil, err
	}
	if err := atomicfile.Write(path, private, 0o400); err != nil {
		return nil, err
	}
	return k, atomicfile.Write(filepath.Join(dir, name+".pub"), []byte(PublicPEM(k.Public())), 0o644)
}

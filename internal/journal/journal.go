// Package journal keeps records in one append-only file so that they survive kill -9 and power cuts. Append returns when
// its records are on the disk; many callers share one fsync. A record that a cut left unfinished at the end of the file
// is dropped at the next Open, as it was never acknowledged.
package journal

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sync"

	"brine/internal/atomicfile"
)

// MaxRecord bounds one record, in bytes.
const MaxRecord = 80 << 20

// A record is its length, a CRC-32C of the content (RFC 3720 appendix B.4), both big-endian, and the content.
const headLen = 8

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Journal is an open file. Safe for concurrent use.
type Journal struct {
	path string

	mu      sync.Mutex
	wake    *sync.Cond
	file    *os.File
	size    int64
	pending bytes.Buffer
	queued  uint64 // batches handed in
	synced  uint64 // batches on the disk
	busy    bool   // somebody writes
	err     error  // the first failure; the file can no longer be trusted
}

// Open reads the records of the file at path, oldest first, and opens it for more. A missing file is an empty one. An
// error of replay ends Open.
func Open(path string, replay func(rec []byte) error) (*Journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	good, err := read(f, replay)
	if err == nil {
		err = cutTail(f, good)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("journal %s: %w", path, err)
	}
	if err := atomicfile.SyncDir(filepath.Dir(path)); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("journal %s: %w", path, err)
	}
	j := &Journal{path: path, file: f, size: good}
	j.wake = sync.NewCond(&j.mu)
	return j, nil
}

// read returns how many bytes from the start are whole records.
func read(f *os.File, replay func([]byte) error) (good int64, err error) {
	r := bufio.NewReaderSize(f, 64<<10)
	head := make([]byte, headLen)
	for {
		if _, err := io.ReadFull(r, head); err != nil {
			return good, endOfFile(err)
		}
		n := binary.BigEndian.Uint32(head)
		if n > MaxRecord {
			return good, nil
		}
		rec := make([]byte, n)
		if _, err := io.ReadFull(r, rec); err != nil {
			return good, endOfFile(err)
		}
		if crc32.Checksum(rec, castagnoli) != binary.BigEndian.Uint32(head[4:]) {
			return good, nil
		}
		if err := replay(rec); err != nil {
			return good, err
		}
		good += headLen + int64(n)
	}
}

func endOfFile(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// cutTail drops what follows the last whole record.
func cutTail(f *os.File, good int64) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() > good {
		if err := f.Truncate(good); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
	}
	_, err = f.Seek(good, io.SeekStart)
	return err
}

// Append writes records and returns when they are on the disk.
func (j *Journal) Append(recs ...[]byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	ticket, err := j.add(recs)
	if err != nil {
		return err
	}
	for j.synced < ticket && j.err == nil {
		if j.busy {
			j.wake.Wait()
			continue
		}
		j.flush(true)
	}
	return j.err
}

// Note writes records without waiting for the disk: they may be lost in a power cut, not in a kill -9.
func (j *Journal) Note(recs ...[]byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.add(recs); err != nil {
		return err
	}
	if !j.busy {
		j.flush(false)
	}
	return j.err
}

func (j *Journal) add(recs [][]byte) (ticket uint64, err error) {
	if j.err != nil {
		return 0, j.err
	}
	for _, rec := range recs {
		if len(rec) > MaxRecord {
			return 0, fmt.Errorf("journal %s: a record of %d bytes, at most %d", j.path, len(rec), MaxRecord)
		}
	}
	for _, rec := range recs {
		frame(&j.pending, rec)
	}
	j.queued++
	return j.queued, nil
}

func frame(b *bytes.Buffer, rec []byte) {
	var head [headLen]byte
	binary.BigEndian.PutUint32(head[:], uint32(len(rec)))
	binary.BigEndian.PutUint32(head[4:], crc32.Checksum(rec, castagnoli))
	b.Write(head[:])
	b.Write(rec)
}

// flush writes all that is pending, for everyone who waits. It is called with the lock held and lets go of it meanwhile.
func (j *Journal) flush(sync bool) {
	data := bytes.Clone(j.pending.Bytes())
	j.pending.Reset()
	upTo, f := j.queued, j.file
	j.busy = true
	j.mu.Unlock()
	_, err := f.Write(data)
	if err == nil && sync {
		err = f.Sync()
	}
	j.mu.Lock()
	j.busy = false
	if err != nil {
		j.err = fmt.Errorf("journal %s: %w", j.path, err)
	} else {
		j.size += int64(len(data))
		if sync {
			j.synced = upTo
		}
	}
	j.wake.Broadcast()
}

// Size is the length of the file in bytes.
func (j *Journal) Size() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.size
}

// Rewrite replaces the file by one that holds only the given records. Records appended meanwhile by others would be
// lost: the caller holds them off.
func (j *Journal) Rewrite(recs iter.Seq[[]byte]) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.busy {
		j.wake.Wait()
	}
	if j.err != nil {
		return j.err
	}
	err := atomicfile.WriteFrom(j.path, 0o600, func(w io.Writer) error {
		b := bufio.NewWriterSize(w, 64<<10)
		var one bytes.Buffer
		for rec := range recs {
			one.Reset()
			frame(&one, rec)
			if _, err := b.Write(one.Bytes()); err != nil {
				return err
			}
		}
		return b.Flush()
	})
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return j.reopen()
}

func (j *Journal) reopen() error {
	f, err := os.OpenFile(j.path, os.O_RDWR, 0o600)
	if err != nil {
		j.err = fmt.Errorf("journal: %w", err)
		return j.err
	}
	_ = j.file.Close()
	j.file = f
	if j.size, err = f.Seek(0, io.SeekEnd); err != nil {
		j.err = fmt.Errorf("journal %s: %w", j.path, err)
	}
	return j.err
}

// Close closes the file; what Append acknowledged is on the disk already.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.busy {
		j.wake.Wait()
	}
	if j.err == nil {
		j.err = fmt.Errorf("journal %s: %w", j.path, fs.ErrClosed)
	}
	return j.file.Close()
}

// Package logging makes zap loggers that print as Salt's programs do: "[WARNING ] text key=value" on standard error.
// Secrets are the callers' affair: what is secret is never handed to a logger.
package logging

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// Levels are the names that the option log_level takes, quietest last.
func Levels() []string {
	return []string{"all", "garbage", "trace", "debug", "profile", "info", "warning", "error", "critical", "quiet"}
}

// Level reads a name of Levels.
func Level(name string) (zapcore.Level, error) {
	switch strings.ToLower(name) {
	case "all", "garbage", "trace", "debug", "profile":
		return zapcore.DebugLevel, nil
	case "info":
		return zapcore.InfoLevel, nil
	case "", "warning":
		return zapcore.WarnLevel, nil
	case "error":
		return zapcore.ErrorLevel, nil
	case "critical":
		return zapcore.DPanicLevel, nil
	case "quiet":
		return zapcore.FatalLevel, nil
	}
	return 0, fmt.Errorf("log level %q: use one of %s", name, strings.Join(Levels(), ", "))
}

// New logs to w from a level on.
func New(w io.Writer, level zapcore.Level) *zap.Logger {
	return zap.New(zapcore.NewCore(newEncoder(false), zapcore.Lock(zapcore.AddSync(w)), level))
}

// WithFile logs to a file too, with times. The caller closes the file when the program ends.
func WithFile(log *zap.Logger, path string, level zapcore.Level) (*zap.Logger, io.Closer, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("option log_file: %w", err)
	}
	core := zapcore.NewCore(newEncoder(true), zapcore.Lock(f), level)
	return log.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core { return zapcore.NewTee(c, core) })), f, nil
}

// encoder prints one line an entry.
type encoder struct {
	*zapcore.MapObjectEncoder
	pool  buffer.Pool
	times bool
}

func newEncoder(times bool) zapcore.Encoder {
	return &encoder{MapObjectEncoder: zapcore.NewMapObjectEncoder(), pool: buffer.NewPool(), times: times}
}

// Clone implements zapcore.Encoder.
func (e *encoder) Clone() zapcore.Encoder {
	c := &encoder{MapObjectEncoder: zapcore.NewMapObjectEncoder(), pool: e.pool, times: e.times}
	for k, v := range e.Fields {
		c.Fields[k] = v
	}
	return c
}

// EncodeEntry implements zapcore.Encoder.
func (e *encoder) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	b := e.pool.Get()
	if e.times {
		b.AppendString(entry.Time.UTC().Format("2006-01-02 15:04:05.000 "))
	}
	fmt.Fprintf(b, "[%-8s] %s", word(entry.Level), entry.Message)
	for k, v := range e.Fields {
		fmt.Fprintf(b, " %s=%v", k, v)
	}
	for _, f := range fields {
		m := zapcore.NewMapObjectEncoder()
		f.AddTo(m)
		if v, ok := m.Fields[f.Key]; ok {
			fmt.Fprintf(b, " %s=%s", f.Key, value(v))
		}
	}
	b.AppendByte('\n')
	return b, nil
}

// value prints one field; line breaks and control bytes, which may come from elsewhere, are escaped.
func value(v any) string {
	s := fmt.Sprint(v)
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fmt.Sprintf("%q", s)
	}
	return s
}

func word(l zapcore.Level) string {
	switch l {
	case zapcore.DebugLevel:
		return "DEBUG"
	case zapcore.InfoLevel:
		return "INFO"
	case zapcore.WarnLevel:
		return "WARNING"
	case zapcore.ErrorLevel:
		return "ERROR"
	}
	return "CRITICAL"
}

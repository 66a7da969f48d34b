package proto

import (
	"bytes"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"brine/internal/ordered"
)

// pair makes the two ends of a session by a whole handshake.
func pair(t require.TestingT) (minion, master *Session) {
	mk, err := NewIdentity()
	require.NoError(t, err)
	Mk, err := NewIdentity()
	require.NoError(t, err)
	seal, err := NewSealKey()
	require.NoError(t, err)
	offer, frame, err := NewOffer(mk, Hello{ID: "web1"})
	require.NoError(t, err)
	hello, err := ParseHello(frame)
	require.NoError(t, err)
	welcome, master, err := seal.Answer(Mk, hello, Welcome{Verdict: Accepted})
	require.NoError(t, err)
	w, minion, err := offer.Finish(welcome, Mk.Public())
	require.NoError(t, err)
	require.Equal(t, Accepted, w.Verdict)
	require.Equal(t, master.Challenge, minion.Challenge)
	return minion, master
}

func TestSessionCarriesMessagesBothWays(t *testing.T) {
	t.Parallel()
	minion, master := pair(t)
	body, err := Encode(Job{JID: "20310504101112345678", Fun: "test.ping", Arg: []any{int64(1), ordered.Pairs("__kwarg__", true, "b", 2, "a", 1)}})
	require.NoError(t, err)
	frame, err := master.Seal(Envelope{Type: TypeJob, Body: body, JID: "20310504101112345678"})
	require.NoError(t, err)
	assert.NotContains(t, string(frame), "test.ping")
	e, err := minion.Open(frame, time.Now())
	require.NoError(t, err)
	assert.Equal(t, "web1", e.Aud)
	var job Job
	require.NoError(t, Decode(e.Body, &job))
	kw, ok := job.Arg[1].(*ordered.Map)
	require.True(t, ok)
	assert.Equal(t, []any{"__kwarg__", "b", "a"}, kw.Keys())

	back, err := minion.Seal(Envelope{Type: TypeRet, Body: body})
	require.NoError(t, err)
	_, err = master.Open(back, time.Now())
	require.NoError(t, err)
}

func TestSessionRefuses(t *testing.T) {
	t.Parallel()
	minion, master := pair(t)
	otherMinion, _ := pair(t)
	now := time.Now()
	frame, err := master.Seal(Envelope{Type: TypeJob, Body: []byte{0xc0}, Expires: now.Add(time.Minute).UnixMilli()})
	require.NoError(t, err)

	_, err = minion.Open(frame, now)
	require.NoError(t, err)
	_, err = minion.Open(frame, now)
	require.ErrorIs(t, err, ErrReplay)
	_, err = otherMinion.Open(frame, now)
	require.ErrorIs(t, err, ErrBadFrame)
	_, err = master.Open(frame, now)
	require.ErrorIs(t, err, ErrBadFrame, "a message must not be reflected to its sender")

	late, err := master.Seal(Envelope{Type: TypeJob, Body: []byte{0xc0}, Expires: now.UnixMilli()})
	require.NoError(t, err)
	_, err = minion.Open(late, now.Add(time.Second))
	require.ErrorIs(t, err, ErrExpired)

	fresh, err := master.Seal(Envelope{Type: TypeJob, Body: []byte{0xc0}})
	require.NoError(t, err)
	for i := range fresh {
		bad := bytes.Clone(fresh)
		bad[i] ^= 1
		_, err := minion.Open(bad, now)
		require.Error(t, err, "byte %d changed", i)
	}
	for n := range fresh {
		_, err := minion.Open(fresh[:n], now)
		require.ErrorIs(t, err, ErrBadFrame)
	}
	_, err = minion.Open(fresh, now)
	require.NoError(t, err, "what was refused must not use the number up")
}

func TestHandshakeRefuses(t *testing.T) {
	t.Parallel()
	mk, _ := NewIdentity()
	Mk, _ := NewIdentity()
	evil, _ := NewIdentity()
	seal, _ := NewSealKey()
	offer, frame, err := NewOffer(mk, Hello{ID: "web1"})
	require.NoError(t, err)
	hello, err := ParseHello(frame)
	require.NoError(t, err)

	forged, _, err := seal.Answer(evil, hello, Welcome{Verdict: Accepted})
	require.NoError(t, err)
	_, _, err = offer.Finish(forged, Mk.Public())
	require.ErrorIs(t, err, ErrBadFrame, "another master's signature")

	offer2, frame2, _ := NewOffer(mk, Hello{ID: "web1"})
	hello2, _ := ParseHello(frame2)
	toOther, _, _ := seal.Answer(Mk, hello2, Welcome{Verdict: Accepted})
	_, _, err = offer.Finish(toOther, Mk.Public())
	require.ErrorIs(t, err, ErrBadFrame, "the answer to another hello")
	_, _, err = offer2.Finish(toOther, Mk.Public())
	require.NoError(t, err)

	// A minion's signature never passes for a master's, even over the same bytes.
	asMaster := bytes.Replace(frame, []byte(purposeHello), []byte("master hello"), 1)
	_, err = ParseHello(asMaster)
	require.Error(t, err)
	n, err := SignNotice(mk, Notice{What: "hello"})
	require.NoError(t, err)
	_, err = ParseNotice(n, Mk.Public())
	require.ErrorIs(t, err, ErrBadFrame)
	_, err = ParseNotice(n, nil)
	require.ErrorIs(t, err, ErrBadFrame, "no pinned key must not mean any key")

	for _, id := range []string{"../x", "#", "+/a", "", ".", "..", "a b", strings.Repeat("a", 65), "é", "a\x00"} {
		_, f, err := NewOffer(mk, Hello{ID: id})
		require.NoError(t, err)
		_, err = ParseHello(f)
		require.ErrorIs(t, err, ErrBadFrame, "%q", id)
	}
}

func TestWindowProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var s Session
		seen := map[uint64]bool{}
		top := uint64(0)
		for _, n := range rapid.SliceOfN(rapid.Uint64Range(0, 3000), 1, 200).Draw(t, "seqs") {
			want := n > 0 && !seen[n] && (n > top || top-n < windowWords*64)
			if got := s.first(n); got != want {
				t.Fatalf("first(%d) = %v, want %v (top %d)", n, got, want, top)
			}
			if want {
				seen[n] = true
				top = max(top, n)
			}
		}
	})
}

func TestChunksProperty(t *testing.T) {
	t.Parallel()
	minion, master := pair(t)
	body := bytes.Repeat([]byte("0123456789"), 50_000)
	frames, err := master.SealBody(Envelope{Type: TypeJob, Body: body})
	require.NoError(t, err)
	require.Greater(t, len(frames), 4)
	for _, f := range frames {
		require.LessOrEqual(t, len(f), MaxPacket)
	}
	var a Assembler
	order := []int{3, 0, 5, 2, 1, 4}
	for i, n := range order {
		e, err := minion.Open(frames[n], time.Now())
		require.NoError(t, err)
		whole, err := a.Add(e)
		require.NoError(t, err)
		if i < len(order)-1 {
			require.Nil(t, whole)
			continue
		}
		require.NotNil(t, whole)
		assert.Equal(t, body, []byte(whole.Body))
		assert.Equal(t, TypeJob, whole.Type)
	}
}

func TestAssemblerRefuses(t *testing.T) {
	t.Parallel()
	var a Assembler
	for _, c := range []Chunk{
		{Message: 1, Index: 0, Count: 1 << 30, Size: 1 << 40, Data: []byte("x")},
		{Message: 1, Index: 2, Count: 2, Size: MaxInline + 1, Data: []byte("x")},
		{Message: 1, Index: -1, Count: 1, Size: 1, Data: []byte("x")},
		{Message: 1, Index: 0, Count: 1, Size: 5, Data: []byte("x")},
		{Message: 1, Index: 0, Count: 0, Size: 0},
	} {
		b, err := Encode(c)
		require.NoError(t, err)
		_, err = a.Add(&Envelope{Body: b})
		require.ErrorIs(t, err, errChunk)
	}
	assert.Empty(t, a.parts)
}

func TestCodec(t *testing.T) {
	t.Parallel()
	huge, _ := new(big.Int).SetString("20261123084020367392", 10)
	in := ordered.Pairs("z", []any{int64(1), -5, 1.5, nil, true, "é", huge, int64(1 << 40)}, 3, ordered.Pairs("b", []any{}, "a", ordered.New(0)))
	b, err := Encode(in)
	require.NoError(t, err)
	out, err := DecodeAny(b)
	require.NoError(t, err)
	assert.True(t, ordered.Equal(ordered.Of(in), out), "%v", out)
	assert.Equal(t, []any{"z", int64(3)}, out.(*ordered.Map).Keys())

	deep := bytes.Repeat([]byte{0x91}, 1<<20)
	_, err = DecodeAny(append(deep, 0xc0))
	require.ErrorContains(t, err, "nested deeper")
	for _, bad := range [][]byte{{0xdf, 0xff, 0xff, 0xff, 0xff}, {0xdd, 0xff, 0xff, 0xff, 0xff}, {0xc6, 0xff, 0xff, 0xff, 0xff}, {0xc1}, {0x91}, {0xc0, 0xc0}, {0x81, 0x90, 0x01}} {
		_, err := DecodeAny(bad)
		require.Error(t, err, "% x", bad)
	}
}

func TestJIDs(t *testing.T) {
	t.Parallel()
	at := time.Date(2031, 5, 4, 10, 11, 12, 345678999, time.UTC)
	j := JIDs{Now: func() time.Time { return at }}
	assert.Equal(t, "20310504101112345678", j.Next())
	assert.Equal(t, "20310504101112345679", j.Next())
	at = at.Add(-time.Hour)
	assert.Equal(t, "20310504101112345680", j.Next(), "a clock that goes back must not repeat an id")
	assert.Equal(t, "2031, May 04 10:11:12.345678", StartTime("20310504101112345678"))
	assert.True(t, IsJID("20310504101112345678"))
	for _, bad := range []string{"", "req", "2031", "20311304101112345678", "2031050410111234567x"} {
		assert.False(t, IsJID(bad), bad)
	}
}

func TestTopics(t *testing.T) {
	t.Parallel()
	tp := Topics{Prefix: "brine"}
	kind, id, ok := tp.Parse(tp.Up("web1"))
	assert.True(t, ok)
	assert.Equal(t, KindUp, kind)
	assert.Equal(t, "web1", id)
	for _, bad := range []string{"brine/u/99/web1", "brine/u/web1", "brine/d/+", "brine/d/#", "brine/d/a/b", "x/d/a", "brine/s/..", "brine", "brine/d/"} {
		_, _, ok := tp.Parse(bad)
		assert.False(t, ok, bad)
	}
	require.NoError(t, CheckPrefix("site/a"))
	for _, bad := range []string{"", "a/b/c", "$SYS", "a/", "+"} {
		require.Error(t, CheckPrefix(bad), bad)
	}
}

func TestIdentityFiles(t *testing.T) {
	t.Parallel()
	k, err := NewIdentity()
	require.NoError(t, err)
	text, err := k.PrivatePEM()
	require.NoError(t, err)
	again, err := ParseIdentity(text)
	require.NoError(t, err)
	assert.Equal(t, k.Public(), again.Public())
	pub, err := ParsePublic(PublicPEM(k.Public()))
	require.NoError(t, err)
	assert.Equal(t, k.Public(), pub)
	f := Finger(k.Public())
	assert.Len(t, f, 95)
	assert.True(t, SameFinger(f, strings.ToUpper(strings.ReplaceAll(f, ":", ""))))
	assert.False(t, SameFinger("", ""))
}

func FuzzDecode(f *testing.F) {
	b, _ := Encode(ordered.Pairs("a", []any{1, "x"}))
	f.Add(b)
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = DecodeAny(data)
		var j Job
		_ = Decode(data, &j)
		var r Return
		_ = Decode(data, &r)
	})
}

func FuzzFrames(f *testing.F) {
	k, _ := NewIdentity()
	_, frame, _ := NewOffer(k, Hello{ID: "web1"})
	f.Add(frame)
	minion, _ := pair(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = ParseHello(data)
		_, _ = ParseNotice(data, k.Public())
		if _, err := minion.Open(data, time.Now()); err == nil {
			t.Fatal("a made-up frame was opened")
		}
	})
}

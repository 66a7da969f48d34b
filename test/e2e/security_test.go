package e2e

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/proto"
	"brine/test/testbed"
	"brine/transport"
	"brine/transport/mqtt"
)

var topics = proto.Topics{Prefix: "brine"}

// attacker is a client that speaks the protocol by hand. It has keys of its own and sends whatever it likes.
type attacker struct {
	t    *testing.T
	b    *testbed.Bed
	id   string
	key  *proto.Identity
	conn *mqtt.Conn
	in   chan transport.Message
	up   chan struct{}
	down chan error
}

// dial connects as id with the attacker's own key. Outside brokers let anybody in; the embedded one checks.
func dial(t *testing.T, b *testbed.Bed, id string, key *proto.Identity) *attacker {
	t.Helper()
	a := &attacker{t: t, b: b, id: id, key: key, in: make(chan transport.Message, 100), up: make(chan struct{}, 10), down: make(chan error, 100)}
	conn, err := mqtt.New(mqtt.Config{
		URL: "mqtt://127.0.0.1:" + strconv.Itoa(b.Port), ClientID: id, MinDelay: 20 * time.Millisecond, MaxDelay: 50 * time.Millisecond,
		Login: func() (string, string, error) { p, err := proto.NewLogin(key, id); return id, p, err },
	}, transport.Handlers{
		Filters: []string{topics.Down(id)}, Message: func(m transport.Message) { a.in <- m },
		Up:   func() { a.up <- struct{}{} },
		Down: func(err error) { a.down <- err },
	})
	require.NoError(t, err)
	a.conn = conn
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = conn.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return a
}

func (a *attacker) connected() *attacker {
	a.t.Helper()
	select {
	case <-a.up:
	case <-time.After(10 * time.Second):
		a.t.Fatal("no connection")
	}
	return a
}

func (a *attacker) publish(topic string, payload []byte) {
	a.t.Helper()
	require.NoError(a.t, a.conn.Publish(a.t.Context(), transport.Message{Topic: topic, Payload: payload}))
}

// shake does a handshake and returns the session, nil unless the key is accepted.
func (a *attacker) shake() (*proto.Session, proto.Verdict) {
	a.t.Helper()
	offer, frame, err := proto.NewOffer(a.key, proto.Hello{ID: a.id, Epoch: time.Now().UnixMilli()})
	require.NoError(a.t, err)
	a.publish(topics.Up(a.id), frame)
	for {
		select {
		case m := <-a.in:
			if proto.IsSealed(m.Payload) {
				continue
			}
			w, s, err := offer.Finish(m.Payload, nil)
			if err != nil {
				continue // the answer to a hello before this one: an accepted key is told at once
			}
			return s, w.Verdict
		case <-time.After(10 * time.Second):
			a.t.Fatal("the master does not answer")
		}
	}
}

// online ends the handshake.
func (a *attacker) online(s *proto.Session) {
	a.t.Helper()
	a.publish(topics.Up(a.id), a.seal(s, proto.TypeReady, proto.Ready{Challenge: s.Challenge, Version: "x", Start: true, Grains: ordered.Pairs("id", a.id)}))
	a.b.WaitOnline(a.id)
}

func (a *attacker) seal(s *proto.Session, typ proto.Type, body any) []byte {
	a.t.Helper()
	b, err := proto.Encode(body)
	require.NoError(a.t, err)
	f, err := s.Seal(proto.Envelope{Type: typ, Body: b})
	require.NoError(a.t, err)
	return f
}

func newKey(t *testing.T) *proto.Identity {
	t.Helper()
	k, err := proto.NewIdentity()
	require.NoError(t, err)
	return k
}

// refused reads the master's counter of messages that it did not trust, for one reason.
func refused(t *testing.T, addr, reason string) int {
	t.Helper()
	resp, err := http.Get("http://" + addr + "/metrics")
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	m := regexp.MustCompile(`brine_messages_refused_total\{reason="` + reason + `"\} (\d+)`).FindSubmatch(text)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(string(m[1]))
	require.NoError(t, err)
	return n
}

// TestForgeries sends what a thief of the broker, or another minion, could send: everything is refused and counted,
// nothing changes, and both sides go on serving.
func TestForgeries(t *testing.T) {
	t.Parallel()
	for _, broker := range brokers() {
		t.Run(broker, func(t *testing.T) {
			t.Parallel()
			metrics := "127.0.0.1:" + strconv.Itoa(testbed.FreePort(t))
			o := testbed.Options{Minions: []string{"good"}, Master: ordered.Pairs("metrics_listen", metrics)}
			if broker != "embedded" {
				o.Broker = broker
			}
			b := testbed.New(t, o)
			key := newKey(t)
			a := dial(t, b, "evil", key).connected()
			session, verdict := a.shake()
			require.Equal(t, proto.Accepted, verdict)
			a.online(session)
			up := topics.Up("evil")

			count := func(reason string, send func()) {
				t.Helper()
				before := refused(t, metrics, reason)
				send()
				b.Eventually(10*time.Second, "the refusal is counted as "+reason, func() bool { return refused(t, metrics, reason) > before })
			}
			ret := proto.Return{ID: "good", JID: "20310504101112345678", Fun: "test.ping", Success: true, Status: proto.Succeeded}
			require.NoError(t, ret.SetValue(true))
			count("impersonation", func() { a.publish(up, a.seal(session, proto.TypeRet, ret)) })
			own := ret
			own.ID = "evil"
			jid := publish(t, b, "test.ping")
			own.JID = jid
			frame := a.seal(session, proto.TypeRet, own)
			a.publish(up, frame)
			settled(t, b, jid, 2)
			count("replay", func() { a.publish(up, frame) })
			count("expired", func() {
				body, _ := proto.Encode(own)
				f, err := session.Seal(proto.Envelope{Type: proto.TypeRet, Body: body, Expires: time.Now().Add(-time.Hour).UnixMilli()})
				require.NoError(t, err)
				a.publish(up, f)
			})
			count("frame", func() {
				bad := a.seal(session, proto.TypeRet, own)
				bad[len(bad)-1] ^= 1
				a.publish(up, bad)
			})
			count("session", func() { a.publish(up, append([]byte{proto.Version, 'b'}, make([]byte, 60)...)) })
			count("frame", func() { a.publish(up, []byte("garbage")) })
			count("frame", func() { // somebody else's signature on our hello
				_, f, err := proto.NewOffer(newKey(t), proto.Hello{ID: "evil"})
				require.NoError(t, err)
				f[len(f)-3] ^= 1
				a.publish(up, f)
			})
			count("impersonation", func() { // a hello of another id on our topic
				_, f, err := proto.NewOffer(key, proto.Hello{ID: "good"})
				require.NoError(t, err)
				a.publish(up, f)
			})
			if broker != "embedded" { // the embedded broker does not even carry these
				count("session", func() { a.publish(topics.Up("good"), frame) })
				count("frame", func() { a.publish(topics.State("good"), []byte("x")) })
				before := refused(t, metrics, "topic")
				a.publish("brine/u/99/good", frame)
				b.Eventually(10*time.Second, "the wrong shard is refused", func() bool { return refused(t, metrics, "topic") > before })
				forgeJob(t, b, a)
			}
			big := make([]byte, proto.MaxPacket+10)
			if broker != "embedded" {
				count("size", func() { a.publish(up, big) })
			}
			out, stderr, code := b.CLI("--out=json", "--static", "good", "test.ping")
			assert.Equal(t, 0, code, stderr)
			assert.JSONEq(t, `{"good": true}`, out)
		})
	}
}

// forgeJob sends jobs to a minion in the master's name.
func forgeJob(t *testing.T, b *testbed.Bed, a *attacker) {
	t.Helper()
	mark := b.Dir + "/forged"
	body, err := proto.Encode(proto.Job{JID: "20310504101112345679", Fun: "cmd.run", Arg: []any{"touch " + mark}})
	require.NoError(t, err)
	evil := newKey(t)
	seal, err := proto.NewSealKey()
	require.NoError(t, err)
	_, hello, err := proto.NewOffer(evil, proto.Hello{ID: "good"})
	require.NoError(t, err)
	h, err := proto.ParseHello(hello)
	require.NoError(t, err)
	welcome, session, err := seal.Answer(evil, h, proto.Welcome{Verdict: proto.Accepted})
	require.NoError(t, err)
	job, err := session.Seal(proto.Envelope{Type: proto.TypeJob, Body: body})
	require.NoError(t, err)
	notice, err := proto.SignNotice(evil, proto.Notice{What: "hello", Epoch: time.Now().Add(time.Hour).UnixMilli()})
	require.NoError(t, err)
	for _, f := range [][]byte{welcome, job, body, []byte("junk"), append([]byte{proto.Version, 's'}, body...)} {
		a.publish(topics.Down("good"), f)
	}
	a.publish(topics.All(), notice)
	b.Eventually(10*time.Second, "the minion has refused them", func() bool { return strings.Count(b.Minions["good"].Log(), "message refused") >= 5 })
	assert.Empty(t, lines(t, mark))
}

// TestKeys: a key that is not accepted gets no session; a second key for an id is denied; a revoked one is cut off.
func TestKeys(t *testing.T) {
	t.Parallel()
	b := testbed.New(t, testbed.Options{Manual: true})
	key := newKey(t)
	a := dial(t, b, "web1", key).connected()
	_, verdict := a.shake()
	assert.Equal(t, proto.Pending, verdict)
	out, _, _ := b.CLI("key", "--out=json", "-L")
	assert.Contains(t, out, `"minions_pre": [`+"\n"+`        "web1"`)
	out, _, code := b.CLI("web1", "test.ping")
	assert.Equal(t, 2, code, out)

	_, _, code = b.CLI("key", "-y", "-a", "web1")
	require.Equal(t, 0, code)
	session, verdict := a.shake()
	require.Equal(t, proto.Accepted, verdict)
	a.online(session)

	thief := dial(t, b, "web1", newKey(t)) // the embedded broker must not let it take the connection over
	select {
	case err := <-thief.down:
		require.ErrorIs(t, err, transport.ErrRefused)
	case <-time.After(10 * time.Second):
		t.Fatal("the second key was not refused")
	}
	b.WaitOnline("web1")

	b.CLI("key", "-y", "-d", "web1")
	select {
	case <-a.down:
	case <-time.After(10 * time.Second):
		t.Fatal("a revoked minion must be cut off")
	}
	out, _, code = b.CLI("web1", "test.ping")
	assert.Equal(t, 2, code, out)
	for _, id := range []string{"../x", "#", "+/a"} {
		x := dial(t, b, id, newKey(t))
		select {
		case err := <-x.down:
			require.ErrorIs(t, err, transport.ErrRefused, id)
		case <-time.After(10 * time.Second):
			t.Fatalf("%s was not refused", id)
		}
	}
}

// TestRevokingOneIsSilentForTheOthers counts every message to the other minions while one key is deleted.
func TestRevokingOneIsSilentForTheOthers(t *testing.T) {
	t.Parallel()
	b := testbed.New(t, testbed.Options{Minions: []string{"victim"}})
	var others []*attacker
	for _, id := range []string{"o1", "o2", "o3", "o4"} {
		a := dial(t, b, id, newKey(t)).connected()
		s, verdict := a.shake()
		require.Equal(t, proto.Accepted, verdict)
		a.online(s)
		others = append(others, a)
	}
	time.Sleep(1500 * time.Millisecond) // confirmations and acknowledgements of the handshakes
	for _, a := range others {
		for len(a.in) > 0 {
			<-a.in
		}
	}
	out, stderr, code := b.CLI("key", "-y", "-d", "victim")
	require.Equal(t, 0, code, out+stderr)
	b.Eventually(10*time.Second, "the victim is gone", func() bool {
		v, err := b.Runner("manage.present")
		return err == nil && len(v.([]any)) == 4
	})
	time.Sleep(1500 * time.Millisecond)
	for _, a := range others {
		assert.Empty(t, a.in, "%s got a message", a.id)
		assert.Empty(t, a.down)
	}
}

package broker

import (
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"brine/proto"
)

// hook enforces who may connect and which topics each client may use.
type hook struct {
	mqtt.HookBase
	b *Broker
}

func (h *hook) ID() string { return "brine" }

func (h *hook) Provides(b byte) bool {
	switch b {
	case mqtt.OnConnect, mqtt.OnConnectAuthenticate, mqtt.OnACLCheck, mqtt.OnPublishDropped:
		return true
	}
	return false
}

// OnConnect caps the keep-alive, so that a client that is gone is noticed; 0 would mean never.
func (h *hook) OnConnect(cl *mqtt.Client, _ packets.Packet) error {
	limit := uint16(min(h.b.o.MaxKeepAlive/time.Second, 65535))
	if cl.State.Keepalive == 0 || cl.State.Keepalive > limit {
		cl.State.Keepalive = limit
	}
	return nil
}

// OnConnectAuthenticate lets a client in under its own id only, and with a will for its own presence only.
func (h *hook) OnConnectAuthenticate(cl *mqtt.Client, pk packets.Packet) bool {
	id := cl.ID
	ok := proto.CheckID(id) == nil && string(pk.Connect.Username) == id && pk.Connect.Clean
	if ok && cl.Properties.Will.Flag == 1 {
		ok = cl.Properties.Will.TopicName == h.b.o.Topics.State(id)
	}
	if ok && h.b.o.Login != nil {
		ok = h.b.o.Login(id, string(pk.Connect.Username), pk.Connect.Password) == nil
	}
	if !ok {
		h.b.refused.Add(1)
	}
	return ok
}

// OnACLCheck holds a client to the topics of its id: it may hear its own and the notices, and speak on its own.
func (h *hook) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	t := h.b.o.Topics
	var ok bool
	if write {
		ok = topic == t.Up(cl.ID) || topic == t.State(cl.ID)
	} else {
		ok = topic == t.Down(cl.ID) || topic == t.All()
	}
	if !ok {
		h.b.denied.Add(1)
	}
	return ok
}

// OnPublishDropped counts messages for clients whose queue was full.
func (h *hook) OnPublishDropped(*mqtt.Client, packets.Packet) { h.b.dropped.Add(1) }

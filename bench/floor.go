package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"brine/proto"
	"brine/transport"
	"brine/transport/broker"
	"brine/transport/mqtt"
)

var topics = proto.Topics{Prefix: proto.DefaultPrefix}

// payload is about as long as a sealed job or return.
const payload = 300

// floorBroker is the embedded broker and a publisher without anything of ours: on each line "go N" of standard input it
// publishes one plain message to each of N clients and prints the microseconds until the last has answered.
func floorBroker(ctx context.Context) error {
	b, err := broker.New(broker.Options{Listeners: []broker.Listener{{Addr: "127.0.0.1:0"}}, Topics: topics})
	if err != nil {
		return err
	}
	var got atomic.Int64
	var want atomic.Int64
	done := make(chan struct{}, 1)
	conn := b.Conn(transport.Handlers{Filters: []string{topics.AllUp()}, Message: func(transport.Message) {
		if got.Add(1) == want.Load() {
			done <- struct{}{}
		}
	}})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { _ = b.Run(ctx) }()
	go func() { _ = conn.Run(ctx) }()
	_, port, _ := net.SplitHostPort(b.Addrs()[0])
	fmt.Println("port", port)
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		word, rest, _ := strings.Cut(in.Text(), " ")
		switch word {
		case "clients":
			fmt.Println(b.Stats().Connected)
		case "go":
			n := atoi(rest)
			got.Store(0)
			want.Store(int64(n))
			begin := time.Now()
			for i := range n {
				if err := conn.Publish(ctx, transport.Message{Topic: topics.Down(name(i)), Payload: make([]byte, payload)}); err != nil {
					return err
				}
			}
			select {
			case <-done:
				fmt.Println(time.Since(begin).Microseconds())
			case <-time.After(time.Minute):
				fmt.Println(-1)
			}
		}
	}
	return nil
}

func name(i int) string { return fmt.Sprintf("m%05d", i) }

// echoClients are plain paho clients that answer each message with one as long. arg is "port,count".
func echoClients(ctx context.Context, arg string) error {
	port, count, _ := strings.Cut(arg, ",")
	var wg sync.WaitGroup
	slots := make(chan struct{}, 200)
	for i := range atoi(count) {
		id := name(i)
		var conn *mqtt.Conn
		var once sync.Once
		up := topics.Up(id)
		conn, err := mqtt.New(mqtt.Config{
			URL: "mqtt://127.0.0.1:" + port, ClientID: id, KeepAlive: 5 * time.Minute, Login: func() (string, string, error) { return id, "x", nil },
		}, transport.Handlers{
			Filters: []string{topics.Down(id)},
			Message: func(m transport.Message) { _ = conn.Publish(ctx, transport.Message{Topic: up, Payload: m.Payload}) },
			Up:      func() { once.Do(func() { <-slots }) },
		})
		if err != nil {
			return err
		}
		slots <- struct{}{}
		wg.Go(func() { _ = conn.Run(ctx) })
	}
	wg.Wait()
	return nil
}

// Package transport is the contract between us and whatever carries messages: an MQTT broker over a socket
// (transport/mqtt), the broker inside the master (transport/broker), or channels in a test (transport/mem).
//
// A transport only carries. It promises neither delivery nor order, may repeat a message, and is not trusted: what is
// delivered, proven and done once is decided by proto and by the master's and minion's own journals.
package transport

import (
	"context"
	"errors"
)

// Message is one publication.
type Message struct {
	Topic   string
	Payload []byte
	// Retained is set when the message was kept by the broker and not just published.
	Retained bool
}

// Conn is one client's connection. Run keeps it up until its context ends.
type Conn interface {
	// Publish hands a message over. An error says that it has certainly not left; no error says nothing about arrival.
	Publish(ctx context.Context, m Message) error
	// Run connects, subscribes, and connects again whenever the connection ends. It returns ctx's error.
	Run(ctx context.Context) error
	// Reset ends the present connection, so that Run makes a new one at once.
	Reset()
}

// Handlers are what a client does with its connection. They run on the reader of the connection: they must be quick and
// must not wait for the connection.
type Handlers struct {
	// Filters are subscribed to at each connect.
	Filters []string
	Message func(Message)
	// Up runs after each connect, when the subscriptions are in force.
	Up func()
	// Down runs when a connection has ended or could not be made.
	Down func(error)
	// Will is the message that the broker publishes when the connection breaks; nil for none. Asked at each connect.
	Will func() (Message, error)
}

// Errors of Publish and of the error given to Down.
var (
	ErrDown     = errors.New("not connected to the broker")
	ErrRefused  = errors.New("the broker refused the login")
	ErrTooLarge = errors.New("the message is larger than the broker takes")
)

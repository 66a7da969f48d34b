package proto

import (
	"fmt"
	"hash/fnv"
	"regexp"
	"strconv"
	"strings"
)

// Shards is the number of topics over which the answers of a fleet are spread, so that several masters can share them.
const Shards = 64

var idPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// CheckID refuses ids that could mean something else in a topic, a path or a pattern.
func CheckID(id string) error {
	if !idPattern.MatchString(id) || id == "." || id == ".." {
		return fmt.Errorf("minion id %q: use 1 to 64 of the characters A-Z a-z 0-9 . _ - and not only dots", id)
	}
	return nil
}

// Topics makes the topic names under one prefix. Levels: prefix, kind, id; at most five, none begins with $.
type Topics struct{ Prefix string }

// DefaultPrefix is the first level of every topic unless configured.
const DefaultPrefix = "brine"

// CheckPrefix refuses a prefix that would make topics too deep or ambiguous.
func CheckPrefix(prefix string) error {
	parts := strings.Split(prefix, "/")
	if len(parts) > 2 {
		return fmt.Errorf("topic prefix %q: at most two levels", prefix)
	}
	for _, p := range parts {
		if CheckID(p) != nil {
			return fmt.Errorf("topic prefix %q: each level must be 1 to 64 of the characters A-Z a-z 0-9 . _ -", prefix)
		}
	}
	return nil
}

// Down carries messages to a minion.
func (t Topics) Down(id string) string { return t.Prefix + "/d/" + id }

// Up carries messages from a minion.
func (t Topics) Up(id string) string {
	return t.Prefix + "/u/" + strconv.Itoa(Shard(id)) + "/" + id
}

// State carries the retained presence of a minion and its last will.
func (t Topics) State(id string) string { return t.Prefix + "/s/" + id }

// All carries small signed notices from the master to everyone.
func (t Topics) All() string { return t.Prefix + "/all" }

// AllUp and AllStates are the filters that a master subscribes to.
func (t Topics) AllUp() string { return t.Prefix + "/u/+/+" }

// AllStates is the filter for the presence of every minion.
func (t Topics) AllStates() string { return t.Prefix + "/s/+" }

// Shard is the shard of an id: FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/) modulo Shards.
func Shard(id string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	return int(h.Sum32() % Shards)
}

// Kind tells what a topic is for.
type Kind string

// The kinds of topics.
const (
	KindDown  Kind = "d"
	KindUp    Kind = "u"
	KindState Kind = "s"
	KindAll   Kind = "all"
)

// Parse tells kind and id of a topic under the prefix; ok is false for any other topic, also for one that speaks for an
// id on the wrong shard.
func (t Topics) Parse(topic string) (kind Kind, id string, ok bool) {
	rest, found := strings.CutPrefix(topic, t.Prefix+"/")
	if !found {
		return "", "", false
	}
	parts := strings.Split(rest, "/")
	switch {
	case len(parts) == 1 && parts[0] == "all":
		return KindAll, "", true
	case len(parts) == 2 && (parts[0] == "d" || parts[0] == "s"):
		return Kind(parts[0]), parts[1], CheckID(parts[1]) == nil
	case len(parts) == 3 && parts[0] == "u":
		id = parts[2]
		return KindUp, id, CheckID(id) == nil && parts[1] == strconv.Itoa(Shard(id))
	}
	return "", "", false
}

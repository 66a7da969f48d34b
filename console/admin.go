package console

import (
	"fmt"
	"strconv"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// wheel runs a wheel function and gives its value.
func (c *Console) wheel(r *request, fun string, kv ...any) (*ordered.Map, error) {
	m, err := c.table(r, "wheel", fun, kv...)
	if err != nil {
		return nil, err
	}
	data := m.Map("data")
	if data.Value("success") == false {
		return nil, fmt.Errorf("%s", pyfmt.Str(data.Value("return")))
	}
	return data.Map("return"), nil
}

func (c *Console) keyList(r *request) (*ordered.Map, error) { return c.wheel(r, "key.list_all") }

type keyRow struct{ ID, State, Finger string }

func (c *Console) keys(r *request) error {
	m, err := c.keyList(r)
	if err != nil {
		return err
	}
	fingers, err := c.wheel(r, "key.finger", "match", "*")
	if err != nil {
		return err
	}
	var rows []keyRow
	for _, k := range []struct{ list, state string }{{"minions_pre", "pending"}, {"minions_denied", "denied"}, {"minions_rejected", "rejected"}, {"minions", "accepted"}} {
		for _, id := range m.List(k.list) {
			rows = append(rows, keyRow{pyfmt.Str(id), k.state, fingers.Map(k.list).String(id)})
		}
	}
	return c.show(r, "keys", "Keys", rows)
}

func (c *Console) changeKeys(r *request) error {
	action, id := r.PostFormValue("action"), r.PostFormValue("id")
	said, ok := map[string]string{"accept": "accepted", "reject": "rejected", "delete": "deleted"}[action]
	if !ok || id == "" {
		return fmt.Errorf("there is no action %q", action)
	}
	if _, err := c.wheel(r, "key."+action+"_dict", "match", ordered.Pairs(r.PostFormValue("list"), []any{id})); err != nil {
		return err
	}
	return c.back(r, "keys", "The key of "+id+" is "+said+".")
}

func (c *Console) users(r *request) error {
	list, err := c.maps(r, "runner", "user.list")
	if err != nil {
		return err
	}
	return c.show(r, "users", "Users", list)
}

func (c *Console) changeUsers(r *request) error {
	name := r.PostFormValue("name")
	said := ""
	var v any
	var err error
	switch action := r.PostFormValue("action"); action {
	case "add":
		v, err = c.low(r, "runner", "user.add", "name", name, "password", r.PostFormValue("password"), "role", r.PostFormValue("role"))
		said = "The user " + name + " can log in."
	case "delete":
		if name == r.user.Name {
			return fmt.Errorf("you cannot remove yourself")
		}
		v, err = c.low(r, "runner", "user.delete", "name", name)
		said = "The user " + name + " is removed, and its sessions have ended."
	default:
		err = fmt.Errorf("there is no action %q", action)
	}
	if err == nil && v != true {
		err = fmt.Errorf("%s", pyfmt.Str(v))
	}
	if err != nil {
		return err
	}
	return c.back(r, "users", said)
}

type auditPage struct {
	Rows  []*ordered.Map
	Older string
}

func (c *Console) audit(r *request) error {
	list, err := c.maps(r, "runner", "audit.list", "before", r.FormValue("before"), "limit", int64(pageSize))
	if err != nil {
		return err
	}
	p := auditPage{Rows: list}
	if len(list) == pageSize {
		p.Older = "audit?before=" + strconv.Quote(list[pageSize-1].String("key"))
	}
	return c.show(r, "audit", "Audit", p)
}

// Package update installs releases on this device: it fetches what a release pins, checks it, runs its states and says
// how it went. What happens when is decided in package release.
package update

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/traverse"
	"brine/modules"
	"brine/proto"
	"brine/release"
)

// Caller asks the master.
type Caller interface {
	Call(ctx context.Context, what string, args, out any) error
}

// Sender takes events that their sender may repeat.
type Sender interface {
	SendOnce(ctx context.Context, key, tag string, data *ordered.Map) error
}

// Service updates this device.
type Service struct {
	Journal *release.Journal
	Lock    *release.Lock
	Events  Sender
	// Master is nil on a minion that works without one.
	Master Caller
	// Key is the configured release key, as PEM; "" trusts the first one, and pins it.
	Key string
	// Limit is the configured limit of attempts.
	Limit int
	// Done is told of each change of the record; nil: nobody is.
	Done func()
}

// Recover ends an attempt that was cut off. Call it at the start, before anything else.
func (s *Service) Recover(ctx context.Context) error {
	return (&release.Updater{Journal: s.Journal, Lock: s.Lock, Device: &device{Service: s}}).Recover(ctx)
}

// Record is what is known of this device's release.
func (s *Service) Record() release.Record { return s.Journal.Get().Record }

// Update does what minionutil.update_release is asked for, in a job.
func (s *Service) Update(ctx context.Context, env *modules.Env, o release.Options) (*release.Result, error) {
	data, err := env.Pillar.Compile(ctx, "", nil)
	if err != nil {
		return nil, fmt.Errorf("the pillar, which names the release, cannot be had: %w", err)
	}
	if errs := data.List("_errors"); len(errs) > 0 {
		return nil, modules.Errorf("the pillar has errors, so the release is not known: %s", pyfmt.Str(errs))
	}
	text := func(path string) string {
		v, _ := traverse.Get(data, path, ":")
		t, _ := v.(string)
		return t
	}
	if o.Limit = s.Limit; o.Limit == 0 {
		o.Limit = release.DefaultLimit
	}
	who := release.Holder{Fun: "minionutil.update_release"}
	if env.Job != nil {
		who.JID = env.Job.JID
	}
	if s.Done != nil {
		defer s.Done()
	}
	u := &release.Updater{Journal: s.Journal, Lock: s.Lock, Device: &device{Service: s, env: env, pillar: data}}
	return u.Update(ctx, release.Target{ID: text("latest_release_id"), Version: text("minion:latest_release_version")}, o, who)
}

// device does the steps of one update.
type device struct {
	*Service
	env    *modules.Env
	pillar *ordered.Map
}

var _ release.Device = (*device)(nil)

// Prepare implements release.Device.
func (d *device) Prepare(ctx context.Context, t release.Target, f release.File) (*release.Plan, *ordered.Map, error) {
	p := &release.Plan{Target: t}
	signed, err := d.manifest(ctx, t.ID)
	if err != nil {
		return nil, nil, err
	}
	key, err := d.trusted(f)
	if err != nil {
		return nil, nil, err
	}
	if signed == nil {
		if key != nil {
			return nil, nil, release.ErrUnsigned
		}
		return p, d.sync(ctx, d.env), nil
	}
	if p.Manifest, err = signed.Open(t.ID, key, f.Sequence); err != nil {
		return nil, nil, err
	}
	if key == nil {
		p.Key = proto.PublicPEM(signed.Public)
	}
	for _, e := range p.Manifest.Files {
		if err := d.fetch(ctx, t.ID, e); err != nil {
			return nil, nil, err
		}
	}
	env := d.pinned(p)
	return p, d.sync(ctx, env), nil
}

// trusted is the release key that counts here: the configured one, else the pinned one, else nil.
func (d *device) trusted(f release.File) (ed25519.PublicKey, error) {
	text := d.Key
	if text == "" {
		text = f.Key
	}
	if text == "" {
		return nil, nil
	}
	key, err := proto.ParsePublic(text)
	if err != nil {
		return nil, fmt.Errorf("option release_key: %w", err)
	}
	return key, nil
}

// manifest asks the master for the manifest of a release; nil when it has none.
func (d *device) manifest(ctx context.Context, id string) (*release.Signed, error) {
	if d.Master == nil {
		return nil, nil
	}
	var s release.Signed
	if err := d.Master.Call(ctx, "release.manifest", id, &s); err != nil {
		return nil, fmt.Errorf("ask for the release: %w", err)
	}
	if len(s.Manifest) == 0 {
		return nil, nil
	}
	return &s, nil
}

// fetch brings one pinned file here and checks it against the manifest.
func (d *device) fetch(ctx context.Context, id string, e release.Entry) error {
	local, err := d.env.Files.Cache(ctx, release.Env(id), e.Path)
	if err != nil {
		return fmt.Errorf("fetch %s: %w", e.Path, err)
	}
	if local == "" {
		return fmt.Errorf("%w: the master has no %s", release.ErrTampered, e.Path)
	}
	sum, err := hash(local)
	if err != nil {
		return err
	}
	if sum != e.SHA256 {
		return fmt.Errorf("%w: %s has other content", release.ErrTampered, e.Path)
	}
	return nil
}

func hash(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// sync fetches user-written modules. A minion that cannot sync has none.
func (d *device) sync(ctx context.Context, env *modules.Env) *ordered.Map {
	v, err := env.Call(ctx, "saltutil.sync_all", modules.Args{})
	if m, ok := v.(*ordered.Map); ok && err == nil {
		return m
	}
	return ordered.New(0)
}

// pinned is the job's environment with the files and the pillar of a release in the place of those that may change.
func (d *device) pinned(p *release.Plan) *modules.Env {
	if p.Manifest == nil {
		return d.env
	}
	env := *d.env
	env.Files = pinnedFiles{env.Files, p.Manifest.Saltenv, release.Env(p.ID)}
	if d.Master != nil {
		env.Pillar = &pinnedPillar{Pillar: env.Pillar, master: d.Master, id: p.ID, now: d.pillar}
	}
	return &env
}

// Apply implements release.Device.
func (d *device) Apply(ctx context.Context, p *release.Plan) (any, error) {
	out, err := d.pinned(p).Call(ctx, "state.highstate", modules.Args{})
	if ctx.Err() != nil {
		return out, context.Cause(ctx)
	}
	return out, err
}

// Check implements release.Device: the SLS files that the pillar names under update_release:health.
func (d *device) Check(ctx context.Context, p *release.Plan) (any, error) {
	v, _ := traverse.Get(d.pillar, "update_release:health", ":")
	if !pyfmt.Truth(v) {
		return nil, nil
	}
	return d.pinned(p).Call(ctx, "state.sls", modules.Pos(v))
}

// Send implements release.Device.
func (d *device) Send(ctx context.Context, key, tag string, data *ordered.Map) error {
	return d.Events.SendOnce(ctx, key, tag, data)
}

// pinnedFiles serves an environment from what a release pinned.
type pinnedFiles struct {
	modules.Files
	saltenv, pin string
}

func (p pinnedFiles) env(saltenv string) string {
	if saltenv == p.saltenv {
		return p.pin
	}
	return saltenv
}

// Envs implements modules.Files.
func (p pinnedFiles) Envs(ctx context.Context) ([]string, error) {
	list, err := p.Files.Envs(ctx)
	var out []string
	seen := false
	for _, e := range list {
		if !strings.HasPrefix(e, "@") {
			out = append(out, e)
			seen = seen || e == p.saltenv
		}
	}
	if !seen {
		out = append(out, p.saltenv)
	}
	return out, err
}

// List implements modules.Files.
func (p pinnedFiles) List(ctx context.Context, saltenv, prefix string) ([]string, error) {
	return p.Files.List(ctx, p.env(saltenv), prefix)
}

// Dirs implements modules.Files.
func (p pinnedFiles) Dirs(ctx context.Context, saltenv, prefix string) ([]string, error) {
	return p.Files.Dirs(ctx, p.env(saltenv), prefix)
}

// Cache implements modules.Files.
func (p pinnedFiles) Cache(ctx context.Context, saltenv, path string) (string, error) {
	return p.Files.Cache(ctx, p.env(saltenv), path)
}

// Hash implements modules.Files.
func (p pinnedFiles) Hash(ctx context.Context, saltenv, path string) (string, error) {
	return p.Files.Hash(ctx, p.env(saltenv), path)
}

// pinnedPillar is compiled from the pillar inputs of a release.
type pinnedPillar struct {
	modules.Pillar
	master Caller
	id     string
	now    *ordered.Map
}

// Items implements modules.Pillar.
func (p *pinnedPillar) Items(context.Context) (*ordered.Map, error) { return p.now, nil }

// Compile implements modules.Pillar.
func (p *pinnedPillar) Compile(ctx context.Context, pillarenv string, override *ordered.Map) (*ordered.Map, error) {
	q := ordered.Pairs("pillarenv", pillarenv, "release", p.id)
	if override.Len() > 0 {
		q.Set("override", override)
	}
	out := ordered.New(0)
	err := p.master.Call(ctx, "pillar", q, out)
	if err == nil {
		p.now = out
	}
	return out, err
}

// Refresh implements modules.Pillar: during a run the pillar stays that of the release.
func (p *pinnedPillar) Refresh(ctx context.Context) error {
	_, err := p.Compile(ctx, "", nil)
	return err
}

// ErrNotThroughMaster is the answer to a call on the device itself.
var ErrNotThroughMaster = errors.New("run this through the master (brine ID minionutil.update_release, or the web terminal): " +
	"called on the device itself it could install a release whose files it cannot fetch. Nothing was done")

// Package grains finds out what this machine is: Salt's core grains, with Salt's names, types and values. It reads
// /proc, /sys and /etc and asks the kernel, and starts no process; names are resolved within a bound, so that a dead DNS
// costs no more than that. The words are Salt's: https://docs.saltproject.io/en/3006/topics/grains/index.html.
package grains

import (
	"context"
	"time"

	"brine/internal/dictupdate"
	"brine/internal/fnmatch"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// Options say what to detect and for whom.
type Options struct {
	// ID and Master are those of the configuration.
	ID, Master string
	// SaltVersion is the version of Salt that others should take us for; Version is our own.
	SaltVersion, Version string
	// Config is the minion's configuration under Salt's option names. Used are enable_fqdns_grains (off by default
	// here), enable_lspci, enable_gpu_grains, append_domain, server_id_use_crc and grains_blacklist.
	Config *ordered.Map
	// Resolve bounds the time for name resolution; zero is half a second.
	Resolve time.Duration
	// Root is a folder that stands for /; "" is the real one.
	Root string
	// Machine is what no folder can tell; nil asks the kernel.
	Machine *Machine
}

const resolveWithin = 500 * time.Millisecond

// Detect returns the grains. It always succeeds: a fact that cannot be had is missing.
func Detect(ctx context.Context, o Options) *ordered.Map {
	if o.Resolve == 0 {
		o.Resolve = resolveWithin
	}
	d := &detector{Options: o, root: root(o.Root), m: o.Machine}
	if d.m == nil {
		d.m = thisMachine()
	}
	out := ordered.New(96)
	// The order counts: later facts build on earlier ones, and replace them.
	for _, part := range []func(context.Context, *ordered.Map){
		d.uname, d.security, d.initSystem, d.distribution, d.cpu, d.gpus, d.deviceTree, d.architecture, d.memory, d.dmi,
		d.virtual, d.release, d.identity, d.locale, d.hostName, d.addresses, d.gateway, d.dns, d.disks, d.firmware,
		d.process, d.software, d.kernelParams,
	} {
		part(ctx, out)
	}
	d.hide(out)
	return out
}

// detector is one detection.
type detector struct {
	Options
	root root
	m    *Machine
	fqdn string
	deaf bool // DNS does not answer
}

// on tells whether an option that is on by default is on.
func (d *detector) on(option string) bool {
	v, ok := d.Config.Get(option)
	return !ok || pyfmt.Truth(v)
}

// hide takes away what the configuration does not want to be known.
func (d *detector) hide(out *ordered.Map) {
	for _, pattern := range d.Config.List("grains_blacklist") {
		for _, k := range out.Keys() {
			if fnmatch.Match(pyfmt.Str(pattern), pyfmt.Str(k)) {
				out.Delete(k)
			}
		}
	}
}

// Merge lays the grains file over the detected grains, and the configured ones over both. With deep (Salt's
// grains_deep_merge) maps are merged instead of replaced.
func Merge(detected, file, configured *ordered.Map, deep bool) *ordered.Map {
	if !deep {
		out := detected.Clone()
		out.Update(file)
		out.Update(configured)
		return out
	}
	out, _ := ordered.Copy(detected).(*ordered.Map)
	for _, over := range []*ordered.Map{file, configured} {
		over, _ = ordered.Copy(over).(*ordered.Map) // what is merged into later must not be theirs
		dictupdate.Update(out, over, false)
	}
	return out
}

package beacons

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/shirou/gopsutil/v4/disk"
	sysload "github.com/shirou/gopsutil/v4/load"
	"github.com/shirou/gopsutil/v4/mem"
	"github.com/shirou/gopsutil/v4/net"

	"brine/internal/fnmatch"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyregex"
	"brine/modules"
)

// flag reads a switch of a configuration.
func flag(conf *ordered.Map, key string, def bool) bool {
	if v, ok := conf.Get(key); ok {
		return modules.IsTrue(v)
	}
	return def
}

// load fires when an average leaves its range.
type load struct {
	out   map[string]bool // which averages are out of their ranges
	begun bool
}

// Check implements Beacon.
func (l *load) Check(conf *ordered.Map) error {
	averages := conf.Map("averages")
	if averages == nil {
		return errors.New("Averages configuration is required for load beacon.")
	}
	for k, v := range averages.All() {
		name := pyfmt.Str(k)
		if name != "1m" && name != "5m" && name != "15m" {
			return errors.New("Configuration for load beacon: averages must be one of 1m, 5m or 15m")
		}
		list, ok := v.([]any)
		if !ok || len(list) != 2 {
			return fmt.Errorf("Configuration for load beacon: %s must be a list of two numbers", name)
		}
		for _, n := range list {
			if _, err := modules.Float(n); err != nil {
				return fmt.Errorf("Configuration for load beacon: %s: %w", name, err)
			}
		}
	}
	return nil
}

// Poll implements Beacon.
func (l *load) Poll(ctx context.Context, conf *ordered.Map) ([]*ordered.Map, error) {
	avg, err := sysload.AvgWithContext(ctx)
	if err != nil {
		return nil, err
	}
	now := map[string]float64{"1m": avg.Load1, "5m": avg.Load5, "15m": avg.Load15}
	first := !l.begun
	l.begun = true
	if l.out == nil {
		l.out = map[string]bool{}
	}
	if first && !flag(conf, "emitatstartup", true) {
		return nil, nil
	}
	send := first && flag(conf, "onchangeonly", false)
	for k, v := range conf.Map("averages").All() {
		name, bounds := pyfmt.Str(k), v.([]any)
		low, err1 := modules.Float(bounds[0])
		high, err2 := modules.Float(bounds[1])
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		out := now[name] < low || now[name] > high
		if flag(conf, "onchangeonly", false) {
			send = send || out != l.out[name]
		} else {
			send = send || out
		}
		l.out[name] = out
	}
	if !send {
		return nil, nil
	}
	return []*ordered.Map{ordered.Pairs("1m", avg.Load1, "5m", avg.Load5, "15m", avg.Load15)}, nil
}

// percent reads a limit such as 85 or "85%".
func percent(v any) (float64, error) {
	return modules.Float(strings.TrimSuffix(strings.TrimSpace(pyfmt.Str(v)), "%"))
}

func tenth(f float64) float64 { return math.Round(f*10) / 10 }

// memusage fires when so much memory is in use.
type memusage struct{}

// Check implements Beacon.
func (memusage) Check(conf *ordered.Map) error {
	if !conf.Has("percent") {
		return errors.New("Configuration for memusage beacon requires percent.")
	}
	_, err := percent(conf.Value("percent"))
	return err
}

// Poll implements Beacon.
func (memusage) Poll(ctx context.Context, conf *ordered.Map) ([]*ordered.Map, error) {
	limit, err := percent(conf.Value("percent"))
	if err != nil {
		return nil, err
	}
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil || m.Total == 0 {
		return nil, err
	}
	used := tenth(float64(m.Total-m.Available) * 100 / float64(m.Total))
	if used < limit {
		return nil, nil
	}
	return []*ordered.Map{ordered.Pairs("memusage", used)}, nil
}

// diskusage fires when a mounted file system is that full.
type diskusage struct{}

// general are the keys of a configuration that every beacon may have.
var general = []string{"interval", "enabled", "beacon_module", "disable_during_state_run"}

// Check implements Beacon.
func (diskusage) Check(conf *ordered.Map) error {
	for k, v := range conf.All() {
		if name := pyfmt.Str(k); !slices.Contains(general, name) {
			if _, err := percent(v); err != nil {
				return fmt.Errorf("Configuration for diskusage beacon: %s: %w", name, err)
			}
		}
	}
	return nil
}

// Poll implements Beacon.
func (diskusage) Poll(ctx context.Context, conf *ordered.Map) ([]*ordered.Map, error) {
	parts, err := disk.PartitionsWithContext(ctx, true)
	if err != nil && len(parts) == 0 {
		return nil, err
	}
	var out []*ordered.Map
	for k, v := range conf.All() {
		name := pyfmt.Str(k)
		if slices.Contains(general, name) {
			continue
		}
		limit, err := percent(v)
		if err != nil {
			return out, err
		}
		for _, mount := range mounts(name, parts) {
			u, err := disk.UsageWithContext(ctx, mount)
			if err != nil || u.Total == 0 {
				continue // not one that can be full
			}
			if used := tenth(u.UsedPercent); used >= limit {
				out = append(out, ordered.Pairs("diskusage", used, "mount", mount))
			}
		}
	}
	return out, nil
}

// mounts lists the mount points that a name means: itself, a glob, or a regular expression that begins with ^.
func mounts(name string, parts []disk.PartitionStat) []string {
	out := []string{}
	var re *pyregex.Regexp
	if strings.HasPrefix(name, "^") {
		re, _ = pyregex.Compile(name, 0)
	}
	for _, p := range parts {
		hit := fnmatch.Match(name, p.Mountpoint)
		if re != nil {
			m, err := re.Match(p.Mountpoint)
			hit = err == nil && m != nil
		}
		if hit && !slices.Contains(out, p.Mountpoint) {
			out = append(out, p.Mountpoint)
		}
	}
	if len(out) == 0 && strings.HasPrefix(name, "/") && !strings.ContainsAny(name, "*?[") {
		out = append(out, name)
	}
	return out
}

// networkInfo fires when counters of an interface reach limits.
type networkInfo struct{}

var counters = []string{"bytes_sent", "bytes_recv", "packets_sent", "packets_recv", "errin", "errout", "dropin", "dropout"}

// Check implements Beacon.
func (*networkInfo) Check(conf *ordered.Map) error {
	if conf.Map("interfaces") == nil {
		return errors.New("Configuration for network_info beacon requires interfaces.")
	}
	for _, v := range conf.Map("interfaces").All() {
		m, ok := v.(*ordered.Map)
		if !ok || !slices.ContainsFunc(counters, func(c string) bool { return m.Has(c) }) {
			return errors.New("Invalid configuration item in Beacon configuration.")
		}
	}
	return nil
}

// Poll implements Beacon.
func (*networkInfo) Poll(ctx context.Context, conf *ordered.Map) ([]*ordered.Map, error) {
	all, err := net.IOCountersWithContext(ctx, true)
	if err != nil {
		return nil, err
	}
	var out []*ordered.Map
	for k, v := range conf.Map("interfaces").All() {
		want, _ := v.(*ordered.Map)
		for _, c := range all {
			if c.Name != pyfmt.Str(k) {
				continue
			}
			have := ordered.Pairs("bytes_sent", c.BytesSent, "bytes_recv", c.BytesRecv, "packets_sent", c.PacketsSent, "packets_recv", c.PacketsRecv,
				"errin", c.Errin, "errout", c.Errout, "dropin", c.Dropin, "dropout", c.Dropout)
			for _, name := range counters {
				if !want.Has(name) {
					continue
				}
				limit, err1 := modules.Float(want.Value(name))
				n, err2 := modules.Float(have.Value(name))
				if err := errors.Join(err1, err2); err != nil {
					return out, err
				}
				if n == limit || want.String("type") == "greater" && n > limit {
					out = append(out, ordered.Pairs("interface", c.Name, "network_info", have))
					break
				}
			}
		}
	}
	return out, nil
}
